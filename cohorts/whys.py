"""Why somebody has a place this week, or has none, in words that stand in the ledger."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEEPS = "by the limit on changes since the last list"
KEPT_OUT = "the limit on changes since the last list left the place with somebody else"
DRAWN = "drawn by lot at the team's margin"
NOT_DRAWN = "the lot at the team's margin gave the place to somebody else"
RESTS = "passed over by an earlier lot at the team's margin, and in none until the time to rest is over"
BY_POLICY = "by the policy on places"
BY_POLICY_NOT = "the policy on places gave the place to somebody else"


def why(
    people: pd.DataFrame, listed: pd.Series, selected: pd.Series, by_benefit: pd.Series, freely: pd.Series
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
    """
    return np.select(
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
            "no gain expected",
            "the team has no places this week",
        ],
        "others had more to gain",
    )
