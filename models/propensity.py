"""Propensity: how likely a person was to start case management after an index date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit

from models.risk import recalibrate

CONTROLS_PER_TREATED = 30


@dataclass(frozen=True)
class PropensityModel:
    """Trees and the recalibration that undoes the thinning of controls."""

    booster: lightgbm.Booster
    intercept: float
    slope: float
    features: tuple[str, ...]

    def predict(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return the chance of a start within the grace period, one a row."""
        raw = np.asarray(self.booster.predict(matrix[list(self.features)], raw_score=True))
        return expit(self.intercept + self.slope * raw)


def fit_propensity(
    matrix: pd.DataFrame, treated: np.ndarray, folds: np.ndarray, seed: int
) -> tuple[PropensityModel, np.ndarray]:
    """Fit on every treated row and a sample of the others; predict each row out of fold.

    Returns
    -------
    PropensityModel, and the calibrated out-of-fold chance of each row.
    """
    random = np.random.default_rng(seed)
    kept = treated | (random.random(len(treated)) < CONTROLS_PER_TREATED * treated.mean())
    parameters: dict[str, Any] = {
        "objective": "binary",
        "learning_rate": 0.05,
        "num_leaves": 7,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.5,
        "lambda_l2": 10.0,
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    rounds = 120

    def train(rows: np.ndarray) -> lightgbm.Booster:
        data = lightgbm.Dataset(matrix[rows], treated[rows].astype("float32"), params=parameters)
        return lightgbm.train(parameters, data, rounds)

    raw = np.empty(len(matrix))
    for fold in np.unique(folds):
        held_out = folds == fold
        raw[held_out] = train(kept & ~held_out).predict(matrix[held_out], raw_score=True)
    intercept, slope = recalibrate(raw, treated)
    return PropensityModel(train(kept), intercept, slope, tuple(matrix.columns)), expit(intercept + slope * raw)
