"""Why people were merged and split this week, in plain words."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd

from casewell import doors
from records import tables
from records.keyed import keyed_hashes
from records.linkage import Linkage
from records.register import Entry, node_hashes
from records.ruling import DECIDED as DECISION

JOINED_BY = {
    "decision": DECISION,
    "splink": "what the records say agrees (Splink, probability {probability})",
    "demographics": "what the records say fits exactly one person",
    "number": "a record without a number has one now",
    "parted": "what kept them apart no longer holds",
    "nhs_number": "the NHS number",
    "alone": "they share a record",
    "record": "they share a record",
}
PARTED = {
    "splink": "what they say no longer links them (Splink): a record between them changed, came or went",
    "demographics": "what they say no longer fits exactly one person",
    "decision": "the decision that joined them no longer holds",
    "parted": "what kept it apart from others no longer holds",
}
PARTED_OTHERWISE = "what joined them is no longer there"


def changes_of(
    con: duckdb.DuckDBPyConnection, key: bytes, as_of: dt.date, start: Entry | None, linkage: Linkage
) -> pd.DataFrame:
    """Return the door CHANGES of this week.

    Parameters
    ----------
    con
        Holds `earlier`, `held`, `votes`, `choices` and `named_people` (`records/identity.py`).
    key, as_of, start, linkage
        As there.
    """
    if start is None:
        return doors.empty(tables.CHANGES)
    votes = con.execute(
        """SELECT v.who, v.old, v.method, v.method_now, v.rows, v.anchor, n.person_id AS new, n.how, h.probability,
            v.old NOT IN (SELECT person_id FROM named_people) AS gone, c.anchor = v.anchor AS chosen,
            NOT direct AND v.who IN (SELECT who FROM parted_records) AS told  -- by _left_by_rule
        FROM votes AS v JOIN named_people AS n USING (anchor) JOIN handled AS h USING (who) JOIN choices AS c USING (old)
        WHERE v.old <> n.person_id ORDER BY ALL"""
    ).df()
    merged = votes["gone"] & votes["chosen"]
    parts = [
        _merged(con, votes[merged]),
        _parted(con, votes[~merged & ~votes["told"]], linkage),
        _left_by_rule(con, key, start),
    ]
    found = pd.concat([part for part in parts if len(part)] or [doors.empty(tables.CHANGES).drop(columns="as_of")])
    whole = found.assign(as_of=pd.Timestamp(as_of))
    keys = ["as_of", "kind", "person_id", "other_person_id", "reason"]
    whole = whole.groupby(keys, as_index=False)["records"].sum()
    return doors.check(whole, tables.CHANGES)


def _merged(con: duckdb.DuckDBPyConnection, votes: pd.DataFrame) -> pd.DataFrame:
    """Name the strongest of what links the records of who is gone to who stays, or the other way round."""
    con.register("anchors_of_merged", votes[["anchor"]].drop_duplicates())
    kept = con.execute(
        "SELECT anchor, method AS other_method, probability AS other_probability FROM handled "
        "JOIN anchors_of_merged USING (anchor) WHERE method IN ('decision', 'splink', 'demographics') "
        "QUALIFY row_number() OVER (PARTITION BY anchor ORDER BY array_position(['decision', 'splink', 'demographics'], "
        "method), probability, who) = 1"
    ).df()
    con.unregister("anchors_of_merged")
    votes = votes.merge(kept, on="anchor", how="left")
    by = votes["method"].where(votes["method"].isin(["number", "parted"]), votes["method_now"])
    own = by.isin(["decision", "splink", "demographics", "number", "parted"])
    by = by.where(own, votes["other_method"]).fillna(by)
    probability = votes["probability"].where(own, votes["other_probability"])
    votes = votes.assign(by=by, probability=probability, order=by.map({name: n for n, name in enumerate(JOINED_BY)}))
    votes = votes.sort_values(["old", "new", "order", "probability", "who"])
    first = votes.groupby(["old", "new"], as_index=False).agg(
        by=("by", "first"), probability=("probability", "first"), records=("rows", "sum")
    )
    certain = first["probability"].map("{:.3f}".format, na_action="ignore").fillna("not estimated")
    reasons = first["by"].map(JOINED_BY).astype("str")
    told = [reason.replace("{probability}", p) for reason, p in zip(reasons, certain, strict=True)]
    return pd.DataFrame(
        {
            "kind": "merged",
            "person_id": first["new"],
            "other_person_id": first["old"],
            "reason": pd.Series(told, dtype="str"),
            "records": first["records"],
        }
    )


def _parted(con: duckdb.DuckDBPyConnection, votes: pd.DataFrame, linkage: Linkage) -> pd.DataFrame:
    """Say of handles that left a person who is still there, or went elsewhere than most, what had joined them."""
    ruled = pd.concat([linkage.ruling.apart["one"], linkage.ruling.apart["two"]])
    con.register("ruled_apart", pd.DataFrame({"who": ruled.astype("str")}).drop_duplicates())
    # Who follows a record that a decision took out of a person leaves by the same decision.
    by_decision = con.execute(
        "SELECT DISTINCT anchor FROM handled WHERE who IN (SELECT who FROM ruled_apart) "
        "OR who IN (SELECT who FROM parted_records WHERE why = ?)",
        [DECISION],
    ).df()["anchor"]
    con.unregister("ruled_apart")
    reason = votes["method"].map(PARTED).fillna(PARTED_OTHERWISE)
    # Whom a decision joined to somebody else left for that, whatever had joined it before.
    reason = reason.mask((votes["method_now"] == "decision") & (votes["method"] != "decision"), DECISION)
    reason = reason.mask(votes["anchor"].isin(by_decision), DECISION)
    # Of several reasons for which two people were parted the first tells: the others follow from it.
    place = {
        words: n for n, words in enumerate((DECISION, PARTED["decision"], PARTED["splink"], PARTED["demographics"]))
    }
    told = votes.assign(reason=reason.astype("str"), place=reason.map(place).fillna(len(place)))
    told = told.sort_values(["old", "new", "place"]).groupby(["old", "new"])["reason"].transform("first")
    reason = told.reindex(votes.index)
    return _left(votes["old"], votes["new"], votes["how"], reason, votes["rows"])


def _left_by_rule(con: duckdb.DuckDBPyConnection, key: bytes, start: Entry) -> pd.DataFrame:
    """Find the records that had another handle last week, and lost it by one of the machine's rules or a decision."""
    left = con.execute(
        """WITH gone AS (
            SELECT s.who, 'n|' || c.number AS was, c.number, 'the number is no longer believed: ' || c.why AS reason,
                given_name, family_name, date_of_birth::VARCHAR AS date_of_birth, sex, postcode, address
            FROM conflicts AS c JOIN sightings AS s USING (place, record) WHERE s.number IS NULL
        )
        SELECT gone.*, h.anchor, n.person_id AS new, n.how FROM gone JOIN handled AS h USING (who)
        JOIN named_people AS n USING (anchor) WHERE who NOT IN (SELECT who FROM held WHERE direct) ORDER BY ALL"""
    ).df()
    # It was believed last week if this very description, with the number, took part in linkage then.
    if len(left):
        left = left[pd.Series(node_hashes(start.key, left)).isin(start.table("nodes")["node"]).to_numpy()]
    ruled = con.execute(
        """SELECT DISTINCT p.who, p.was, h.anchor, n.person_id AS new, n.how, p.why AS reason
        FROM parted_records AS p JOIN handled AS h USING (who) JOIN named_people AS n USING (anchor)
        WHERE who NOT IN (SELECT who FROM held WHERE direct) ORDER BY ALL"""
    ).df()
    left = pd.concat([left, ruled], ignore_index=True)
    if left.empty:
        return pd.DataFrame()
    # Nullable: a missing one would turn the others into floats, which cannot hold an id.
    earlier = (
        con.execute("SELECT handle, person_id FROM earlier WHERE seen = ?", [str(start.as_of)])
        .df()
        .set_index("handle")["person_id"]
        .astype("Int64")
    )
    old = pd.Series(keyed_hashes(con, key, "person|" + left["was"].astype("str"))).map(earlier)
    known = (old.notna() & (old != left["new"])).to_numpy()
    left, old = left[known], old[known].astype("int64")
    return _left(old, left["new"], left["how"], left["reason"], pd.Series(1, index=left.index))


def _left(old: pd.Series, new: pd.Series, how: pd.Series, reason: pd.Series, records: pd.Series) -> pd.DataFrame:
    kind = np.where(how == "kept", "moved", "split")
    return pd.DataFrame(
        {
            "kind": kind,
            "person_id": old.to_numpy(),
            "other_person_id": new.to_numpy(),
            "reason": reason.astype("str").to_numpy(),
            "records": records.to_numpy(),
        }
    )
