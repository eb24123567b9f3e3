"""Risk: what will happen to a person if nothing changes.

Trees learn from people who did *not* start case management, so that past case management does
not make the people it helped look safe. Predictions are calibrated on people that the trees
have not seen.
"""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit

from casewell.settings import Training
from models.trees import CalibratedTrees, parameters, recalibrate


def person_folds(person_id: pd.Series, folds: int, seed: int) -> np.ndarray:
    """Deal people, not rows, into folds; the fold depends only on the person and the seed."""
    mixed = pd.util.hash_array(person_id.to_numpy("int64") ^ np.int64(seed))
    return (mixed % np.uint64(folds)).astype("int64")


def fit_risk(
    matrix: pd.DataFrame, outcome: np.ndarray, treated: np.ndarray, folds: np.ndarray, rules: Training, seed: int
) -> tuple[CalibratedTrees, np.ndarray]:
    """Fit the risk model and predict each row from models that never saw its person.

    Parameters
    ----------
    matrix : DataFrame of float32, one row a person and index date
    outcome, treated : boolean arrays
    folds : integer array from `person_folds`

    Returns
    -------
    CalibratedTrees, and the calibrated out-of-fold probability of each row.
    """
    told = parameters(rules.learning_rate, rules.leaves, rules.minimum_leaf, seed)
    # Bin once for all fits.
    data = lightgbm.Dataset(matrix, outcome.astype("float32"), params=told, free_raw_data=False).construct()
    order = np.random.default_rng(seed).permutation(len(matrix))

    def grow(rows: np.ndarray) -> lightgbm.Booster:
        drawn = np.sort(order[rows[order]][: rules.maximum_rows])
        return lightgbm.train(told, data.subset(drawn.tolist()), rules.trees)

    raw = np.empty(len(matrix))
    for fold in np.unique(folds):
        held_out = folds == fold
        raw[held_out] = grow(~treated & ~held_out).predict(matrix[held_out], raw_score=True)
    intercept, slope = recalibrate(raw[~treated], outcome[~treated])
    return CalibratedTrees(grow(~treated), intercept, slope, tuple(matrix.columns)), expit(intercept + slope * raw)
