"""Who a programme is for, and which declarations are refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.errors import SettingsError
from casewell.settings import EligibleRule, OtherProgramme
from models.other_programmes.rules import meets, refuse_programmes

DAY = dt.date(2026, 10, 1)


def declared(**changes: object) -> OtherProgramme:
    told = {
        "title": "Social prescribing",
        "owner": "A. Director",
        "review_date": "2027-04-01",
        "benefit": {"share": 0.05, "source": "A board's paper of 2026"},
    }
    return OtherProgramme.model_validate(told | changes)


def test_all_rules_must_hold_ends_included_and_a_missing_value_meets_none():
    matrix = pd.DataFrame({"age": [64, 65, 80, 90, np.nan], "lives_alone": [1, 1, 0, 1, 1]}, dtype="float32")
    rules = [EligibleRule(feature="age", minimum=65, maximum=90), EligibleRule(feature="lives_alone", minimum=1)]
    assert meets(matrix, rules).tolist() == [False, True, False, True, False]
    assert meets(matrix, []).all()


def test_a_limit_that_is_no_round_number_in_the_features_precision_still_includes_its_end():
    matrix = pd.DataFrame({"share": np.array([0.1], dtype="float32")})
    assert meets(matrix, [EligibleRule(feature="share", maximum=0.1)]).all()
    assert meets(matrix, [EligibleRule(feature="share", minimum=0.1)]).all()


def test_every_odd_declaration_is_refused_at_once_with_the_nearest_names():
    programmes = {
        "reablement": declared(review_date="2026-09-30"),
        "social_prescribing": declared(eligible=[{"feature": "lives_alon", "minimum": 1}]),
        "outreach": declared(eligible=[{"feature": "homeless_any_ever", "minimum": 1}]),
    }
    with pytest.raises(SettingsError) as refused:
        refuse_programmes(programmes, DAY)
    late, unknown, hidden = refused.value.problems
    assert late.startswith("programmes.reablement.review_date was 2026-09-30: A. Director")
    assert "'lives_alone'" in unknown
    assert "may not be shown" in hidden


def test_a_score_of_many_parts_gives_nobody_away_and_a_review_on_the_day_itself_is_in_time():
    sound = declared(review_date=DAY, eligible=[{"feature": "hfrs_score", "minimum": 5}])
    refuse_programmes({"frailty_clinic": sound}, DAY)
