"""How OMOP rows become people and events."""

from __future__ import annotations

from pathlib import Path

import duckdb

from records.ledger import keep_aside
from records.omop import (
    CODED,
    EMERGENCY,
    EMERGENCY_THEN_INPATIENT,
    FEMALE,
    INPATIENT,
    MALE,
    RACES,
    TABLES,
    Cdm,
    value_of,
)
from records.reading import literal

# A person whose month of birth is not recorded is taken to be born in mid-year: at most six months out.
MID_YEAR = 7


def add_people(con: duckdb.DuckDBPyConnection, cdm: Cdm) -> None:
    """Add the folder's people to `handled`; somebody first seen on `as_of` or later is not yet known.

    Those whose every row in the person table is in quarantine are there to be counted.
    """
    others = [table for table in TABLES if table in cdm.files and table not in ("person", "concept")]
    seen = " UNION ALL ".join(f"SELECT person_id, fate FROM {cdm.kept(table)}" for table in others)
    if seen:
        con.execute(
            f"""UPDATE {cdm.kept("person")} SET fate = 'not_yet_known', why = 'not known before the list''s date'
            WHERE fate = 'used' AND person_id IN (
                SELECT person_id FROM ({seen}) GROUP BY 1
                HAVING count(*) FILTER (fate = 'used') = 0 AND count(*) FILTER (fate = 'not_yet_known') > 0)"""
        )
    con.execute(
        f"INSERT INTO handled BY NAME SELECT who, 'source_id' AS method, 1.0 AS probability, bool_or(fate = 'used') AS used, false AS opted, who AS anchor FROM {cdm.kept('person')} "
        "WHERE fate IN ('used', 'quarantined') AND who IS NOT NULL GROUP BY who ORDER BY who"
    )


def spine_rows(cdm: Cdm) -> str:
    """Return the query of the person table in the form of `records.spine.spine_rows`.

    OMOP holds no 16+1 category, so that stays "not known"; the race concept gives the census group.
    """
    races = " ".join(f"WHEN {concept} THEN {literal(group)}" for concept, group in RACES.items())
    periods = (
        f"SELECT person_id, min(observation_period_start_date) AS registered_from "
        f"FROM {cdm.kept('observation_period')} WHERE fate = 'used' GROUP BY 1"
        if "observation_period" in cdm.files
        else "SELECT NULL::BIGINT AS person_id, NULL::DATE AS registered_from WHERE false"
    )
    deaths = (
        f"SELECT person_id, min(death_date) AS died_on, min(known) AS death_known FROM {cdm.kept('death')} "
        "WHERE fate = 'used' GROUP BY 1"
        if "death" in cdm.files
        else "SELECT NULL::BIGINT AS person_id, NULL::DATE AS died_on, NULL::DATE AS death_known WHERE false"
    )
    return f"""SELECT who, fate = 'used' AS used, {literal(cdm.name)} AS source, person_id::VARCHAR AS record,
        try_cast(printf('%04d-%02d-%02d', year_of_birth, coalesce(month_of_birth, {MID_YEAR}),
            coalesce(day_of_birth, 1)) AS DATE) AS date_of_birth,
        CASE gender_concept_id WHEN {MALE} THEN 'male' WHEN {FEMALE} THEN 'female' ELSE 'not recorded' END AS sex,
        '99' AS ethnic_category, CASE race_concept_id {races} ELSE 'not known' END AS ethnic_group,
        NULL::VARCHAR AS address, NULL::VARCHAR AS uprn, '' AS lsoa, '' AS practice_code, registered_from, NULL::DATE AS registered_to, NULL::DATE AS end_known,
        died_on, death_known, '' AS nhs_number, '' AS given_name, '' AS family_name,
        {str(cdm.synthetic).lower()} AS synthetic
        FROM {cdm.kept("person")} LEFT JOIN ({periods}) USING (person_id) LEFT JOIN ({deaths}) USING (person_id)
        WHERE fate IN ('used', 'quarantined') AND who IS NOT NULL"""


def event_queries(con: duckdb.DuckDBPyConnection, cdm: Cdm) -> list[str]:
    """Return the queries of the folder's events in the form of `records.events.event_queries`."""
    _load_concepts(con, cdm)
    queries = [_coded(cdm, table) for table in CODED if table in cdm.files]
    if "visit_occurrence" in cdm.files:
        queries += _visits(cdm)
    if "death" in cdm.files:
        queries.append(_event(cdm, "death", "'DEATH'", "death_date", "known"))
    return queries


def _load_concepts(con: duckdb.DuckDBPyConnection, cdm: Cdm) -> None:
    if "concept" not in cdm.files:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {cdm.kept('concept')} (concept_id BIGINT, code VARCHAR)")
        return
    file = cdm.files["concept"]
    concept, vocabulary, code = (value_of(file, name, dtype) for name, dtype in TABLES["concept"].columns.items())
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {cdm.kept('concept')} AS SELECT {concept} AS concept_id, "
        f"min({vocabulary} || '//' || {code}) AS code FROM {file.relation} GROUP BY 1"
    )


def _event(
    cdm: Cdm, table: str, code: str, time: str, known: str, value: str = "NULL::DOUBLE", end: str = "NULL::DATE"
) -> str:
    return f"""SELECT who, time, greatest(known_at, time) AS known_at, NULL::DATE AS known_until, code, numeric_value, "end",
            {literal(cdm.name)} AS source
        FROM (SELECT who, {time} AS time, {known} AS known_at, {code} AS code, {value} AS numeric_value,
                {end} AS "end" FROM {cdm.kept(table)} AS r WHERE fate = 'used')
        WHERE code IS NOT NULL AND time IS NOT NULL AND known_at IS NOT NULL
            AND greatest(known_at, time) < {{as_of}}"""


def _coded(cdm: Cdm, table: str) -> str:
    declared = TABLES[table]
    code = (
        f"coalesce((SELECT code FROM {cdm.kept('concept')} AS c WHERE c.concept_id = r.{declared.concept}), "
        f"'OMOP//' || r.{declared.concept})"
    )
    return _event(cdm, table, code, declared.happened, "known", declared.value or "NULL::DOUBLE")


def _visits(cdm: Cdm) -> list[str]:
    """A visit's length is known when it has ended; that it began is known at its start."""
    closed = f"CAST(visit_end_date + INTERVAL {cdm.source.known_lag_days} DAY AS DATE)"
    days = "date_diff('day', visit_start_date, visit_end_date)::DOUBLE"
    inpatient = f"visit_concept_id IN ({INPATIENT}, {EMERGENCY_THEN_INPATIENT})"
    emergency = f"visit_concept_id IN ({EMERGENCY}, {EMERGENCY_THEN_INPATIENT})"
    whole = [closed, days, "visit_end_date"]
    return [
        _event(cdm, "visit_occurrence", "'VISIT//' || visit_concept_id", "visit_start_date", *whole),
        _event(
            cdm,
            "visit_occurrence",
            f"CASE WHEN {inpatient} THEN 'SPELL//OMOP_INPATIENT' END",
            "visit_start_date",
            *whole,
        ),
        _event(
            cdm,
            "visit_occurrence",
            f"CASE WHEN {inpatient} THEN 'ADMISSION//OMOP_INPATIENT' END",
            "visit_start_date",
            "known",
        ),
        _event(cdm, "visit_occurrence", f"CASE WHEN {emergency} THEN 'ED//ARRIVAL' END", "visit_start_date", "known"),
    ]


def fates_queries(cdm: Cdm) -> list[str]:
    """Return the queries that count rows by fate, table by table."""
    return [
        f"SELECT {literal(f'{cdm.name}/{table}')} AS source, fate, why, count(*) AS rows "
        f"FROM {cdm.kept(table)} GROUP BY ALL"
        for table in cdm.files
        if table != "concept"
    ]


def identities_query(cdm: Cdm) -> str:
    """Return the query of which pseudonym each of the source's own person ids got."""
    return f"""SELECT {literal(cdm.name)} AS source, r.person_id::VARCHAR AS source_record, p.person_id, p.method,
            p.probability AS match_probability
        FROM {cdm.kept("person")} AS r JOIN persons AS p USING (who) WHERE r.fate = 'used'"""


def presence_query(cdm: Cdm) -> str:
    """Return the query of the people that the folder knows."""
    return f"""SELECT p.person_id, {literal(cdm.name)} AS source, {str(cdm.synthetic).lower()} AS synthetic
        FROM persons AS p JOIN {cdm.kept("person")} AS r USING (who) WHERE r.fate = 'used'"""


def write_quarantine(con: duckdb.DuckDBPyConnection, cdm: Cdm, folder: Path) -> None:
    """Keep the rows that were set aside, a file a table."""
    for table in cdm.files:
        if table != "concept":
            columns = ", ".join(TABLES[table].columns)
            query = f"SELECT {columns}, why AS reason FROM {cdm.kept(table)}"
            keep_aside(con, query, folder / f"{cdm.name}.{table}.parquet")
