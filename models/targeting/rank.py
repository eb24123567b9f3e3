"""How well a rule ranks people by benefit, over all capacities at once (Yadlowsky and others, JASA 2025)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.benefit.comparison import Estimate
from models.targeting.clusters import clustered_error

Weight = Callable[[np.ndarray], np.ndarray]


def area_under_toc(scores: np.ndarray, rule: np.ndarray, person: np.ndarray) -> Estimate:
    """Estimate AUTOC, the area under TOC(q) = E[G | top q] - E[G]: it rewards finding the few who gain most.

    Nought for a rule that tells nobody from anybody. Ties share a rank.
    """
    # x log x is nought at nought.
    return _area(scores, rule, person, lambda u: -u * np.log(np.maximum(u, 1e-300)), lambda u: -np.log(u) - 1)


def qini(scores: np.ndarray, rule: np.ndarray, person: np.ndarray) -> Estimate:
    """Estimate the Qini coefficient, the area under q TOC(q): it rewards effects that reach many."""
    return _area(scores, rule, person, lambda u: u / 2 - u**2 / 2, lambda u: 0.5 - u)


def _area(scores: np.ndarray, rule: np.ndarray, person: np.ndarray, summed: Weight, weight: Weight) -> Estimate:
    """Weigh scores by rank, with the influence of a row on the others' ranks as well as by its own score.

    Rows tied between the shares `above` and `through` of all rows have the mean of `weight` between these; `summed` is
    its integral.
    """
    number = len(rule)
    order = np.argsort(-rule, kind="stable")
    begins = np.flatnonzero(np.r_[True, np.diff(rule[order]) != 0])
    ends = np.r_[begins[1:], number]
    above, through = begins / number, ends / number
    level = (summed(through) - summed(above)) / (through - above)
    tied = np.add.reduceat(scores[order], begins) / number
    value = float(tied @ level)

    # One row more in a higher place moves both shares of every run of ties below it.
    by_through = tied * (weight(through) - level) / (through - above)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_above = np.where(above > 0, tied * (level - weight(above)) / (through - above), 0.0)
    below = np.r_[np.cumsum(by_above[::-1])[::-1][1:], 0.0]
    moved = below + np.cumsum(by_through[::-1])[::-1] - by_above @ above - by_through @ through
    sizes = ends - begins
    influence = np.empty(number)
    influence[order] = np.repeat(moved, sizes) + np.repeat(level, sizes) * scores[order]
    return Estimate(value, clustered_error(influence - influence.mean(), person))
