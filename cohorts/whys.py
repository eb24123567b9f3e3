"""Why somebody has a place this week, or has none, in words that stand in the ledger."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

KEEPS = "by the limit on changes since the last list"
KEPT_OUT = "the limit on changes since the last list left the place with somebody else"
DRAWN = "drawn by lot at the team's margin"
NOT_DRAWN = "the lot at the team's margin gave the place to somebody else"
RESTS = "passed over by an earlier lot at the team's margin, and in none until the time to rest is over"
BY_POLICY = "by the policy on places"
BY_POLICY_NOT = "the policy on places gave the place to somebody else"
NO_GAIN = "no gain expected"
NO_PLACES = "the team has no places this week"
OTHERS = "others had more to gain"


def why(
    people: pd.DataFrame,
    listed: pd.Series,
    selected: pd.Series,
    by_benefit: pd.Series,
    freely: pd.Series,
    closed: pd.Series | None = None,
) -> np.ndarray:
    """Say of each person what decided.

    Parameters
    ----------
    people
        `chance` and `lost` (passed over by this week's lot, or by an earlier one and resting), `gains`, and `capacity`, the places that the person could have.
    listed, selected
        Who has a place, and who has one or is in reserve.
    by_benefit, freely
        Who would have a place by benefit alone, and who by the policy without a limit on changes.
    closed
        As `closed_in_words` returns it: said of whoever has no place for want of a gain or of places.
    """
    said = np.select(
        [
            listed & people["chance"].notna(),
            people["lost"] & people["chance"].notna(),
            people["lost"],
            listed & ~freely,
            freely & ~listed,
            listed & by_benefit,
            listed,
            selected & ~by_benefit,
            by_benefit,
            ~people["gains"],
            people["capacity"] == 0,
        ],
        [
            DRAWN,
            NOT_DRAWN,
            RESTS,
            KEEPS,
            KEPT_OUT,
            "among the most to gain for the team's places",
            BY_POLICY,
            "next, if somebody declines",
            BY_POLICY_NOT,
            NO_GAIN,
            NO_PLACES,
        ],
        OTHERS,
    )
    if closed is None:
        return said
    wants = np.isin(said, [NO_GAIN, NO_PLACES, OTHERS]) & (closed != "").to_numpy()
    return np.where(wants, closed.to_numpy(object) + "; of what else there is: " + said, said)


def closed_in_words(person: pd.Series, closed: pd.DataFrame, titles: Mapping[str, str]) -> pd.Series:
    """Say of each person which programmes are closed to them, and why; empty where none is.

    `closed` is that of `cohorts.several.OtherProgrammes`, and `titles` what each programme is called, by code.
    """
    told = closed[closed["person_id"].isin(person)].drop_duplicates(["person_id", "programme"])
    told = told.sort_values(["person_id", "programme"])
    words = told["programme"].map(dict(titles)) + " " + told["why"]
    return words.groupby(told["person_id"]).agg("; ".join).reindex(person).fillna("").set_axis(person.index)
