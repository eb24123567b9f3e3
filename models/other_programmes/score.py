"""What each programme beside case management would change for each scored person."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.settings import Benefit, OtherProgramme
from models.benefit.model import released_benefit
from models.other_programmes.learn import LearnedProgramme, assumed_of, standing
from models.other_programmes.rules import meets
from models.tables import PROGRAMME_SCORES


def score_programmes(
    programmes: Mapping[str, OtherProgramme],
    learned: Mapping[str, LearnedProgramme],
    rules: Benefit,
    matrix: pd.DataFrame,
    risk: np.ndarray,
    enrolments: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Score every row of a feature matrix of one index date for every programme.

    Benefit is the learned fall in risk, with its ends, where the grade is above `assumed` and people like the person are
    in the evidence; elsewhere the declared share of the risk, without ends, and the row's grade says so. A programme that
    the model has not learned of is assumed.

    Parameters
    ----------
    programmes : as the settings declare them, by code
    learned : `models.Models.programmes`
    rules : `models.Models.rules`
    matrix : features, with `index_date` and `person_id`
    risk : of each row, without any of it (`models.tables.SCORES`)
    enrolments : of each programme, by code

    Returns
    -------
    DataFrame
        The table `models.tables.PROGRAMME_SCORES`: people in the order of `matrix`, for each programme in order of code.
    """
    nothing = LearnedProgramme.unknown()
    tables = [
        _scored(code, programmes[code], learned.get(code, nothing), rules, matrix, risk, enrolments[code])
        for code in sorted(programmes)
    ]
    return check(pd.concat(tables, ignore_index=True), PROGRAMME_SCORES)


def _scored(
    code: str,
    declared: OtherProgramme,
    learned: LearnedProgramme,
    rules: Benefit,
    matrix: pd.DataFrame,
    risk: np.ndarray,
    enrolments: pd.DataFrame,
) -> pd.DataFrame:
    on_it, _ = standing(matrix, enrolments, 0)
    benefit = assumed_of(declared, risk)
    low = high = np.full(len(matrix), np.nan)
    supported = np.zeros(len(matrix), dtype=bool)
    released = supported
    if learned.propensity is not None and learned.effect is not None:
        chosen = learned.propensity.predict(matrix)
        found = learned.effect.foretell(matrix, risk, chosen)
        supported = found.reached & (chosen >= rules.minimum_propensity)
        if learned.evidence.grade != "assumed":
            released = supported
            benefit = released_benefit(found.benefit, benefit, supported)
            low, high = (np.where(supported, ends, np.nan) for ends in (found.low, found.high))
    return pd.DataFrame(
        {
            "person_id": matrix["person_id"].to_numpy(),
            "programme": code,
            "eligible": meets(matrix, declared.eligible) & ~on_it,
            "benefit": benefit,
            "benefit_low": low,
            "benefit_high": high,
            "supported": supported,
            "evidence_grade": np.where(released, learned.evidence.grade, "assumed"),
        }
    )
