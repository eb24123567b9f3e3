"""What must be known before an effect can be: the chance of the outcome, and of treatment, learned fold by fold.

Trees find thresholds and interactions; a ridge logistic regression finds gentle slopes that
trees must climb in steps. Each predicts people whom it has not seen; how their log odds are blended is
three numbers, fitted on all of those predictions together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy.special import expit

from models.trees import log_odds

TREES: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 8,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.4,
    "lambda_l2": 10.0,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
RIDGE = 10.0
LONG_TAIL = 1.5  # skewness from which a feature is log-compressed


@dataclass(frozen=True)
class Scale:
    """Centre and spread of features, those with a long tail log-compressed, and which of them are often missing."""

    used: np.ndarray
    skewed: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    gappy: np.ndarray
    missing: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Scale:
        """Measure an array of shape (rows, features); constant or unknown features are left out."""
        known = ~np.isnan(X)
        used = np.flatnonzero(known.sum(axis=0) > 1)
        values = X[:, used].astype("float64")
        spread = np.nanstd(values, axis=0)
        used, values, spread = used[spread > 1e-9], values[:, spread > 1e-9], spread[spread > 1e-9]
        skewed = np.nanmean(((values - np.nanmean(values, axis=0)) / spread) ** 3, axis=0) > LONG_TAIL
        values[:, skewed] = compress(values[:, skewed])
        missing = 1 - known.mean(axis=0)
        gappy = np.flatnonzero((missing > 0.01) & (missing < 0.99))
        return cls(used, skewed, np.nanmean(values, axis=0), np.nanstd(values, axis=0), gappy, missing[gappy])

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return float64 (rows, used + gappy): standardised within 4 spreads, missing as average, then missing flags."""
        values = X[:, self.used].astype("float64")
        values[:, self.skewed] = compress(values[:, self.skewed])
        values = np.nan_to_num(np.clip((values - self.centre) / self.spread, -4, 4))
        flags = (np.isnan(X[:, self.gappy]) - self.missing) / np.sqrt(self.missing * (1 - self.missing))
        return np.column_stack([values, flags])


@dataclass(frozen=True)
class Chance:
    """Fold by fold: trees and a linear model; then how their log odds are blended (intercept, trees, linear)."""

    boosters: tuple[lightgbm.Booster, ...]
    linear: np.ndarray
    blend: np.ndarray

    def log_odds(self, X: np.ndarray, Z: np.ndarray) -> np.ndarray:
        """Return the log odds for people in no fold: the folds' models averaged. X raw, Z scaled features."""
        grown = np.mean([booster.predict(X, raw_score=True) for booster in self.boosters], axis=0)
        return self._blended(grown, with_ones(Z) @ self.linear.mean(axis=0))

    def _blended(self, grown: np.ndarray, straight: np.ndarray) -> np.ndarray:
        return np.clip(self.blend[0] + self.blend[1] * grown + self.blend[2] * straight, -14, 14)


def fit_chance(
    X: np.ndarray,
    Z: np.ndarray,
    happened: np.ndarray,
    sampled: np.ndarray,
    counted: np.ndarray,
    folds: np.ndarray,
    weight: np.ndarray,
    rounds: int,
    seed: int,
) -> tuple[Chance, np.ndarray]:
    """Fit the chance that something happened.

    Parameters
    ----------
    X, Z : raw and scaled features
    happened : boolean
    sampled : boolean; rows to learn from
    counted : boolean; rows to blend and recalibrate on, so that thinning in `sampled` is undone
    folds : integer; a row is predicted by models that saw nobody of its fold

    Returns
    -------
    Chance, and the log odds of every row: trees and linear model out of fold, the blend fitted on all rows.
    """
    told = TREES | {"seed": seed}
    places = np.flatnonzero(sampled)
    data = lightgbm.Dataset(
        X[places], happened[places].astype("float32"), weight=weight[places], params=told, free_raw_data=False
    ).construct()
    grown, straight = np.empty(len(X)), np.empty(len(X))
    boosters, linear = [], []
    start: np.ndarray | None = None
    for fold in np.unique(folds):
        held_out, learn = folds == fold, folds[places] != fold
        booster = lightgbm.train(told, data.subset(np.flatnonzero(learn).tolist()), rounds)
        rows = places[learn]
        start = ridge_logistic(with_ones(Z[rows]), happened[rows], np.zeros(len(rows)), weight[rows], RIDGE, start)
        grown[held_out] = booster.predict(X[held_out], raw_score=True)
        straight[held_out] = with_ones(Z[held_out]) @ start
        boosters.append(booster)
        linear.append(start)
    both = np.column_stack([np.ones(len(X)), grown, straight])
    blend = ridge_logistic(both[counted], happened[counted], np.zeros(int(counted.sum())), weight[counted], 0.1)
    chance = Chance(tuple(boosters), np.stack(linear), blend)
    return chance, chance._blended(grown, straight)


def ridge_logistic(
    columns: np.ndarray,
    happened: np.ndarray,
    offset: np.ndarray,
    weight: np.ndarray,
    penalty: float,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return coefficients of a logistic regression by Newton's method; the first column goes unpenalised."""
    ridge = np.full(columns.shape[1], penalty)
    ridge[0] = 1e-3
    if start is None:
        start = np.zeros(columns.shape[1])
        start[0] = log_odds(np.average(happened, weights=weight)) - np.average(offset, weights=weight)
    coefficients = start.copy()
    for _ in range(25):
        p = expit(offset + columns @ coefficients)
        gradient = columns.T @ (weight * (p - happened)) + ridge * coefficients
        curvature = (columns * (weight * p * (1 - p))[:, None]).T @ columns + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        coefficients = coefficients - step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-4:
            break
    return coefficients


def compress(values: np.ndarray) -> np.ndarray:
    """Return sign(v) log(1 + |v|), which shortens long tails on either side and keeps the order; missing stays missing."""
    return np.sign(values) * np.log1p(np.abs(values))


def with_ones(Z: np.ndarray) -> np.ndarray:
    """Put a column of ones before the others."""
    return np.column_stack([np.ones(len(Z)), Z])
