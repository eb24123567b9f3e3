"""How many places of each programme a team's budget can pay for: the corners of all that it can.

Costs are the same for everybody on a programme, so a budget is a rule about whole numbers of places. As a sum it would let
the linear programme buy parts of a place, and the bound that whole places are held against would be loose by up to a
place in every team. The whole numbers that can be paid for lie within their convex hull (Gomory's corner of it all:
Schrijver, Theory of Linear and Integer Programming, 1986, chapter 16), whose corners are few; a team's places are at most a mean of
them, which is as tight as any linear rule can be.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from scipy.spatial import ConvexHull

from casewell.errors import SettingsError

MOST = 200_000
"""So many combinations of places are looked at for one team; more programmes with costs than that allows are refused."""


class Corners(NamedTuple):
    """Corners of what can be paid for: `team` of each, and `places` by corner and programme."""

    team: np.ndarray
    places: np.ndarray


def corners(places: np.ndarray, cost: np.ndarray, budget: np.ndarray) -> Corners:
    """Return the corners of every team whose budget does not pay for all its places.

    Parameters
    ----------
    places
        By team and programme.
    cost
        Pounds a place, by programme; 0 for a programme that costs nothing. Pence count, and nothing less.
    budget
        Pounds, by team; infinite for a team without one.

    Raises
    ------
    SettingsError
        A team has more combinations of places than can be looked at.
    """
    pence = np.round(cost * 100).astype("int64")
    found = [
        (team, _of_team(here, pence, int(np.floor(np.round(money * 100, 4)))))
        for team, (here, money) in enumerate(zip(places, budget, strict=True))
        if np.isfinite(money) and here @ pence > np.floor(np.round(money * 100, 4))
    ]
    teams = [np.full(len(rows), team) for team, rows in found]
    none = np.empty((0, places.shape[1]), dtype="int64")
    return Corners(
        np.concatenate([np.empty(0, dtype="int64"), *teams]), np.vstack([none, *(rows for _, rows in found)])
    )


def _of_team(places: np.ndarray, pence: np.ndarray, money: int) -> np.ndarray:
    """Return what a team can pay for at most, one row a corner; programmes without a cost have all their places."""
    alone = np.where(pence > 0, np.minimum(places, money // np.maximum(pence, 1)), places)
    paid = np.flatnonzero((pence > 0) & (alone > 0))
    if len(paid) < 2:
        return alone[None, :]
    # Of the programme with most places the rest of the money says how many, so its numbers are not tried.
    last, tried = paid[np.argmax(alone[paid])], paid[paid != paid[np.argmax(alone[paid])]]
    combinations = int(np.prod(alone[tried] + 1))
    if combinations > MOST:
        raise SettingsError(
            f"a team with a budget has {combinations:,} combinations of places of its {len(paid)} programmes with a cost; "
            f"{MOST:,} can be looked at",
            "Give that team fewer programmes with a cost or fewer places (teams.budgets, programmes).",
        )
    grid = np.array(list(itertools.product(*(range(number + 1) for number in alone[tried]))), dtype="int64")
    left = money - grid @ pence[tried]
    points = np.zeros((len(grid), len(places)), dtype="int64")
    points[:, tried], points[:, last] = grid, np.minimum(alone[last], left // pence[last])
    points = points[left >= 0]
    # With nothing at all, and as much as possible of each alone, the body has a volume whatever the budget.
    body = np.vstack([points, np.diag(alone)[paid], np.zeros((1, len(places)), dtype="int64")])[:, paid]
    outer = body[np.sort(ConvexHull(body).vertices)]
    below = (outer[:, None] <= outer[None]).all(axis=2) & (outer[:, None] < outer[None]).any(axis=2)
    rows = np.tile(alone, (int((~below.any(axis=1)).sum()), 1))
    rows[:, paid] = outer[~below.any(axis=1)]
    return rows
