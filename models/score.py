"""Three scores for each person, from features alone: no outcome can reach this code."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casewell.doors import check, empty
from casewell.errors import TrainingError
from models.benefit import amenability
from models.benefit.model import assumed_benefit, released_benefit
from models.beside import predict_beside
from models.tables import BEFORE_GROUPS, CONTRIBUTIONS, SCORES
from models.train import Models


def score(models: Models, matrix: pd.DataFrame) -> pd.DataFrame:
    """Score every row of a feature matrix of one index date.

    Where benefit was learned and the person has others like them in the evidence, benefit is
    the learned fall in risk, with the ends of its interval; elsewhere it is risk x amenable share x
    assumed reduction, without ends, and the row's grade says so.

    Returns
    -------
    DataFrame
        The table `models.tables.SCORES`.
    """
    require_features(models, matrix)
    unmended, risk = models.risk.predict_both(matrix)
    benefit = assumed_benefit(matrix, risk, models.rules)
    low = high = np.full(len(matrix), np.nan)
    supported = np.zeros(len(matrix), dtype=bool)
    learned = supported
    if models.propensity is not None and models.effect is not None:
        chosen = models.propensity.predict(matrix)
        found = models.effect.foretell(matrix, risk, chosen)
        likely = chosen if models.offered is None else models.offered.predict(matrix)
        supported = found.reached & (likely >= models.rules.minimum_propensity)
        if models.evidence.grade != "assumed":
            learned = supported
            benefit = released_benefit(found.benefit, benefit, supported)
            low, high = (np.where(supported, ends, np.nan) for ends in (found.low, found.high))
    return check(
        pd.DataFrame(
            {
                "person_id": matrix["person_id"].to_numpy(),
                "risk": risk,
                "need": matrix["cms_score"].to_numpy("float64"),
                "benefit": benefit,
                "benefit_low": low,
                "benefit_high": high,
                "supported": supported,
                "evidence_grade": np.where(learned, models.evidence.grade, "assumed"),
                **({BEFORE_GROUPS: unmended} if models.risk.mended else {}),
                **predict_beside({name: one.model for name, one in models.beside.items()}, matrix),
            }
        ),
        SCORES,
    )


def contributions(models: Models, matrix: pd.DataFrame, assumed: np.ndarray) -> pd.DataFrame:
    """Say why each person is at risk and, where benefit is assumed, why case management could help.

    SHAP values on the log odds of risk; where `assumed` (boolean, one a row), besides, the rise in
    the logarithm of the amenable share. Both order reasons; they are not a decomposition of the
    score. Returns the table `models.tables.CONTRIBUTIONS`.
    """
    require_features(models, matrix)
    if matrix.empty:
        return empty(CONTRIBUTIONS)
    people = matrix.set_index("person_id")
    amenable = amenability.contributions(people).mul(assumed, axis=0)
    moved = models.risk.contributions(people).add(amenable, fill_value=0)
    values = people[moved.columns].astype("float64").rename_axis(columns="feature").stack()
    moved = moved.rename_axis(columns="feature").stack()
    table = pd.DataFrame({"value": values, "contribution": moved}).reset_index()
    return check(table[list(CONTRIBUTIONS.columns)], CONTRIBUTIONS)


def require_features(models: Models, matrix: pd.DataFrame) -> None:
    """Refuse a model that was trained on features which are no longer built.

    Raises
    ------
    TrainingError
        Naming how many features are missing and the first of them.
    """
    used = {name for one in models.beside.values() for name in one.model.features} | set(models.risk.features)
    used |= {name for one in models.programmes.values() if one.propensity for name in one.propensity.features}
    gone = sorted(used - set(matrix.columns))
    if gone:
        raise TrainingError(
            f"the model needs {len(gone)} feature(s) that the catalogue no longer has, among them {gone[0]!r}",
            "Train a new model: casewell train.",
        )
