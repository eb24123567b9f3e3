"""One row for each person and programme, assumed where nothing better is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Benefit, OtherProgramme
from models.other_programmes.learn import LearnedProgramme
from models.other_programmes.score import score_programmes

DAY = pd.Timestamp("2026-10-01")
TOLD = {"owner": "A. Director", "review_date": "2027-04-01", "benefit": {"share": 0.1, "source": "A board's paper"}}
PROGRAMMES = {
    "social_prescribing": OtherProgramme(
        title="Social prescribing", **TOLD, eligible=[{"feature": "lives_alone", "minimum": 1}]
    ),
    "reablement": OtherProgramme(title="Reablement", **TOLD | {"benefit": {"share": 0.3, "source": "Another paper"}}),
}
MATRIX = pd.DataFrame({"index_date": DAY, "person_id": [7, 8, 9], "lives_alone": np.array([1, 1, 0], dtype="float32")})
NOBODY = pd.DataFrame({"person_id": [], "start": [], "end": []}).astype(
    {"person_id": "int64", "start": "datetime64[us]", "end": "datetime64[us]"}
)
ON_IT = pd.DataFrame({"person_id": [8], "start": [DAY - pd.Timedelta(days=9)], "end": [pd.NaT]}).astype(NOBODY.dtypes)


def test_each_programme_has_its_own_rules_share_and_people_on_it():
    enrolments = {"social_prescribing": ON_IT, "reablement": NOBODY}
    risk = np.array([0.5, 0.2, 0.1])
    scores = score_programmes(PROGRAMMES, {}, Benefit(), MATRIX, risk, enrolments)
    assert len(scores) == 6
    told = scores.set_index(["programme", "person_id"]).sort_index()
    assert told.loc["social_prescribing", "eligible"].tolist() == [True, False, False]
    assert told.loc["reablement", "eligible"].all()
    assert np.allclose(told.loc["social_prescribing", "benefit"], 0.1 * risk)
    assert np.allclose(told.loc["reablement", "benefit"], 0.3 * risk)
    assert set(scores["evidence_grade"]) == {"assumed"}
    assert not scores["supported"].any()
    assert scores[["benefit_low", "benefit_high"]].isna().all(axis=None)


def test_a_programme_declared_after_the_training_says_so():
    said = LearnedProgramme.unknown().sentence(PROGRAMMES["reablement"])
    assert said == (
        "Benefit of Reablement is assumed to be 30.0% of each person's risk (Another paper), not learned: the model was "
        "trained before the programme was declared."
    )


@pytest.mark.parametrize("what", ["harm", "suspicion"])
def test_harm_and_its_suspicion_stand_behind_what_is_assumed(what):
    learned = LearnedProgramme.unknown()
    said = replace(learned, evidence=replace(learned.evidence, **{what: "It may do harm."}))
    assert said.sentence(PROGRAMMES["reablement"]).endswith("before the programme was declared. It may do harm.")
