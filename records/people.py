"""The tables about people: who they are, who left, how to reach them, and which team serves them."""

from __future__ import annotations

import duckdb
import pandas as pd

from casewell import doors
from casewell.errors import SourceError
from casewell.settings import Settings
from records.extracts import Extract
from records.reading import literal
from records.tables import DOMAINS, TRAVEL

EVERYBODY = "all"


def practice_table(con: duckdb.DuckDBPyConnection, extracts: list[Extract], settings: Settings) -> pd.DataFrame:
    """Return the practices with their teams, and keep them as the DuckDB table `practice_teams`.

    Raises
    ------
    SourceError
        Teams are networks, and no source says which practice belongs to which, or not for enough people.
    """
    by = settings.teams.by
    listed = [extract for extract in extracts if extract.table == "practices"]
    if by == "network" and not listed:
        raise SourceError(
            "teams are primary care networks, and no source of the kind 'practices' names them",
            "Add a practices source, or set teams.by to practice or all.",
        )
    team = {
        "network": ("coalesce(pcn_code, '')", "coalesce(pcn_name, '')"),
        "practice": ("practice_code", "coalesce(practice_name, '')"),
        "all": (literal(EVERYBODY), "'Everybody'"),
    }[by]
    parts = [
        f"SELECT practice_code, practice_name, pcn_code, pcn_name, 0 AS rank, {literal(extract.name)} AS source "
        f"FROM {extract.rows} WHERE fate = 'used'"
        for extract in listed
    ]
    unnamed = "SELECT DISTINCT practice_code, '', '', '', 1, '' FROM described_people WHERE practice_code <> ''"
    nowhere = ["SELECT '', 'No practice recorded', '', '', 2, ''"] if by == "all" else []
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE practice_teams AS
        SELECT practice_code, coalesce(practice_name, '') AS practice_name, {team[0]} AS team_code,
            {team[1]} AS team_name
        FROM (SELECT * FROM ({" UNION ALL ".join([*parts, unnamed, *nowhere])})
              AS p (practice_code, practice_name, pcn_code, pcn_name, rank, source)
              QUALIFY row_number() OVER (PARTITION BY practice_code ORDER BY rank, source) = 1)
        ORDER BY practice_code"""
    )
    _check_that_people_have_teams(con, settings)
    return frame(con, "SELECT * FROM practice_teams ORDER BY practice_code")


def _check_that_people_have_teams(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    ((people, without, practices),) = con.execute(
        "SELECT count(*), count(*) FILTER (team_code = ''), count(DISTINCT practice_code) FILTER (team_code = '') "
        "FROM described_people JOIN practice_teams USING (practice_code) WHERE practice_code <> ''"
    ).fetchall()
    if without > settings.quality.max_bad_share * people:
        raise SourceError(
            f"the practices source gives no network for {practices} practice(s), so that no team serves {without} of "
            f"{people} registered people; at most {settings.quality.max_bad_share:.0%} may lack one",
            "Complete the practices source, or set teams.by to practice or all.",
        )


def people_table(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return everybody with a record that may be used, once."""
    return frame(
        con,
        """WITH used AS (SELECT DISTINCT person_id FROM persons WHERE used AND NOT opted),
        elsewhere AS (
            SELECT person_id, date_of_birth, sex FROM sightings JOIN persons USING (who)
            WHERE date_of_birth IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY known, source, record) = 1
        )
        SELECT used.person_id,
            date_trunc('month', coalesce(d.date_of_birth, e.date_of_birth)) AS birth_month,
            coalesce(d.sex, CASE e.sex WHEN '1' THEN 'male' WHEN '2' THEN 'female' END, 'not recorded') AS sex,
            coalesce(ethnicity.ethnic_category, '99') AS ethnic_category,
            coalesce(ethnicity.ethnic_group, 'not known') AS ethnic_group,
            coalesce(ethnicity.source, '') AS ethnicity_source,
            ethnicity.known_at::TIMESTAMP AS ethnicity_known_at,
            homes.household_id, coalesce(areas.lsoa_now, d.lsoa, '') AS lsoa,
            coalesce(areas.lsoa_vintage, '') AS lsoa_vintage,
            areas.imd_decile, coalesce(areas.imd_version, '') AS imd_version,
            coalesce(d.practice_code, '') AS practice_code, coalesce(t.team_code, '') AS team_code,
            d.registered_from, d.registered_to, d.died_on,
            if(d.died_on IS NULL, NULL, d.death_known)::TIMESTAMP AS death_known_at, d.person_id IS NOT NULL AS in_spine,
            coalesce(presence.sources, 0) AS sources, coalesce(presence.synthetic, false) AS synthetic
        FROM used
        LEFT JOIN (SELECT * FROM described_people WHERE used) AS d USING (person_id)
        LEFT JOIN elsewhere AS e USING (person_id)
        LEFT JOIN ethnicity USING (person_id)
        LEFT JOIN areas ON areas.lsoa = d.lsoa
        LEFT JOIN homes ON homes.source = d.source AND homes.record = d.record
        LEFT JOIN practice_teams AS t ON t.practice_code = coalesce(d.practice_code, '')
        LEFT JOIN presence USING (person_id)
        ORDER BY used.person_id""",
    )


def residences_table(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return where each registration has its person live, one row a person and start; two of one day as in `people`."""
    return frame(
        con,
        f"""SELECT person_id, registered_from::TIMESTAMP AS start, registered_to::TIMESTAMP AS "end",
            if(registered_to IS NULL, NULL, end_known)::TIMESTAMP AS end_known_at,
            homes.household_id, areas.imd_decile, {", ".join(f"areas.{name}" for name in DOMAINS)}, {", ".join(TRAVEL)},
            practice_code
        FROM spine LEFT JOIN homes USING (source, record) LEFT JOIN areas USING (lsoa) LEFT JOIN travel USING (lsoa)
        WHERE used AND person_id IN (SELECT person_id FROM persons WHERE used AND NOT opted)
        QUALIFY row_number() OVER (PARTITION BY person_id, registered_from ORDER BY source DESC, record DESC) = 1
        ORDER BY person_id, start""",
    )


def removed_table(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return everybody who came in and may not, or cannot, be used."""
    return frame(
        con,
        """SELECT left_out.person_id, if(left_out.opted, 'opted_out', 'quarantined') AS door,
            if(left_out.opted, 'an opt-out holds for this purpose', 'no record of the person passed its checks') AS why,
            areas.imd_decile, coalesce(d.ethnic_group, 'not known') AS ethnic_group,
            coalesce(d.sex, 'not recorded') AS sex
        FROM (SELECT person_id, bool_or(opted) AS opted FROM persons WHERE opted OR NOT used GROUP BY 1) AS left_out
        LEFT JOIN described_people AS d USING (person_id)
        LEFT JOIN areas ON areas.lsoa = d.lsoa
        ORDER BY left_out.person_id""",
    )


def contacts_table(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return how to reach each person in the spine who may be used."""
    return frame(
        con,
        """SELECT person_id, coalesce(if(trusted, d.nhs_number, ''), '') AS nhs_number,
            coalesce(given_name, '') AS given_name, coalesce(family_name, '') AS family_name, date_of_birth,
            practice_code, coalesce(practice_name, '') AS practice_name, record AS source_record
        FROM (SELECT *, who[1] = 'n' AS trusted FROM described_people WHERE used) AS d
        LEFT JOIN practice_teams USING (practice_code)
        WHERE person_id IN (SELECT person_id FROM persons WHERE used AND NOT opted)
        ORDER BY person_id""",
    )


def frame(con: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Return a query's result as a pandas table, strings as `str`."""
    return doors.to_pandas(con.sql(query).to_arrow_table())
