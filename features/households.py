"""Where people lived, and with how many, as registrations known by each index date tell.

Whoever opted out is in no table, and so is not counted: somebody may seem to live alone who does not.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

# Care homes, hostels and halls: an address at which more people are registered is nobody's household here.
LARGEST_HOUSEHOLD = 10
BEREAVED_DAYS = 365
COLUMNS = ("imd_decile", "household_size", "lives_alone", "household_bereavement")

RESIDING = """CREATE OR REPLACE TEMP TABLE residing AS SELECT r.*, p.died_on, p.death_known_at
FROM residences AS r JOIN people AS p USING (person_id)"""
# `residing` and `asked` (row_number, person_id) on one day. Of several registrations the newest tells
# the address, until its end is known; a death is known on the day it was received.
QUERY = f"""
WITH living AS (
    SELECT person_id, household_id, imd_decile, died_on,
        coalesce("end" <= $day AND end_known_at < $day, false) AS left_by_then,
        coalesce(died_on < $day AND death_known_at < $day, false) AS dead,
        coalesce("end" < died_on AND end_known_at < $day, false) AS left_before
    FROM residing WHERE start IS NULL OR start < $day
    QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY start DESC NULLS LAST) = 1
),
households AS (
    SELECT household_id, count(*) AS size FROM living
    WHERE household_id IS NOT NULL AND NOT left_by_then AND NOT dead GROUP BY 1
),
deaths AS (
    SELECT household_id, max(died_on) AS died_on FROM living
    WHERE dead AND NOT left_before AND died_on >= $day - INTERVAL {BEREAVED_DAYS} DAY GROUP BY 1
),
since AS (
    SELECT person_id, household_id, min(coalesce(start, TIMESTAMP '0001-01-01')) AS since
    FROM residing WHERE household_id IS NOT NULL GROUP BY ALL
)
SELECT a.row_number, l.imd_decile, h.size AS household_size, CAST(h.size = 1 AS INTEGER) AS lives_alone,
    CASE WHEN h.size IS NOT NULL THEN CAST(coalesce(s.since <= d.died_on, false) AS INTEGER) END AS household_bereavement
FROM asked AS a JOIN living AS l USING (person_id)
LEFT JOIN households AS h ON h.household_id = l.household_id AND h.size <= {LARGEST_HOUSEHOLD}
    AND NOT l.left_by_then AND NOT l.dead
LEFT JOIN deaths AS d ON d.household_id = h.household_id
LEFT JOIN since AS s ON s.person_id = l.person_id AND s.household_id = l.household_id
"""


def living(
    connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, residences: Path, people: Path
) -> dict[str, np.ndarray]:
    """Return `COLUMNS` for each row (index_date, person_id), float32; missing where the address, or the person, is not known.

    `residences` and `people` are Parquet files of `records.tables.RESIDENCES` and `PEOPLE`. A death in the household
    counts when it happened within 365 days before the index date, to another who lived there, while the person did.
    """
    connection.read_parquet(str(residences)).create_view("residences")
    connection.read_parquet(str(people)).create_view("people")
    connection.execute(RESIDING)
    columns = {name: np.full(len(rows), np.nan, dtype=np.float32) for name in COLUMNS}
    for day, asked in rows.groupby("index_date"):
        connection.register("asked", pd.DataFrame({"row_number": asked.index, "person_id": asked["person_id"]}))
        found = connection.execute(QUERY, {"day": day}).df()
        connection.unregister("asked")
        for name in COLUMNS:
            columns[name][found["row_number"]] = found[name]
    return columns
