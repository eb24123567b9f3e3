"""Risk: what will happen to a person if nothing changes.

Trees learn from people who did *not* start case management, so that past case management does
not make the people it helped look safe. How many trees is chosen on people they have not seen,
in the newest months; predictions are calibrated on people they have not seen, in later months
than most of what they learned from.

The estimator stands alone: any table of numbers will do, with a date a row or without.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit

from casewell.errors import TrainingError
from casewell.settings import Training
from models.days import POWER, CalibratedDays, calibrate_days
from models.group_calibration import mend_groups
from models.index_dates import windows
from models.trees import CalibratedTrees, beta_calibration, parameters

# Boosting stops when the newest months have not gained for so many trees.
PATIENCE = 30
# Each tree may use this share of the features, which keeps the trees different, and at least so many.
FRACTION, FEWEST_TRIED = 0.25, 10


def person_folds(person_id: pd.Series, folds: int, seed: int) -> np.ndarray:
    """Deal people, not rows, into folds; the fold depends only on the person and the seed."""
    mixed = pd.util.hash_array(person_id.to_numpy("int64") ^ np.int64(seed))
    return (mixed % np.uint64(folds)).astype("int64")


def fit_risk(
    matrix: pd.DataFrame,
    outcome: np.ndarray,
    treated: np.ndarray,
    folds: np.ndarray,
    rules: Training,
    seed: int,
    when: np.ndarray | None = None,
    rising: dict[str, int] | None = None,
    crossed: bool = True,
) -> tuple[CalibratedTrees, np.ndarray]:
    """Fit the risk model and predict each row from models that never saw its person.

    Parameters
    ----------
    matrix : DataFrame of float32, one row a person and index date
    outcome, treated : boolean arrays
    folds : integer array from `person_folds`
    when : the index date of each row; with fewer than three of them, or without, nothing is told apart by time
    rising : feature: 1 where risk may only rise with it, -1 where it may only fall
    crossed : False where the out-of-fold probabilities are not asked for, which saves time

    Returns
    -------
    CalibratedTrees, and the calibrated out-of-fold probability of each row (missing where it was not asked for).

    Raises
    ------
    TrainingError
        Among the rows to learn from, to choose or to calibrate by, nobody had the outcome, or everybody.
    """
    grown = _grow(matrix, outcome, treated, folds, rules, seed, when, rising, {"objective": "binary"}, crossed)
    intercept, slope, bend = beta_calibration(grown.raw[grown.calibrate], outcome[grown.calibrate])
    model = CalibratedTrees(grown.booster, intercept, slope, tuple(matrix.columns), bend)
    odds, by = model.calibrated(grown.raw), grown.calibrate
    newest = by if when is None else by & (when == when[by].max())
    model = replace(model, mended=mend_groups(matrix[by], odds[by], outcome[by], newest[by]))
    return model, expit(model.for_groups(matrix, odds))


def fit_days(
    matrix: pd.DataFrame,
    days: np.ndarray,
    most: float,
    from_most: bool,
    treated: np.ndarray,
    folds: np.ndarray,
    rules: Training,
    seed: int,
    when: np.ndarray | None = None,
) -> CalibratedDays:
    """Fit a model of a number of days between 0 and `most`, in the same way; other parameters and errors as `fit_risk`.

    `from_most` says that most people have `most`, and the days that are lacking are what is learned.
    """
    counted = most - days if from_most else days
    told: dict[str, str | float] = {"objective": "tweedie", "tweedie_variance_power": POWER}
    grown = _grow(matrix, counted, treated, folds, rules, seed, when, None, told, crossed=False)
    intercept, slope = calibrate_days(grown.raw[grown.calibrate], counted[grown.calibrate])
    return CalibratedDays(grown.booster, intercept, slope, tuple(matrix.columns), most, from_most)


@dataclass(frozen=True)
class _Grown:
    """Trees grown on everybody, each row's raw prediction by trees that never saw its person, and the rows to calibrate on."""

    booster: lightgbm.Booster
    raw: np.ndarray
    calibrate: np.ndarray


def _grow(
    matrix: pd.DataFrame,
    target: np.ndarray,
    treated: np.ndarray,
    folds: np.ndarray,
    rules: Training,
    seed: int,
    when: np.ndarray | None,
    rising: dict[str, int] | None,
    objective: dict[str, str | float],
    crossed: bool,
) -> _Grown:
    """Choose how many trees, grow them on everybody, and on everybody but each fold."""
    learn, calibrate, choose = _uses(when, len(matrix))
    told = (
        parameters(
            rules.learning_rate,
            rules.leaves,
            rules.minimum_leaf,
            seed,
            [(rising or {}).get(name, 0) for name in matrix.columns],
        )
        | {"feature_fraction": min(1.0, max(FRACTION, FEWEST_TRIED / matrix.shape[1]))}
        | objective
    )
    order = np.random.default_rng(seed).permutation(len(matrix))
    untreated = order[~treated[order]]
    # Binned once for all fits: enough for each of them to draw its fill from.
    pool = np.zeros(len(matrix), dtype=bool)
    pool[untreated[: 2 * rules.maximum_rows]] = True
    label, place = target.astype("float32"), np.cumsum(pool) - 1
    data = lightgbm.Dataset(matrix[pool], label[pool], params=told, free_raw_data=False).construct()

    def drawn(rows: np.ndarray) -> lightgbm.Dataset:
        taken = order[(rows & pool)[order]][: rules.maximum_rows]
        _require_both(target[taken])
        return data.subset(np.sort(place[taken]).tolist())

    held = folds == folds.min()
    judges = np.sort(order[(~treated & held & choose)[order]][: rules.maximum_rows])
    _require_both(target[judges])
    chosen = lightgbm.train(
        told,
        drawn(~held & learn),
        rules.trees,
        [lightgbm.Dataset(matrix.iloc[judges], label[judges], params=told, reference=data)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    trees = chosen.best_iteration

    by = ~treated & calibrate
    _require_both(target[by])
    raw = np.full(len(matrix), np.nan)
    for fold in np.unique(folds):
        outside = folds == fold
        grown = lightgbm.train(told, drawn(~outside), trees)
        asked = outside if crossed else outside & by
        raw[asked] = grown.predict(matrix[asked], raw_score=True)
    return _Grown(lightgbm.train(told, drawn(pool), trees), raw, by)


def _uses(when: np.ndarray | None, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mark the rows to learn from, to calibrate on and to choose by, when choosing how many trees to grow."""
    everything = np.ones(number, dtype=bool)
    if when is None or len(dates := np.unique(when)) < 3:
        return everything, everything, everything
    cut = windows(dates)
    later = np.isin(when, [*cut.calibrate, *cut.choose])
    return ~later, later, np.isin(when, cut.choose)


def _require_both(target: np.ndarray) -> None:
    if not len(target) or target.min() == target.max():
        had = "everybody" if len(target) and target.any() else "nobody"
        raise TrainingError(
            f"{had} had the outcome among {len(target):,} rows that a model would learn from or be calibrated on",
            "Look at the outcome (outcome.admission_group), or give more people or more history.",
        )
