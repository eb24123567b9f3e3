"""The best choice of people under places and floors: exactly, by HiGHS, on no more people than can matter.

Each team has places; each group with a floor must have its least number of them. Two people of one team and of the
same groups are alike but for what they gain, so of each such *cell* the best are taken and nobody else: the problem is
how many of each cell. Three steps, all exact:

1. *Can it be done at all?* How many of each cell, in fractions.
2. *Prices.* The linear programme over people, with people added only when the prices (dual values) of places and
   floors say that they would pay (column generation; Dantzig and Wolfe, Operations Research 1960). With floors on
   practices, which lie within teams, and on one other grouping, both families of rules are laminar and the optimum is
   whole by itself (Edmonds 1970).
3. *Whole places.* Where several groupings cross, a few people may be cut in half. The bound of step 2 says how far from
   the price anybody in the best choice can lie; only people so near are chosen anew, as whole people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from cohorts.policy import Floor

UNIT = 1e-9
"""Gains that differ by less than this are equal, and the lot decides."""
_SCALE = 1e-3 / UNIT  # one unit is a thousandth: far above the tolerance of the solver, which is 1e-7
_LOT = 4e-4  # in the solver's units: together two lots are less than one unit of gain
_WHOLE = 1e-6
_FIRST_BAND = 10.0


class Problem(NamedTuple):
    """What the solver is given: arrays by person (in any order), places by team, floors in places."""

    gain: np.ndarray
    lot: np.ndarray
    team: np.ndarray
    places: np.ndarray
    floors: Sequence[Floor]


def best(problem: Problem) -> np.ndarray | None:
    """Return whom to choose (True for each person chosen), or None where the floors cannot all be met.

    `gain` must be above 0 for everybody, and `lot` lie in [0, 1): among equal gains the larger lot goes first. The
    choice depends on the values alone, up to the order of people who are equal in everything.
    """
    cells = _cells(problem)
    counts = _counts(problem, cells)
    if counts is None:
        return None
    worth = np.round(problem.gain / UNIT) * UNIT * _SCALE + problem.lot * _LOT
    rank = _rank_within(cells.of_person, worth)
    able = np.flatnonzero(rank < problem.places[problem.team])
    rows = _rows(problem, able)
    active = (rank < np.ceil(counts.found - _WHOLE)[cells.of_person])[able] | (
        _rank_within(problem.team, worth) < problem.places[problem.team]
    )[able]
    part, over = _priced(worth[able], rows, active)
    whole = _whole(worth[able], rows, part, over)
    if whole is None:
        return None
    taken = np.zeros(len(worth), dtype=bool)
    taken[able] = whole
    return taken


def feasible(problem: Problem) -> bool:
    """Say whether all floors can be met within the places."""
    counts = _counts(problem, _cells(problem))
    return counts is not None and _whole_counts_exist(counts)


class _Cells(NamedTuple):
    of_person: np.ndarray
    first: np.ndarray  # one person of each cell, who stands for all
    size: np.ndarray


def _cells(problem: Problem) -> _Cells:
    columns = np.column_stack([problem.team, *(floor.group for floor in problem.floors)])
    of_person = pd.DataFrame(columns).groupby(list(range(columns.shape[1])), sort=True).ngroup().to_numpy()
    _, first, size = np.unique(of_person, return_index=True, return_counts=True)
    return _Cells(of_person, first, size)


class _Rows(NamedTuple):
    """`matrix @ choice <= limit`: places, and floors with their signs turned."""

    matrix: sparse.csc_array
    limit: np.ndarray


def _rows(problem: Problem, people: np.ndarray) -> _Rows:
    groups = [(problem.team[people], problem.places, 1.0)]
    groups += [(floor.group[people], floor.least, -1.0) for floor in problem.floors]
    parts, limits = [], []
    for group, number, sign in groups:
        inside = np.flatnonzero(group >= 0)
        entries = (np.full(len(inside), sign), (group[inside], inside))
        parts.append(sparse.csc_array(entries, shape=(len(number), len(people))))
        limits.append(sign * number)
    return _Rows(sparse.vstack(parts, format="csc"), np.concatenate(limits).astype("float64"))


class _Counts(NamedTuple):
    """How many of each cell: rows and bounds of the problem of counts, and one solution of it in fractions."""

    rows: _Rows
    most: np.ndarray
    found: np.ndarray


def _counts(problem: Problem, cells: _Cells) -> _Counts | None:
    """Return fractions of each cell that meet all floors within the places; None where there are none."""
    rows = _rows(problem, cells.first)
    most = np.minimum(cells.size, problem.places[problem.team[cells.first]])
    found = linprog(
        np.zeros(len(most)),
        A_ub=rows.matrix,
        b_ub=rows.limit,
        bounds=np.column_stack([np.zeros(len(most)), most]),
        method="highs-ds",
    )
    return _Counts(rows, most, found.x) if found.status == 0 else None


def _whole_counts_exist(counts: _Counts) -> bool:
    if (np.abs(counts.found - np.round(counts.found)) < _WHOLE).all():
        return True
    found = milp(
        np.zeros(len(counts.most)),
        constraints=LinearConstraint(counts.rows.matrix, -np.inf, counts.rows.limit),
        bounds=Bounds(0, counts.most),
        integrality=np.ones(len(counts.most)),
    )
    return found.x is not None


def _rank_within(group: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Return each person's place in the group by worth, 0 first."""
    order = np.lexsort([-worth, group])
    start = np.r_[True, group[order][1:] != group[order][:-1]]
    position = np.arange(len(order)) - np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
    rank = np.empty(len(order), dtype="int64")
    rank[order] = position
    return rank


def _priced(worth: np.ndarray, rows: _Rows, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve the linear programme; return each person's share of a place and worth above the price."""
    while True:
        chosen = np.flatnonzero(active)
        found = linprog(-worth[chosen], A_ub=rows.matrix[:, chosen], b_ub=rows.limit, bounds=(0, 1), method="highs-ds")
        if found.status != 0:
            raise RuntimeError(f"HiGHS could not solve a problem that is known to be feasible: {found.message}")
        over = worth + rows.matrix.T @ found.ineqlin.marginals
        missing = ~active & (over > _WHOLE)
        if not missing.any():
            part = np.zeros(len(worth))
            part[chosen] = found.x
            return part, over
        active = active | missing


def _whole(worth: np.ndarray, rows: _Rows, part: np.ndarray, over: np.ndarray) -> np.ndarray | None:
    rounded = np.round(part)
    if (np.abs(part - rounded) < _WHOLE).all():
        return rounded.astype(bool)
    bound, band = float(worth @ part), _FIRST_BAND
    while True:
        near = np.abs(over) <= band
        fixed = np.where(near, 0.0, rounded)
        found = milp(
            -worth[near],
            constraints=LinearConstraint(rows.matrix[:, near], -np.inf, rows.limit - rows.matrix @ fixed),
            bounds=Bounds(0, 1),
            integrality=np.ones(int(near.sum())),
            options={"mip_rel_gap": 0.0},
        )
        if found.x is not None:
            whole = fixed.astype(bool)
            whole[near] = np.round(found.x).astype(bool)
            # Whoever lies further from the price than the gap is in no better choice, or in every one.
            gap = bound - float(worth @ whole)
            if gap <= band or near.all():
                return whole
        band = max(2 * band, gap if found.x is not None else 0.0)
        if found.x is None and near.all():
            return None
