"""What each record says about who it belongs to.

`who` is the strongest handle a record offers on its person: a trusted NHS number (n), names with
birth date or postcode (t), birth date, sex and postcode (d), a number that fails its check (w), or
nothing but the record itself (r).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import duckdb

from records import nhs_number
from records.births import is_near_in_year, is_slip, is_year_alone
from records.reading import literal

if TYPE_CHECKING:
    from records.extracts import Extract

# A number is not believed of a record whose birth date differs by more than slips from the one that the number's
# first record gives, nor if it differs at all and so does the sex, or both names. Such a record is linked by what it says.
NAMES_DIFFER_BELOW = 0.75


def who(extract: Extract, number: str = "number") -> str:
    """Return the SQL expression of a row's handle; `number` is the trusted number or null."""
    cases = [f"WHEN {number} IS NOT NULL THEN 'n|' || {number}"]
    if extract.contract.demographic:
        given, family, born, sex, postcode = _demographics(extract)
        key = " || '|' || ".join(f"coalesce({part}, '')" for part in (given, family, f"{born}::VARCHAR", sex, postcode))
        named = f"({given} IS NOT NULL OR {family} IS NOT NULL)"
        cases.append(f"WHEN {named} AND ({born} IS NOT NULL OR {postcode} IS NOT NULL) THEN 't|' || {key}")
        described = f"{born} IS NOT NULL AND {sex} IS NOT NULL AND {postcode} IS NOT NULL"
        cases.append(f"WHEN {described} THEN 'd|' || {born}::VARCHAR || '|' || {sex} || '|' || {postcode}")
    else:
        wrong = f"digits IS NOT NULL AND NOT {nhs_number.is_dummy('digits')}"
        cases.append(f"WHEN {wrong} THEN {literal(f'w|{extract.name}|')} || digits")
    return f"CASE {' '.join(cases)} ELSE {literal(f'r|{extract.name}|')} || {extract.contract.key} END"


def _demographics(extract: Extract) -> tuple[str, str, str, str, str]:
    """Return SQL expressions of given name, family name, birth date, sex and postcode, made comparable."""
    columns = extract.contract.schema.columns
    names = [
        f"nullif(regexp_replace(upper(strip_accents({name})), '[^A-Z]', '', 'g'), '')"
        if name in columns
        else "NULL::VARCHAR"
        for name in ("given_name", "family_name")
    ]
    sex = "CASE WHEN sex IN ('1', '2') THEN sex END" if "sex" in columns else "NULL::VARCHAR"
    postcode = "nullif(regexp_replace(upper(postcode), '[^A-Z0-9]', '', 'g'), '')"
    return names[0], names[1], "date_of_birth", sex, postcode


def _address(extract: Extract) -> str:
    if "address_line" not in extract.contract.schema.columns:
        return "NULL::VARCHAR"
    words = "regexp_replace(upper(strip_accents(address_line)), '[^A-Z0-9]+', ' ', 'g')"
    return f"nullif(trim({words}), '')"


def without_number() -> str:
    """Return the SQL expression of the handle that a row of `sightings` has by what it says alone, as `who` makes it."""
    given, family, born, sex, postcode = "given_name", "family_name", "date_of_birth", "sex", "postcode"
    key = " || '|' || ".join(f"coalesce({part}, '')" for part in (given, family, f"{born}::VARCHAR", sex, postcode))
    return (
        f"CASE WHEN ({given} IS NOT NULL OR {family} IS NOT NULL) AND ({born} IS NOT NULL OR {postcode} IS NOT NULL) "
        f"THEN 't|' || {key} WHEN {born} IS NOT NULL AND {sex} IS NOT NULL AND {postcode} IS NOT NULL "
        f"THEN 'd|' || {born}::VARCHAR || '|' || {sex} || '|' || {postcode} ELSE 'r|' || source || '|' || record END"
    )


def find_sightings(con: duckdb.DuckDBPyConnection, extracts: list[Extract], as_of: dt.date) -> None:
    """Make the tables `sightings`, what records with demographics say, and `conflicts`, whose numbers are not believed.

    Opted-out people take part with their demographics alone, so that their records without a number
    are recognised elsewhere and removed.
    """
    parts = []
    for extract in extracts:
        if not extract.contract.demographic:
            continue
        given, family, born, sex, postcode = _demographics(extract)
        spine = extract.table == "demographics"
        address = _address(extract)
        opted = f"OR (fate = 'opted_out' AND NOT replaced AND known < DATE '{as_of}')" if spine else ""
        number = "number" if extract.contract.numbered else "NULL::VARCHAR"
        parts.append(
            f"SELECT {literal(extract.rows)} AS place, {literal(extract.name)} AS source, {extract.contract.key} AS "
            f"record, who, {number} AS number, {str(spine).lower()} AS spine, {given} AS given_name, {family} AS "
            f"family_name, {born} AS date_of_birth, {sex} AS sex, {postcode} AS postcode, {address} AS address, known "
            f"FROM {extract.rows} WHERE fate = 'used' {opted}"
        )
    # Temporary, as all tables of linkage: they are not worth compressing for the few steps that they live.
    con.execute(f"CREATE OR REPLACE TEMP TABLE sightings AS {' UNION ALL '.join(parts)}")
    _set_conflicts_apart(con, extracts)


def _set_conflicts_apart(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> None:
    """Do not believe a number where the record describes somebody other than the number's first record does."""
    births = "s.date_of_birth::VARCHAR", "first.date_of_birth::VARCHAR"
    slips = " OR ".join(rule(*births) for rule in (is_slip, is_year_alone, is_near_in_year))
    names_differ = " AND ".join(
        f"coalesce(jaro_winkler_similarity(s.{name}, first.{name}) < {NAMES_DIFFER_BELOW}, false)"
        for name in ("given_name", "family_name")
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE conflicts AS
        WITH several AS (  -- most numbers have one birth date, and need not be looked at
            SELECT number FROM sightings WHERE number IS NOT NULL GROUP BY number
            HAVING min(date_of_birth) <> max(date_of_birth)
        ), asked AS (
            SELECT * FROM sightings WHERE number IN (SELECT number FROM several)
        ), first AS (
            SELECT * FROM asked
            QUALIFY row_number() OVER (PARTITION BY number ORDER BY NOT spine, known, source, record) = 1
        )
        SELECT s.place, s.record, s.number, s.spine, s.who_without_number, CASE
            WHEN {names_differ} THEN 'another birth date, and both names differ'
            WHEN s.sex <> first.sex THEN 'another birth date, and the sex differs'
            ELSE 'another birth date, beyond a slip' END AS why
        FROM (SELECT *, {without_number()} AS who_without_number FROM asked) AS s JOIN first USING (number)
        WHERE s.date_of_birth <> first.date_of_birth
            AND ({names_differ} OR coalesce(s.sex <> first.sex, false) OR NOT ({slips}))"""
    )
    con.execute(
        "UPDATE sightings SET number = NULL, who = c.who_without_number FROM conflicts AS c "
        "WHERE c.place = sightings.place AND c.record = sightings.record"
    )
    for extract in extracts:
        if extract.contract.demographic and extract.contract.numbered:
            con.execute(
                f"UPDATE {extract.rows} SET who = c.who_without_number FROM conflicts AS c "
                f"WHERE c.place = {literal(extract.rows)} AND c.record = {extract.rows}.{extract.contract.key} "
                f"AND fate IN ('used', 'opted_out')"
            )
