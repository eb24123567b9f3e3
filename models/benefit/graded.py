"""The grade of a benefit, for any table: judged on people it was not learned from, by a second estimator's scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from casewell.settings import Benefit
from models.benefit.comparison import History
from models.benefit.estimator import BenefitEstimator
from models.benefit.evidence import Evidence, judge, not_learnable
from models.benefit.requirements import BenefitInputError, as_features


def graded(
    learned: BenefitEstimator,
    X: Any,
    treatment: Any,
    outcome: Any,
    placebo: Any,
    *,
    share: float,
    propensity: Any = None,
    randomised: Any = None,
    groups: Any = None,
    rules: Benefit | None = None,
) -> Evidence:
    """Weigh the evidence for a benefit by people it was not learned from.

    Parameters
    ----------
    learned : fitted on other people
    X, treatment, outcome, propensity, randomised, groups : of the people held out, as `BenefitEstimator.fit` takes them
    placebo : 0 or 1 a row; an outcome that the treatment cannot change
    share : places as a share of people, between 0 and 1
    rules : limits of the checks; the defaults of the settings file unless given

    Returns
    -------
    Evidence, whose grade is `assumed` where a check failed or the people held out cannot teach; then choose by
    risk, or by risk times the share of it that is amenable. `sentence()` says why.

    Raises
    ------
    BenefitInputError
        `placebo` is not 0 or 1 for every row, or `share` is no share.
    """
    rules = Benefit() if rules is None else rules
    happened = _known(placebo, len(treatment))
    if not 0 < share < 1:
        raise BenefitInputError(f"`share` is {share}, and must lie between 0 and 1", "Give places over people.")
    told = {"propensity": propensity, "randomised": randomised, "groups": groups}
    try:
        judging = BenefitEstimator(**learned.get_params()).fit(X, treatment, outcome, **told)
    except BenefitInputError as refusal:
        return not_learnable(str(refusal))
    person = np.arange(len(judging.without_)) if groups is None else np.asarray(groups)
    treated, chance = np.asarray(treatment).astype(bool), judging.propensity_
    history = History(person, treated, np.asarray(outcome).astype(bool), chance, judging.without_, judging.with_)
    level = np.full(len(happened), happened.mean())
    control = History(person, treated, happened, chance, level, level)
    parts = learned.components(X)
    risk = parts["risk_without"].to_numpy()
    orders = {"learned benefit": parts["benefit"].to_numpy(), "risk": risk}
    features = X if isinstance(X, pd.DataFrame) else pd.DataFrame(as_features(X))
    drawn = None if randomised is None else np.asarray(randomised).astype(bool)
    one_date = np.zeros(len(person))
    return judge(history, control, features, orders, parts["supported"].to_numpy(), one_date, share, rules, drawn)


def _known(placebo: Any, rows: int) -> np.ndarray:
    values = np.asarray(placebo, dtype="float64")
    if values.shape != (rows,) or not np.isin(values, (0, 1)).all():
        raise BenefitInputError(
            f"`placebo` must be 0 or 1 for each of the {rows} rows",
            "Leave out the rows in which it is not known, from every argument.",
        )
    return values.astype(bool)
