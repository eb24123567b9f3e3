"""What makes a person up: which records, how each was linked, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from casewell.errors import AsOfError
from records.comparing import COLUMNS
from records.descriptions import SAID
from records.reading import literal
from records.words import sentences

METHODS = {
    "decision": "a person's decision",
    "nhs_number": "the person's NHS number",
    "splink": "what it says of the person",
    "demographics": "an exact fit with this person and nobody else",
    "alone": "nothing: it matched nobody, and is a person of its own",
    "source_id": "the source's own person identifier",
}


LINK_COLUMNS = [
    *("source", "record", "against_source", "against_record"),
    *("why", "prior_bits", "weight", "probability"),
]
# Takes descriptions and pairs of their places; gives what `records.probabilistic.compare` gives, or None where nothing
# was estimated.
Weigh = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame | None]


@dataclass(frozen=True)
class Explanation:
    """What makes a person up.

    Attributes
    ----------
    person_id
        The pseudonym.
    sources
        `source`, `method` (in words), `records`: every record, counted.
    links
        LINK_COLUMNS, one row a record that what it says linked: the record of the person that it resembles most, and
        why in words. Only `source` and `record` where the weights are not kept.
    others
        `source`, `record`, `method` (in words): the records without a usable number that were linked otherwise.
    said
        What the records say: the private part, to be shown only when asked for.
    decided
        `source_1`, `record_1`, `source_2`, `record_2`, `decision`, `decided_on`, `line` of decisions about them.
    """

    person_id: int
    sources: pd.DataFrame
    links: pd.DataFrame
    others: pd.DataFrame
    said: pd.DataFrame
    decided: pd.DataFrame


def person_of(linked: Path, source: str, record: str) -> int:
    """Return the person that a record was taken to be.

    Raises
    ------
    AsOfError
        There is no such record among those that were linked.
    """
    with duckdb.connect() as con:
        found = con.execute(
            f"SELECT person_id FROM read_parquet({literal(linked / 'identities.parquet')}) "
            "WHERE source = ? AND source_record = ?",
            [source, record],
        ).fetchone()
    if found is None:
        raise AsOfError(
            "no record of that source and identifier was linked",
            "It may not have been known yet, be in quarantine, or be of somebody who has opted out. "
            "Give the source's name as in the settings.",
        )
    return int(found[0])


def explain(linked: Path, person_id: int, decided: pd.DataFrame, weigh: Weigh) -> Explanation:
    """Say which records make a person up and why.

    Parameters
    ----------
    linked
        Folder of the linked tables.
    person_id
        The pseudonym.
    decided
        From `decisions.read`.
    weigh
        Weighs pairs of descriptions with the parameters that linkage used.

    Raises
    ------
    AsOfError
        Nobody has this id.
    """
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW i AS SELECT * FROM read_parquet({literal(linked / 'identities.parquet')})")
        mine = f"person_id = {int(person_id)}"
        sources = con.execute(
            f"SELECT source, method, count(*) AS records FROM i WHERE {mine} GROUP BY ALL ORDER BY ALL"
        ).df()
        said = con.execute(
            f"""SELECT d.*, i.method FROM read_parquet({literal(linked / "descriptions.parquet")}) AS d
            JOIN (SELECT source, source_record AS record, method FROM i WHERE {mine}) AS i
            USING (source, record) WHERE {mine} ORDER BY source, record"""
        ).df()
        con.register("decided", decided)
        here = f"SELECT source, source_record FROM i WHERE {mine}"
        about = con.execute(
            f"SELECT * FROM decided WHERE (source_1, record_1) IN ({here}) OR (source_2, record_2) IN ({here}) ORDER BY line"
        ).df()
    if sources.empty:
        raise AsOfError("nobody who was linked has that person id", "It may have changed: `casewell link changes`.")
    return Explanation(
        person_id,
        sources.assign(method=sources["method"].replace(METHODS)),
        _links(said, weigh),
        _in_words(said[(said["method"] != "splink") & ~said["numbered"]]),
        said,
        about,
    )


def _in_words(said: pd.DataFrame) -> pd.DataFrame:
    return said.assign(method=said["method"].replace(METHODS))[["source", "record", "method"]].reset_index(drop=True)


def _links(said: pd.DataFrame, weigh: Weigh) -> pd.DataFrame:
    """Find for each record that what it says linked the record of the person that it resembles most."""
    weighed = said["method"] == "splink"
    distinct = said.drop_duplicates("description").reset_index(drop=True)
    place = pd.Series(distinct.index, index=distinct["description"])
    lefts = place[said.loc[weighed, "description"].drop_duplicates()]
    pairs = pd.DataFrame({"left": lefts}).merge(pd.DataFrame({"right": distinct.index}), how="cross")
    pairs = pairs[pairs["left"] != pairs["right"]].reset_index(drop=True)
    parts = weigh(as_compared(distinct), pairs) if len(pairs) else None
    if parts is None:
        return said.loc[weighed, ["source", "record"]].reindex(columns=LINK_COLUMNS)
    best = parts.sort_values(["left", "weight", "right"], ascending=[True, False, True]).drop_duplicates("left")
    best = best[["left", "right", "weight", "prior_bits", "probability"]].assign(
        description=distinct["description"].to_numpy()[best["left"]],
        against_source=distinct["source"].to_numpy()[best["right"]],
        against_record=distinct["record"].to_numpy()[best["right"]],
    )
    best = best.merge(sentences(parts).rename("why").reset_index(), on=["left", "right"], how="left")
    found = said.loc[weighed, ["source", "record", "description"]].merge(best, on="description")
    return found[LINK_COLUMNS].sort_values(["source", "record"], ignore_index=True)


def as_compared(descriptions: pd.DataFrame) -> pd.DataFrame:
    """Return descriptions as linkage compares them: `records.comparing.COLUMNS`, what is not known missing, no numbers."""
    table = descriptions[list(SAID)]
    table = table.assign(date_of_birth=table["date_of_birth"].dt.strftime("%Y-%m-%d").fillna(""), number="")
    return table.mask(table == "")[list(COLUMNS)].reset_index(drop=True)
