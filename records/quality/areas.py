"""Areas of residence that say nothing of deprivation, and why; people without one fall out of half of the audit."""

from __future__ import annotations

import duckdb

from records.areas import load_areas
from records.extracts import Extract
from records.quality.findings import INFORM, LOOK, Finding, countable, share, shown

WORTH_A_LOOK = 0.02
# Of `sent`, the code as it came, and the columns of `areas`.
KINDS = (
    (
        "sent IS NULL",
        "have no area (column lsoa empty)",
        "Ask the supplier to send the LSOA of the home; without it nobody's deprivation is known.",
    ),
    (
        "sent IS NOT NULL AND lsoa IS NULL AND regexp_matches(sent, '^(S01|N2|95)')",
        "have an area of Scotland or Northern Ireland (column lsoa), which England's index of deprivation does not rank",
        "Nothing, if they live there; they are not recorded in every comparison by deprivation.",
    ),
    (
        "lsoa IS NOT NULL AND imd_decile IS NULL",
        "have an area of Wales (column lsoa), which England's index of deprivation does not rank",
        "Nothing, if they live there; they are not recorded in every comparison by deprivation.",
    ),
    (
        "sent IS NOT NULL AND lsoa IS NULL AND NOT regexp_matches(sent, '^(S01|N2|95)')",
        "have an area that is no 2021 or 2011 LSOA (column lsoa)",
        "Ask the supplier which areas the codes are of; LSOA codes look like E01000001.",
    ),
    (
        "lsoa_vintage = '2021' AND imd_version LIKE '%2011%'",
        "have a 2011 area (column lsoa), which is converted to that of 2021",
        "Nothing. Codes of 2021 would save the conversion.",
    ),
    (
        "lsoa_vintage = '2011'",
        "have a 2011 area that was split since (column lsoa); where deprivation is known it is the mean of the parts",
        "Have the areas of 2021 sent: only the supplier, who knows the address, can tell which part it is.",
    ),
)
CONVERTED = 4  # harmless, however many


def about_areas(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[Finding]:
    """Find the registrations whose area is missing, unknown, of another country or of an older census."""
    if extract.table != "demographics" or "lsoa" not in extract.columns:
        return []
    load_areas(con)
    counts = ", ".join(f"count(*) FILTER ({condition})" for condition, _, _ in KINDS)
    rows, *found = con.execute(
        f"SELECT count(*), {counts} FROM (SELECT lsoa AS sent FROM {extract.rows} "
        "WHERE fate IN ('used', 'not_yet_known')) LEFT JOIN areas ON lsoa = sent"
    ).fetchone() or (0,)
    return [
        Finding(
            extract.name,
            "areas",
            LOOK if place != CONVERTED and count > WORTH_A_LOOK * rows else INFORM,
            f"{extract.file.path.name}: {shown(count)} of {rows:,} registrations ({share(count, rows)}) {words}.",
            advice,
            column="lsoa",
            rows=countable(count),
        )
        for place, (count, (_, words, advice)) in enumerate(zip(found, KINDS, strict=True))
        if count
    ]
