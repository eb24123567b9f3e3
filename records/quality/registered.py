"""Registrations whose NHS numbers contradict what else they say: one number for two people, and two numbers for one."""

from __future__ import annotations

import datetime as dt

import duckdb

from records.extracts import Extract
from records.quality.findings import LOOK, Finding, countable, shown
from records.sightings import find_sightings

SHARED = (
    "They stay two people, and rows that bear nothing but such a number count for the one registered first. Ask the "
    "supplier whose it is."
)
SECOND = (
    "They stay two people: numbers that registrations hold are never joined by the machine. Ask the supplier; where it "
    "is one person, say so (docs/how-to/linking.md)."
)


def about_registered_numbers(con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date) -> list[Finding]:
    """Find numbers that registrations of different people share, and people who seem to be registered under two.

    By the rules of linkage (`records.sightings`, and the second numbers of `records.linkage`). The handles of the rows
    that an extract was read into may be other ones afterwards.
    """
    if extract.table != "demographics":
        return []
    find_sightings(con, [extract], as_of)
    used = f"JOIN {extract.rows} AS r ON r.{extract.contract.key} = s.record WHERE r.fate = 'used' AND s.number IS NOT NULL"
    said = "s.given_name, s.family_name, s.date_of_birth, s.postcode"
    ((shared, second),) = con.execute(
        f"""SELECT (SELECT count(DISTINCT s.number) FROM conflicts AS s {used}), (SELECT count(*) FROM (
            SELECT {said} FROM sightings AS s {used} AND s.given_name IS NOT NULL AND s.family_name IS NOT NULL
                AND s.date_of_birth IS NOT NULL AND s.postcode IS NOT NULL
            GROUP BY ALL HAVING count(DISTINCT s.number) > 1 AND count(DISTINCT s.sex) < 2))"""
    ).fetchall()
    con.execute("DROP TABLE sightings; DROP TABLE conflicts")
    told = (
        (shared, f"{shown(shared)} NHS numbers stand on registrations of two different people", SHARED),
        (second, f"{shown(second)} people seem to be registered under two NHS numbers: the rest is the same", SECOND),
    )
    return [
        Finding(
            extract.name,
            "NHS numbers",
            LOOK,
            f"{extract.file.path.name}: {words}.",
            advice,
            column="nhs_number",
            rows=countable(count),
        )
        for count, words, advice in told
        if count
    ]
