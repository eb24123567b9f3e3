"""What is known of each person, from registrations: one row a record, then one row a person.

Reconciled by stated rules: the latest registration stands; ethnicity is the latest valid one, the
GP's before a hospital's; a death, once known, is not undone.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from records.ethnic_codes import ETHNIC_CATEGORY, ETHNIC_GROUP
from records.extracts import Extract
from records.households import ADDRESS, UPRN
from records.reading import literal
from records.tables import NO_ETHNIC_GROUP, NOT_KNOWN, NOT_STATED

NO_GROUP = f"ethnic_group IN ({', '.join(map(literal, NO_ETHNIC_GROUP))})"
SEXES = {"1": "male", "2": "female", "9": "other"}


def spine_rows(extract: Extract, as_of: dt.date) -> str:
    """Return the query of a demographics extract's rows; what was not known before `as_of` is blank."""
    sexes = " ".join(f"WHEN sex = {literal(code)} THEN {literal(name)}" for code, name in SEXES.items())
    day = f"DATE '{as_of}'"
    return f"""SELECT who, fate = 'used' AS used, {literal(extract.name)} AS source, record_id AS record,
        date_of_birth, CASE {sexes} ELSE 'not recorded' END AS sex,
        {ETHNIC_CATEGORY} AS ethnic_category, {ETHNIC_GROUP} AS ethnic_group, {ADDRESS} AS address, {UPRN} AS uprn,
        coalesce(lsoa, '') AS lsoa, coalesce(practice_code, '') AS practice_code,
        registration_start_date AS registered_from,
        CASE WHEN greatest(registration_end_date, registration_end_received_date) < {day}
             THEN registration_end_date END AS registered_to,
        greatest(registration_end_date, registration_end_received_date) AS end_known,
        CASE WHEN greatest(date_of_death, death_received_date) < {day} THEN date_of_death END AS died_on,
        greatest(date_of_death, death_received_date) AS death_known,
        digits AS nhs_number, given_name, family_name, {str(extract.synthetic).lower()} AS synthetic
        FROM {extract.rows}
        WHERE fate <> 'duplicate' AND NOT replaced AND (known < {day} OR (fate = 'quarantined' AND known IS NULL))"""


def reconcile(con: duckdb.DuckDBPyConnection, parts: list[str]) -> None:
    """Make the tables `spine` (a row a registration) and `described_people` (a row a person in the spine).

    A person is described by the newest registration, and counts as registered since the first of an
    unbroken chain: who changes practice, with a month between at most, has not left.
    """
    con.execute(
        f"""CREATE OR REPLACE TABLE spine AS
        SELECT persons.person_id, rows.* FROM ({" UNION ALL BY NAME ".join(parts)}) AS rows JOIN persons USING (who)"""
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE described_people AS
        WITH before AS (
            SELECT *, max(coalesce(registered_to, DATE '9999-12-31')) OVER (PARTITION BY person_id, used
                ORDER BY registered_from, record ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
            FROM spine
        ),
        unbroken AS (
            SELECT *, count(*) FILTER (registered_from > until + INTERVAL 31 DAY) OVER (PARTITION BY person_id, used
                ORDER BY registered_from, record) AS stay
            FROM before
        ),
        continued AS (
            SELECT * EXCLUDE (until, stay) REPLACE (
                min(registered_from) OVER (PARTITION BY person_id, used, stay) AS registered_from),
                registered_from AS last_moved
            FROM unbroken
        ),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY person_id
                ORDER BY used DESC, last_moved DESC NULLS LAST, source DESC, record DESC) AS place,
                row_number() OVER (PARTITION BY person_id
                ORDER BY used DESC, {NO_GROUP}, ethnic_group = {literal(NOT_KNOWN)},
                    last_moved DESC NULLS LAST, ethnic_category, source DESC, record DESC) AS ethnic_place,
                min(died_on) OVER (PARTITION BY person_id, used) AS first_died_on,
                min(if(died_on IS NULL, NULL, death_known)) OVER (PARTITION BY person_id, used) AS first_death_known
            FROM continued
        )
        SELECT latest.* REPLACE (ethnic.ethnic_category AS ethnic_category, ethnic.ethnic_group AS ethnic_group,
            latest.first_died_on AS died_on, latest.first_death_known AS death_known), ethnic.source AS ethnicity_source
        FROM ranked AS latest JOIN ranked AS ethnic USING (person_id)
        WHERE latest.place = 1 AND ethnic.ethnic_place = 1"""
    )


def find_ethnicity(con: duckdb.DuckDBPyConnection, extracts: list[Extract], as_of: dt.date) -> None:
    """Make the table `ethnicity`: of each person the latest valid category, its source, and since when one is known.

    Valid is a category that says something: not empty, no code that does not exist, not 99 (not known), and Z (not
    stated) only where nothing else was ever said. The GP's, in `described_people`, comes before any other service's;
    of others the one received last, and of those received on one day the source first in the alphabet. `known_at`
    is when the first valid one came; null for the GP's, whose registers do not say.
    """
    parts = [
        "SELECT person_id, ethnic_category, ethnic_group, ethnicity_source AS source, true AS gp, NULL AS known, "
        f"NULL AS record FROM described_people WHERE used AND ethnic_group <> {literal(NOT_KNOWN)}"
    ]
    parts += [
        f"SELECT person_id, ethnic_category, {ETHNIC_GROUP}, {literal(extract.name)}, false, "
        f"received_date, record_id FROM {extract.rows} JOIN persons USING (who) WHERE fate = 'used' "
        f"AND received_date < DATE '{as_of}' AND {ETHNIC_GROUP} <> {literal(NOT_KNOWN)}"
        for extract in extracts
        if "ethnic_category" in extract.contract.schema.columns and extract.table != "demographics"
    ]
    con.execute(
        f"""CREATE OR REPLACE TABLE ethnicity AS
        SELECT person_id, ethnic_category, ethnic_group, source,
            if(gp, NULL, min(known) FILTER (ethnic_group <> {literal(NOT_STATED)}) OVER (PARTITION BY person_id)) AS known_at
        FROM ({" UNION ALL ".join(parts)})
        QUALIFY row_number() OVER (PARTITION BY person_id
            ORDER BY ethnic_group = {literal(NOT_STATED)}, NOT gp, known DESC, source, record DESC) = 1"""
    )
