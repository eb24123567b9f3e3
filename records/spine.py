"""What is known of each person, from registrations: one row a record, then one row a person.

Reconciled by stated rules: the latest registration stands; ethnicity is the latest that was
stated; a death, once known, is not undone.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from records.checking import Extract
from records.reading import literal

ETHNIC_GROUPS = {"White": "ABCT", "Mixed": "DEFG", "Asian": "HJKLR", "Black": "MNP", "Other": "S"}
SEXES = {"1": "male", "2": "female", "9": "other"}


def spine_rows(extract: Extract, as_of: dt.date) -> str:
    """Return the query of a demographics extract's rows; what was not known before `as_of` is blank."""
    groups = " ".join(
        f"WHEN ethnic_category IN ({', '.join(map(literal, letters))}) THEN {literal(group)}"
        for group, letters in ETHNIC_GROUPS.items()
    )
    sexes = " ".join(f"WHEN sex = {literal(code)} THEN {literal(name)}" for code, name in SEXES.items())
    day = f"DATE '{as_of}'"
    return f"""SELECT who, fate = 'used' AS used, {literal(extract.name)} AS source, record_id AS record,
        date_of_birth, CASE {sexes} ELSE 'not recorded' END AS sex,
        coalesce(ethnic_category, '99') AS ethnic_category, CASE {groups} ELSE 'not recorded' END AS ethnic_group,
        coalesce(lsoa, '') AS lsoa, coalesce(practice_code, '') AS practice_code,
        registration_start_date AS registered_from,
        CASE WHEN greatest(registration_end_date, registration_end_received_date) < {day}
             THEN registration_end_date END AS registered_to,
        greatest(registration_end_date, registration_end_received_date) AS end_known,
        CASE WHEN greatest(date_of_death, death_received_date) < {day} THEN date_of_death END AS died_on,
        greatest(date_of_death, death_received_date) AS death_known,
        digits AS nhs_number, given_name, family_name, {str(extract.synthetic).lower()} AS synthetic
        FROM {extract.rows}
        WHERE fate <> 'duplicate' AND known < {day}"""


def reconcile(con: duckdb.DuckDBPyConnection, parts: list[str]) -> None:
    """Make the tables `spine` (a row a registration) and `described_people` (a row a person in the spine).

    A person is described by the newest registration, and counts as registered since the first of an
    unbroken chain: who changes practice, with a month between at most, has not left.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE spine AS
        SELECT persons.person_id, rows.* FROM ({" UNION ALL BY NAME ".join(parts)}) AS rows JOIN persons USING (who)"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE described_people AS
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
                ORDER BY ethnic_category IN ('Z', '99') AND ethnic_group = 'not recorded', used DESC,
                    last_moved DESC NULLS LAST, ethnic_category, source DESC, record DESC) AS ethnic_place,
                min(died_on) OVER (PARTITION BY person_id, used) AS first_died_on
            FROM continued
        )
        SELECT latest.* REPLACE (ethnic.ethnic_category AS ethnic_category, ethnic.ethnic_group AS ethnic_group,
            latest.first_died_on AS died_on)
        FROM ranked AS latest JOIN ranked AS ethnic USING (person_id)
        WHERE latest.place = 1 AND ethnic.ethnic_place = 1"""
    )
