"""The pairs of descriptions that may or may not be of one person, for a person to look at."""

from __future__ import annotations

import duckdb
import pandas as pd

from records.linkage import Linkage

# From here on nobody need look.
SURE = 0.999


def doubtful_pairs(con: duckdb.DuckDBPyConnection, linkage: Linkage) -> pd.DataFrame:
    """Return the door DOUBTFUL: every pair that Splink scored from DOUBTFUL to below SURE, this week or before.

    Pairs with a person who is opted out are left out, and those that a number or a decision makes one anyway.
    """
    nodes = linkage.nodes
    pairs = pd.concat([linkage.found.pairs, linkage.found.doubtful], ignore_index=True)
    pairs = pairs[pairs["probability"] < SURE]
    sides = [nodes.iloc[pairs[side]].reset_index(drop=True).add_prefix(f"{side}_") for side in ("left", "right")]
    found = pd.concat([*sides, pairs[["probability", "weight"]].reset_index(drop=True)], axis=1)
    con.register("uncertain", found[found["left_who"] != found["right_who"]])
    told = con.execute(
        """SELECT left_source, left_record, right_source, right_record, u.probability, weight,
            l.person_id = r.person_id AS linked
        FROM uncertain AS u JOIN persons AS l ON l.who = left_who JOIN persons AS r ON r.who = right_who
        WHERE NOT l.opted AND NOT r.opted ORDER BY ALL"""
    ).df()
    con.unregister("uncertain")
    return told
