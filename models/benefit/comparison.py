"""What the history says about groups of people: doubly robust averages in the overlap.

The augmented overlap-weighted estimate keeps the variance down where few were treated
(Li, Morgan and Zaslavsky 2018); it is right if either the outcome or the propensity is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error, clustered by person."""

    value: float
    error: float

    def interval(self, z: float = 1.96) -> tuple[float, float]:
        """Return the lower and upper ends."""
        return self.value - z * self.error, self.value + z * self.error


@dataclass(frozen=True)
class History:
    """Rows of the past with out-of-fold predictions.

    Arrays of one length: person, treated (W), outcome (Y), propensity (e), and the outcome's
    probability without and with case management (mu0, mu1).
    """

    person: np.ndarray
    treated: np.ndarray
    outcome: np.ndarray
    propensity: np.ndarray
    without: np.ndarray
    with_programme: np.ndarray

    def where(self, rows: slice | np.ndarray) -> History:
        """Return the history of some rows (boolean, or a slice)."""
        return History(**{name: values[rows] for name, values in vars(self).items()})

    def influence(self, rows: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the average benefit among `rows` (boolean) and each row's influence on it."""
        w, e = self.treated, self.propensity
        overlap = rows * e * (1 - e)
        gain = self.without - self.with_programme
        treated, control = rows * w * (1 - e), rows * ~w * e
        if treated.sum() == 0 or control.sum() == 0:
            return np.nan, np.full(len(w), np.nan)
        parts = [
            (overlap, gain),
            (control, self.outcome - self.without),
            (treated, -(self.outcome - self.with_programme)),
        ]
        value, influence = 0.0, np.zeros(len(w))
        for weight, quantity in parts:
            mean = np.average(quantity, weights=weight)
            value += mean
            influence += weight * (quantity - mean) / weight.sum()
        return float(value), influence

    def average(self, rows: np.ndarray) -> Estimate:
        """Average benefit (fall in probability) among `rows`."""
        value, influence = self.influence(rows)
        return Estimate(value, self._clustered(influence))

    def difference(self, first: np.ndarray, second: np.ndarray) -> Estimate:
        """Average benefit of the rows only in `first` less that of the rows only in `second`.

        That is the difference for each place that differs between two lists of one size.
        """
        if not (first ^ second).any():
            return Estimate(0.0, 0.0)
        one, other = self.influence(first & ~second), self.influence(second & ~first)
        return Estimate(one[0] - other[0], self._clustered(one[1] - other[1]))

    def _clustered(self, influence: np.ndarray) -> float:
        return float(np.sqrt((pd.Series(influence).groupby(self.person).sum() ** 2).sum()))


def imbalance(matrix: pd.DataFrame, treated: np.ndarray, propensity: np.ndarray) -> pd.Series:
    """Return each feature's standardised mean difference, treated less untreated, overlap-weighted.

    What is missing counts as average; as nought it would read "today" in a number of days.
    """
    weights = 1 - propensity[treated], propensity[~treated]
    # Feature by feature: a copy of the whole table in double precision is many gigabytes.
    apart = [_standardised(values.to_numpy("float64"), treated, weights) for _, values in matrix.items()]
    return pd.Series(apart, index=matrix.columns)


def _standardised(values: np.ndarray, treated: np.ndarray, weights: tuple[np.ndarray, np.ndarray]) -> float:
    missing = np.isnan(values)
    values = np.where(missing, values[~missing].mean() if not missing.all() else 0.0, values)
    arms = values[treated], values[~treated]
    first, second = (np.average(arm, weights=weight) for arm, weight in zip(arms, weights, strict=True))
    spread = np.sqrt((arms[0].var() + arms[1].var()) / 2)
    return float((first - second) / (spread if spread > 0 else 1.0))


def effective_sample(weights: np.ndarray) -> float:
    """Return the number of equally weighted rows that would be as informative (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if weights.size else 0.0


def top(score: np.ndarray, index_date: np.ndarray, share: float) -> np.ndarray:
    """Mark the top `share` of rows by score within each index date; ties by position."""
    rank = pd.Series(-score).groupby(index_date).rank(method="first", pct=True)
    return (rank <= share).to_numpy()
