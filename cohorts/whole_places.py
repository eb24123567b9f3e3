"""Whole places out of shares of a place: chosen anew are only the people so near to the price that it could change who they are.

The optimum of the linear programme is a bound that no choice exceeds. Whatever a choice gives away against the prices, it lies below the bound
by as much; so whoever lies further from the price than a choice lies below the bound is in no better one, or in every one
(reduced-cost fixing: Dantzig, Fulkerson and Johnson, Operations Research 1954).
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from cohorts.contest import Rows, at_most_one

WHOLE = 1e-6
"""Shares nearer than this to a whole place are whole: the solver's own tolerance."""
CLOSE = 1e-4
"""A choice so near the bound, as a part of it, is taken where to find the best of all would take too long."""
MANY = 20_000
"""So many candidates are chosen anew, and no more where a close choice is known."""
BRANCHES = 5_000
"""So many branches are looked at in one search. A number and not a time, so that every machine chooses the same."""
_FIRST_BAND = 10.0


def whole(worth: np.ndarray, person: np.ndarray, rows: Rows, part: np.ndarray, over: np.ndarray) -> np.ndarray | None:
    """Return who is chosen (True) of the candidates, or None where the floors cannot be met with whole people.

    The choice is the best of all, up to `MANY` candidates near the price and `BRANCHES` branches; beyond, within `CLOSE` of the bound.

    Parameters
    ----------
    worth, person, rows
        What each candidate counts for, whose candidate it is, and the rules.
    part, over
        The optimum of the linear programme: each candidate's share of a place, and worth above the prices.

    Raises
    ------
    RuntimeError
        When the search ended, among all candidates, without a choice and without showing that there is none.
    """
    rounded = np.round(part)
    if (np.abs(part - rounded) < WHOLE).all():
        return rounded.astype(bool)
    bound, band = float(worth @ part), _FIRST_BAND
    surplus = np.zeros(int(person.max()) + 1)
    np.maximum.at(surplus, person, over)
    while True:
        near, fixed = _near(over, surplus, person, band)
        chosen, ended = _anew(worth, person, rows, near, fixed)
        if chosen is not None:
            gap = bound - float(worth @ chosen)
            close = gap <= CLOSE * bound and (not ended or near.sum() > MANY)
            if (ended and gap <= band) or close or near.all():
                return chosen
        elif near.all():
            if not ended:
                raise RuntimeError(f"no whole places were found in {BRANCHES:,} branches: please report this")
            return None
        # Step by step: with a few more people the gap becomes much smaller, and the next band need not reach as far as the last gap.
        band *= 2


def _near(over: np.ndarray, surplus: np.ndarray, person: np.ndarray, band: float) -> tuple[np.ndarray, np.ndarray]:
    """Mark the candidates that must be chosen anew, and those that are in every choice within the band of the bound.

    `surplus` is what each person's best candidate is worth above the price, 0 at least: what a choice forgoes that gives
    the person nothing. What it forgoes by another candidate is the difference to that.
    """
    possible = surplus[person] - over <= band
    alone = np.bincount(person, weights=possible)[person] == 1
    fixed = possible & alone & (surplus[person] > band)
    return possible & ~fixed, fixed


def _anew(
    worth: np.ndarray, person: np.ndarray, rows: Rows, near: np.ndarray, fixed: np.ndarray
) -> tuple[np.ndarray | None, bool]:
    """Choose among those near, whole, with the fixed standing; say also whether the search came to its end."""
    left = np.flatnonzero(near)
    now = at_most_one(rows, left, person[left])
    means = now.paid.shape[1]
    taken = np.concatenate([rows.matrix @ fixed, np.zeros(len(now.limit) - len(rows.limit))])
    found = whole_numbers(
        np.concatenate([-worth[near], np.zeros(means)]),
        constraints=LinearConstraint(sparse.hstack([now.matrix, now.paid], format="csc"), -np.inf, now.limit - taken),
        bounds=Bounds(0, 1),
        integrality=np.repeat([1, 0], [len(left), means]),
        options={"mip_rel_gap": 0.0, "node_limit": BRANCHES},
    )
    ended = found.status != 1
    if found.x is None:
        return None, ended
    chosen = fixed.copy()
    chosen[near] = np.round(found.x[: len(left)]).astype(bool)
    return chosen, ended


def whole_numbers(gain: np.ndarray, **told: Any) -> OptimizeResult:
    """Call `scipy.optimize.milp`, and keep what HiGHS prints by itself (SciPy 1.17) off the user's terminal."""
    printed_by_c = ctypes.CDLL(None)
    sys.stdout.flush()
    printed_by_c.fflush(None)
    terminal = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        return milp(gain, **told)
    finally:
        printed_by_c.fflush(None)
        os.dup2(terminal, 1)
        os.close(terminal)
