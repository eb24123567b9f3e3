"""A source counted in a few scans: what every check needs, and nothing about a person.

The rows are those that the run would read, with the fate it would give them, so that both judge alike.
Each scan is linear in them, and what comes back grows with places, days, months and codes only. Rows of
opted-out people are left out, as everywhere.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import pandas as pd

from records.contracts import CONTRACTS, dtype_of
from records.ethnic_codes import ETHNIC_GROUP
from records.extracts import Extract
from records.reading import KINDS, accepts, literal
from records.rules import rules
from records.tables import NOT_KNOWN

PLACES = ("practice_code", "provider_code", "team_code")
COUNTED = "counted"  # the view that the counts are made from
# What a source says in codes, and the unit of what it measures. A code that many rows share tells of no person.
CODES = {
    "gp_events": ("code", "unit"),
    "hospital_spells": ("admission_method", ""),
    "emergency_care": ("discharge_destination", ""),
    "urgent_care": ("disposition", ""),
    "outpatients": ("treatment_function_code", ""),
    "community": ("team_type", ""),
    "mental_health": ("team_type", ""),
    "social_care": ("event_type", ""),
    "housing": ("event_type", ""),
}
HISTORY_YEARS = 4


@dataclass(frozen=True)
class Broken:
    """A rule of the contract and the rows that break it; `first` counts those that break no rule before it."""

    columns: tuple[str, ...]
    words: str
    rows: int
    first: int


@dataclass(frozen=True)
class About:
    """What a profile counts: a source of the settings, one file of it, and what its columns mean.

    Attributes
    ----------
    table
        The contract it follows, or the OMOP table; empty for MEDS.
    key, happened
        The columns that name a row and say when it happened.
    place_column
        The column that names practices, hospitals or teams; empty where the source has none.
    columns
        Those the file has, of the contract's.
    """

    name: str
    file: str
    table: str
    key: str
    happened: str
    place_column: str
    columns: frozenset[str]

    @property
    def title(self) -> str:
        """How pictures name it."""
        return self.name if self.table in ("", self.name) or self.table in CONTRACTS else f"{self.name}, {self.table}"


@dataclass(frozen=True)
class Profile:
    """The counts of one source, of rows known before the day of the check unless said otherwise.

    Attributes
    ----------
    about
        What is counted.
    rows
        All rows, but for copies and those of opted-out people.
    copies
        Rows that copy another, by why they are taken for copies.
    numbered, bad_numbers
        Rows with an NHS number; those of them whose number cannot be trusted.
    places
        place, rows, no_number, no_ethnicity: whatever the day.
    groups
        ethnic_group, rows, no_usable (rows without a number that can be trusted).
    months
        place, month (in which it happened), rows, no_number, no_ethnicity.
    days
        place, day (on which it became known), rows.
    arrivals
        month, arrived (month in which it became known), rows.
    codes
        code, unit, month, rows.
    """

    about: About
    rows: int
    broken: list[Broken]
    copies: dict[str, int]
    numbered: int
    bad_numbers: int
    places: pd.DataFrame
    groups: pd.DataFrame
    months: pd.DataFrame
    days: pd.DataFrame
    arrivals: pd.DataFrame
    codes: pd.DataFrame

    @property
    def name(self) -> str:
        """The source's name."""
        return self.about.name

    @property
    def file(self) -> str:
        """The file's name."""
        return self.about.file

    @property
    def place_column(self) -> str:
        """The column that names practices, hospitals or teams; empty where the source has none."""
        return self.about.place_column

    def has(self, column: str) -> bool:
        """Whether the file has a column of the contract."""
        return column in self.about.columns


def place_column(extract: Extract) -> str:
    """Return the column that says where a row comes from, or an empty text."""
    declared = extract.contract.schema.columns
    return next((name for name in PLACES if name in declared and name in extract.columns), "")


def profile(con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date, today: dt.date) -> Profile:
    """Count a source whose rows `records.checking.read_rows` has read; columns that the file lacks are passed over."""
    columns = readable(extract)
    _view(con, extract, columns)
    broken, rows, copies = _broken(con, extract, columns, today)
    numbered, bad = con.execute(
        "SELECT count(digits), count(*) FILTER (digits IS NOT NULL AND number IS NULL) FROM counted "
        "WHERE fate <> 'duplicate'"
    ).fetchone() or (0, 0)
    places = _frame(con, f"SELECT place, {_COUNTS} FROM counted WHERE fate <> 'duplicate' GROUP BY 1 ORDER BY 1")
    groups = _groups(con) if {"ethnic_category", "nhs_number"} <= set(columns) else pd.DataFrame()
    months, days, arrivals, codes = _happenings(con, "received_date" in columns, as_of)
    about = About(
        extract.name,
        extract.file.path.name,
        extract.table,
        extract.contract.key,
        extract.contract.happened,
        place_column(extract),
        frozenset(extract.columns),
    )
    return Profile(about, rows, broken, copies, numbered, bad, places, groups, months, days, arrivals, codes)


def plain_profile(con: duckdb.DuckDBPyConnection, about: About, as_of: dt.date) -> Profile:
    """Count a source without NHS numbers or ethnicity, whose rows the view `counted` shows.

    The view has `place`, `happened_on`, `known`, `fate`, `code_counted`, `unit_counted`, and `no_number` and
    `no_ethnicity`, which are false.
    """
    (rows,) = con.execute(f"SELECT count(*) FROM {COUNTED} WHERE fate <> 'duplicate'").fetchone() or (0,)
    places = _frame(con, f"SELECT place, {_COUNTS} FROM {COUNTED} WHERE fate <> 'duplicate' GROUP BY 1 ORDER BY 1")
    months, days, arrivals, codes = _happenings(con, False, as_of)
    return Profile(about, rows, [], {}, 0, 0, places, pd.DataFrame(), months, days, arrivals, codes)


def readable(extract: Extract) -> list[str]:
    """Return the contract's columns that the file has in a type that fits."""
    return [
        name
        for name, declared in extract.contract.schema.columns.items()
        if name in extract.columns and accepts(dtype_of(declared), extract.columns[name][1])
    ]


_COUNTS = "count(*) AS rows, count(*) FILTER (no_number) AS no_number, count(*) FILTER (no_ethnicity) AS no_ethnicity"


def _view(con: duckdb.DuckDBPyConnection, extract: Extract, columns: list[str]) -> None:
    """Make the view `counted`: the rows, and what the counts go by."""
    place, (code, unit) = place_column(extract), CODES.get(extract.table, ("", ""))

    def text(name: str) -> str:
        return f"coalesce({name}, '')" if name in columns else "''"

    no_ethnicity = f"{ETHNIC_GROUP} = {literal(NOT_KNOWN)}"
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW counted AS SELECT *,
            {text(place)} AS place, {text(code)} AS code_counted, {text(unit)} AS unit_counted,
            {extract.contract.happened or "NULL::DATE"} AS happened_on,
            {"digits IS NULL" if "nhs_number" in columns else "false"} AS no_number,
            {no_ethnicity if "ethnic_category" in columns else "false"} AS no_ethnicity
        FROM {extract.rows} WHERE fate <> 'opted_out'"""
    )


def _broken(
    con: duckdb.DuckDBPyConnection, extract: Extract, columns: list[str], today: dt.date
) -> tuple[list[Broken], int, dict[str, int]]:
    """Count the rows that break each rule, all rows looked at, and the copies by kind."""
    # A text that does not convert is null, and kept in `as_read`; it is not empty as well.
    wrong = {name: f"coalesce('; ' || as_read LIKE '%; {name}=%', false)" for name in columns}
    unsplit = (
        "(fate = 'quarantined' AND as_read IS NOT NULL AND NOT coalesce(regexp_matches(as_read, '^\\w+='), false))"
    )
    every: list[tuple[tuple[str, ...], str, str]] = [
        ((name,), wrong[name], f"column {name} is not {KINDS[dtype_of(extract.contract.schema.columns[name])]}")
        for name in columns
        if dtype_of(extract.contract.schema.columns[name]) != "str"
    ]
    every += [
        (names, f"{condition} AND NOT {wrong[names[0]]}" if condition.endswith("IS NULL") else condition, words)
        for names, condition, words in rules(extract, today)
        if all(name in columns for name in names)
    ]
    counts = "".join(f", count(*) FILTER ({condition} AND NOT {unsplit})" for _, condition, _ in every)
    found = con.execute(f"SELECT fate, why, count(*){counts} FROM counted GROUP BY ALL").fetchall()
    kept = [row for row in found if row[0] != "duplicate"]
    copies = {row[1]: int(row[2]) for row in found if row[0] == "duplicate"}
    firsts = {row[1]: int(row[2]) for row in kept if row[0] == "quarantined"}
    broken = []
    for place, (names, _, words) in enumerate(every):
        rows = sum(int(row[3 + place]) for row in kept)
        if rows:
            broken.append(Broken(names, words, rows, firsts.pop(words, 0)))
        else:
            firsts.pop(words, None)
    # What is no rule of a column: identifiers that clash, lines that cannot be split.
    present = f"column {extract.contract.key} names rows that differ"
    broken += [
        Broken((extract.contract.key,) if words == present else (), words, rows, rows)
        for words, rows in sorted(firsts.items())
        if not any(words == f"column {name} is empty" for name in extract.contract.schema.columns)
    ]
    return broken, sum(int(row[2]) for row in kept), copies


def _groups(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return con.execute(
        f"SELECT {ETHNIC_GROUP} AS ethnic_group, count(*) AS rows, count(*) FILTER (number IS NULL) AS no_usable "
        "FROM counted WHERE fate <> 'duplicate' GROUP BY 1 ORDER BY 1"
    ).df()


def _happenings(con: duckdb.DuckDBPyConnection, received: bool, as_of: dt.date) -> tuple[pd.DataFrame, ...]:
    """Count by place and month, place and day of receipt, month and month of receipt, and code and month, in one scan."""
    begin = dt.date(as_of.year - HISTORY_YEARS, as_of.month, 1)
    # An admission is known before its spell is sent: what counts for a feed is when the row came.
    arrived = f"if(received_date < DATE {literal(as_of)}, received_date, known)" if received else "known"
    keys = ("place", "day", "month", "arrived", "code", "unit")
    sets = {
        "months": ("place", "month"),
        "days": ("place", "day"),
        "arrivals": ("month", "arrived"),
        "codes": ("code", "unit", "month"),
    }
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE happenings AS
        SELECT {", ".join(keys)}, {_COUNTS}, grouping({", ".join(keys)}) AS leaves_out FROM (
            SELECT place, {arrived} AS day, CAST(date_trunc('month', recent) AS DATE) AS month,
                CAST(date_trunc('month', {arrived}) AS DATE) AS arrived, code_counted AS code, unit_counted AS unit,
                no_number, no_ethnicity
            FROM (SELECT *, if(happened_on >= DATE {literal(begin)}, happened_on, NULL) AS recent FROM counted)
            WHERE fate <> 'duplicate' AND known < DATE {literal(as_of)}
                AND happened_on <= known
        ) GROUP BY GROUPING SETS ({", ".join(f"({', '.join(chosen)})" for chosen in sets.values())})"""
    )
    return tuple(
        _frame(
            con,
            f"SELECT {', '.join(chosen)}, rows, no_number, no_ethnicity FROM happenings "
            f"WHERE leaves_out = {sum(1 << (len(keys) - 1 - place) for place, key in enumerate(keys) if key not in chosen)} "
            f"{f'AND month >= DATE {literal(begin)}' if 'month' in chosen else ''} ORDER BY {', '.join(chosen)}",
        )
        for chosen in sets.values()
    )


def _frame(con: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    table = con.execute(query).df()
    dates = [name for name in ("month", "day", "arrived") if name in table]
    return table.astype(dict.fromkeys(dates, "datetime64[us]"))
