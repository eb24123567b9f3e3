"""Who keeps which person id from week to week, and what became of the others.

A person is whom its handles were: of the people found this week, each takes one of the ids that its handles had. An
earlier id goes to the person that holds the number it was made from, else to the one that holds most of its
handles. What is left over was merged; what has none is new, or gets back the id it had before a merge.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from records.keyed import keyed, pads
from records.linkage import Linkage
from records.register import Draft, Entry
from records.reporting_changes import changes_of
from records.rotation import rotate

# Handles that were not seen for so long are forgotten; until then, who comes back is who it was.
REMEMBERED_DAYS = 365
EARLIER = {"handle": "int64", "person_id": "int64", "method": "str", "formerly": "Int64", "seen": "str"}


@dataclass(frozen=True)
class Carried:
    """What the next week starts from, and the figures of this one."""

    draft: Draft
    figures: dict[str, int]


def carry(con: duckdb.DuckDBPyConnection, key: bytes, as_of: dt.date, start: Entry | None, linkage: Linkage) -> Carried:
    """Make the table `named_people`: the `person_id` of each `anchor` in `handled`.

    Parameters
    ----------
    con
        Holds what `records.linkage.link` made.
    key
        Of the pseudonyms.
    as_of
        The day of the build.
    start
        The register's entry of the week before; None if this is the first.
    linkage
        What was linked.
    """
    earlier, rotated = pd.DataFrame({name: [] for name in EARLIER}), None
    if start is not None:
        earlier, rotated = (start.table("handles"), None) if start.key == key else rotate(con, key, start)
    remember(con, earlier)
    _hash(con, key, "handle_hashes")
    _vote(con, key, linkage)
    _choose(con)
    _give_back(con)
    _mint(con, key)
    changes = changes_of(con, key, as_of, start, linkage)
    people = con.execute(
        "SELECT count(*), count(*) FILTER (how = 'kept'), count(*) FILTER (how = 'minted') FROM named_people"
    ).fetchall()[0]
    figures = dict(zip(("people", "people_kept", "people_new"), map(int, people), strict=True))
    for kind in ("merged", "split", "moved"):
        figures[f"people_{kind}"] = int((changes["kind"] == kind).sum())
    pairs = pd.concat([linkage.found.pairs, linkage.found.doubtful], ignore_index=True)
    draft = Draft(_handles(con, as_of), linkage.nodes, pairs, linkage.found.fitted, linkage.since, changes, rotated)
    return Carried(draft, figures)


def remember(con: duckdb.DuckDBPyConnection, handles: pd.DataFrame) -> None:
    """Make the table `earlier` of an entry's `handles`."""
    con.register("earlier_found", pa.Table.from_pandas(handles.astype(EARLIER), preserve_index=False))
    con.execute("CREATE OR REPLACE TEMP TABLE earlier AS SELECT * FROM earlier_found")
    con.unregister("earlier_found")


def _hash(con: duckdb.DuckDBPyConnection, key: bytes, name: str) -> None:
    """Make a table of each handle's hash, and of the hash of its first record where it is no number's."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT who, {keyed("'person|' || who")} AS handle,
            CASE WHEN record <> who THEN {keyed("'person|' || record")} END AS record_handle
        FROM handled JOIN handle_records USING (who)""",
        pads(key),
    )


def _vote(con: duckdb.DuckDBPyConnection, key: bytes, linkage: Linkage) -> None:
    """Make the table `votes`: the id each handle had (`direct`), or else the id that one of its records had."""
    fresh = linkage.nodes.loc[linkage.nodes["fresh"] & linkage.nodes["number"].notna(), ["who"]].drop_duplicates()
    con.register("fresh_numbers", fresh)
    # Records that were somebody's without a number, and have one now.
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE numbered_since AS
        SELECT s.who, min({keyed("'person|r|' || s.source || '|' || s.record")}) AS handle, s.source, s.record
        FROM sightings AS s JOIN fresh_numbers USING (who) WHERE EXISTS (SELECT 1 FROM earlier) GROUP BY ALL""",
        pads(key),
    )
    con.unregister("fresh_numbers")
    # Rows that went by themselves last week, as what they say fitted several people, and go by what they say now; and
    # rows of a spell that has a number now. Only last week tells: handles of longer ago are kept for who comes back.
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE together_now AS
        WITH last AS (SELECT * FROM earlier WHERE seen = (SELECT max(seen) FROM earlier)), fresh AS (
            SELECT who FROM handle_hashes WHERE who[1] = 'd' AND handle NOT IN (SELECT handle FROM last)
        )
        SELECT s.who, l.person_id, l.method, l.formerly FROM (
            SELECT DISTINCT who, {keyed("'person|r|' || source || '|' || record")} AS handle FROM sightings
            WHERE who IN (SELECT who FROM fresh)
                OR (who[1] = 'n' AND number IS NULL AND who NOT IN (SELECT who FROM numbered_since))
        ) AS s JOIN last AS l USING (handle) WHERE l.method <> 'record'""",
        pads(key),
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE votes AS
        WITH cast_votes AS (
            SELECT who, person_id AS old, earlier.method <> 'record' AS direct, who[1] = 'n' AND earlier.handle = person_id AS own, earlier.method,
                formerly, false AS one FROM handle_hashes JOIN earlier USING (handle)
            UNION ALL
            SELECT who, person_id, false, false, earlier.method, formerly, false FROM handle_hashes
            JOIN earlier ON earlier.handle = record_handle
            WHERE handle_hashes.handle NOT IN (SELECT handle FROM earlier) AND who NOT IN (SELECT who FROM together_now)
            UNION ALL
            SELECT who, person_id, false, false, if(who[1] = 'n', 'number', method), formerly, true FROM together_now
            UNION ALL
            SELECT who, person_id, false, false, 'number', NULL, true FROM numbered_since JOIN earlier USING (handle)
        )
        SELECT v.* EXCLUDE (one), handled.anchor, handled.method AS method_now, if(one, 1, rows) AS rows
        FROM cast_votes AS v JOIN handled USING (who) JOIN handle_records USING (who)"""
    )


def _choose(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `choices`, where each earlier id goes, and `named_people` of those who take one."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE choices AS
        SELECT * FROM (
            SELECT anchor, old, bool_or(own) AS own, count(*) FILTER (direct) AS handles, count(*) AS all_handles
            FROM votes GROUP BY ALL
        ) QUALIFY row_number() OVER (PARTITION BY old ORDER BY own DESC, handles DESC, all_handles DESC, anchor) = 1"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE named_people AS SELECT anchor, old AS person_id, 'kept' AS how FROM choices
        QUALIFY row_number() OVER (PARTITION BY anchor ORDER BY own DESC, handles DESC, all_handles DESC, old) = 1"""
    )


def _give_back(con: duckdb.DuckDBPyConnection) -> None:
    """Give the people left the ids that their handles had before a merge, where nobody uses them."""
    con.execute(
        """INSERT INTO named_people
        WITH wanted AS (
            SELECT anchor, formerly, count(*) AS handles FROM votes
            WHERE formerly IS NOT NULL AND anchor NOT IN (SELECT anchor FROM named_people)
                AND formerly NOT IN (SELECT person_id FROM named_people) GROUP BY ALL
        ), offered AS (
            SELECT * FROM wanted
            QUALIFY row_number() OVER (PARTITION BY formerly ORDER BY handles DESC, anchor) = 1
        )
        SELECT anchor, formerly, 'given back' FROM offered
        QUALIFY row_number() OVER (PARTITION BY anchor ORDER BY handles DESC, formerly) = 1"""
    )


def _mint(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give everybody else an id made from the anchor; another one if that is somebody's."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE unnamed AS
        SELECT anchor, anchor AS text, max(CASE WHEN who = anchor THEN handle WHEN record = anchor
            THEN coalesce(record_handle, handle) END) AS minted
        FROM handled JOIN handle_records USING (who) JOIN handle_hashes USING (who)
        WHERE anchor NOT IN (SELECT anchor FROM named_people) GROUP BY ALL"""
    )
    while con.execute("SELECT count(*) FROM unnamed").fetchall()[0][0]:
        again = keyed("'person|' || text")
        con.execute(f"UPDATE unnamed SET minted = {again} WHERE minted IS NULL", pads(key))
        con.execute(
            "INSERT INTO named_people SELECT anchor, minted, 'minted' FROM unnamed "
            "WHERE minted NOT IN (SELECT person_id FROM named_people)"
        )
        con.execute("DELETE FROM unnamed WHERE anchor IN (SELECT anchor FROM named_people)")
        con.execute("UPDATE unnamed SET text = text || '|again', minted = NULL")


def _handles(con: duckdb.DuckDBPyConnection, as_of: dt.date) -> pd.DataFrame:
    """Return every handle with its person, and those of whom nothing was seen this week for a while."""
    forgotten = as_of - dt.timedelta(days=REMEMBERED_DAYS)
    found = con.sql(
        f"""WITH lost AS (
            SELECT old FROM choices WHERE old NOT IN (SELECT person_id FROM named_people)
        ), before AS (
            SELECT who, min(old) AS old, min(formerly) AS formerly FROM votes WHERE method <> 'number' GROUP BY who
        ), now AS (
            SELECT h.who, h.anchor, person_id, method, CASE WHEN formerly <> person_id THEN formerly
                WHEN formerly IS NULL AND old <> person_id AND old IN (SELECT old FROM lost) THEN old END AS formerly
            FROM handled AS h JOIN named_people USING (anchor) LEFT JOIN before USING (who)
        ), present AS (
            SELECT handle, person_id, method, formerly, 0 AS rank FROM now JOIN handle_hashes USING (who)
            UNION ALL
            SELECT record_handle, person_id, 'record', formerly, 1 FROM now JOIN handle_hashes USING (who)
            WHERE record_handle IS NOT NULL
        )
        SELECT handle, person_id, method, formerly, '{as_of}' AS seen FROM present
        QUALIFY row_number() OVER (PARTITION BY handle ORDER BY rank, person_id) = 1
        UNION ALL
        SELECT handle, person_id, method, formerly, seen FROM earlier
        WHERE handle NOT IN (SELECT handle FROM present) AND seen >= '{forgotten}' ORDER BY handle"""
    ).to_arrow_table()
    # Through a float, as where ids may be missing, an id would lose its last digits.
    return found.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get).astype(EARLIER)
