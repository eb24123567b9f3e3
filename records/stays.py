"""From the rows of hospital_spells to stays in hospital: versions, episodes and transfers resolved.

A trust sends an admission's notice, then each completed episode, and sometimes an episode again with
other content. Of an episode the version received last holds; a spell is its episodes; spells joined by
a transfer are one continuous stay. Without a spell_id a row is a spell.

All of this is so on a day: a later version or a transfer that becomes known may change what was believed.
Where nothing can (most spells), it is worked out once, and each fact is known from the row that first told it.
Other spells are worked out once for each day on which a row was received, in `views` (`records.versions`).
"""

from __future__ import annotations

import datetime as dt

import duckdb

from records.extracts import Extract
from records.reading import literal

# Of a patient who is in another hospital already; 2B as an emergency.
TRANSFER_METHODS = ("81", "2B")
# NHS hospital: general (51) or maternity (52) ward; a hospital that is not the NHS's: secure unit (84) or other (87).
OTHER_HOSPITALS = ("51", "52", "84", "87")
# The row that tells a spell's admission first; a later episode needs no notice of its own.
NOTICE_FIRST = "admission_received_date, coalesce(episode_order, 1), received_date NULLS FIRST, record_id"
DIAGNOSES = "string_split(coalesce(primary_diagnosis || ';', '') || coalesce(secondary_diagnoses, ''), ';')"
PROCEDURES = "string_split(procedures, ';')"


def settle_rows(con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date) -> None:
    """Use of a spell what was received before `as_of`, and its first row as the admission's notice.

    The rows of one spell are one person's: a row without a trusted number takes the only one among them.
    """
    con.execute(
        f"""UPDATE {extract.rows} SET fate = 'not_yet_known', why = 'not known before the list''s date'
        WHERE fate = 'used' AND spell_id IS NOT NULL AND coalesce(received_date >= DATE '{as_of}', true)
        AND record_id NOT IN (
            SELECT record_id FROM {extract.rows} WHERE fate = 'used' AND spell_id IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY provider_code, spell_id ORDER BY {NOTICE_FIRST}) = 1)"""
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
    """Make the tables `stays` (a row a continuous stay) and `findings` (a row a code of a spell), from `persons`.

    Both hold nothing that was received on `as_of` or later. Each of their rows is of a `view`: of the table
    `views`, which `records.versions.merged` describes; `since` is null in the views of what cannot change.
    """
    rows = " UNION ALL ".join(_told(extract, as_of) for extract in extracts)
    con.execute(
        f"CREATE OR REPLACE TABLE told AS SELECT rows.*, person_id FROM ({rows}) AS rows JOIN persons USING (who)"
    )
    con.execute(f"CREATE OR REPLACE TABLE chained AS {_CHAINED}")
    con.execute(f"CREATE OR REPLACE TABLE views AS {_VIEWS}")
    con.execute(f"CREATE OR REPLACE TABLE versions AS {_VERSIONS}")
    con.execute(f"CREATE OR REPLACE TABLE spells AS {_SPELLS}")
    con.execute(f"CREATE OR REPLACE TABLE stays AS {_STAYS}")
    con.execute(f"CREATE OR REPLACE TABLE findings AS {_CODES}")
    con.execute("DROP TABLE told; DROP TABLE chained; DROP TABLE versions; DROP TABLE spells")


def _told(extract: Extract, as_of: dt.date) -> str:
    """Return the query of an extract's rows: `told` is the day from which a row says anything at all.

    That is the day of the notice for the row that gives it, which says no more than the admission until it is
    `received`, and the day of receipt for the others.
    """
    known = "CASE WHEN received_date IS NOT NULL THEN greatest(received_date, admission_received_date) END"
    return f"""SELECT {literal(extract.name)} AS source, who, record_id, spell, coalesce(episode_order, 1) AS episode,
            admission_date, admission_method, discharge_date, discharge_destination, primary_diagnosis,
            secondary_diagnoses, procedures, received, notice, if(notice, admission_received_date, received) AS told
        FROM (
            SELECT *, row_number() OVER (PARTITION BY spell ORDER BY {NOTICE_FIRST}) = 1 AS notice,
                CASE WHEN {known} < DATE '{as_of}' THEN {known} END AS received
            FROM (SELECT *, if(spell_id IS NULL, 'r|' || record_id, concat('s|', provider_code, '|', spell_id)) AS spell
                  FROM {extract.rows} WHERE fate = 'used')
        )
        WHERE notice OR received IS NOT NULL"""


# Every spell that any row gives to a person, in chains of dates that touch in any version: what happens in one
# chain can have no bearing on another, whatever version holds. `changes`: not all that it says is said for good.
_CHAINED = f"""
    WITH spans AS (
        SELECT source, spell, min(admission_date) AS opens, max(coalesce(discharge_date, admission_date)) AS closes,
            min(admission_date) <> max(admission_date)
                OR min(admission_method) <> max(admission_method) OR min(discharged) <> max(discharged)
                OR count(received) > count(DISTINCT if(received IS NULL, NULL, episode))
                OR min(episode) FILTER (notice) > min(episode) OR min(person_id) <> max(person_id) AS changes,
            bool_or(admission_method IN {TRANSFER_METHODS}) AS taken_over,
            bool_or(discharge_destination IN {OTHER_HOSPITALS}) AS passed_on
        FROM (SELECT *, CASE WHEN received IS NOT NULL
                  THEN concat(discharge_date, ' ', discharge_destination) END AS discharged FROM told)
        GROUP BY source, spell
    ),
    before AS (
        SELECT *, max(closes) OVER (PARTITION BY person_id ORDER BY opens, closes, source, spell
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
        FROM (SELECT DISTINCT person_id, source, spell FROM told) JOIN spans USING (source, spell)
    ),
    chains AS (
        SELECT * EXCLUDE (until), count(*) FILTER (opens > until + 1) OVER (PARTITION BY person_id
            ORDER BY opens, closes, source, spell) AS chain
        FROM before
    )
    SELECT person_id, chain, source, spell, coalesce(bool_or(changes) OVER chain OR (count(*) OVER chain > 1
        AND bool_or(taken_over) OVER chain AND bool_or(passed_on) OVER chain), false) AS changes
    FROM chains WINDOW chain AS (PARTITION BY person_id, chain)"""

# Of a chain that changes a view for each day on which a row told anything, of the others one view of it all.
_VIEWS = """
    WITH days AS (
        SELECT DISTINCT person_id, chain, NULL::DATE AS since FROM chained WHERE NOT changes
        UNION
        SELECT chained.person_id, chain, told FROM told JOIN chained USING (source, spell) WHERE changes
        UNION
        SELECT chained.person_id, chain, received FROM told JOIN chained USING (source, spell)
        WHERE changes AND received IS NOT NULL
    )
    SELECT row_number() OVER () AS view, person_id, chain, since, row_number() OVER chain AS turn,
        lead(since) OVER chain AS until
    FROM days WINDOW chain AS (PARTITION BY person_id, chain ORDER BY since)"""

# The rows of each view as they were known in it. `holds`: the newest of its episode; `newest`: of its whole spell;
# `opens`: of the spell's first episode.
_CONTENT = ("discharge_date", "discharge_destination", "primary_diagnosis", "secondary_diagnoses", "procedures")
_VERSIONS = f"""
    SELECT *,
        row_number() OVER (PARTITION BY view, source, spell, episode
            ORDER BY received DESC NULLS LAST, record_id DESC) = 1 AS holds,
        row_number() OVER (PARTITION BY view, source, spell
            ORDER BY received DESC NULLS LAST, episode, record_id DESC) = 1 AS newest,
        episode = min(episode) OVER (PARTITION BY view, source, spell) AS opens
    FROM (
        SELECT view, since, views.person_id AS person, source, spell, who, told.person_id, record_id, episode,
            admission_date, admission_method, told, if(received <= coalesce(since, received), received, NULL) AS received,
            {", ".join(f"CASE WHEN received <= coalesce(since, received) THEN {name} END AS {name}" for name in _CONTENT)}
        FROM told JOIN chained USING (source, spell)
        JOIN views ON views.person_id = chained.person_id AND views.chain = chained.chain
        WHERE told <= coalesce(since, told)
    )"""

# Each episode repeats its spell's admission and discharge: the newest version of any of them is believed.
_SPELLS = f"""
    WITH told AS (
        SELECT *, first_value(who) OVER spell AS whose, first_value(person_id) OVER spell AS patient,
            coalesce(since, min(told) OVER (PARTITION BY view, source, spell)) AS admission_known,
            CASE WHEN discharge_date IS NOT NULL
                THEN coalesce(since, min(received) OVER (PARTITION BY view, source, spell)) END AS completed_known
        FROM versions WINDOW spell AS (PARTITION BY view, source, spell ORDER BY NOT holds, episode)
    ),
    followed AS (
        SELECT view, since, source, spell, whose AS who, admission_date, admission_method, admission_known,
            discharge_date, discharge_destination, completed_known, row_number() OVER person AS place,
            admission_method IN {TRANSFER_METHODS} AND lag(discharge_destination) OVER person IN {OTHER_HOSPITALS}
                AND date_diff('day', lag(discharge_date) OVER person, admission_date) IN (0, 1) AS transferred
        FROM told
        WHERE newest AND patient = person
        WINDOW person AS (PARTITION BY view ORDER BY admission_date, admission_method IN {TRANSFER_METHODS},
            discharge_date NULLS LAST, source, spell)
    )
    SELECT * REPLACE (coalesce(transferred, false) AS transferred),
        count(*) FILTER (NOT coalesce(transferred, false)) OVER (PARTITION BY view ORDER BY place) AS stay
    FROM followed"""

# A stay is completed, and its discharge is one, once the last of its spells has been told whole.
_STAYS = """
    SELECT view, since, arg_min(source, place) AS source, arg_min(who, place) AS who,
        min(admission_date) AS admission_date, arg_min(admission_method, place) AS admission_method,
        arg_min(admission_known, place) AS admission_known, max(discharge_date) AS discharge_date,
        arg_max_null(discharge_destination, place) AS discharge_destination,
        CASE WHEN count(completed_known) = count(*) THEN max(completed_known) END AS completed_known
    FROM spells GROUP BY view, since, stay"""

# A stay has one primary diagnosis, that of its first episode; every episode's codes count, each once a spell, and
# procedures too are dated by the discharge, whatever day of the stay they fell on.
_CODES = f"""
    WITH written AS (
        SELECT view, source, spell, holds, received, 'ICD10//' || nullif(trim(unnest({DIAGNOSES})), '') AS code
        FROM versions
        UNION ALL
        SELECT view, source, spell, holds, received, 'OPCS4//' || nullif(trim(unnest({PROCEDURES})), '') FROM versions
        UNION ALL
        SELECT view, source, spell, holds, received, 'ICD10_PRIMARY//' || primary_diagnosis FROM versions WHERE opens
    )
    SELECT view, since, source, who, code, discharge_date,
        coalesce(since, greatest(min(received), completed_known)) AS known
    FROM written JOIN spells USING (view, source, spell)
    WHERE code IS NOT NULL AND completed_known IS NOT NULL
        AND NOT (transferred AND starts_with(code, 'ICD10_PRIMARY//'))
    GROUP BY view, since, source, spell, who, code, discharge_date, completed_known HAVING bool_or(holds)"""
