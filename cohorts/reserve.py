"""Who is next in line for each programme of a team: so many of the best of those without a place, each in one line only."""

from __future__ import annotations

import numpy as np
import pandas as pd


def reserves(offers: pd.DataFrame, room: np.ndarray) -> pd.DataFrame:
    """Return the offers that are kept in reserve, one a person at most.

    Going down the offers of a team by value, an offer is kept if its person is in no line yet and its programme's line
    has room. That is found in rounds, all teams at once (Gale and Shapley 1962, with one order for both sides): everybody stands in line for the best
    offer they have left, and whoever finds the line full strikes that offer out.

    Parameters
    ----------
    offers
        Of people without a place: `person_id`, `team`, `programme` (numbers), `value` and `lot`.
    room
        Length of the line, by team and programme.
    """
    pool = offers["team"] * room.shape[1] + offers["programme"]
    left = offers.assign(pool=pool, room=room.ravel()[pool]).sort_values(
        ["team", "value", "lot", "person_id", "programme"], ascending=[True, False, True, True, True]
    )
    left = left[left["room"] > 0]
    # Behind as many as the team has room for in all its lines, nobody can come up.
    left = left[left.groupby("pool").cumcount() < room.sum(axis=1)[left["team"]]]
    while True:
        first = left.drop_duplicates("person_id")
        full = first.index[first.groupby("pool").cumcount() >= first["room"]]
        if full.empty:
            return first
        left = left.drop(full)
