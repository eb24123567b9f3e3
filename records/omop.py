"""OMOP CDM 5.3 and 5.4 tables as found: any header case, CSV, gzipped CSV or Parquet.

OMOP says nothing of deprivation, practice or registration in English terms, and a visit does not say
whether it was an emergency: what is not there is left missing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from casewell.settings import Settings, Source
from records.delimited import ENDINGS
from records.opening import open_file
from records.reading import (
    DAMAGED,
    SQL_TYPES,
    File,
    UnreadableError,
    accepts,
    is_damage,
    literal,
    typed,
)
from records.repeated import find_again

DAY, WHOLE, NUMBER, TEXT = "datetime64[us]", "int64", "float64", "str"
NO_PERSON_ROW = "person not in the person table"
SENT_AGAIN = "sent twice: a month of rows that differ from others only in their own id"
MALE, FEMALE = 8507, 8532
RACES = {8527: "White", 8516: "Black", 8515: "Asian", 8657: "Other", 8557: "Other"}
INPATIENT, EMERGENCY_THEN_INPATIENT, EMERGENCY = 9201, 262, 9203


@dataclass(frozen=True)
class CdmTable:
    """Which columns of an OMOP table are read, the day a row happened, and where (for the check of the sources)."""

    columns: dict[str, str]
    optional: tuple[str, ...] = ()
    key: str = ""
    happened: str = ""
    ended: str = ""
    concept: str = ""
    value: str = ""
    place: str = ""


def _events(key: str, concept: str, happened: str, ended: str = "", value: str = "", place: str = "") -> CdmTable:
    columns = {key: TEXT, "person_id": WHOLE, concept: WHOLE, happened: DAY}
    columns |= {name: dtype for name, dtype in ((ended, DAY), (value, NUMBER), (place, TEXT)) if name}
    return CdmTable(columns, tuple(filter(None, (ended, value, place))), key, happened, ended, concept, value, place)


TABLES = {
    "person": CdmTable(
        {
            "person_id": WHOLE,
            "gender_concept_id": WHOLE,
            "year_of_birth": WHOLE,
            "month_of_birth": WHOLE,
            "day_of_birth": WHOLE,
            "race_concept_id": WHOLE,
        },
        ("month_of_birth", "day_of_birth", "race_concept_id"),
        "person_id",
    ),
    "observation_period": CdmTable(
        {
            "observation_period_id": TEXT,
            "person_id": WHOLE,
            "observation_period_start_date": DAY,
            "observation_period_end_date": DAY,
        },
        ("observation_period_end_date",),
        "observation_period_id",
        "observation_period_start_date",
        "observation_period_end_date",
    ),
    "visit_occurrence": _events(
        "visit_occurrence_id", "visit_concept_id", "visit_start_date", "visit_end_date", place="care_site_id"
    ),
    "condition_occurrence": _events("condition_occurrence_id", "condition_concept_id", "condition_start_date"),
    "drug_exposure": _events("drug_exposure_id", "drug_concept_id", "drug_exposure_start_date"),
    "measurement": _events("measurement_id", "measurement_concept_id", "measurement_date", value="value_as_number"),
    "procedure_occurrence": _events("procedure_occurrence_id", "procedure_concept_id", "procedure_date"),
    "observation": _events("observation_id", "observation_concept_id", "observation_date", value="value_as_number"),
    "death": CdmTable({"person_id": WHOLE, "death_date": DAY}, (), "person_id", "death_date"),
    "concept": CdmTable({"concept_id": WHOLE, "vocabulary_id": TEXT, "concept_code": TEXT}),
}
CODED = ("condition_occurrence", "drug_exposure", "measurement", "procedure_occurrence", "observation")


@dataclass(frozen=True)
class Cdm:
    """An OMOP folder whose tables were opened.

    Attributes
    ----------
    files
        Table name: file, for the tables that are there.
    rows
        Prefix of the DuckDB tables that hold the rows.
    """

    name: str
    source: Source
    files: dict[str, File]
    rows: str

    @property
    def synthetic(self) -> bool:
        """Whether the folder is stamped SYNTHETIC."""
        return (self.source.path / "SYNTHETIC").is_file()

    @property
    def missing(self) -> list[str]:
        """Tables that are not there, and so are not used."""
        return [table for table in TABLES if table not in self.files]

    def kept(self, table: str) -> str:
        """Return the DuckDB table of one OMOP table's rows."""
        return f"{self.rows}_{table}"


def open_cdms(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[list[Cdm], list[str]]:
    """Open every enabled OMOP folder and list what is wrong with files and columns."""
    cdms, problems = [], []
    enabled = [(name, source) for name, source in sorted(settings.sources.items()) if source.enabled]
    for place, (name, source) in enumerate(enabled):
        if source.kind != "omop":
            continue
        if not source.path.is_dir():
            problems.append(f"source {name!r}: the folder does not exist ({source.path})")
            continue
        files, found = _open_tables(con, source)
        problems += [f"source {name!r} {problem}" for problem in found]
        if not found:
            cdms.append(Cdm(name, source, files, f"cdm_{place}"))
    return cdms, problems


def _open_tables(con: duckdb.DuckDBPyConnection, source: Source) -> tuple[dict[str, File], list[str]]:
    files: dict[str, File] = {}
    problems = []
    for path in sorted(source.path.iterdir()):
        table = path.name.lower().removesuffix(".gz").rsplit(".", 1)[0]
        if table not in TABLES or not path.name.lower().endswith((".parquet", *ENDINGS)):
            continue
        if table in files:
            problems.append(f"({path.name}): the table is there twice")
            continue
        try:
            files[table] = open_file(con, path, source.delimiter, source.encoding)
        except UnreadableError as error:
            problems.append(f"({path.name}): {error}")
            continue
        problems += [f"({path.name}): {problem}" for problem in _column_problems(files[table], TABLES[table])]
    if not any("person." in problem for problem in problems):
        problems += _person_problems(con, files)
    return files, problems


def _column_problems(file: File, table: CdmTable) -> list[str]:
    problems = []
    for name, dtype in table.columns.items():
        if name not in file.columns:
            if name not in table.optional:
                problems.append(f"missing column {name!r}")
        elif not accepts(dtype, file.columns[name][1]):
            problems.append(f"column {name!r} has the wrong type, {file.columns[name][1]}")
    return problems


def _person_problems(con: duckdb.DuckDBPyConnection, files: dict[str, File]) -> list[str]:
    if "person" not in files:
        return ["has no person table"]
    try:
        rows = con.execute(f"SELECT count(*) FROM {files['person'].relation}").fetchone() or (0,)
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return [f"({files['person'].path.name}): {DAMAGED}"]
    return [] if rows[0] else [f"({files['person'].path.name}): has no rows"]


def value_of(file: File, name: str, dtype: str) -> str:
    """Return the SQL expression of a column in the declared type, null where the file lacks it."""
    return typed(*file.columns[name], dtype) if name in file.columns else f"NULL::{SQL_TYPES[dtype]}"


def known_queries(cdm: Cdm) -> list[str]:
    """Return queries of the days on which the folder's records became known, for its span."""
    queries = []
    for table, file in cdm.files.items():
        declared = TABLES[table]
        for name in filter(None, (declared.happened, declared.ended)):
            if table == "observation_period" and name == declared.happened:
                continue
            day = f"{value_of(file, name, DAY)} + INTERVAL {cdm.source.known_lag_days} DAY"
            queries.append(f"SELECT CAST({day} AS DATE) AS known FROM {file.relation}")
    return queries


def read_cdm(
    con: duckdb.DuckDBPyConnection, cdm: Cdm, as_of: dt.date, today: dt.date, maximum_bad_share: float
) -> list[str]:
    """Read every table and give every row its fate; return what stops the run.

    Rows about somebody who is not in the person table are set aside however many there are.
    """
    problems = []
    for table in TABLES:
        if table in cdm.files and table != "concept":
            try:
                _read_table(con, cdm, table, as_of, today)
            except duckdb.Error as error:
                if not is_damage(error):
                    raise
                problems.append(f"source {cdm.name!r} ({cdm.files[table].path.name}): {DAMAGED}")
                continue
            problems += _too_many_faults(con, cdm, table, maximum_bad_share)
    return problems


def _read_table(con: duckdb.DuckDBPyConnection, cdm: Cdm, table: str, as_of: dt.date, today: dt.date) -> None:
    declared, file = TABLES[table], cdm.files[table]
    values = ", ".join(f"{value_of(file, name, dtype)} AS {name}" for name, dtype in declared.columns.items())
    # A row without an id of its own is still about its person.
    own_id = declared.key if declared.key != "person_id" else ""
    required = [name for name in declared.columns if name not in declared.optional and name != own_id]
    faults = [f"WHEN {name} IS NULL THEN 'column {name} is empty or of the wrong type'" for name in required]
    if declared.happened:
        faults.append(f"WHEN {declared.happened} > DATE '{today}' THEN 'column {declared.happened} lies in the future'")
    if declared.ended:
        faults.append(
            f"WHEN {declared.happened} > {declared.ended} "
            f"THEN 'column {declared.happened} is later than {declared.ended}'"
        )
    if table == "death":
        born = f"SELECT year_of_birth FROM {cdm.kept('person')} AS p WHERE p.person_id = row_of.person_id AND fate = 'used'"
        faults.append(f"WHEN year(death_date) < ({born}) THEN 'column death_date is earlier than the year of birth'")
    faults.append(f"WHEN differs THEN 'column {declared.key} names rows that differ'")
    known = (
        f"CAST({declared.happened} + INTERVAL {cdm.source.known_lag_days} DAY AS DATE)"
        if declared.happened
        else "NULL::DATE"
    )
    if table != "person":
        persons = f"SELECT person_id FROM {cdm.kept('person')} WHERE fate = 'used'"
        faults.append(f"WHEN person_id NOT IN ({persons}) THEN {literal(NO_PERSON_ROW)}")
    con.execute(f"CREATE OR REPLACE TABLE typed AS SELECT {values} FROM {file.relation}")
    _find_repeats(con, declared)
    con.execute(
        f"""CREATE OR REPLACE TABLE {cdm.kept(table)} AS
        SELECT * EXCLUDE (fault, is_copy, differs, sent_again), {literal(f"s|{cdm.name}|")} || person_id AS who,
            CASE WHEN is_copy THEN 'duplicate' WHEN fault IS NOT NULL THEN 'quarantined'
                 WHEN sent_again THEN 'duplicate' WHEN known >= DATE '{as_of}' THEN 'not_yet_known'
                 ELSE 'used' END AS fate,
            CASE WHEN is_copy THEN 'copy of another row' WHEN fault IS NOT NULL THEN fault
                 WHEN sent_again THEN {literal(SENT_AGAIN)} WHEN known >= DATE '{as_of}' THEN 'not known before the list''s date' ELSE '' END AS why
        FROM (SELECT *, CASE {" ".join(faults)} END AS fault FROM (
            SELECT typed.*, {known} AS known, coalesce(repeats.is_copy, false) AS is_copy,
                coalesce(repeats.differs, false) AS differs, again.place IS NOT NULL AS sent_again
            FROM typed LEFT JOIN repeats ON repeats.place = typed.rowid LEFT JOIN again ON again.place = typed.rowid
        ) AS row_of)"""
    )
    con.execute("DROP TABLE typed")


def _find_repeats(con: duckdb.DuckDBPyConnection, declared: CdmTable) -> None:
    """Mark copies, rows that share an id but differ, and months sent twice; few, so windows see only those."""
    key = declared.key
    con.execute(
        f"""CREATE OR REPLACE TABLE repeats AS
        SELECT place, row_number() OVER (PARTITION BY {key}, content ORDER BY place) > 1 AS is_copy,
            min(content) OVER (PARTITION BY {key}) <> max(content) OVER (PARTITION BY {key}) AS differs
        FROM (SELECT rowid AS place, {key}, md5(CAST(row({", ".join(declared.columns)}) AS VARCHAR)) AS content
              FROM typed WHERE {key} IN (SELECT {key} FROM typed GROUP BY 1 HAVING count(*) > 1))"""
    )
    content = [name for name in declared.columns if name != key or key == "person_id"]
    # A death or a period of observation is one a person: a month of them has no twin but a copy.
    happened = declared.happened if declared.concept else ""
    find_again(con, "typed", "rowid", happened, content, key, "rowid NOT IN (SELECT place FROM repeats)")


def _too_many_faults(con: duckdb.DuckDBPyConnection, cdm: Cdm, table: str, maximum: float) -> list[str]:
    counts = con.execute(
        f"SELECT why, count(*), (SELECT count(*) FROM {cdm.kept(table)} WHERE fate <> 'duplicate') "
        f"FROM {cdm.kept(table)} WHERE fate = 'quarantined' AND why <> {literal(NO_PERSON_ROW)} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return [
        f"source {cdm.name!r} ({cdm.files[table].path.name}): {why} in {count} of {rows} row(s); "
        f"at most {maximum:.0%} may be set aside"
        for why, count, rows in counts
        if count > maximum * rows
    ]
