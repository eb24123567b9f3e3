"""From the rows of hospital_spells to stays in hospital: versions, episodes and transfers resolved.

A trust sends an admission's notice, then each completed episode, and sometimes an episode again with
other content. Of an episode the version received last before `as_of` holds; a spell is its episodes;
spells joined by a transfer are one continuous stay. Without a spell_id a row is a spell.

An event cannot say when it ceased to hold, so what a version said that no longer holds is not told at
all, not even to index dates at which it did hold. What the holding version says is known since the
first version that said the same.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from records.checking import Extract
from records.reading import literal

# Of a patient who is in another hospital already; 2B as an emergency.
TRANSFER_METHODS = ("81", "2B")
# NHS hospital: general (51) or maternity (52) ward; a hospital that is not the NHS's: secure unit (84) or other (87).
OTHER_HOSPITALS = ("51", "52", "84", "87")
DIAGNOSES = "string_split(coalesce(primary_diagnosis || ';', '') || coalesce(secondary_diagnoses, ''), ';')"


def settle_rows(con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date) -> None:
    """Use of a spell what was received before `as_of`, and its first row as the admission's notice.

    The rows of one spell are one person's: a row without a trusted number takes the only one among them.
    """
    con.execute(
        f"""UPDATE {extract.rows} SET fate = 'not_yet_known', why = 'not known before the list''s date'
        WHERE fate = 'used' AND spell_id IS NOT NULL AND coalesce(received_date >= DATE '{as_of}', true)
        AND record_id NOT IN (
            SELECT record_id FROM {extract.rows} WHERE fate = 'used' AND spell_id IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY provider_code, spell_id
                ORDER BY coalesce(episode_order, 1), received_date NULLS FIRST, record_id) = 1)"""
    )
    con.execute(
        f"""UPDATE {extract.rows} AS row SET who = 'n|' || one.number FROM (
            SELECT provider_code, spell_id, min(number) AS number FROM {extract.rows}
            WHERE spell_id IS NOT NULL AND fate IN ('used', 'opted_out')
            GROUP BY ALL HAVING min(number) = max(number)) AS one
        WHERE row.number IS NULL AND row.fate = 'used' AND row.spell_id = one.spell_id
            AND row.provider_code IS NOT DISTINCT FROM one.provider_code"""
    )


def find_stays(con: duckdb.DuckDBPyConnection, extracts: list[Extract], as_of: dt.date) -> None:
    """Make the tables `stays` (a row a continuous stay) and `diagnoses` (a row a code of a spell), from `persons`.

    Both hold nothing that was received on `as_of` or later.
    """
    rows = " UNION ALL ".join(_received(extract, as_of) for extract in extracts)
    con.execute(f"CREATE OR REPLACE TEMP TABLE versions AS {_versions(rows)}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE spells AS {_SPELLS}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE stays AS {_STAYS}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE diagnoses AS {_CODES}")
    con.execute("DROP TABLE versions; DROP TABLE spells")


def _received(extract: Extract, as_of: dt.date) -> str:
    """Return the query of an extract's rows; a version not received by then says no more than the admission."""
    content = ("discharge_date", "discharge_destination", "primary_diagnosis", "secondary_diagnoses")
    blanked = ", ".join(f"CASE WHEN received THEN {name} END AS {name}" for name in content)
    return f"""SELECT {literal(extract.name)} AS source, who, record_id,
            if(spell_id IS NULL, 'r|' || record_id, concat('s|', provider_code, '|', spell_id)) AS spell,
            coalesce(episode_order, 1) AS episode, admission_date, admission_method, admission_received_date,
            CASE WHEN received THEN received_date END AS received, {blanked}
        FROM (SELECT *, coalesce(received_date < DATE '{as_of}', false) AS received FROM {extract.rows})
        WHERE fate = 'used'"""


def _versions(rows: str) -> str:
    """Return the query of all versions, with the day on which each was `told`.

    `holds`: the newest of its episode; `newest`: of its whole spell; `opens`: of the spell's first episode.
    """
    return f"""SELECT * EXCLUDE (admission_received_date),
            row_number() OVER (PARTITION BY source, spell, episode
                ORDER BY received DESC NULLS LAST, record_id DESC) = 1 AS holds,
            row_number() OVER (PARTITION BY source, spell
                ORDER BY received DESC NULLS LAST, episode, record_id DESC) = 1 AS newest,
            episode = min(episode) OVER (PARTITION BY source, spell) AS opens,
            if(row_number() OVER (PARTITION BY source, spell ORDER BY episode, received NULLS FIRST, record_id) = 1,
                admission_received_date, received) AS told
        FROM ({rows})"""


# Each episode repeats its spell's admission and discharge: the newest version of any of them is believed.
_SPELLS = f"""
    WITH told AS (
        SELECT *, first_value(who) OVER (PARTITION BY source, spell ORDER BY NOT holds, episode) AS whose,
            min(told) OVER (PARTITION BY source, spell, admission_date, admission_method) AS admission_known,
            CASE WHEN discharge_date IS NOT NULL THEN min(received) OVER (PARTITION BY source, spell, admission_date,
                admission_method, discharge_date, discharge_destination) END AS completed_known
        FROM versions
    ),
    followed AS (
        SELECT source, spell, whose AS who, person_id, admission_date, admission_method, admission_known,
            discharge_date, discharge_destination, completed_known, row_number() OVER person AS place,
            admission_method IN {TRANSFER_METHODS} AND lag(discharge_destination) OVER person IN {OTHER_HOSPITALS}
                AND date_diff('day', lag(discharge_date) OVER person, admission_date) IN (0, 1) AS transferred
        FROM told JOIN persons ON persons.who = told.whose
        WHERE newest
        WINDOW person AS (PARTITION BY person_id ORDER BY admission_date, admission_method IN {TRANSFER_METHODS},
            discharge_date NULLS LAST, source, spell)
    )
    SELECT * REPLACE (coalesce(transferred, false) AS transferred),
        count(*) FILTER (NOT coalesce(transferred, false)) OVER (PARTITION BY person_id ORDER BY place) AS stay
    FROM followed"""

# A stay is completed, and its discharge is one, once the last of its spells has been told whole.
_STAYS = """
    SELECT arg_min(source, place) AS source, arg_min(who, place) AS who, min(admission_date) AS admission_date,
        arg_min(admission_method, place) AS admission_method, arg_min(admission_known, place) AS admission_known,
        max(discharge_date) AS discharge_date, arg_max_null(discharge_destination, place) AS discharge_destination,
        CASE WHEN count(completed_known) = count(*) THEN max(completed_known) END AS completed_known
    FROM spells GROUP BY person_id, stay"""

# A stay has one primary diagnosis, that of its first episode; every episode's codes count, each once a spell.
_CODES = f"""
    WITH written AS (
        SELECT source, spell, holds, received, 'ICD10//' || nullif(trim(unnest({DIAGNOSES})), '') AS code FROM versions
        UNION ALL
        SELECT source, spell, holds, received, 'ICD10_PRIMARY//' || primary_diagnosis FROM versions WHERE opens
    )
    SELECT source, who, code, discharge_date, greatest(min(received), completed_known) AS known
    FROM written JOIN spells USING (source, spell)
    WHERE code IS NOT NULL AND completed_known IS NOT NULL
        AND NOT (transferred AND starts_with(code, 'ICD10_PRIMARY//'))
    GROUP BY source, spell, who, code, discharge_date, completed_known HAVING bool_or(holds)"""
