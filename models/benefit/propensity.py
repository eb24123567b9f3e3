"""Propensity: how likely a person was to start case management after an index date."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit

from models.risk.calibration import CalibratedRisk, recalibrate
from models.risk.trees import Trees, parameters

CONTROLS_PER_TREATED = 30
TREES = 120


def fit_propensity(
    matrix: pd.DataFrame, treated: np.ndarray, folds: np.ndarray, seed: int, counted: np.ndarray | None = None
) -> tuple[CalibratedRisk, np.ndarray]:
    """Fit on every treated row and a sample of the others; predict each row out of fold.

    The recalibration, on all rows that count, undoes the thinning. `counted` (boolean) marks the rows to learn from;
    all of them unless given.

    Returns
    -------
    CalibratedRisk, and the calibrated out-of-fold chance of each row.
    """
    counted = np.ones(len(treated), dtype=bool) if counted is None else counted
    share = CONTROLS_PER_TREATED * treated[counted].mean()
    kept = counted & (treated | (np.random.default_rng(seed).random(len(treated)) < share))
    told = parameters(learning_rate=0.05, leaves=7, minimum_leaf=40, seed=seed)

    def grow(rows: np.ndarray) -> Trees:
        data = lightgbm.Dataset(matrix[rows], treated[rows].astype("float32"), params=told)
        return Trees(lightgbm.train(told, data, TREES))

    raw = np.empty(len(matrix))
    for fold in np.unique(folds):
        held_out = folds == fold
        raw[held_out] = grow(kept & ~held_out).raw(matrix[held_out])
    intercept, slope = recalibrate(raw[counted], treated[counted])
    return CalibratedRisk(grow(kept), intercept, slope, tuple(matrix.columns)), expit(intercept + slope * raw)
