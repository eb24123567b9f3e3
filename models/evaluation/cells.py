"""Counts of people-months by stretch of risk, drawn again and again: what every interval comes from.

The bootstrap draws people, not rows, since months of one person resemble each other. Each draw
gives each person a weight from a Poisson distribution of mean one, which for many people is the
usual bootstrap (Hanley and MacGibbon 2006) and lets all draws be one sparse product. The same seed
gives a person the same weights whatever is measured, so that two models can be compared in pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy.sparse import csr_matrix

from models.risk.calibration import log_odds

# Stretches hold equal numbers of people, and ever fewer towards the highest risks, where capacity lies.
EVENLY = np.linspace(0, 1, 201)
HIGHEST = 1 - np.geomspace(1e-4, 0.05, 60)
DRAWS_AT_ONCE = 50


@dataclass(frozen=True)
class Cells:
    """Counts by draw, stratum and stretch of risk, lowest first; draw 0 is the data as they are."""

    risk: np.ndarray  # mean predicted risk, by stretch
    odds: np.ndarray  # its log odds
    rows: np.ndarray  # draws x strata x stretches
    events: np.ndarray

    def of(self, strata: slice) -> Cells:
        """Return the counts of some strata."""
        return Cells(self.risk, self.odds, self.rows[:, strata], self.events[:, strata])

    def total(self) -> Cells:
        """Return the same for everybody together, as one stratum."""
        return Cells(self.risk, self.odds, self.rows.sum(axis=1, keepdims=True), self.events.sum(axis=1, keepdims=True))


def count(
    risk: np.ndarray, outcome: np.ndarray, person: np.ndarray, stratum: np.ndarray, strata: int, draws: int, seed: int
) -> Cells:
    """Count rows and outcomes in each draw.

    Parameters
    ----------
    risk, outcome (boolean), person : one a row
    stratum : a number from 0 to `strata` - 1, one a row
    draws : bootstrap draws, besides the data themselves
    """
    edges = np.unique(np.quantile(risk, np.unique(np.concatenate([EVENLY, HIGHEST]))))
    stretch = np.searchsorted(edges[1:-1], risk, side="right")
    number = max(len(edges) - 1, 1)
    mean = np.bincount(stretch, weights=risk, minlength=number) / np.maximum(np.bincount(stretch, minlength=number), 1)
    rows, events = draw(stratum * number + stretch, outcome, person, strata * number, draws, seed)
    return Cells(
        mean, log_odds(mean), rows.reshape(draws + 1, strata, number), events.reshape(draws + 1, strata, number)
    )


def draw(
    cell: np.ndarray, outcome: np.ndarray, person: np.ndarray, cells: int, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count rows and outcomes by draw and cell (1 + draws x cells each); the first are the data as they are."""
    people, whose = np.unique(person, return_inverse=True)

    def places(rows: np.ndarray) -> csr_matrix:
        ones = np.ones(len(rows), dtype="float32")
        return csr_matrix((ones, (cell[rows], whose[rows])), shape=(cells, len(people)))

    everything, happened = places(np.arange(len(cell))), places(np.flatnonzero(outcome))
    random = np.random.default_rng(seed)
    sizes = [min(DRAWS_AT_ONCE, draws - begun) for begun in range(0, draws, DRAWS_AT_ONCE)]
    drawn = (random.poisson(1.0, (len(people), size)).astype("float32") for size in sizes)
    weights = chain([np.ones((len(people), 1), dtype="float32")], drawn)
    taken = [(everything @ weight, happened @ weight) for weight in weights]
    rows, events = (np.concatenate([pair[which] for pair in taken], axis=1).T.astype("float64") for which in (0, 1))
    return rows, events


def sums_from(counts: np.ndarray) -> np.ndarray:
    """Return for each stretch, along the last axis, how many are counted in it and in those above."""
    return np.flip(np.flip(counts, axis=-1).cumsum(axis=-1), axis=-1)
