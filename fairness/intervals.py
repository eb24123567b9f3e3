"""Intervals that stay honest when counts are small or nil.

Every function takes arrays, one value per group, and a confidence level, and returns the
lower and the upper limit. A group about which nothing can be said gets NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Limits = tuple[NDArray[np.float64], NDArray[np.float64]]
Numbers = NDArray[np.float64]

CELL_PRIOR = 0.25
"""Added to each cell of a two-by-two table, so that either margin carries Jeffreys' half."""

DRAWS_BEYOND_LIMIT = 20
"""A quantile is only as good as the number of draws beyond it."""

SMALLEST_DESIGN_EFFECT = 0.1


def proportion(successes: Numbers, trials: Numbers, level: float) -> Limits:
    """Jeffreys' interval of a proportion; nil and all keep 0 and 1 as their limits."""
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = stats.beta.ppf(tail, successes + 0.5, trials - successes + 0.5)
        high = stats.beta.ppf(1 - tail, successes + 0.5, trials - successes + 0.5)
    low = np.where(successes == 0, 0.0, low)
    high = np.where(successes == trials, 1.0, high)
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def observed_over_expected(observed: Numbers, expected: Numbers, design_effect: Numbers, level: float) -> Limits:
    """Gamma interval of observed over expected events.

    `design_effect` is the variance of the observed count over a Poisson count's: above 1
    where the same person is counted several times.
    """
    tail = (1 - level) / 2
    effect = np.maximum(design_effect, SMALLEST_DESIGN_EFFECT)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = effect / expected
        low = stats.gamma.ppf(tail, observed / effect + 0.5) * unit
        high = stats.gamma.ppf(1 - tail, observed / effect + 0.5) * unit
    low = np.where(observed == 0, 0.0, low)
    return np.where(expected > 0, low, np.nan), np.where(expected > 0, high, np.nan)


def share_ratio_draws(cells: Numbers, totals: Numbers, draws: int, rng: np.random.Generator) -> Numbers:
    """Draw (share of places over share of need) for one group against everybody else.

    Parameters
    ----------
    cells, totals
        Three counts, of the group and of all people: listed and in high need, listed only,
        in high need only.
    draws
        Number of draws.

    Notes
    -----
    A multinomial bootstrap of the cells never draws anything but nil for a cell that is
    nil, and so would be certain that a group of three people without a place is treated
    unfairly. Drawing the cells' probabilities given the counts (Dirichlet, as independent
    gammas, with `CELL_PRIOR` added) is the same bootstrap for large counts without that fault.
    """
    inside = rng.gamma(cells + CELL_PRIOR, size=(draws, 3))
    outside = rng.gamma(totals - cells + CELL_PRIOR, size=(draws, 3))
    listed, listed_outside = inside[:, :2].sum(axis=1), outside[:, :2].sum(axis=1)
    need, need_outside = inside[:, ::2].sum(axis=1), outside[:, ::2].sum(axis=1)
    return (listed / (listed + listed_outside)) / (need / (need + need_outside))


def draws_needed(draws: int, level: float) -> int:
    """Return at least `draws`, and enough that a limit at `level` rests on some of them."""
    return max(draws, int(np.ceil(DRAWS_BEYOND_LIMIT / ((1 - level) / 2))))


def area_under_curve(area: Numbers, events: Numbers, others: Numbers, level: float) -> Limits:
    """Hanley and McNeil's interval of an AUROC, given the numbers with and without the outcome."""
    with np.errstate(invalid="ignore", divide="ignore"):
        q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
        variance = (area * (1 - area) + (events - 1) * (q1 - area**2) + (others - 1) * (q2 - area**2)) / (
            events * others
        )
        half = stats.norm.ppf((1 + level) / 2) * np.sqrt(np.maximum(variance, 0))
    return np.clip(area - half, 0, 1), np.clip(area + half, 0, 1)


def mean(average: Numbers, deviation: Numbers, number: Numbers, level: float) -> Limits:
    """Student's interval of a mean, from the mean, the standard deviation and the number."""
    with np.errstate(invalid="ignore", divide="ignore"):
        half = stats.t.ppf((1 + level) / 2, number - 1) * deviation / np.sqrt(number)
    enough = number > 1
    return np.where(enough, average - half, np.nan), np.where(enough, average + half, np.nan)
