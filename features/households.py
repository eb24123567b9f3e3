"""Where people lived, and with how many, as registrations known by each index date tell.

Whoever opted out is in no table, and so is not counted: somebody may seem to live alone who does not.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from casewell.errors import SourceError
from features import registrations

# Care homes, hostels and halls: an address at which more people are registered is nobody's household here.
LARGEST_HOUSEHOLD = 10
BEREAVED_DAYS = 365
COLUMNS = (
    "household_size",
    "lives_alone",
    "household_bereavement",
    "household_children",
    "household_old",
    "large_address",
)

RESIDING = """CREATE TABLE residing AS SELECT r.*, p.died_on, p.death_known_at, p.birth_month
FROM residences AS r JOIN people AS p USING (person_id)"""
SINCE = """CREATE TABLE since AS
SELECT person_id, household_id, min(coalesce(start, TIMESTAMP '0001-01-01')) AS since
FROM residing WHERE household_id IS NOT NULL GROUP BY ALL"""
# Of one day: who is at each address, and the latest death there. Both need everybody.
ADDRESSES = """CREATE OR REPLACE TABLE addresses AS
SELECT household_id, count(*) AS size, count(*) FILTER (child) AS children, count(*) FILTER (old) AS old FROM living
WHERE household_id IS NOT NULL AND NOT left_by_then AND NOT dead GROUP BY 1"""
DEATHS = f"""CREATE OR REPLACE TABLE deaths AS
SELECT household_id, max(died_on) AS died_on FROM living
WHERE dead AND NOT left_before AND died_on >= $day - INTERVAL {BEREAVED_DAYS} DAY GROUP BY 1"""
# Of some people (`asked`: row_number, person_id), from the tables of the day.
QUERY = f"""
SELECT a.row_number, h.size AS household_size, CAST(h.size = 1 AS INTEGER) AS lives_alone,
    CASE WHEN h.size IS NOT NULL THEN CAST(coalesce(s.since <= d.died_on, false) AS INTEGER) END AS household_bereavement,
    h.children - CAST(coalesce(l.child, false) AS INTEGER) AS household_children,
    h.old - CAST(l.old AS INTEGER) AS household_old, CAST(NOT (w.size <= {LARGEST_HOUSEHOLD}) AS INTEGER) AS large_address
FROM asked AS a JOIN living AS l USING (person_id)
LEFT JOIN addresses AS w ON w.household_id = l.household_id AND NOT l.left_by_then AND NOT l.dead
LEFT JOIN addresses AS h ON h.household_id = w.household_id AND h.size <= {LARGEST_HOUSEHOLD}
LEFT JOIN deaths AS d ON d.household_id = h.household_id
LEFT JOIN since AS s ON s.person_id = l.person_id AND s.household_id = l.household_id
"""


def prepare(connection: duckdb.DuckDBPyConnection, residences: Path, people: Path) -> None:
    """Read `records.tables.RESIDENCES` and `PEOPLE`, Parquet files, into a database that is empty, for `turn_to`.

    Raises
    ------
    SourceError
        The residences lack a column.
    """
    known = connection.read_parquet(str(residences))
    absent = [name for name in registrations.NEEDED if name not in known.columns]
    if absent:
        raise SourceError(
            [f"table 'residences': missing column {name!r}" for name in absent],
            "docs/reference/tables.md says what each column holds; link the records anew.",
        )
    known.create_view("residences")
    connection.read_parquet(str(people)).create_view("people")
    connection.begin()
    connection.execute(RESIDING)
    connection.execute(SINCE)
    connection.commit()


def turn_to(connection: duckdb.DuckDBPyConnection, day: pd.Timestamp) -> None:
    """Work out what describes everybody on a day, for `living` to tell of some of them."""
    connection.begin()  # one commit in place of four: each waits for the disk
    for statement in (registrations.LIVING_THEN, ADDRESSES, DEATHS, registrations.PAST):
        connection.execute(statement, {"day": day} if "$day" in statement else None)
    connection.commit()


def living(connection: duckdb.DuckDBPyConnection, day: pd.Timestamp, person: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is known on a day of each person's home: `COLUMNS`, and those of `features.registrations`.

    All are float32, missing where the address, or the person, is not known. A death in the household counts when it
    happened within 365 days before the day, to another who lived there, while the person did.
    """
    columns = {name: np.full(len(person), np.nan, dtype=np.float32) for name in (*COLUMNS, *registrations.COLUMNS)}
    connection.register("asked", pd.DataFrame({"row_number": np.arange(len(person)), "person_id": person}))
    for query, names in ((QUERY, COLUMNS), (registrations.QUERY, registrations.COLUMNS)):
        found = connection.execute(query, {"day": day} if "$day" in query else None).df()
        for name in names:
            columns[name][found["row_number"]] = found[name]
    connection.unregister("asked")
    return columns
