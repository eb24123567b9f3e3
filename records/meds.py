"""A MEDS data set as it is: `data/**/*.parquet` of subject, time and code, and what `metadata/` says of it.

MEDS prescribes births and deaths and no other code. Codes of a vocabulary that this project knows are written its way;
all others stay as they are, or become what the settings say they stand for. What is not there is left missing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb

from casewell.settings import Settings, Source
from records.ledger import keep_aside
from records.opening import nearest, open_file
from records.reading import (
    DAMAGED,
    SQL_TYPES,
    File,
    UnreadableError,
    accepts,
    columns_of,
    is_damage,
    literal,
    typed,
)
from records.repeated import find_again

WHOLE, NUMBER, TEXT, MOMENT = "int64", "float64", "str", "datetime64[us]"
COLUMNS = {"subject_id": WHOLE, "time": MOMENT, "code": TEXT, "numeric_value": NUMBER, "text_value": TEXT}
REQUIRED = ("subject_id", "time", "code")
METADATA = ("codes.parquet", "dataset.json", "subject_splits.parquet")
BIRTH, DEATH = "MEDS_BIRTH", "MEDS_DEATH"
DEATH_BEFORE_BIRTH = "death is earlier than birth"
NOT_YET = "not known before the list's date"
SENT_AGAIN = "sent twice: a month of rows that repeat others"
# How data sets spell a vocabulary, in capitals without marks: how this project does. American ICD-10-CM keeps the
# categories of ICD-10 and divides some further.
VOCABULARIES = {
    "SNOMED": "SNOMED",
    "SNOMEDCT": "SNOMED",
    "SCT": "SNOMED",
    "ICD10": "ICD10",
    "ICD10CM": "ICD10",
    "ICD10GM": "ICD10",
    "RXNORM": "RxNorm",
    "LOINC": "LOINC",
    "BNF": "BNF",
}
SEXES = {"F": "female", "FEMALE": "female", "8532": "female", "M": "male", "MALE": "male", "8507": "male"}
ETHNIC_GROUPS = {"WHITE": "White", "BLACK": "Black", "ASIAN": "Asian", "OTHER": "Other"}


@dataclass(frozen=True)
class Meds:
    """A MEDS data set whose files were opened.

    Attributes
    ----------
    columns
        Plain name: (own name, type), of the columns that are read.
    rows
        The DuckDB table its rows are read into.
    """

    name: str
    source: Source
    relation: str
    columns: dict[str, tuple[str, str]]
    rows: str

    @property
    def synthetic(self) -> bool:
        """Whether the folder is stamped SYNTHETIC."""
        return (self.source.path / "SYNTHETIC").is_file()

    @property
    def missing(self) -> list[str]:
        """Metadata and columns that are not there."""
        files = [f"metadata/{name}" for name in METADATA if not (self.source.path / "metadata" / name).is_file()]
        return files + [name for name in COLUMNS if name not in self.columns]


def open_meds(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[list[Meds], list[str]]:
    """Open every enabled MEDS data set and list what is wrong with files and columns."""
    found, problems = [], []
    enabled = [(name, source) for name, source in sorted(settings.sources.items()) if source.enabled]
    for place, (name, source) in enumerate(enabled):
        if source.kind == "meds":
            meds, wrong = _open(con, name, source, f"meds_{place}")
            problems += [f"source {name!r}{problem}" for problem in wrong]
            if meds and not wrong:
                found.append(meds)
    return found, problems


def _open(con: duckdb.DuckDBPyConnection, name: str, source: Source, rows: str) -> tuple[Meds | None, list[str]]:
    folder = source.path / "data"
    if not source.path.is_dir():
        return None, [f": the folder does not exist ({source.path})"]
    paths = sorted(folder.rglob("*.parquet"))
    if not paths:
        return None, [": the folder has no data/**/*.parquet; `path` must be the folder that holds `data`"]
    files: list[File] = []
    problems = []
    for path in paths:
        shown = path.relative_to(source.path)
        try:
            files.append(open_file(con, path))
        except UnreadableError as error:
            problems.append(f" ({shown}): {error}")
            continue
        problems += [f" ({shown}): {problem}" for problem in _column_problems(files[-1])]
    if problems:
        return None, problems
    relation = f"read_parquet([{', '.join(literal(file.path) for file in files)}], union_by_name=true)"
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        (count,) = con.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,)
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return None, [": its files do not fit together, or are damaged"]
    columns = {key: column for key, column in columns_of(row[:2] for row in described).items() if key in COLUMNS}
    return Meds(name, source, relation, columns, rows), [] if count else [" has no rows"]


def _column_problems(file: File) -> list[str]:
    problems = [
        f"missing column {name!r}{nearest(name, file.columns)}" for name in REQUIRED if name not in file.columns
    ]
    for name, dtype in COLUMNS.items():
        # A shard in which nobody has a value may have a column of no type.
        if name in file.columns and file.columns[name][1] not in ('"NULL"', "NULL"):
            sql_type = file.columns[name][1]
            if not accepts(dtype, sql_type) or (sql_type == "VARCHAR" and dtype in (WHOLE, MOMENT)):
                problems.append(f"column {name!r} has the wrong type, {sql_type}")
    return problems


def known_queries(meds: Meds) -> list[str]:
    """Return queries of the days on which records became known, for the span; births are older than records."""
    code, time = _value(meds, "code"), _value(meds, "time")
    day = f"CAST({time} + INTERVAL {meds.source.known_lag_days} DAY AS DATE)"
    return [f"SELECT {day} AS known FROM {meds.relation} WHERE NOT coalesce({_is(code, BIRTH)}, false)"]


def _value(meds: Meds, name: str) -> str:
    if name not in meds.columns:
        return f"NULL::{'TIMESTAMP' if name == 'time' else SQL_TYPES[COLUMNS[name]]}"
    original, sql_type = meds.columns[name]
    if name == "time":
        return f'CAST("{original}" AS TIMESTAMP)'
    return typed(original, sql_type, COLUMNS[name])


def _is(code: str, prescribed: str) -> str:
    return f"({code} = {literal(prescribed)} OR starts_with({code}, {literal(prescribed + '//')}))"


def read_meds(
    con: duckdb.DuckDBPyConnection, meds: Meds, as_of: dt.date, today: dt.date, maximum_bad_share: float
) -> list[str]:
    """Read the data set and give every row its fate; return what stops the run."""
    values = ", ".join(f"{_value(meds, name)} AS {name}" for name in COLUMNS)
    future = (
        "" if meds.source.shifted_dates else f"WHEN time >= DATE '{today}' + 1 THEN 'column time lies in the future'"
    )
    try:
        con.execute(f"CREATE OR REPLACE TABLE typed AS SELECT {values} FROM {meds.relation}")
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return [f"source {meds.name!r}: {DAMAGED}"]
    find_again(con, "typed", "rowid", "time", COLUMNS, "place")
    con.execute(
        f"""CREATE OR REPLACE TABLE {meds.rows} AS
        SELECT * EXCLUDE (sent_again), {literal(f"s|{meds.name}|")} || subject_id AS who,
            CASE why WHEN '' THEN 'used' WHEN {literal(NOT_YET)} THEN 'not_yet_known'
                WHEN {literal(SENT_AGAIN)} THEN 'duplicate' ELSE 'quarantined' END AS fate
        FROM (SELECT *, CASE WHEN subject_id IS NULL THEN 'column subject_id is empty'
                WHEN code IS NULL THEN 'column code is empty'
                WHEN time IS NULL AND (birth OR death) THEN 'column time is empty' {future}
                WHEN sent_again THEN {literal(SENT_AGAIN)}
                WHEN NOT birth AND known >= DATE '{as_of}' THEN {literal(NOT_YET)} ELSE '' END AS why
            FROM (SELECT typed.*, coalesce({_is("code", BIRTH)}, false) AS birth,
                    coalesce({_is("code", DEATH)}, false) AS death,
                    time + INTERVAL {meds.source.known_lag_days} DAY AS known, again.place IS NOT NULL AS sent_again
                  FROM typed LEFT JOIN again ON again.place = typed.rowid))"""
    )
    con.execute("DROP TABLE typed")
    con.execute(
        f"""UPDATE {meds.rows} SET fate = 'quarantined', why = {literal(DEATH_BEFORE_BIRTH)}
        WHERE fate = 'used' AND (birth OR death) AND subject_id IN (
            SELECT subject_id FROM {meds.rows} WHERE fate = 'used' GROUP BY 1
            HAVING min(time) FILTER (death) < max(time) FILTER (birth)::DATE)"""
    )
    return _too_many_faults(con, meds, maximum_bad_share)


def _too_many_faults(con: duckdb.DuckDBPyConnection, meds: Meds, maximum: float) -> list[str]:
    counts = con.execute(
        f"SELECT why, count(*), (SELECT count(*) FROM {meds.rows}) FROM {meds.rows} WHERE fate = 'quarantined' "
        "GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return [
        f"source {meds.name!r}: {why} in {count} of {rows} row(s); at most {maximum:.0%} may be set aside"
        f"{'; declare `shifted_dates: true` if dates were shifted to protect people' if 'future' in why else ''}"
        for why, count, rows in counts
        if count > maximum * rows
    ]


def add_people(con: duckdb.DuckDBPyConnection, meds: Meds) -> None:
    """Add the subjects to `handled`; somebody with nothing known yet but a birth is not yet known."""
    con.execute(
        f"""UPDATE {meds.rows} SET fate = 'not_yet_known', why = {literal(NOT_YET)}
        WHERE fate = 'used' AND subject_id IN (
            SELECT subject_id FROM {meds.rows} GROUP BY 1
            HAVING count(*) FILTER (fate = 'not_yet_known') > 0
                AND count(*) FILTER (fate = 'used' AND NOT birth AND time IS NOT NULL) = 0)"""
    )
    con.execute(
        f"INSERT INTO handled BY NAME SELECT who, 'source_id' AS method, 1.0 AS probability, bool_or(fate = 'used') AS used, false AS opted, who AS anchor FROM {meds.rows} "
        "WHERE fate <> 'not_yet_known' AND who IS NOT NULL GROUP BY who ORDER BY who"
    )


def spine_rows(meds: Meds) -> str:
    """Return the query of one row a subject in the form of `records.spine.spine_rows`.

    Sex and race are codes that most data sets spell `GENDER//F` and `RACE//WHITE`; of several the newest known holds.
    MEDS holds no 16+1 category and no registration.
    """
    sexes = " ".join(f"WHEN {literal(said)} THEN {literal(sex)}" for said, sex in SEXES.items())
    groups = " ".join(
        f"WHEN regexp_matches(said, '^{said}(\\W|$)') THEN {literal(group)}" for said, group in ETHNIC_GROUPS.items()
    )
    return f"""SELECT who, bool_or(fate = 'used') AS used, {literal(meds.name)} AS source,
        any_value(subject_id)::VARCHAR AS record,
        CAST(min(time) FILTER (fate = 'used' AND birth) AS DATE) AS date_of_birth,
        coalesce(arg_max(sex, (coalesce(time, TIMESTAMP '0001-01-01'), code)) FILTER (fate = 'used'), 'not recorded')
            AS sex,
        '99' AS ethnic_category,
        coalesce(arg_max(ethnic, (coalesce(time, TIMESTAMP '0001-01-01'), code)) FILTER (fate = 'used'),
            'not known') AS ethnic_group,
        NULL::VARCHAR AS address, NULL::VARCHAR AS uprn, '' AS lsoa, '' AS practice_code, NULL::DATE AS registered_from, NULL::DATE AS registered_to,
        NULL::DATE AS end_known, CAST(min(time) FILTER (fate = 'used' AND death) AS DATE) AS died_on,
        CAST(min(known) FILTER (fate = 'used' AND death) AS DATE) AS death_known,
        '' AS nhs_number, '' AS given_name, '' AS family_name, {str(meds.synthetic).lower()} AS synthetic
        FROM (SELECT *, CASE WHEN kind IN ('GENDER', 'SEX') THEN CASE said {sexes} END END AS sex,
                CASE WHEN kind = 'RACE' THEN CASE {groups} END END AS ethnic
              FROM (SELECT *, upper(split_part(replace(code, '//', '/'), '/', 1)) AS kind,
                      upper(trim(split_part(replace(code, '//', '/'), '/', 2))) AS said FROM {meds.rows}))
        WHERE fate <> 'not_yet_known' AND who IS NOT NULL GROUP BY who"""


def event_queries(con: duckdb.DuckDBPyConnection, meds: Meds) -> list[str]:
    """Return the query of the events in the form of `records.events.event_queries`."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {meds.rows}_codes AS SELECT code, {house_code('code', meds.source.codes)} "
        f"AS ours FROM (SELECT DISTINCT code FROM {meds.rows} WHERE fate = 'used')"
    )
    return [
        f"""SELECT who, time, greatest(known, time) AS known_at, NULL::TIMESTAMP AS known_until, ours AS code, numeric_value,
            NULL::TIMESTAMP AS "end", {literal(meds.name)} AS source
        FROM {meds.rows} JOIN {meds.rows}_codes USING (code)
        WHERE fate = 'used' AND NOT birth AND time IS NOT NULL AND greatest(known, time) < {{as_of}}"""
    ]


def house_code(code: str, said: dict[str, str]) -> str:
    """Return the SQL expression of this project's spelling of a code, or of the code as it is."""
    declared = " ".join(
        f"WHEN {_is(code, theirs)} THEN {literal(ours)}" for theirs, ours in sorted(said.items(), reverse=True)
    )
    names = " ".join(f"WHEN {literal(theirs)} THEN {literal(ours)}" for theirs, ours in VOCABULARIES.items())
    vocabulary = (
        f"CASE regexp_replace(upper(regexp_extract({code}, '^([^/]+)//?[^/]', 1)), '[^A-Z0-9]', '', 'g') {names} END"
    )
    rest = f"regexp_replace({code}, '^[^/]+//?', '')"
    # MIMIC and its like: DIAGNOSIS//ICD//10//I500.
    diagnosis = f"nullif(regexp_extract({code}, '^DIAGNOSIS//ICD//10//([^/]+)$', 1), '')"
    return f"""CASE {declared} WHEN {_is(code, DEATH)} THEN 'DEATH'
        WHEN {diagnosis} IS NOT NULL THEN 'ICD10//' || replace({diagnosis}, '.', '')
        WHEN {vocabulary} = 'ICD10' THEN 'ICD10//' || replace({rest}, '.', '')
        WHEN {vocabulary} IS NOT NULL THEN {vocabulary} || '//' || {rest} ELSE {code} END"""


def fates_queries(meds: Meds) -> list[str]:
    """Return the query that counts rows by fate."""
    return [f"SELECT {literal(meds.name)} AS source, fate, why, count(*) AS rows FROM {meds.rows} GROUP BY ALL"]


def identities_query(meds: Meds) -> str:
    """Return the query of which pseudonym each subject got."""
    return f"""SELECT {literal(meds.name)} AS source, r.subject_id::VARCHAR AS source_record, p.person_id, p.method,
            p.probability AS match_probability
        FROM (SELECT DISTINCT who, subject_id FROM {meds.rows} WHERE fate = 'used') AS r JOIN persons AS p USING (who)"""


def presence_query(meds: Meds) -> str:
    """Return the query of the people that the data set knows."""
    return f"""SELECT p.person_id, {literal(meds.name)} AS source, {str(meds.synthetic).lower()} AS synthetic
        FROM persons AS p JOIN (SELECT DISTINCT who FROM {meds.rows} WHERE fate = 'used') USING (who)"""


def write_quarantine(con: duckdb.DuckDBPyConnection, meds: Meds, folder: Path) -> None:
    """Keep the rows that were set aside, with the reason."""
    keep_aside(con, f"SELECT {', '.join(COLUMNS)}, why AS reason FROM {meds.rows}", folder / f"{meds.name}.parquet")
