"""Propensity: how likely a person was to start case management after an index date."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit

from models.trees import CalibratedTrees, parameters, recalibrate

CONTROLS_PER_TREATED = 30
TREES = 120


def fit_propensity(
    matrix: pd.DataFrame, treated: np.ndarray, folds: np.ndarray, seed: int
) -> tuple[CalibratedTrees, np.ndarray]:
    """Fit on every treated row and a sample of the others; predict each row out of fold.

    The recalibration, on all rows, undoes the thinning.

    Returns
    -------
    CalibratedTrees, and the calibrated out-of-fold chance of each row.
    """
    kept = treated | (np.random.default_rng(seed).random(len(treated)) < CONTROLS_PER_TREATED * treated.mean())
    told = parameters(learning_rate=0.05, leaves=7, minimum_leaf=40, seed=seed)

    def grow(rows: np.ndarray) -> lightgbm.Booster:
        data = lightgbm.Dataset(matrix[rows], treated[rows].astype("float32"), params=told)
        return lightgbm.train(told, data, TREES)

    raw = np.empty(len(matrix))
    for fold in np.unique(folds):
        held_out = folds == fold
        raw[held_out] = grow(kept & ~held_out).predict(matrix[held_out], raw_score=True)
    intercept, slope = recalibrate(raw, treated)
    return CalibratedTrees(grow(kept), intercept, slope, tuple(matrix.columns)), expit(intercept + slope * raw)
