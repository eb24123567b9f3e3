"""Calibration by group: mended where it surely fails, left alone elsewhere, kept with the model and told as a reason."""

import dataclasses

import lightgbm
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.settings import Benefit
from models.benefit.comparison import Estimate
from models.benefit.evidence import Check, Evidence
from models.risk.calibration import CalibratedRisk
from models.risk.group_calibration import Mended, mend_groups
from models.risk.trees import Trees
from models.store import load, save
from models.train import Models

PEOPLE = 30_000


def people(seed: int, wrong_from: float = 200.0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return ages and sexes, the log odds that a model gives, and outcomes; from an age on it gives too much."""
    random = np.random.default_rng(seed)
    matrix = pd.DataFrame({"age": random.uniform(18, 100, PEOPLE), "sex_female": random.integers(0, 2, PEOPLE)})
    true = -3 + 0.02 * matrix["age"].to_numpy() + random.normal(size=PEOPLE)
    outcome = random.random(PEOPLE) < expit(true)
    return matrix.astype("float32"), true + 0.6 * (matrix["age"].to_numpy() >= wrong_from), outcome


def everybody() -> np.ndarray:
    return np.ones(PEOPLE, dtype=bool)


def test_a_group_that_is_promised_too_much_is_mended_and_it_alone():
    matrix, odds, outcome = people(1, wrong_from=85)
    found = mend_groups(matrix, odds, outcome, everybody())
    assert [(group.feature, group.low) for group in found] == [("age", 85)]
    fresh, odds, outcome = people(2, wrong_from=85)
    old = fresh["age"].to_numpy() >= 85
    mended = expit(odds + found[0].moves(fresh, odds))
    assert abs(expit(odds)[old].mean() - outcome[old].mean()) > 0.08
    assert mended[old].mean() == pytest.approx(outcome[old].mean(), abs=0.02)
    assert np.array_equal(mended[~old], expit(odds)[~old])


def test_where_every_group_is_calibrated_nothing_is_mended():
    alarms = [mend_groups(*people(seed), everybody()) for seed in range(10, 20)]
    assert sum(map(bool, alarms)) <= 1


def test_mending_never_reverses_who_is_above_whom_within_a_group():
    matrix, odds, outcome = people(1)
    old = matrix["age"].to_numpy() >= 85
    found = mend_groups(matrix, np.where(old, -odds - 4, odds), outcome, everybody())
    assert ("age", 85) in [(group.feature, group.low) for group in found]
    assert {group.slope for group in found} == {0.0}


def test_a_group_of_few_people_is_never_mended():
    matrix, odds, outcome = people(1, wrong_from=85)
    few = (matrix["age"].to_numpy() < 85) | (np.arange(PEOPLE) % 20 == 0)
    assert mend_groups(matrix[few], odds[few], outcome[few], everybody()[few]) == ()


def test_groups_are_tried_on_the_newest_date_only():
    matrix, odds, outcome = people(1, wrong_from=85)
    assert mend_groups(matrix, odds, outcome, matrix["age"].to_numpy() < 60) == ()


def test_a_table_without_such_features_has_no_groups():
    _, odds, outcome = people(1, wrong_from=85)
    assert mend_groups(pd.DataFrame({"x": np.zeros(PEOPLE)}), odds, outcome, everybody()) == ()


@pytest.fixture(scope="module")
def model() -> CalibratedRisk:
    matrix, _, outcome = people(1)
    data = lightgbm.Dataset(matrix, outcome.astype("float32"))
    trees = Trees(lightgbm.train({"verbose": -1, "objective": "binary", "num_leaves": 7}, data, 20))
    return CalibratedRisk(trees, 0.0, 1.0, ("age", "sex_female"), 0.0, (Mended("age", 85, np.inf, -0.5, 0.1),))


def test_reasons_still_add_up_to_the_difference_in_log_odds(model):
    matrix, *_ = people(3)
    chance = model.predict(matrix)
    rest = np.log(chance / (1 - chance)) - model.contributions(matrix).sum(axis=1)
    assert rest.std() < 1e-4


def test_what_was_mended_comes_back_from_disk_with_the_model(model, tmp_path):
    matrix, *_ = people(3)
    evidence = Evidence("assumed", (Check("enough treated", False, "seen"),), 12, Estimate(0.01, 0.02), None)
    back = load(save(Models(model, model, None, None, evidence, Benefit()), tmp_path / "models"))
    assert back.risk.mended == model.mended
    assert np.array_equal(back.risk.predict(matrix), model.predict(matrix))
    plain = dataclasses.replace(model, mended=())
    old = matrix["age"].to_numpy() >= 85
    assert not np.array_equal(back.risk.predict(matrix)[old], plain.predict(matrix)[old])
    assert np.array_equal(back.risk.predict(matrix)[~old], plain.predict(matrix)[~old])
