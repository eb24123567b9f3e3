"""Every row of a source gets one fate, by rules that the contract declares.

The order of the rules is the order of the law: an opt-out goes first, and nothing else of
such a row is looked at.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandera.pandas as pa

from casewell.settings import Settings, Source
from records import nhs_number
from records.contracts import CONTRACTS, Contract
from records.reading import (
    DAMAGED,
    KINDS,
    READ_ERRORS,
    SQL_TYPES,
    File,
    UnreadableError,
    accepts,
    is_wrong_type,
    literal,
    open_file,
    renamed,
    typed,
)
from records.sightings import who


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
    """

    name: str
    table: str
    source: Source
    file: File
    columns: dict[str, tuple[str, str]]
    rows: str

    @property
    def contract(self) -> Contract:
        """What its rows must look like."""
        return CONTRACTS[self.table]

    @property
    def synthetic(self) -> bool:
        """Whether its folder is stamped SYNTHETIC."""
        return (self.file.path.parent / "SYNTHETIC").is_file()

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
        table = source.table or name
        label = f"source {name!r} ({Path(source.path).name})"
        if table not in CONTRACTS:
            problems.append(f"{label}: its name is no contract's; say which it follows with `table:`")
            continue
        try:
            file = open_file(con, source.path)
        except UnreadableError as error:
            problems.append(f"{label}: {error} ({source.path})")
            continue
        extract = Extract(name, table, source, file, renamed(file, source.columns), f"rows_{place}")
        found = _column_problems(con, extract)
        problems += [f"{label}: {problem}" for problem in found]
        if not found:
            extracts.append(extract)
    return extracts, problems


def _column_problems(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[str]:
    schema = extract.contract.schema
    problems = [
        f"settings map the unknown column {ours!r}" for ours in extract.source.columns if ours not in schema.columns
    ]
    wrong = []
    for name, declared in schema.columns.items():
        if name not in extract.columns:
            if declared.required:
                problems.append(f"missing column {name!r}; if the file names it otherwise, map it with `columns:`")
        elif not accepts(_dtype(declared), extract.columns[name][1]):
            wrong.append(name)
    try:
        rows, *filled = con.execute(
            f"SELECT count(*) {''.join(f', count({_original(extract, name)})' for name in wrong)} "
            f"FROM {extract.file.relation}"
        ).fetchone() or (0,)
    except READ_ERRORS:
        return [*problems, DAMAGED]
    if not rows:
        problems.append("has no rows; if that is right, switch the source off with `enabled: false`")
    for name, count in zip(wrong, filled, strict=True):
        if count:
            problems.append(
                f"column {name!r} is not {KINDS[_dtype(schema.columns[name])]} but {extract.columns[name][1]}, "
                f"in {count} row(s)"
            )
    return problems


def _original(extract: Extract, name: str) -> str:
    return '"' + extract.columns[name][0].replace('"', '""') + '"'


def _dtype(declared: pa.Column) -> str:
    """Return the declared type by its plain name; Pandera spells text and time in more than one way."""
    dtype = str(declared.dtype)
    return next((name for name in SQL_TYPES if dtype.startswith(name[:3])), dtype)


def read_rows(
    con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date, today: dt.date, maximum_bad_share: float
) -> list[str]:
    """Read an extract into its DuckDB table and give every row its fate; return what stops the run.

    The table holds the contract's columns, `digits` (the NHS number as written), `number` (only if it
    can be trusted), `who` (see sightings.py), `known`, `fate` and `why`. Rows of people in the table `opted_out_numbers` are
    `opted_out` whatever else is wrong with them.
    """
    try:
        _read_typed(con, extract)
    except READ_ERRORS:
        return [f"{extract.label}: {DAMAGED}"]
    _find_repeats(con, extract)
    _decide_fates(con, extract, as_of, today)
    return _too_many_faults(con, extract, maximum_bad_share)


def _read_typed(con: duckdb.DuckDBPyConnection, extract: Extract) -> None:
    contract = extract.contract
    values, faults = [], []
    for name, declared in contract.schema.columns.items():
        dtype = _dtype(declared)
        if name not in extract.columns or not accepts(dtype, extract.columns[name][1]):
            values.append(f"{_when_absent(extract, name, dtype)} AS {name}")
            continue
        original, sql_type = extract.columns[name]
        values.append(f"{typed(original, sql_type, dtype)} AS {name}")
        condition = is_wrong_type(original, sql_type, dtype)
        if condition:
            faults.append(f"WHEN {condition} THEN {literal(f'column {name} is not {KINDS[dtype]}')}")
    fault = f"CASE {' '.join(faults)} END" if faults else "NULL::VARCHAR"
    digits = nhs_number.digits("nhs_number") if contract.numbered else "NULL::VARCHAR"
    # Only the first episode of a spell need carry the admission's notice.
    notice = "coalesce(admission_received_date, received_date) AS admission_received_date"
    replaced = f"REPLACE ({notice})" if extract.table == "hospital_spells" else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE typed AS SELECT * {replaced}, {digits} AS digits FROM "
        f"(SELECT {', '.join(values)}, {fault} AS wrong_type FROM {extract.file.relation})"
    )


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


def _find_repeats(con: duckdb.DuckDBPyConnection, extract: Extract) -> None:
    """Mark copies of a row, and rows that share an identifier but differ; few, so windows see only those."""
    key, columns = extract.contract.key, ", ".join(extract.contract.schema.columns)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE repeats AS
        SELECT place, row_number() OVER (PARTITION BY {key}, content ORDER BY place) > 1 AS is_copy,
            min(content) OVER (PARTITION BY {key}) <> max(content) OVER (PARTITION BY {key}) AS differs
        FROM (
            SELECT rowid AS place, {key}, md5(CAST(row({columns}) AS VARCHAR)) AS content FROM typed
            WHERE {key} IN (SELECT {key} FROM typed GROUP BY 1 HAVING count(*) > 1)
        )"""
    )


def _decide_fates(con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date, today: dt.date) -> None:
    contract = extract.contract
    known = contract.known or "NULL::DATE"
    not_yet = f"{known} >= DATE {literal(as_of)}" if contract.known else "false"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {extract.rows} AS
        SELECT * EXCLUDE (wrong_type, fault, is_copy, opted, usable),
            CASE WHEN usable THEN digits END AS number,
            {who(extract)} AS who,
            {known} AS known,
            CASE WHEN opted THEN 'opted_out' WHEN is_copy THEN 'duplicate' WHEN fault IS NOT NULL THEN 'quarantined'
                 WHEN {not_yet} THEN 'not_yet_known' ELSE 'used' END AS fate,
            CASE WHEN opted THEN 'an opt-out holds for this purpose' WHEN is_copy THEN 'copy of another row'
                 WHEN fault IS NOT NULL THEN fault WHEN {not_yet} THEN 'not known before the list''s date'
                 ELSE '' END AS why
        FROM (
            SELECT typed.*, {_fault(extract, today)} AS fault, coalesce(repeats.is_copy, false) AS is_copy,
                opted_out_numbers.digits IS NOT NULL AS opted, coalesce(numbers.usable, false) AS usable
            FROM typed
            LEFT JOIN repeats ON repeats.place = typed.rowid
            LEFT JOIN opted_out_numbers ON opted_out_numbers.digits = typed.digits
            LEFT JOIN (SELECT digits, {nhs_number.is_usable("digits")} AS usable
                       FROM (SELECT DISTINCT digits FROM typed WHERE digits IS NOT NULL)) AS numbers
                ON numbers.digits = typed.digits
        )"""
    )


def _fault(extract: Extract, today: dt.date) -> str:
    """Return the SQL expression of the first rule of the contract that a row breaks."""
    contract, cases = extract.contract, ["WHEN wrong_type IS NOT NULL THEN wrong_type"]
    for name, declared in contract.schema.columns.items():
        if not declared.nullable:
            cases.append(f"WHEN {name} IS NULL THEN 'column {name} is empty'")
        for check in declared.checks:
            rule, condition = _allowed(name, check)
            cases.append(f"WHEN NOT ({condition}) THEN {literal(f'column {name} {rule}')}")
    for earlier, later in contract.order:
        cases.append(f"WHEN {earlier} > {later} THEN 'column {earlier} is later than {later}'")
    dates = [name for name, declared in contract.schema.columns.items() if name in (contract.known, contract.happened)]
    for name in dates if extract.table != "opt_outs" else []:
        cases.append(f"WHEN {name} > DATE {literal(today)} THEN 'column {name} lies in the future'")
    cases.append(f"WHEN repeats.differs THEN 'column {contract.key} names rows that differ'")
    return f"CASE {' '.join(cases)} END"


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
        for why, count in con.execute(
            f"SELECT why, count(*) FROM {extract.rows} WHERE fate = 'quarantined' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        if count > maximum * rows
    ]
    if bad > maximum * numbered:
        problems.append(
            f"{extract.label}: column nhs_number fails its check digit, or is a known dummy, "
            f"in {bad} of {numbered} row(s) with a number; at most {maximum:.0%} may"
        )
    return problems
