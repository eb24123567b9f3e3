"""Which descriptions are one person's, given which pairs resemble each other and who must be kept apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from records.probabilistic import Found


def resolve_apart(nodes: pd.DataFrame, pairs: pd.DataFrame, apart: pd.DataFrame, single: pd.DataFrame) -> pd.DataFrame:
    """Do what `resolve` does, and keep apart who must be, whatever links them.

    Parameters
    ----------
    nodes, pairs
        As for `resolve`.
    apart
        `one`, `two` (both a `who`): the second leaves the first one's person and takes along whom only it was linked with.
    single
        `source`, `who`: who has a row in a source that has one row a person. Of several in one person the best stays,
        which is the numbered one, else the most probable, else the first.
    """
    while True:
        named = resolve(nodes, pairs)
        broken = broken_by(named, apart, single)
        if broken.empty:
            return named
        pairs = _without(nodes, pairs, broken)


def broken_by(named: pd.DataFrame, apart: pd.DataFrame, single: pd.DataFrame) -> pd.DataFrame:
    """Return `one` and `two` of those who must be kept apart and are not."""
    anchor = named.set_index("who")["anchor"]
    torn = apart[_roots(apart["one"], anchor) == _roots(apart["two"], anchor)]
    crowd = single.assign(root=_roots(single["who"], anchor))
    crowd = crowd[crowd.duplicated(["source", "root"], keep=False)]
    sure = crowd["who"].map(named.set_index("who")["probability"]).where(crowd["who"] != crowd["root"], 2.0)
    crowd = crowd.assign(sure=sure.fillna(0.0)).sort_values(
        ["source", "root", "sure", "who"], ascending=[True, True, False, True]
    )
    best = crowd.groupby(["source", "root"])["who"].transform("first")
    rivals = pd.DataFrame({"one": best, "two": crowd["who"]})
    # Who was joined by a person's decision goes by one name, and is no rival of himself.
    return pd.concat([torn, rivals[rivals["one"] != rivals["two"]]], ignore_index=True).drop_duplicates(
        ignore_index=True
    )


def _roots(who: pd.Series, anchor: pd.Series) -> pd.Series:
    return who.map(anchor).fillna(who)


def _without(nodes: pd.DataFrame, pairs: pd.DataFrame, broken: pd.DataFrame) -> pd.DataFrame:
    """Take away the pairs that bring those together who must be kept apart, and as few others as will do."""
    who = nodes["who"].to_numpy()
    left, right = pd.Series(who[pairs["left"]]), pd.Series(who[pairs["right"]])
    touched = (left.isin(broken["two"]) | right.isin(broken["two"])).to_numpy()
    # The first one's person, as it is without the second.
    rest = resolve(nodes, pairs[~touched].reset_index(drop=True)).set_index("who")["anchor"]
    forbidden = pd.MultiIndex.from_arrays([broken["two"], _roots(broken["one"], rest)])
    ways = [pd.MultiIndex.from_arrays([a, _roots(b, rest)]) for a, b in ((left, right), (right, left))]
    drop = ways[0].isin(forbidden) | ways[1].isin(forbidden)
    return pairs[~(drop if drop.any() else touched)].reset_index(drop=True)


def resembling(nodes: pd.DataFrame, found: Found, named: pd.DataFrame) -> pd.DataFrame:
    """Return for each description that was linked to nobody its likeliest person: `who`, `candidate`, `probability`.

    That is one below the threshold, or one of several above it that are equally likely.
    """
    # As objects: pandas 3 takes ten times as long to look for one text column in another.
    linked = nodes["who"].astype("object").isin(named["who"].astype("object"))
    alone = (nodes["number"].isna() & ~linked).to_numpy()
    pairs = pd.concat([found.pairs, found.doubtful], ignore_index=True)
    both = pd.concat([pairs, pairs.rename(columns={"left": "right", "right": "left"})], ignore_index=True)
    both = both[alone[both["left"]]]
    who = nodes["who"].to_numpy()
    both = both.assign(who=who[both["left"]], candidate=who[both["right"]]).sort_values(
        ["who", "weight", "candidate"], ascending=[True, False, True]
    )
    return both.drop_duplicates("who")[["who", "candidate", "probability"]].reset_index(drop=True)


def resolve(nodes: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Decide which person each description without a number belongs to.

    Parameters
    ----------
    nodes
        `who` and `number` (null for descriptions without one), by position.
    pairs
        `left`, `right` (positions), `weight`, `probability`.

    Returns
    -------
    One row a linked description without a number: `who`, `anchor` (another `who`), `probability`.
    """
    # Numbers that stand for each `who`, in its order, are far quicker to compare than texts.
    who, names = pd.factorize(nodes["who"], sort=True)
    numbered = nodes["number"].notna().to_numpy()
    swapped = pairs.rename(columns={"left": "right", "right": "left"})
    links = pd.concat([pairs, swapped], ignore_index=True)
    links = links[~numbered[links["left"]]].drop_duplicates(["left", "right"])
    links = links.assign(mine=who[links["left"]], theirs=who[links["right"]], to_number=numbered[links["right"]])
    direct, undecided = _best(links[links["to_number"]])
    rest = links[~links["to_number"] & ~links["mine"].isin(direct["who"]) & ~links["mine"].isin(undecided)]
    # One step further: a description that matches one which has found its number.
    through = rest.merge(direct[["who", "anchor"]].rename(columns={"who": "theirs", "anchor": "number"}), on="theirs")
    adopted, torn = _best(through.assign(theirs=through["number"]))
    left_over = rest[~rest["mine"].isin(adopted["who"]) & ~rest["mine"].isin(torn)]
    left_over = left_over[left_over["theirs"].isin(left_over["mine"])]
    found = pd.concat([direct, adopted, _groups(left_over)], ignore_index=True).sort_values("who", ignore_index=True)
    return found.assign(who=names.take(found["who"]), anchor=names.take(found["anchor"])).astype(
        {"who": "str", "anchor": "str"}
    )


def _best(links: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return the best link of each description, and the descriptions whose best links tie between two people."""
    strongest = links.groupby(["mine", "theirs"], as_index=False)[["weight", "probability"]].max()
    top = strongest[strongest["weight"] == strongest.groupby("mine")["weight"].transform("max")]
    tied = top["mine"].duplicated(keep=False)
    chosen = top[~tied].rename(columns={"mine": "who", "theirs": "anchor"})
    return chosen[["who", "anchor", "probability"]], top.loc[tied, "mine"]


def _groups(links: pd.DataFrame) -> pd.DataFrame:
    """Join descriptions that match each other and nobody with a number; the anchor is the smallest."""
    codes, members = pd.factorize(pd.concat([links["mine"], links["theirs"]], ignore_index=True), sort=True)
    half = len(links)
    graph = coo_matrix((np.ones(half), (codes[:half], codes[half:])), shape=(len(members), len(members)))
    _, group = connected_components(graph, directed=False)
    strongest = links.groupby("mine")["probability"].max()
    found = pd.DataFrame({"who": np.asarray(members, dtype="int64"), "group": group})
    found["anchor"] = found.groupby("group")["who"].transform("min")
    found["probability"] = found["who"].map(strongest)
    return found[["who", "anchor", "probability"]]
