"""Risk: what will happen to a person if nothing changes.

The model learns from people who did *not* start case management, so that past case management does
not make the people it helped look safe. How free it may be is chosen on people it has not seen,
in the newest months; predictions are calibrated on people they have not seen, in later months
than most of what they learned from.

The estimator stands alone: any table of numbers will do, with a date a row or without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
import pandas as pd
from scipy.special import expit

from casewell.errors import TrainingError
from casewell.settings import Kind, Training
from models.index_dates import windows
from models.risk.calibration import CalibratedRisk, beta_calibration
from models.risk.days import POWER, CalibratedDays, calibrate_days
from models.risk.group_calibration import mend_groups
from models.risk.learned import L, Learned, Learner
from models.risk.linear import LinearLearner
from models.risk.trees import TreeLearner


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
    others: tuple[pd.DataFrame, np.ndarray] | None = None,
    kind: Kind = "trees",
) -> tuple[CalibratedRisk, np.ndarray]:
    """Fit the risk model and predict each row from models that never saw its person.

    Parameters
    ----------
    matrix : DataFrame of float32, one row a person and index date
    outcome, treated : boolean arrays
    folds : integer array from `person_folds`
    when : the index date of each row; with fewer than three of them, or without, nothing is told apart by time
    rising : feature: 1 where risk may only rise with it, -1 where it may only fall
    crossed : False where the out-of-fold probabilities are not asked for, which saves time
    others : rows of the same features that nothing is learned from, and their folds
    kind : trees, or a logistic regression

    Returns
    -------
    CalibratedRisk, and the calibrated out-of-fold probability of each row (missing where it was not asked for) and then
    of each of `others`.

    Raises
    ------
    TrainingError
        Among the rows to learn from, to choose or to calibrate by, nobody had the outcome, or everybody.
    """

    def learner(usable: np.ndarray) -> Learner[Learned]:
        if kind == "linear":
            return LinearLearner(matrix, outcome, usable, rising or {})
        return TreeLearner(matrix, outcome, usable, rules, seed, rising or {}, {"objective": "binary"})

    found = _cross_fit(learner, matrix, outcome, treated, folds, seed, when, crossed, others)
    intercept, slope, bend = beta_calibration(found.raw[found.calibrate], outcome[found.calibrate])
    model = CalibratedRisk(found.learned, intercept, slope, tuple(matrix.columns), bend)
    odds, by = model.calibrated(found.raw), found.calibrate
    newest = by if when is None else by & (when == when[by].max())
    model = replace(model, mended=mend_groups(matrix[by], odds[by], outcome[by], newest[by]))
    probability = expit(model.for_groups(matrix, odds))
    if others is None:
        return model, probability
    of_others = expit(model.for_groups(others[0], model.calibrated(found.of_others)))
    return model, np.concatenate([probability, of_others])


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
    """Fit trees for a number of days between 0 and `most`, in the same way; other parameters and errors as `fit_risk`.

    `from_most` says that most people have `most`, and the days that are lacking are what is learned.
    """
    counted = most - days if from_most else days
    told: dict[str, str | float] = {"objective": "tweedie", "tweedie_variance_power": POWER}

    def learner(usable: np.ndarray) -> TreeLearner:
        return TreeLearner(matrix, counted, usable, rules, seed, {}, told)

    found = _cross_fit(learner, matrix, counted, treated, folds, seed, when, crossed=False)
    intercept, slope = calibrate_days(found.raw[found.calibrate], counted[found.calibrate])
    return CalibratedDays(found.learned, intercept, slope, tuple(matrix.columns), most, from_most)


@dataclass(frozen=True)
class _Crossed(Generic[L]):
    """A model learned from everybody, each row's raw prediction by one that never saw its person, and the rows to calibrate on."""

    learned: L
    raw: np.ndarray
    calibrate: np.ndarray
    of_others: np.ndarray


def _cross_fit(
    learner_for: Callable[[np.ndarray], Learner[L]],
    matrix: pd.DataFrame,
    target: np.ndarray,
    treated: np.ndarray,
    folds: np.ndarray,
    seed: int,
    when: np.ndarray | None,
    crossed: bool,
    others: tuple[pd.DataFrame, np.ndarray] | None = None,
) -> _Crossed[L]:
    """Choose how free the model may be, then learn from everybody, and from everybody but each fold."""
    learn, calibrate, choose = _uses(when, len(matrix))
    order = np.random.default_rng(seed).permutation(len(matrix))
    untreated = order[~treated[order]]
    learner = learner_for(untreated)

    def taken(rows: np.ndarray) -> np.ndarray:
        places = untreated[rows[untreated]]
        _require_both(target[places])
        return places

    held = folds == folds.min()
    freedom = learner.choose(taken(~held & learn), taken(held & choose))
    by = ~treated & calibrate
    _require_both(target[by])
    raw = np.full(len(matrix), np.nan)
    unseen, their_folds = others if others is not None else (matrix.iloc[:0], folds[:0])
    of_others = np.full(len(unseen), np.nan)
    for fold in np.unique(folds):
        outside = folds == fold
        asked = outside if crossed else outside & by
        blind = learner.fit(taken(~outside), freedom)
        raw[asked] = blind.raw(matrix[asked])
        if (theirs := their_folds == fold).any():
            of_others[theirs] = blind.raw(unseen[theirs])
    return _Crossed(learner.fit(untreated, freedom), raw, by, of_others)


def _uses(when: np.ndarray | None, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mark the rows to learn from, to calibrate on and to choose by, when choosing how free a model may be."""
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
