from __future__ import annotations

import pandas as pd
import pytest

from casewell import doors
from casewell.settings import Teams
from cohorts import COHORT, allocate, assemble
from cohorts.assembly import need_bands, risk_bands

REASONS = pd.DataFrame({"person_id": [1, 2], "reason_1": ["2 falls", "recent pattern of care"], "reason_2": ["", ""]})


@pytest.fixture
def parts(people, scores):
    everybody = people({}, {}, {}, {"synthetic": True})
    scored = scores({"benefit": 0.05}, {"benefit": 0.01}, {"benefit": 0.04, "supported": False}, {"benefit": -0.1})
    return allocate(scored, everybody, Teams(default_capacity=2), b"k"), scored, everybody


def test_the_cohort_holds_the_listed_and_the_reserve_in_order(parts, as_of):
    allocation, scored, everybody = parts
    table = assemble(allocation, scored, REASONS, everybody, as_of)
    assert table[["rank", "status", "person_id", "benefit_band", "reason_1"]].values.tolist() == [
        [1, "listed", 1, "High", "2 falls"],
        [2, "listed", 3, "Unsure", "recent pattern of care"],
        [3, "reserve", 2, "Medium", "recent pattern of care"],
    ]
    assert not table["synthetic"].any()


def test_an_assumed_benefit_is_never_called_high(parts, as_of):
    allocation, scored, everybody = parts
    table = assemble(allocation, scored.assign(evidence_grade="assumed"), REASONS, everybody, as_of)
    assert set(table["benefit_band"]) == {"Unsure"}


def test_the_same_people_in_another_order_give_the_same_bytes(parts, as_of, tmp_path):
    allocation, scored, everybody = parts
    for name, seed in (("one", 1), ("two", 2)):
        shuffled = [table.sample(frac=1, random_state=seed) for table in (allocation, scored, REASONS, everybody)]
        doors.write(assemble(*shuffled, as_of), COHORT, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_nobody_selected_gives_an_empty_cohort(parts, as_of):
    allocation, scored, everybody = parts
    nobody = allocation.assign(status="not_selected", rank=pd.array([pd.NA] * 4, dtype="Int64"))
    assert assemble(nobody, scored, REASONS, everybody, as_of).empty


def test_bands_are_in_words_and_ties_never_lift_anybody():
    assert list(risk_bands(pd.Series([0.51, 0.5, 0.25, 0.1, 0.09]))) == [
        "more than 1 in 2",
        "1 in 4 to 1 in 2",
        "1 in 4 to 1 in 2",
        "1 in 10 to 1 in 4",
        "less than 1 in 10",
    ]
    assert list(need_bands(pd.Series([0.0] * 9 + [3.0]))) == ["lower half"] * 9 + ["highest tenth"]
