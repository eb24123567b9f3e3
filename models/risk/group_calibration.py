"""Calibration by group, mended only where it surely fails: an intercept and a slope for each group that does.

Trees that are right on average may promise too much to a group of which they saw few. Groups are made of features that
the model uses anyway (age, sex, deprivation), so that nothing else need be known of a person. Each is tried on the newest
date, on which a person counts once, with the false alarms of all groups together held at 5 %; the one that fails most
gets two numbers of its own, fitted on all the rows kept for calibration, and then the others are tried again. A small
transparent form of multicalibration (Hebert-Johnson and others 2018), whose reach is the groups that are named here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2

from models.risk.flexible import fit_logistic

# Feature: the lower ends of its groups; each reaches to the next.
GROUPS: dict[str, tuple[float, ...]] = {
    "age": (0, 18, 45, 65, 75, 85),
    "sex_female": (0, 1),
    "imd_decile": (1, 3, 5, 7, 9),
}
FALSE_ALARM = 0.05
FEWEST_PEOPLE, FEWEST_OUTCOMES = 500, 50


@dataclass(frozen=True)
class Mended:
    """A group, `low` <= feature < `high`, whose log odds move by intercept + slope x log odds."""

    feature: str
    low: float
    high: float
    intercept: float
    slope: float

    def holds(self, matrix: pd.DataFrame) -> np.ndarray:
        """Mark the rows of the group (boolean); a missing value belongs to none."""
        values = matrix[self.feature].to_numpy()
        return (values >= self.low) & (values < self.high)

    def moves(self, matrix: pd.DataFrame, odds: np.ndarray) -> np.ndarray:
        """Return by how much the log odds move, one a row, for those before."""
        return np.where(self.holds(matrix), self.intercept + self.slope * odds, 0.0)


def mend_groups(matrix: pd.DataFrame, odds: np.ndarray, outcome: np.ndarray, newest: np.ndarray) -> tuple[Mended, ...]:
    """Find the groups whose calibration surely fails, and what mends them.

    Parameters
    ----------
    matrix : features of the rows kept for calibration; groups of a feature that it lacks are not tried
    odds : log odds, calibrated for everybody, by trees that never saw the person
    outcome : boolean
    newest : boolean, rows of one date, so that a person counts once
    """
    groups = [
        Mended(feature, low, high, 0.0, 0.0)
        for feature, lows in GROUPS.items()
        if feature in matrix
        for low, high in zip(lows, (*lows[1:], np.inf), strict=True)
    ]
    held = {group: group.holds(matrix) for group in groups}
    tried = {group: newest & rows for group, rows in held.items() if _enough(outcome[newest & rows])}
    failed: list[Mended] = []
    mended: tuple[Mended, ...] = ()
    while len(failed) < len(tried):
        now = odds + sum((group.moves(matrix, odds) for group in mended), np.zeros(len(odds)))
        chance = {
            group: chi2.sf(_deviance_lost(now[rows], outcome[rows]), 2)
            for group, rows in tried.items()
            if group not in failed
        }
        worst = min(chance, key=lambda group: chance[group])
        if chance[worst] >= FALSE_ALARM / len(tried):
            break
        failed.append(worst)
        mended = _fitted(failed, held, odds, outcome)
    return mended


def _fitted(
    failed: list[Mended], held: dict[Mended, np.ndarray], odds: np.ndarray, outcome: np.ndarray
) -> tuple[Mended, ...]:
    """Return the groups with the intercepts and slopes that, all together, fit best.

    Where those slopes could reverse the order of people in the same groups, intercepts alone.
    """
    design = np.column_stack([part for group in failed for part in (held[group], held[group] * odds)])
    happened = outcome.astype("float64")
    found = fit_logistic(design, np.ones(len(odds)), happened, odds).reshape(-1, 2)
    if _steepest_fall(failed, found[:, 1]) <= -1:
        levels = fit_logistic(design[:, ::2], np.ones(len(odds)), happened, odds)
        found = np.column_stack([levels, np.zeros(len(levels))])
    return tuple(
        replace(group, intercept=float(intercept), slope=float(slope))
        for group, (intercept, slope) in zip(failed, found, strict=True)
    )


def _steepest_fall(groups: list[Mended], slopes: np.ndarray) -> float:
    """Return the least sum of slopes that one person can be in: of each feature at most one group."""
    of_feature = pd.Series(slopes, index=[group.feature for group in groups]).clip(upper=0).groupby(level=0).min()
    return float(of_feature.sum())


def _enough(outcome: np.ndarray) -> bool:
    events = int(outcome.sum())
    return len(outcome) >= FEWEST_PEOPLE and min(events, len(outcome) - events) >= FEWEST_OUTCOMES


def _deviance_lost(odds: np.ndarray, outcome: np.ndarray) -> float:
    """Return the likelihood ratio statistic of an intercept and slope of the group's own (2 degrees of freedom)."""
    design, happened = np.column_stack([np.ones(len(odds)), odds]), outcome.astype("float64")
    own = design @ fit_logistic(design, np.ones(len(odds)), happened, odds) + odds

    def likelihood(at: np.ndarray) -> float:
        return float((happened * at - np.logaddexp(0, at)).sum())

    return 2 * (likelihood(own) - likelihood(odds))
