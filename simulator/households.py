"""Who lives with whom: couples, children with parents, and people alone, within a neighbourhood."""

from __future__ import annotations

import numpy as np

from simulator.randomness import Streams, logistic

LEAVES_HOME = 18
AT_HOME_UNTIL = 25  # many stay with their parents until then
PARENT_OLDER = (30, 5)  # years, and their spread


def form(
    streams: Streams,
    area: np.ndarray,
    group: np.ndarray,
    age: np.ndarray,
    female: np.ndarray,
    deprivation: np.ndarray,
) -> np.ndarray:
    """Number of each person's household, from 0.

    Women and men of one area and ethnic group are paired by age; children, and many of the young, join
    the household of an adult of a parent's age there; a share that grows with age lives alone.
    """
    random = streams("households")
    young = (age >= LEAVES_HOME) & (age < AT_HOME_UNTIL) & (random.random(len(age)) < 0.6)
    child = (age < LEAVES_HOME) | young
    alone = ~child & (random.random(len(age)) < logistic(-2.6 + 0.040 * np.maximum(age - 40, 0) + 0.5 * deprivation))
    place = area * (group.max() + 1) + group
    key = np.full(len(age), -1, dtype=np.int64)
    adult = np.flatnonzero(~child & ~alone)
    rank = _rank(place[adult] * 2 + female[adult], age[adult] + random.normal(0, 2.5, len(adult)))
    key[adult] = place[adult].astype(np.int64) * len(age) + rank
    children = np.flatnonzero(child)
    parent = _parents(random, place, area, age, children, adult)
    key[children] = np.where(parent >= 0, key[parent], -1)
    lone = np.flatnonzero(key < 0)
    key[lone] = np.iinfo(np.int64).max - lone
    return np.unique(key, return_inverse=True)[1]


def alone(household: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Whether each person is an adult whose household has nobody else."""
    return (np.bincount(household)[household] == 1) & (age >= LEAVES_HOME)


def _rank(place: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Position of each value among those of its place, from 0."""
    order = np.lexsort((value, place))
    first = np.searchsorted(place[order], place[order])
    rank = np.empty(len(place), dtype=np.int64)
    rank[order] = np.arange(len(place)) - first
    return rank


def _parents(
    random: np.random.Generator,
    place: np.ndarray,
    area: np.ndarray,
    age: np.ndarray,
    children: np.ndarray,
    adult: np.ndarray,
) -> np.ndarray:
    """For each child the adult of the same place nearest to a parent's age, or of the same area, or -1."""
    wanted = age[children] + random.normal(*PARENT_OLDER, len(children))
    chosen = np.full(len(children), -1)
    for where in (area, place):  # the narrower place has the last word
        span = 400.0
        order = adult[np.argsort(where[adult] * span + age[adult], kind="stable")]
        if len(order) == 0:
            return chosen
        position = np.searchsorted(where[order] * span + age[order], where[children] * span + wanted)
        for step in (0, -1):
            candidate = order[(position + step).clip(0, len(order) - 1)]
            chosen = np.where(where[candidate] == where[children], candidate, chosen)
    return chosen
