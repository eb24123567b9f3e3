"""A contest for places as the solver sees it: candidates, cells of people who are alike, and the rules as rows of a linear programme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from cohorts.budgets import Corners
from cohorts.policy import Floor

UNIT = 1e-9
"""Gains that differ by less than this are equal, and the lot decides."""


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


class Given(NamedTuple):
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


def completed(problem: Problem) -> Given:
    """Return the problem with everything said that may be left out."""
    places = problem.places.reshape(len(problem.places), -1)
    people = len(problem.gain)
    person = np.arange(people) if problem.person is None else problem.person
    programme = np.zeros(people, dtype="int64") if problem.programme is None else problem.programme
    none = Corners(np.empty(0, dtype="int64"), np.empty((0, places.shape[1]), dtype="int64"))
    said = problem._replace(
        places=places, person=person, programme=programme, corners=none if problem.corners is None else problem.corners
    )
    return Given(*said, pool=problem.team * places.shape[1] + programme)  # type: ignore[arg-type]


def anybody(person: np.ndarray, mark: np.ndarray) -> np.ndarray:
    """Mark every candidate of a person who has a marked one."""
    return (np.bincount(person, weights=mark) > 0)[person]


def cells_of(given: Given) -> np.ndarray:
    """Return the number of each candidate's cell by programme: one team, the same programmes open, the same groups."""
    open_to = np.bincount(given.person, weights=2.0**given.programme)[given.person]
    columns = np.column_stack([given.team, open_to, given.programme, *(floor.group for floor in given.floors)])
    return pd.DataFrame(columns).groupby(list(range(columns.shape[1])), sort=False).ngroup().to_numpy()


class Rows(NamedTuple):
    """`matrix @ choice + paid @ means <= limit`: places, floors with their signs turned, and what can be paid for.

    The last is a mean of corners, whose weights `means` come after the candidates in every problem.
    """

    matrix: sparse.csc_array
    limit: np.ndarray
    paid: sparse.csc_array


def rows_of(given: Given, candidates: np.ndarray) -> Rows:
    """Return the rules for some candidates (their numbers): places of each pool, then floors, then what each team's budget pays for."""
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
    return Rows(sparse.vstack(parts, format="csc"), limit, paid)


def at_most_one(rows: Rows, chosen: np.ndarray, person: np.ndarray) -> Rows:
    """Return the rows of some candidates with a row for each person of several: one place at most."""
    several = np.flatnonzero(np.bincount(person) > 1)
    row = np.full(int(person.max(initial=-1)) + 1, -1)
    row[several] = np.arange(len(several))
    inside = np.flatnonzero(row[person] >= 0)
    one = sparse.csc_array((np.ones(len(inside)), (row[person[inside]], inside)), shape=(len(several), len(chosen)))
    paid = sparse.vstack([rows.paid, sparse.csc_array((len(several), rows.paid.shape[1]))], format="csc")
    return Rows(
        sparse.vstack([rows.matrix[:, chosen], one], format="csc"),
        np.concatenate([rows.limit, np.ones(len(several))]),
        paid,
    )


def rank_within(group: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Return each candidate's place in the group by worth, 0 first."""
    order = np.lexsort([-worth, group])
    start = np.r_[True, group[order][1:] != group[order][:-1]]
    position = np.arange(len(order)) - np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
    rank = np.empty(len(order), dtype="int64")
    rank[order] = position
    return rank
