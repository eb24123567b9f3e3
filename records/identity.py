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
    _hash(con, key)
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
    parted = con.execute("SELECT DISTINCT source, record FROM left_handles ORDER BY ALL").df().astype("str")
    fitted, since = linkage.found.fitted, linkage.since
    draft = Draft(_handles(con, as_of), linkage.nodes, pairs, fitted, since, changes, parted, rotated)
    return Carried(draft, figures)


def remember(con: duckdb.DuckDBPyConnection, handles: pd.DataFrame) -> None:
    """Make the table `earlier` of an entry's `handles`."""
    con.register("earlier_found", pa.Table.from_pandas(handles.astype(EARLIER), preserve_index=False))
    con.execute("CREATE OR REPLACE TEMP TABLE earlier AS SELECT * FROM earlier_found")
    con.unregister("earlier_found")


def _hash(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Make the table `handle_hashes`: `handled` with each handle's hash, and that of its first record if it has no number."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE handle_hashes AS
        SELECT who, anchor, record, method, rows, {keyed("'person|' || who")} AS handle,
            CASE WHEN record <> who THEN {keyed("'person|' || record")} END AS record_handle FROM handled""",
        pads(key),
    )


def _vote(con: duckdb.DuckDBPyConnection, key: bytes, linkage: Linkage) -> None:
    """Make the tables `held`, the id that each handle had, and `votes` of the people whose ids have to be settled.

    A vote is `direct` if the handle itself had the id, else one of its records had it. Whoever only has the id that
    nobody else asks for keeps it, and needs no more than that: most people, and they go to `named_people` at once.
    """
    _find_records_elsewhere(con, key, linkage)
    con.execute(
        """CREATE OR REPLACE TEMP TABLE held AS
        SELECT who, anchor, person_id AS old, e.method <> 'record' AS direct,
            who[1] = 'n' AND h.handle = person_id AS own, e.method, formerly, h.method AS method_now, rows
        FROM handle_hashes AS h JOIN earlier AS e USING (handle)"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE votes AS
        WITH of_first_records AS (
            SELECT who, anchor, method, rows, record_handle AS handle FROM handle_hashes
            WHERE handle NOT IN (SELECT handle FROM earlier) AND who NOT IN (SELECT who FROM together_now)
        )
        SELECT who, anchor, person_id AS old, false AS direct, false AS own, e.method, formerly, o.method AS method_now,
            rows FROM of_first_records AS o JOIN earlier AS e USING (handle)
        UNION ALL
        SELECT who, anchor, person_id, false, false, e.method, formerly, h.method, 1
        FROM (FROM together_now UNION ALL SELECT who, person_id, 'number', NULL FROM numbered_since
            JOIN earlier USING (handle)) AS e JOIN handle_hashes AS h USING (who)"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE named_people AS
        WITH every AS (SELECT anchor, old, formerly FROM held UNION ALL SELECT anchor, old, formerly FROM votes),
        sole AS (SELECT old FROM every GROUP BY old HAVING min(anchor) = max(anchor))
        SELECT anchor, min(old) AS person_id, 'kept' AS how FROM every GROUP BY anchor
        HAVING min(old) = max(old) AND count(formerly) = 0 AND min(old) IN (FROM sole)"""
    )
    settled = "anchor IN (SELECT anchor FROM named_people)"
    con.execute(f"DELETE FROM votes WHERE {settled}; INSERT INTO votes SELECT * FROM held WHERE NOT ({settled})")


def _find_records_elsewhere(con: duckdb.DuckDBPyConnection, key: bytes, linkage: Linkage) -> None:
    """Make the tables `numbered_since` and `together_now`, of records that had a handle of their own in an earlier week."""
    fresh = linkage.nodes.loc[linkage.nodes["fresh"] & linkage.nodes["number"].notna(), ["who"]].drop_duplicates()
    con.register("fresh_numbers", fresh)
    own = keyed("'person|r|' || source || '|' || record")
    elsewhere = "(source, record) NOT IN (SELECT (source, record) FROM returned)"
    # Records that were somebody's without a number, and have one now.
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE numbered_since AS
        SELECT s.who, min({own}) AS handle, s.source, s.record
        FROM sightings AS s JOIN fresh_numbers USING (who) WHERE EXISTS (SELECT 1 FROM earlier) AND {elsewhere}
        GROUP BY ALL""",
        pads(key),
    )
    con.unregister("fresh_numbers")
    # Rows that went by themselves last week, as what they say fitted several people, and go by what they say now; rows
    # of a spell that has a number now; and those that nothing keeps apart from their handle any more. Only last week
    # tells: handles of longer ago are kept for who comes back.
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE together_now AS
        WITH last AS (SELECT * FROM earlier WHERE seen = (SELECT max(seen) FROM earlier)), fresh AS (
            SELECT who FROM handle_hashes WHERE who[1] = 'd' AND handle NOT IN (SELECT handle FROM last)
        )
        SELECT s.who, l.person_id, if(s.who[1] = 'n', 'number', l.method) AS method, l.formerly FROM (
            SELECT DISTINCT who, {own} AS handle FROM sightings
            WHERE number IS NULL AND {elsewhere} AND (who IN (SELECT who FROM fresh)
                OR (who[1] = 'n' AND who NOT IN (SELECT who FROM numbered_since)))
        ) AS s JOIN last AS l USING (handle) WHERE l.method <> 'record'
        UNION ALL
        SELECT s.who, l.person_id, 'parted', l.formerly FROM (SELECT who, {own} AS handle FROM returned) AS s
        JOIN last AS l USING (handle)""",
        pads(key),
    )


def _choose(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `choices`, where each earlier id goes, and add to `named_people` those who take one."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE choices AS
        SELECT * FROM (
            SELECT anchor, old, bool_or(own) AS own, count(*) FILTER (direct) AS handles, count(*) AS all_handles
            FROM votes GROUP BY ALL
        ) QUALIFY row_number() OVER (PARTITION BY old ORDER BY own DESC, handles DESC, all_handles DESC, anchor) = 1"""
    )
    con.execute(
        """INSERT INTO named_people SELECT anchor, old, 'kept' FROM choices
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
        FROM handle_hashes WHERE anchor NOT IN (SELECT anchor FROM named_people) GROUP BY ALL"""
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
            SELECT who, min(old) AS old, min(formerly) AS formerly FROM votes WHERE method NOT IN ('number', 'parted')
            GROUP BY who
        ), now AS (
            SELECT handle, record_handle, person_id, method, CASE WHEN formerly <> person_id THEN formerly
                WHEN formerly IS NULL AND old <> person_id AND old IN (SELECT old FROM lost) THEN old END AS formerly
            FROM handle_hashes JOIN named_people USING (anchor) LEFT JOIN before USING (who)
        ), records AS (
            SELECT record_handle AS handle, person_id, 'record' AS method, formerly FROM now
            WHERE record_handle IS NOT NULL AND record_handle NOT IN (SELECT handle FROM now)
            QUALIFY row_number() OVER (PARTITION BY record_handle ORDER BY person_id) = 1
        ), present AS (
            SELECT handle, person_id, method, formerly FROM now UNION ALL FROM records
        )
        SELECT handle, person_id, method, formerly, '{as_of}' AS seen FROM present
        UNION ALL
        SELECT handle, person_id, method, formerly, seen FROM earlier
        WHERE handle NOT IN (SELECT handle FROM present) AND seen >= '{forgotten}' ORDER BY handle"""
    ).to_arrow_table()
    # Through a float, as where ids may be missing, an id would lose its last digits.
    return found.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get).astype(EARLIER)
