"""Every row of a source gets one fate, by rules that the contract declares.

The order of the rules is the order of the law: an opt-out goes first, and nothing else of
such a row is looked at.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandera.pandas as pa

from casewell.settings import CASE_MANAGEMENT, Settings, Source
from records import nhs_number
from records.calendars import iso_dates, order_problems, written_otherwise
from records.contracts import CONTRACTS, Contract
from records.delimited import other_delimiter
from records.ethnic_codes import NO_SUCH_CODE, rows_without_a_code
from records.opening import columns_wanted, nearest, open_source
from records.reading import (
    DAMAGED,
    KINDS,
    READ_ERRORS,
    SQL_TYPES,
    File,
    UnreadableError,
    accepts,
    is_damage,
    is_wrong_type,
    literal,
    plain_name,
    renamed,
    text_of,
    typed,
)
from records.repeated import find_repeated_keys, find_repeated_months, marked_rows
from records.sightings import who

# An optional column is taken for misspelled when a column that nobody knows is at least this much like it.
MISSPELLED = 0.87
SENT_AGAIN = "sent twice: a month of rows that differ from others only in record_id"
UNDECLARED = "column programme names a programme that the settings do not"


@dataclass(frozen=True)
class Extract:
    """An extract whose file was opened and whose columns fit its contract.

    Attributes
    ----------
    name
        The source's name in the settings.
    table
        Its contract's name.
    rows
        The DuckDB table its rows are read into.
    programmes
        Codes of the programmes that its rows may be about.
    """

    name: str
    table: str
    source: Source
    file: File
    columns: dict[str, tuple[str, str]]
    rows: str
    programmes: tuple[str, ...] = (CASE_MANAGEMENT,)

    @property
    def contract(self) -> Contract:
        """What its rows must look like."""
        return CONTRACTS[self.table]

    @property
    def synthetic(self) -> bool:
        """Whether its folder is stamped SYNTHETIC; a database on a server never is."""
        return self.file.stamped

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"source {self.name!r} ({self.file.path.name})"


def open_extracts(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[list[Extract], list[str]]:
    """Open every enabled extract, in order of name, and list what is wrong with files and columns."""
    extracts, problems = [], []
    enabled = [(name, source) for name, source in sorted(settings.sources.items()) if source.enabled]
    for place, (name, source) in enumerate(enabled):
        if source.kind != "extract":
            continue
        extract, found = open_extract(con, name, source, f"rows_{place}", settings.programmes)
        problems += [f"{label_of(name, source)}: {problem}" for problem in found]
        if extract and not found:
            extracts.append(extract)
    return extracts, problems


def open_extract(
    con: duckdb.DuckDBPyConnection, name: str, source: Source, rows: str, programmes: Iterable[str]
) -> tuple[Extract | None, list[str]]:
    """Open an extract, and list what is wrong with its file and columns; None when it cannot be opened at all.

    `programmes` are the codes of those beside case management that the settings name.
    """
    table = source.table or name
    if table not in CONTRACTS:
        return None, ["its name is no contract's; say which it follows with `table:`"]
    try:
        file = open_source(con, source, columns_wanted(name, source))
    except UnreadableError as error:
        return None, [f"{error}{'' if source.connection else f' ({source.path})'}"]
    named = (CASE_MANAGEMENT, *sorted(programmes))
    extract = _with_iso_dates(Extract(name, table, source, file, renamed(file, source.columns), rows, named))
    return extract, _column_problems(con, extract)


def label_of(name: str, source: Source) -> str:
    """Return how messages name an extract."""
    return f"source {name!r} ({source.relation if source.connection else Path(source.path).name})"


def _with_iso_dates(extract: Extract) -> Extract:
    """Have dates that the file writes as the settings declare read as ISO dates, by whoever reads the file."""
    written = [original for original, sql_type in _date_columns(extract).values() if sql_type == "VARCHAR"]
    if extract.source.date_format is None or not written:
        return extract
    relation = iso_dates(extract.file.relation, written, extract.source.date_format)
    return replace(extract, file=replace(extract.file, relation=relation))


def _date_columns(extract: Extract) -> dict[str, tuple[str, str]]:
    columns = extract.contract.schema.columns
    return {
        name: column
        for name, column in extract.columns.items()
        if name in columns and dtype_of(columns[name]) == "datetime64[us]"
    }


def _column_problems(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[str]:
    schema = extract.contract.schema
    known = columns_wanted(extract.name, extract.source)
    other = other_delimiter(extract.file.header, known, extract.source.delimiter)
    if other:
        named = "tab" if other == "\t" else other
        return [
            f"its columns are separated by {named!r}, not {extract.source.delimiter!r}; declare `delimiter: {named!r}`"
        ]
    problems = [
        f"settings map the unknown column {ours!r}" for ours in extract.source.columns if ours not in schema.columns
    ]
    spare = [column for column in extract.file.columns if column not in known]
    problems += [
        f"settings map {ours!r} to the column {theirs!r}, which is not there{nearest(plain_name(theirs), spare)}"
        for ours, theirs in extract.source.columns.items()
        if ours in schema.columns and ours not in extract.columns
    ]
    wrong = []
    for name, declared in schema.columns.items():
        if name in extract.source.columns and name not in extract.columns:
            continue
        if name not in extract.columns:
            near = difflib.get_close_matches(name, spare, 1, cutoff=0.6 if declared.required else MISSPELLED)
            if declared.required or near:
                # An optional column under a slightly other name would be missed without a word.
                problems.append(f"missing column {name!r}{_how_to_map(name, near)}")
        elif not accepts(dtype_of(declared), extract.columns[name][1]):
            wrong.append(name)
    try:
        rows, *filled = con.execute(
            f"SELECT count(*) {''.join(f', count({_original(extract, name)})' for name in wrong)} "
            f"FROM {extract.file.relation}"
        ).fetchone() or (0,)
    except READ_ERRORS:
        return [*problems, DAMAGED]
    if not rows and not extract.file.broken:
        problems.append("has no rows; if that is right, switch the source off with `enabled: false`")
    for name, count in zip(wrong, filled, strict=True):
        if count:
            problems.append(
                f"column {name!r} is not {KINDS[dtype_of(schema.columns[name])]} but {extract.columns[name][1]}, "
                f"in {count} row(s)"
            )
    return problems


def _how_to_map(name: str, near: list[str]) -> str:
    if near:
        return f"; the nearest there is {near[0]!r}: if that is it, map it with `columns: {{{name}: {near[0]}}}`"
    return "; if the file names it otherwise, map it with `columns:`"


def _original(extract: Extract, name: str) -> str:
    return '"' + extract.columns[name][0].replace('"', '""') + '"'


def dtype_of(declared: pa.Column) -> str:
    """Return the declared type by its plain name; Pandera spells text and time in more than one way."""
    dtype = str(declared.dtype)
    return next((name for name in SQL_TYPES if dtype.startswith(name[:3])), dtype)


def read_rows(
    con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date, today: dt.date, maximum_bad_share: float
) -> list[str]:
    """Read an extract into its DuckDB table and give every row its fate; return what stops the run.

    The table holds the contract's columns, `digits` (the NHS number as written), `number` (only if it
    can be trusted), `who` (see sightings.py), `known`, `fate`, `why`, and `as_read`: the text that could not be used. Rows of people in the table `opted_out_numbers` are
    `opted_out` whatever else is wrong with them.
    """
    contract, typed_rows = extract.contract, f"({_typed_query(extract)})"
    try:
        nhs_number.look_up(con, typed_rows)
        find_repeated_keys(con, typed_rows, contract.key)
        find_repeated_months(con, typed_rows, extract.table, contract)
        _decide_fates(con, extract, typed_rows, as_of, today)
    except READ_ERRORS as error:
        if not is_damage(error):
            raise
        return [f"{extract.label}: {DAMAGED}"]
    return _too_many_faults(con, extract, maximum_bad_share) + _order_problems(con, extract)


def _order_problems(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[str]:
    (unread,) = con.execute(f"SELECT count(as_read) FROM {extract.rows}").fetchone() or (0,)
    problems = []
    for name, (original, sql_type) in _date_columns(extract).items():
        # A day in the month's place is no date, so where all was read there is none.
        if unread and sql_type == "VARCHAR":
            text = text_of(original, sql_type)
            found = order_problems(con, extract.file.relation, text, extract.source.date_format)
            problems += [f"{extract.label}: column {name} {problem}" for problem in found]
    return problems


def _typed_query(extract: Extract) -> str:
    """Return the query of the file's rows in the contract's names and types.

    Also `wrong_type` (the first column whose text does not convert), `as_read` (the text) and `written` (the NHS number).
    """
    contract = extract.contract
    values, faults, read = [], [], []
    for name, declared in contract.schema.columns.items():
        dtype = dtype_of(declared)
        if name not in extract.columns or not accepts(dtype, extract.columns[name][1]):
            values.append(f"{_when_absent(extract, name, dtype)} AS {name}")
            continue
        original, sql_type = extract.columns[name]
        values.append(f"{typed(original, sql_type, dtype)} AS {name}")
        condition = is_wrong_type(original, sql_type, dtype)
        if condition:
            faults.append(f"WHEN {condition} THEN {literal(f'column {name} is not {KINDS[dtype]}')}")
            read.append(f"CASE WHEN {condition} THEN {literal(f'{name}=')} || {text_of(original, sql_type)} END")
    as_read = f"nullif(concat_ws('; ', {', '.join(read)}), '')" if read else "NULL::VARCHAR"
    fault = f"CASE {' '.join(faults)} END" if faults else "NULL::VARCHAR"
    written = "nhs_number" if contract.numbered else "NULL::VARCHAR"
    replaced = f"REPLACE ({_FILLED[extract.table]})" if extract.table in _FILLED else ""
    rows = f"SELECT {', '.join(values)}, {fault} AS wrong_type, {as_read} AS as_read FROM {extract.file.relation}"
    if extract.file.broken:
        rows += f" UNION ALL BY NAME SELECT why AS wrong_type, text AS as_read FROM {extract.file.broken}"
        if contract.numbered:
            written = f"CASE WHEN wrong_type IS NULL OR nhs_number IS NOT NULL THEN nhs_number ELSE {_number_in_line(extract)} END"
    return f"SELECT * {replaced}, {written} AS written FROM ({rows})"


_FILLED = {
    # Only the first episode of a spell need carry the admission's notice.
    "hospital_spells": "coalesce(admission_received_date, received_date) AS admission_received_date",
    "programme": f"coalesce(nullif(programme, ''), {literal(CASE_MANAGEMENT)}) AS programme",
}
"""What stands for an empty value, where another column or the contract says so."""


def _number_in_line(extract: Extract) -> str:
    """Return the number in a line that could not be split: only to see that an opt-out holds for it, or is one."""
    found = (
        "nullif(regexp_extract(regexp_replace(as_read, '[ -]', '', 'g'), '(?:^|[^0-9])([0-9]{10})(?:[^0-9]|$)', 1), '')"
    )
    if extract.table == "opt_outs":
        return found
    return f"CASE WHEN {found} IN (SELECT digits FROM opted_out_numbers) THEN {found} END"


def _when_absent(extract: Extract, name: str, dtype: str) -> str:
    """Without a column of receipt a record is known the stated lag after it happened."""
    happened = {
        "received_date": "discharge_date" if extract.table == "hospital_spells" else extract.contract.happened,
        "admission_received_date": "admission_date",
        "death_received_date": "date_of_death",
        "registration_end_received_date": "registration_end_date",
    }.get(name)
    if happened is None or happened not in extract.columns:
        return f"NULL::{SQL_TYPES[dtype]}"
    original, sql_type = extract.columns[happened]
    return f"CAST({typed(original, sql_type, dtype)} + INTERVAL {extract.source.known_lag_days} DAY AS DATE)"


def _decide_fates(
    con: duckdb.DuckDBPyConnection, extract: Extract, typed_rows: str, as_of: dt.date, today: dt.date
) -> None:
    contract = extract.contract
    known = contract.known or "NULL::DATE"
    not_yet = f"{known} >= DATE {literal(as_of)}" if contract.known else "false"
    con.execute(
        f"""CREATE OR REPLACE TABLE {extract.rows} AS
        SELECT * EXCLUDE (wrong_type, written, fault, is_copy, differs, sent_again, opted, usable),
            CASE WHEN usable THEN digits END AS number,
            {who(extract)} AS who,
            {known} AS known,
            CASE WHEN opted THEN 'opted_out' WHEN is_copy THEN 'duplicate' WHEN fault IS NOT NULL THEN 'quarantined'
                 WHEN sent_again THEN 'duplicate' WHEN {not_yet} THEN 'not_yet_known' ELSE 'used' END AS fate,
            CASE WHEN opted THEN 'an opt-out holds for this purpose' WHEN is_copy THEN 'copy of another row'
                 WHEN fault IS NOT NULL THEN fault WHEN sent_again THEN {literal(SENT_AGAIN)} WHEN {not_yet} THEN 'not known before the list''s date'
                 ELSE '' END AS why
        FROM (
            SELECT typed.*, {_fault(extract, today)} AS fault, again.place IS NOT NULL AS sent_again,
                numbers.digits, coalesce(numbers.opted, false) AS opted, coalesce(numbers.usable, false) AS usable
            FROM ({marked_rows(typed_rows, contract)}) AS typed
            LEFT JOIN again ON again.place = typed.{contract.key}
            LEFT JOIN numbers ON numbers.written = typed.written
        )"""
    )


def _fault(extract: Extract, today: dt.date) -> str:
    """Return the SQL expression of the first rule of the contract that a row breaks."""
    cases = ["WHEN wrong_type IS NOT NULL THEN wrong_type"]
    cases += [
        f"WHEN {condition} THEN {literal(words)}"
        for names, condition, words in rules(extract, today)
        if names != ("ethnic_category",)  # counts as not known; the row is used
    ]
    cases.append(f"WHEN differs THEN 'column {extract.contract.key} names rows that differ'")
    return f"CASE {' '.join(cases)} END"


def rules(extract: Extract, today: dt.date) -> list[tuple[tuple[str, ...], str, str]]:
    """Return the contract's rules about a single row: the columns, the SQL condition that breaks it, and its words."""
    contract = extract.contract
    found: list[tuple[tuple[str, ...], str, str]] = []
    for name, declared in contract.schema.columns.items():
        if not declared.nullable:
            found.append(((name,), f"{name} IS NULL", f"column {name} is empty"))
        for check in declared.checks:
            rule, condition = _allowed(name, check)
            found.append(((name,), f"NOT ({condition})", f"column {name} {rule}"))
    if extract.table == "programme":
        # Taken for case management, another programme's outcomes would be learned from as its own.
        condition = f"programme NOT IN ({', '.join(map(literal, extract.programmes))})"
        found.append((("programme",), condition, UNDECLARED))
    for earlier, later in contract.order:
        found.append(((earlier, later), f"{earlier} > {later}", f"column {earlier} is later than {later}"))
    for name in contract.schema.columns if extract.table != "opt_outs" else []:
        if name in (contract.known, contract.happened):
            found.append(((name,), f"{name} > DATE {literal(today)}", f"column {name} lies in the future"))
    return found


def _allowed(name: str, check: pa.Check) -> tuple[str, str]:
    statistics = check.statistics or {}
    if check.name == "isin":
        values = sorted(statistics["allowed_values"])
        return "holds a value that is not allowed", f"{name} IN ({', '.join(map(literal, values))})"
    low, high = statistics["min_value"], statistics["max_value"]
    return f"is not between {low} and {high}", f"{name} BETWEEN {low} AND {high}"


def _too_many_faults(con: duckdb.DuckDBPyConnection, extract: Extract, maximum: float) -> list[str]:
    looked_at = "fate NOT IN ('opted_out', 'duplicate')"
    rows, numbered, bad = con.execute(
        f"SELECT count(*), count(digits), count(*) FILTER (digits IS NOT NULL AND number IS NULL) "
        f"FROM {extract.rows} WHERE {looked_at}"
    ).fetchone() or (0, 0, 0)
    problems = [
        f"{extract.label}: {why} in {count} of {rows} row(s); at most {maximum:.0%} may be set aside"
        f"{_advice(con, extract, why)}"
        for why, count in con.execute(
            f"SELECT why, count(*) FROM {extract.rows} WHERE fate = 'quarantined' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        if count > maximum * rows
    ]
    if "ethnic_category" in extract.columns and (count := rows_without_a_code(con, extract.rows)) > maximum * rows:
        problems.append(f"{extract.label}: {NO_SUCH_CODE} in {count} of {rows} row(s); at most {maximum:.0%} may")
    if extract.table == "opt_outs" and extract.file.broken:
        (lines,) = con.execute(f"SELECT count(*) FROM {extract.file.broken}").fetchone() or (0,)
        problems.append(
            f"{extract.label}: {lines} line(s) cannot be split into columns, the first is line "
            f"{_first_broken(con, extract)}; no line of the opt-outs may be lost"
        )
    if bad > maximum * numbered:
        problems.append(
            f"{extract.label}: column nhs_number fails its check digit, or is a known dummy, "
            f"in {bad} of {numbered} row(s) with a number; at most {maximum:.0%} may"
        )
    return problems


def _advice(con: duckdb.DuckDBPyConnection, extract: Extract, why: str) -> str:
    """Return what to do about a fault, where the file itself tells."""
    if (extract.file.broken and why.startswith("the line")) or why.startswith("a quotation mark"):
        return f"; the first is line {_first_broken(con, extract, why)}"
    if why == UNDECLARED:
        return "; declare them under `programmes`, mend the codes, or leave those rows out of the extract"
    for name, (original, sql_type) in _date_columns(extract).items():
        if sql_type == "VARCHAR" and why == f"column {name} is not {KINDS['datetime64[us]']}":
            return written_otherwise(con, extract.file.relation, text_of(original, sql_type))
    return ""


def _first_broken(con: duckdb.DuckDBPyConnection, extract: Extract, why: str | None = None) -> int:
    asked = f"WHERE why = {literal(why)}" if why else ""
    return int((con.execute(f"SELECT min(line) FROM {extract.file.broken} {asked}").fetchone() or (0,))[0])
