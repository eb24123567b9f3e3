"""Households: who is registered at one address, known by a keyed hash of it and never by the address itself.

The unique property reference number (UPRN) names an address where a source sends one. Otherwise the first line and
the postcode do, after small repairs of spelling. Not seen through: a misspelled street, a flat written after the
house instead of before it, a house known by name and by number, a range against one of its numbers.
"""

from __future__ import annotations

import duckdb

from records.people import frame
from records.pseudonyms import household_ids

# In the order in which they are applied; between spaces, on capitals and digits alone.
SPELLINGS = {
    "(APARTMENT|APT|UNIT)": "FLAT",
    "(NUMBER|NO) ([0-9]+[A-Z]?)": "\\2",
    "ROAD": "RD",
    "(STREET|SAINT)": "ST",
    "(AVENUE|AV)": "AVE",
    "LANE": "LN",
    "DRIVE": "DR",
    "CLOSE": "CL",
    "COURT": "CT",
    "CRESCENT": "CRES",
    "GARDENS": "GDNS",
    "PLACE": "PL",
    "SQUARE": "SQ",
    "TERRACE": "TCE",
    "([0-9]+) ([A-D])": "\\1\\2",  # 10 A is 10A
}
NO_HOME = "(NO FIXED ABODE|NFA|HOMELESS|ROUGH SLEEPER|NOT KNOWN|UNKNOWN)"
POSTCODE = "[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}"
NO_PLACE = "ZZ99"  # postcodes of no fixed abode, of not known and of abroad


def normal_line(line: str) -> str:
    """Return the SQL expression of an address line in one spelling; null where it names no home."""
    written = f"' ' || regexp_replace(upper(strip_accents(replace({line}, '''', ''))), '[^A-Z0-9]+', '  ', 'g') || ' '"
    for pattern, instead in SPELLINGS.items():
        written = f"regexp_replace({written}, ' {pattern.replace(' ', ' +')} ', ' {instead} ', 'g')"
    plain = f"trim(regexp_replace({written}, ' +', ' ', 'g'))"
    return f"CASE WHEN NOT regexp_matches({plain}, '^{NO_HOME}$') THEN nullif({plain}, '') END"


def normal_postcode(postcode: str) -> str:
    """Return the SQL expression of a postcode without spaces; null unless it is whole and of a place."""
    written = f"regexp_replace(upper({postcode}), '[^A-Z0-9]', '', 'g')"
    return f"CASE WHEN regexp_full_match({written}, '{POSTCODE}') AND NOT starts_with({written}, '{NO_PLACE}') THEN {written} END"


# Of a demographics extract's row; null where it says nothing.
ADDRESS = f"{normal_postcode('postcode')} || '|' || {normal_line('address_line')}"
UPRN = "nullif(ltrim(regexp_extract(uprn, '^[0-9]{1,12}$'), '0'), '')"


def find_households(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Make the table `homes` (source, record, household_id) of the registrations in `spine` that have an address.

    An address that only ever came with one UPRN is that property where it comes without, too.
    """
    con.execute(
        """CREATE OR REPLACE TABLE dwellings AS
        WITH known AS (
            SELECT address, min(uprn) AS uprn FROM spine WHERE address IS NOT NULL
            GROUP BY 1 HAVING count(DISTINCT uprn) = 1
        )
        SELECT source, record, coalesce('uprn|' || coalesce(spine.uprn, known.uprn), 'line|' || address) AS dwelling
        FROM spine LEFT JOIN known USING (address) WHERE used"""
    )
    found = frame(con, "SELECT DISTINCT dwelling FROM dwellings WHERE dwelling IS NOT NULL ORDER BY 1")
    con.register("hashed", found.assign(household_id=household_ids(key, found["dwelling"])))
    con.execute(
        "CREATE OR REPLACE TABLE homes AS SELECT source, record, household_id FROM dwellings JOIN hashed USING (dwelling)"
    )
    con.unregister("hashed")
    con.execute("DROP TABLE dwellings")
