"""A new pseudonym key: everybody gets a new id, and stays who they were.

The first week with the new key starts from the last week with the old one. Its handles are found under the old key,
and written on under the new one; a private table says which id took the place of which. A handle that no record bears
in that week cannot be written on: whoever comes back later is new.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from casewell.settings import Settings
from records import pseudonyms, register
from records.keyed import keyed, pads
from records.register import Entry

COLUMNS = ["old_person_id", "person_id"]


def rotate(con: duckdb.DuckDBPyConnection, key: bytes, start: Entry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the handles of an entry that was made under another key, under `key`, and the ids that changed.

    An id that was made from a handle is made from it again, so that whoever holds the number it came from is known by
    that as before. Any other is the keyed hash of the old one.

    Parameters
    ----------
    con
        Holds `handled`, `sightings`, `conflicts`, `parted_records` and `returned` of this week.
    key
        The present key.
    start
        The entry that the week starts from.

    Returns
    -------
    The entry's `handles`, and COLUMNS, one row an old id.
    """
    old = start.table("handles")
    con.execute(
        """CREATE OR REPLACE TABLE texts_of_handles AS
        SELECT who AS text FROM handled UNION SELECT record FROM handled WHERE record IS NOT NULL
        UNION SELECT 'r|' || source || '|' || record FROM sightings UNION SELECT 'n|' || number FROM conflicts
        UNION SELECT was FROM parted_records UNION SELECT 'r|' || source || '|' || record FROM returned"""
    )
    hashed = keyed("'person|' || text")
    for name, made_with in (("old", start.key), ("new", key)):
        con.execute(
            f"CREATE OR REPLACE TABLE {name}_handles AS SELECT text, {hashed} AS handle FROM texts_of_handles",
            pads(made_with),
        )
    found = con.execute(
        "SELECT o.handle AS old, n.handle AS new FROM old_handles AS o JOIN new_handles AS n USING (text) ORDER BY old"
    ).df()
    con.execute("DROP TABLE texts_of_handles; DROP TABLE old_handles; DROP TABLE new_handles")
    # Nullable: a missing one would turn the others into floats, which cannot hold an id.
    again = found.set_index("old")["new"].astype("Int64")
    people = pd.concat([old["person_id"], old["formerly"].dropna()]).astype("int64").drop_duplicates().sort_values()
    ids = people.map(again)
    minted = ids.isna()
    ids = ids.mask(minted, pseudonyms.rotated_ids(key, people[minted]).reindex(people.index))
    rotated = pd.DataFrame({"old_person_id": people, "person_id": ids.astype("int64")}).reset_index(drop=True)
    place = rotated.set_index("old_person_id")["person_id"].astype("Int64")
    handles = old.assign(
        handle=old["handle"].map(again),
        person_id=old["person_id"].map(place),
        formerly=old["formerly"].astype("Int64").map(place),
    ).dropna(subset="handle")
    return handles.astype({"handle": "int64", "person_id": "int64"}).reset_index(drop=True), rotated


def present(settings: Settings, ids: pd.Series) -> pd.Series:
    """Return the ids that took the place of those made with earlier keys; others stay as they are."""
    for rotated in register.rotations(settings):
        ids = ids.map(rotated.set_index("old_person_id")["person_id"].astype("Int64")).fillna(ids).astype("int64")
    return ids
