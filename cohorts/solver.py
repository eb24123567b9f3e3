"""The best choice of people under places and floors: exactly, by HiGHS, on no more people than can matter.

Each team has places, of one programme or of several; a person has at most one. Each group with a floor must have its least
number of places, of whatever programme; and a team may have a budget (`cohorts.budgets`). A *candidate* is a person and a
programme. Two people of one team, of the same groups and with the same programmes open to them are alike but for what they gain, so of
each such *cell* and programme only as many of the best can matter as the team has places in all: whoever stands behind them can hand
a place to one of them who has none. Three steps, all exact:

1. *Prices.* The linear programme over people, with people added only when the prices (dual values) of places and
   floors say that they would pay (column generation; Dantzig and Wolfe, Operations Research 1960). A place that a floor lacks costs a
   forfeit, so that whoever must come in to meet the floors is found by the prices too. With floors on
   practices, which lie within teams, and on one other grouping, both families of rules are laminar and the optimum of one
   programme is whole by itself; so it is of several without budgets, with floors on one grouping (Edmonds 1970).
2. *Can it be done at all?* Asked only where a forfeit is paid: the same programme, with forfeits and nothing else.
3. *Whole places.* Where several groupings cross, or money runs out, a few people may be cut in half
   (`cohorts.whole_places`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from cohorts.contest import (
    UNIT,
    Problem,
    Rows,
    anybody,
    at_most_one,
    cells_of,
    completed,
    rank_within,
    rows_of,
)
from cohorts.whole_places import WHOLE, whole

_SCALE = 1e-3 / UNIT  # one unit is a thousandth: far above the tolerance of the solver, which is 1e-7
_LOT = 4e-4  # in the solver's units: together two lots are less than one unit of gain
_FORFEIT = 100.0
"""What a place that a floor lacks costs, in the worth of the best candidate: too much to be paid where the floor can be met."""


def best(problem: Problem) -> np.ndarray | None:
    """Return what to choose (True for each candidate chosen), or None where the floors cannot all be met.

    `gain` must be above 0 for every candidate, and `lot` lie in [0, 1): among equal gains the larger lot goes first. The
    choice depends on the values alone, up to the order of people who are equal in everything.
    """
    prices = _prices(problem)
    if prices is None:
        return None
    taken = np.zeros(len(problem.gain), dtype=bool)
    if len(prices.able):
        chosen = whole(prices.worth, prices.person, prices.rows, prices.part, prices.over)
        if chosen is None:
            return None
        taken[prices.able] = chosen
    return taken


def ceiling(problem: Problem) -> float:
    """Return what no choice can exceed in gain: the most that people cut in parts could gain; nothing where floors cannot be met."""
    prices = _prices(problem)
    return 0.0 if prices is None else float(problem.gain[prices.able] @ prices.part)


class _Prices(NamedTuple):
    """The linear programme solved: of the candidates who can matter, what each is worth and its share of a place.

    `over` is worth above the prices of places, floors and money.
    """

    able: np.ndarray
    worth: np.ndarray
    person: np.ndarray
    rows: Rows
    part: np.ndarray
    over: np.ndarray


def _prices(problem: Problem) -> _Prices | None:
    given = completed(problem)
    worth = np.round(given.gain / UNIT) * UNIT * _SCALE + given.lot * _LOT
    rank = rank_within(cells_of(given), worth)
    places = given.places.ravel()[given.pool]
    matters = anybody(given.person, rank < given.places.sum(axis=1)[given.team])
    able = np.flatnonzero(matters & (places > 0))
    rows = rows_of(given, able)
    if not len(able):
        none = np.zeros(0)
        return None if (rows.limit < 0).any() else _Prices(able, none, able, rows, none, none)
    worth, pool, places = worth[able], given.pool[able], places[able]
    person = np.unique(given.person[able], return_inverse=True)[1]
    active = rank_within(pool, worth) < places
    found = _priced(worth, rows, person, pool, places, active, _FORFEIT * worth.max())
    if found.lacking:
        # Either the floors cannot be met, or the forfeit was too small: asked for nothing else, the programme tells which.
        possible = _priced(np.zeros(len(able)), rows, person, pool, places, active, 1.0)
        if possible.lacking:
            return None
        found = _priced(worth, rows, person, pool, places, possible.active, None)
    return _Prices(able, worth, person, rows, found.part, found.over)


def feasible(problem: Problem) -> bool:
    """Say whether all floors can be met within the places."""
    return best(problem) is not None


class _Priced(NamedTuple):
    """The linear programme solved: shares of a place, worth above the prices, who was looked at, and whether a floor lacks a place."""

    part: np.ndarray
    over: np.ndarray
    active: np.ndarray
    lacking: bool


def _priced(
    worth: np.ndarray,
    rows: Rows,
    person: np.ndarray,
    pool: np.ndarray,
    places: np.ndarray,
    active: np.ndarray,
    forfeit: float | None,
) -> _Priced:
    """Solve the linear programme, with ever more candidates until no other would pay.

    `active` are the candidates to begin with, `places` those of each candidate's pool, and `forfeit` what a place costs that
    a floor lacks; None where none may lack one, and the first candidates are known to meet all floors.
    """
    lacking = np.flatnonzero(rows.limit < 0)
    while True:
        chosen = np.flatnonzero(active)
        now = at_most_one(rows, chosen, person[chosen])
        means = now.paid.shape[1]
        lacked = (np.full(len(lacking), -1.0), (lacking, np.arange(len(lacking))))
        columns = [now.matrix, now.paid, sparse.csc_array(lacked, shape=(len(now.limit), len(lacking)))]
        found = linprog(
            np.concatenate([-worth[chosen], np.zeros(means), np.full(len(lacking), forfeit or 0.0)]),
            A_ub=sparse.hstack(columns, format="csc"),
            b_ub=now.limit,
            bounds=np.column_stack(
                [
                    np.zeros(len(chosen) + means + len(lacking)),
                    np.repeat([1.0, 0.0 if forfeit is None else np.inf], [len(chosen) + means, len(lacking)]),
                ]
            ),
            method="highs-ds",
        )
        if found.status != 0:
            raise RuntimeError(f"HiGHS could not solve a problem that is known to be feasible: {found.message}")
        over = worth + rows.matrix.T @ found.ineqlin.marginals[: len(rows.limit)]
        missing = ~active & (over > WHOLE)
        if not missing.any():
            part = np.zeros(len(worth))
            part[chosen] = found.x[: len(chosen)]
            return _Priced(part, over, active, bool(found.x[len(chosen) + means :].sum() > WHOLE))
        # A forfeit makes a whole group seem to pay: no more are added at once than a pool has places for.
        best_first = rank_within(pool, np.where(missing, over, -np.inf))
        active = active | anybody(person, missing & (best_first < places))
