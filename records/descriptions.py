"""What records say of people whom not every record names by number, kept so that a person can look.

Written beside the linked tables, readable by its owner only. It holds what linkage compared: names in capitals
without accents, postcodes without spaces. People whom a number alone links are not in it, nor anybody opted out.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pandas as pd

from casewell import doors
from casewell.settings import Settings
from records import decisions, ledger, tables

NAME = "descriptions.parquet"
SAID = ("given_name", "family_name", "date_of_birth", "sex", "postcode", "address")


def write(
    con: duckdb.DuckDBPyConnection, doubtful: pd.DataFrame, settings: Settings, as_of: dt.date, out: Path
) -> Path:
    """Write the descriptions of everybody who has a record without a usable number, or a doubtful pair.

    Parameters
    ----------
    con
        Holds `sightings` and `persons`.
    doubtful
        The door DOUBTFUL; the records that stand for its descriptions are written whatever else holds.
    settings, as_of
        For the records that decisions are about, so that what was decided is not asked again.
    out
        Folder of the linked tables.
    """
    decided = decisions.read(settings, as_of)
    named = pd.concat(
        [
            pd.DataFrame({"source": table[source], "record": table[record]})
            for table, columns in ((doubtful, _SIDES), (decided, (decisions.PAIR[:2], decisions.PAIR[2:])))
            for source, record in columns
        ]
    ).drop_duplicates()
    con.register("named_records", named.astype("str"))
    said = ", ".join(SAID)
    found = con.sql(
        f"""WITH wanted AS (
            SELECT person_id FROM persons WHERE who[1] <> 'n' OR method <> 'nhs_number'
            UNION SELECT p.person_id FROM sightings SEMI JOIN named_records USING (source, record) JOIN persons AS p USING (who)
        ), seen AS (
            SELECT s.source, s.record, p.person_id, p.probability AS match_probability, s.number IS NOT NULL AS numbered, {said},
                dense_rank() OVER (ORDER BY s.who, s.number, {said}) AS description,
                row_number() OVER (PARTITION BY s.who, s.number, {said} ORDER BY s.source, s.record) = 1 AS stands
            FROM sightings AS s JOIN persons AS p USING (who) SEMI JOIN wanted USING (person_id)
            WHERE p.used AND NOT p.opted
        )
        SELECT source, record, person_id, match_probability, description, numbered, coalesce(given_name, '') AS given_name,
            coalesce(family_name, '') AS family_name, date_of_birth::TIMESTAMP AS date_of_birth,
            coalesce(sex, '') AS sex, coalesce(postcode, '') AS postcode, coalesce(address, '') AS address
        FROM seen
        WHERE stands OR NOT numbered
            OR (source, record) IN (SELECT (source, record) FROM named_records)
        ORDER BY source, record"""
    )
    written = doors.write_batches(found.to_arrow_reader(), tables.DESCRIPTIONS, ledger.private(out / NAME))
    con.unregister("named_records")
    return written


_SIDES = (("left_source", "left_record"), ("right_source", "right_record"))
