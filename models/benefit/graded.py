"""The grade of a benefit, for any table: judged on people whom the model that foretells them has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from casewell.settings import Benefit
from models.benefit.comparison import History
from models.benefit.estimator import BenefitEstimator
from models.benefit.evidence import Evidence, judge, not_learnable
from models.benefit.judged import Judged
from models.benefit.requirements import BenefitInputError, Input, checked

FOLDS = 5
FORETOLD = ("risk_without", "risk_with", "benefit", "propensity_by_choice", "supported")


def graded(
    estimator: BenefitEstimator,
    X: Any,
    treatment: Any,
    outcome: Any,
    placebo: Any,
    *,
    share: float,
    propensity: Any = None,
    randomised: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    rules: Benefit | None = None,
    folds: int = FOLDS,
) -> Evidence:
    """Weigh the evidence for what `estimator` learns from a history.

    A copy of it is fitted `folds` times, each time without one part of the people, who are then foretold by it: the
    benefit that would be stated and, for the doubly robust averages, both chances and the propensity. So everybody
    judges, and nobody judges what was learned from them. Rows count once, whatever their weight in learning.

    Parameters
    ----------
    estimator : its parameters; it is not fitted, and need not be
    X, treatment, outcome, propensity, randomised, groups, sample_weight : as `BenefitEstimator.fit` takes them
    placebo : 0 or 1 a row; an outcome that the treatment cannot change
    share : places as a share of people, between 0 and 1
    rules : limits of the checks; the defaults of the settings file unless given

    Returns
    -------
    Evidence, whose grade is `assumed` where a check failed or the history cannot teach; then choose by risk, or by
    risk times the share of it that is amenable. `sentence()` says why.

    Raises
    ------
    BenefitInputError
        `placebo` is not 0 or 1 for every row, or `share` is no share, or nobody's place.
    """
    rules = Benefit() if rules is None else rules
    happened = _known(placebo, len(treatment))
    if not 0 < share < 1:
        raise BenefitInputError(f"`share` is {share}, and must lie between 0 and 1", "Give places over people.")
    if share * len(happened) < folds:
        raise BenefitInputError(
            f"a `share` of {share} is less than one place in each of {folds} parts of {len(happened)} rows",
            "Give more people, or a larger share.",
        )
    try:
        told = checked(X, treatment, outcome, propensity, randomised, groups, sample_weight, folds)
        part = np.random.default_rng(estimator.seed).permutation(told.person.max() + 1)[told.person] % folds
        parts = _foretold(estimator, told, part)
    except BenefitInputError as refusal:
        return not_learnable(str(refusal))
    chance = told.chance(parts["propensity_by_choice"].to_numpy())
    risk, risk_with = parts["risk_without"].to_numpy(), parts["risk_with"].to_numpy()
    history = History(told.person, told.treated, told.outcome, chance, risk, risk_with)
    level = np.full(len(happened), happened.mean())
    control = History(told.person, told.treated, happened, chance, level, level)
    matrix = X if isinstance(X, pd.DataFrame) else pd.DataFrame(told.X)
    orders = {"learned benefit": parts["benefit"].to_numpy(), "risk": risk}
    judged = Judged(history, control, matrix, orders, parts["supported"].to_numpy(), part)
    return judge(judged, share, rules, randomised=told.randomised)


def _foretold(estimator: BenefitEstimator, told: Input, part: np.ndarray) -> pd.DataFrame:
    """Return the components of every row, of a copy learned from the other parts."""
    found = []
    for one in np.unique(part):
        learn, held = told.where(part != one), np.flatnonzero(part == one)
        learned = clone(estimator).fit(
            learn.X,
            learn.treated,
            learn.outcome,
            propensity=learn.given,
            randomised=learn.randomised,
            groups=learn.person,
            sample_weight=learn.weight,
        )
        found.append(learned.components(told.X[held])[list(FORETOLD)].set_axis(held))
    return pd.concat(found).sort_index()


def _known(placebo: Any, rows: int) -> np.ndarray:
    values = np.asarray(placebo, dtype="float64")
    if values.shape != (rows,) or not np.isin(values, (0, 1)).all():
        raise BenefitInputError(
            f"`placebo` must be 0 or 1 for each of the {rows} rows",
            "Leave out the rows in which it is not known, from every argument.",
        )
    return values.astype(bool)
