"""The best choice of people under places and floors: exactly, by HiGHS, on no more people than can matter.

Each team has places, of one programme or of several; a person has at most one. Each group with a floor must have its least
number of places, of whatever programme; and a team may have a budget (`cohorts.budgets`). A *candidate* is a person and a
programme. Two people of one team, of the same groups and with the same programmes open to them are alike but for what they gain, so of
each such *cell* and programme only as many of the best can matter as the team has places in all: whoever stands behind them can hand
a place to one of them who has none. Three steps, all exact:

1. *Can it be done at all?* How many of each cell, in fractions.
2. *Prices.* The linear programme over people, with people added only when the prices (dual values) of places and
   floors say that they would pay (column generation; Dantzig and Wolfe, Operations Research 1960). With floors on
   practices, which lie within teams, and on one other grouping, both families of rules are laminar and the optimum of one
   programme is whole by itself; so it is of several without budgets, with floors on one grouping (Edmonds 1970).
3. *Whole places.* Where several groupings cross, or money runs out, a few people may be cut in half. The bound of step 2 says how
   far from the price anybody in the best choice can lie; only people so near are chosen anew, as whole people.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from cohorts.budgets import Corners
from cohorts.policy import Floor

UNIT = 1e-9
"""Gains that differ by less than this are equal, and the lot decides."""
_SCALE = 1e-3 / UNIT  # one unit is a thousandth: far above the tolerance of the solver, which is 1e-7
_LOT = 4e-4  # in the solver's units: together two lots are less than one unit of gain
_WHOLE = 1e-6
_FIRST_BAND = 10.0


class Problem(NamedTuple):
    """What the solver is given.

    Attributes
    ----------
    gain, lot, team
        By candidate, in any order.
    places
        By team and programme, or by team where there is one programme.
    floors
        In places, with the groups of each candidate's person.
    person, programme
        Numbers, by candidate; left out, everybody is a person, and there is one programme.
    corners
        What the teams' budgets can pay for; left out, everything.
    """

    gain: np.ndarray
    lot: np.ndarray
    team: np.ndarray
    places: np.ndarray
    floors: Sequence[Floor]
    person: np.ndarray | None = None
    programme: np.ndarray | None = None
    corners: Corners | None = None


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
        whole = _whole(prices)
        if whole is None:
            return None
        taken[prices.able] = whole
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
    rows: _Rows
    part: np.ndarray
    over: np.ndarray


def _prices(problem: Problem) -> _Prices | None:
    given = _completed(problem)
    cells = _cells(given)
    counts = _counts(given, cells)
    if counts is None:
        return None
    worth = np.round(given.gain / UNIT) * UNIT * _SCALE + given.lot * _LOT
    rank = _rank_within(cells.of_candidate, worth)
    places = given.places.ravel()[given.pool]
    matters = _anybody(given.person, rank < given.places.sum(axis=1)[given.team])
    able = np.flatnonzero(matters & (places > 0))
    person = np.unique(given.person[able], return_inverse=True)[1]
    first = (rank < _needed(counts, cells)[cells.of_candidate]) | (_rank_within(given.pool, worth) < places)
    rows = _rows(given, able)
    if not len(able):
        return _Prices(able, worth[able], person, rows, np.zeros(0), np.zeros(0))
    return _Prices(
        able, worth[able], person, rows, *_priced(worth[able], rows, person, _anybody(given.person, first)[able])
    )


def feasible(problem: Problem) -> bool:
    """Say whether all floors can be met within the places."""
    given = _completed(problem)
    counts = _counts(given, _cells(given))
    return counts is not None and _whole_counts_exist(counts)


class _Given(NamedTuple):
    """A problem with everything said; `pool` is the number of the team's places of the candidate's programme."""

    gain: np.ndarray
    lot: np.ndarray
    team: np.ndarray
    places: np.ndarray
    floors: Sequence[Floor]
    person: np.ndarray
    programme: np.ndarray
    corners: Corners
    pool: np.ndarray


def _completed(problem: Problem) -> _Given:
    places = problem.places.reshape(len(problem.places), -1)
    people = len(problem.gain)
    person = np.arange(people) if problem.person is None else problem.person
    programme = np.zeros(people, dtype="int64") if problem.programme is None else problem.programme
    none = Corners(np.empty(0, dtype="int64"), np.empty((0, places.shape[1]), dtype="int64"))
    said = problem._replace(
        places=places, person=person, programme=programme, corners=none if problem.corners is None else problem.corners
    )
    return _Given(*said, pool=problem.team * places.shape[1] + programme)  # type: ignore[arg-type]


def _anybody(person: np.ndarray, mark: np.ndarray) -> np.ndarray:
    """Mark every candidate of a person who has a marked one."""
    return (np.bincount(person, weights=mark) > 0)[person]


class _Cells(NamedTuple):
    """Cells by programme: the number of each candidate's, one candidate that stands for all of it, and its cell with its people."""

    of_candidate: np.ndarray
    first: np.ndarray
    cell: np.ndarray
    size: np.ndarray


def _cells(given: _Given) -> _Cells:
    open_to = np.bincount(given.person, weights=2.0**given.programme)[given.person]
    columns = np.column_stack([given.team, open_to, *(floor.group for floor in given.floors)])
    cell = pd.DataFrame(columns).groupby(list(range(columns.shape[1])), sort=True).ngroup().to_numpy()
    _, first, of_candidate, size = np.unique(
        cell * given.places.shape[1] + given.programme, return_index=True, return_inverse=True, return_counts=True
    )
    return _Cells(of_candidate, first, np.unique(cell[first], return_inverse=True)[1], size)


class _Rows(NamedTuple):
    """`matrix @ choice + paid @ means <= limit`: places, floors with their signs turned, and what can be paid for.

    The last is a mean of corners, whose weights `means` come after the candidates in every problem.
    """

    matrix: sparse.csc_array
    limit: np.ndarray
    paid: sparse.csc_array


def _rows(given: _Given, candidates: np.ndarray) -> _Rows:
    groups = [(given.pool[candidates], given.places.ravel(), 1.0)]
    groups += [(floor.group[candidates], floor.least, -1.0) for floor in given.floors]
    parts, limits = [], []
    for group, number, sign in groups:
        inside = np.flatnonzero(group >= 0)
        entries = (np.full(len(inside), sign), (group[inside], inside))
        parts.append(sparse.csc_array(entries, shape=(len(number), len(candidates))))
        limits.append(sign * number)
    teams, team = np.unique(given.corners.team, return_inverse=True)
    parts.append(sparse.csc_array((len(teams), len(candidates))))
    limit = np.concatenate([*limits, np.ones(len(teams))]).astype("float64")
    # Instead of its places a team has the mean of its corners, and their weights add up to one at most.
    pools = given.corners.team[:, None] * given.places.shape[1] + np.arange(given.places.shape[1])
    limit[pools.ravel()] = 0.0
    corner = np.arange(len(team))
    rows = np.concatenate([pools.ravel(), len(limit) - len(teams) + team])
    columns = np.concatenate([np.repeat(corner, given.places.shape[1]), corner])
    values = np.concatenate([-given.corners.places.ravel().astype("float64"), np.ones(len(team))])
    paid = sparse.csc_array((values, (rows, columns)), shape=(len(limit), len(team)))
    return _Rows(sparse.vstack(parts, format="csc"), limit, paid)


def _at_most(rows: _Rows, chosen: np.ndarray, person: np.ndarray, most: np.ndarray | float = 1.0) -> _Rows:
    """Return the rows of some candidates with a row for each person (or cell) of several: `most` places, each one at most."""
    several = np.flatnonzero(np.bincount(person) > 1)
    row = np.full(int(person.max(initial=-1)) + 1, -1)
    row[several] = np.arange(len(several))
    inside = np.flatnonzero(row[person] >= 0)
    one = sparse.csc_array((np.ones(len(inside)), (row[person[inside]], inside)), shape=(len(several), len(chosen)))
    limit = np.broadcast_to(most, len(row))[several]
    paid = sparse.vstack([rows.paid, sparse.csc_array((len(several), rows.paid.shape[1]))], format="csc")
    return _Rows(sparse.vstack([rows.matrix[:, chosen], one], format="csc"), np.concatenate([rows.limit, limit]), paid)


class _Counts(NamedTuple):
    """How many of each cell by programme: rows and bounds of the problem of counts, and one solution of it in fractions."""

    rows: _Rows
    most: np.ndarray
    found: np.ndarray


def _counts(given: _Given, cells: _Cells) -> _Counts | None:
    """Return fractions of each cell that meet all floors within the places; None where there are none."""
    all_of_them = np.arange(len(cells.first))
    size = np.zeros(int(cells.cell.max(initial=-1)) + 1)
    size[cells.cell] = cells.size
    rows = _at_most(_rows(given, cells.first), all_of_them, cells.cell, size)
    most = np.minimum(cells.size, given.places.ravel()[given.pool[cells.first]])
    upper = np.concatenate([most, np.ones(rows.paid.shape[1])])
    told = {
        "c": np.zeros(len(upper)),
        "A_ub": sparse.hstack([rows.matrix, rows.paid], format="csc"),
        "b_ub": rows.limit,
        "bounds": np.column_stack([np.zeros(len(upper)), upper]),
    }
    # Where floors cross, cells are many: the simplex method's time grows as their square, the interior point's as they do.
    # That there is nothing to be found is for the simplex method to say.
    found = linprog(**told, method="highs-ipm")
    if found.status != 0:
        found = linprog(**told, method="highs-ds")
    return _Counts(rows, most, found.x[: len(most)]) if found.status == 0 else None


def _whole_counts_exist(counts: _Counts) -> bool:
    if (np.abs(counts.found - np.round(counts.found)) < _WHOLE).all():
        return True
    found = _whole_numbers(
        np.zeros(len(counts.most) + counts.rows.paid.shape[1]),
        constraints=LinearConstraint(
            sparse.hstack([counts.rows.matrix, counts.rows.paid], format="csc"), -np.inf, counts.rows.limit
        ),
        bounds=Bounds(0, np.concatenate([counts.most, np.ones(counts.rows.paid.shape[1])])),
        integrality=np.repeat([1, 0], [len(counts.most), counts.rows.paid.shape[1]]),
    )
    return found.x is not None


def _whole_numbers(gain: np.ndarray, **told: Any) -> OptimizeResult:
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


def _needed(counts: _Counts, cells: _Cells) -> np.ndarray:
    """Return how many of the best of each cell by programme make the problem of people feasible: as many as the cell has places."""
    of_cell = np.bincount(cells.cell, weights=counts.found)
    return np.where(counts.found > _WHOLE, np.ceil(of_cell - _WHOLE)[cells.cell], 0)


def _rank_within(group: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Return each candidate's place in the group by worth, 0 first."""
    order = np.lexsort([-worth, group])
    start = np.r_[True, group[order][1:] != group[order][:-1]]
    position = np.arange(len(order)) - np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
    rank = np.empty(len(order), dtype="int64")
    rank[order] = position
    return rank


def _priced(worth: np.ndarray, rows: _Rows, person: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve the linear programme; return each candidate's share of a place and worth above the prices of places, floors and money."""
    while True:
        chosen = np.flatnonzero(active)
        now = _at_most(rows, chosen, person[chosen])
        means = now.paid.shape[1]
        found = linprog(
            np.concatenate([-worth[chosen], np.zeros(means)]),
            A_ub=sparse.hstack([now.matrix, now.paid], format="csc"),
            b_ub=now.limit,
            bounds=(0, 1),
            method="highs-ds",
        )
        if found.status != 0:
            raise RuntimeError(f"HiGHS could not solve a problem that is known to be feasible: {found.message}")
        over = worth + rows.matrix.T @ found.ineqlin.marginals[: len(rows.limit)]
        missing = _anybody(person, ~active & (over > _WHOLE))
        if not missing.any():
            part = np.zeros(len(worth))
            part[chosen] = found.x[: len(chosen)]
            return part, over
        active = active | missing


def _whole(prices: _Prices) -> np.ndarray | None:
    _, worth, person, rows, part, over = prices
    rounded = np.round(part)
    if (np.abs(part - rounded) < _WHOLE).all():
        return rounded.astype(bool)
    bound, band = float(worth @ part), _FIRST_BAND
    surplus = np.zeros(int(person.max()) + 1)
    np.maximum.at(surplus, person, over)
    while True:
        near, fixed = _near(over, surplus, person, band)
        left = np.flatnonzero(near)
        now = _at_most(rows, left, person[left])
        means = now.paid.shape[1]
        taken = np.concatenate([rows.matrix @ fixed, np.zeros(len(now.limit) - len(rows.limit))])
        found = _whole_numbers(
            np.concatenate([-worth[near], np.zeros(means)]),
            constraints=LinearConstraint(
                sparse.hstack([now.matrix, now.paid], format="csc"), -np.inf, now.limit - taken
            ),
            bounds=Bounds(0, 1),
            integrality=np.repeat([1, 0], [len(left), means]),
            options={"mip_rel_gap": 0.0},
        )
        if found.x is not None:
            whole = fixed.copy()
            whole[near] = np.round(found.x[: len(left)]).astype(bool)
            # Whoever lies further from the price than the gap is in no better choice, or in every one.
            gap = bound - float(worth @ whole)
            if gap <= band or near.all():
                return whole
        band = max(2 * band, gap if found.x is not None else 0.0)
        if found.x is None and near.all():
            return None


def _near(over: np.ndarray, surplus: np.ndarray, person: np.ndarray, band: float) -> tuple[np.ndarray, np.ndarray]:
    """Mark the candidates that must be chosen anew, and those that are in every choice within the band of the bound.

    `surplus` is what each person's best candidate is worth above the price, 0 at least: what a choice forgoes that gives
    the person nothing. What it forgoes by another candidate is the difference to that.
    """
    possible = surplus[person] - over <= band
    alone = np.bincount(person, weights=possible)[person] == 1
    fixed = possible & alone & (surplus[person] > band)
    return possible & ~fixed, fixed
