"""The linear model: the same shape as the trees, and chosen by a stated rule."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from casewell.settings import Benefit, Training
from models.benefit.comparison import Estimate
from models.benefit.evidence import Check, Evidence
from models.choice import ENOUGH_BETTER, choose
from models.evaluation.figures import at_capacity
from models.risk.estimator import fit_risk, person_folds
from models.store import load, save
from models.train import Models

NUMBER = 6_000
EVIDENCE = Evidence("assumed", (Check("enough treated", False, "seen"),), 12, Estimate(0.01, 0.02), None)


def world(number: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """People with a gappy, a long-tailed, a constant and a never recorded feature; and their true chances."""
    random = np.random.default_rng(seed)
    matrix = pd.DataFrame(
        {
            "age": random.normal(60, 15, number),
            "admissions": random.poisson(0.6, number).astype(float),
            "test": np.where(random.random(number) < 0.3, np.nan, random.normal(size=number)),
            "constant": 3.0,
            "never": np.nan,
        }
    ).astype("float32")
    odds = -6 + 0.05 * matrix["age"] + 0.8 * np.log1p(matrix["admissions"]) + 0.7 * matrix["test"].fillna(1.0)
    return matrix, expit(odds.to_numpy("float64"))


def fit(matrix: pd.DataFrame, outcome: np.ndarray, **told):
    folds, nobody = person_folds(pd.Series(np.arange(len(matrix))), 4, 1), np.zeros(len(matrix), dtype=bool)
    return fit_risk(matrix, outcome, nobody, folds, Training(), 1, kind="linear", **told)


@pytest.fixture(scope="module")
def fitted():
    matrix, chance = world(NUMBER, 1)
    model, crossed = fit(matrix, np.random.default_rng(2).random(NUMBER) < chance)
    return model, crossed, matrix


def test_what_is_linear_is_found_and_calibrated_for_people_never_seen(fitted):
    model, *_ = fitted
    matrix, chance = world(20_000, 9)
    risk = model.predict(matrix)
    assert np.corrcoef(logit(risk), logit(chance))[0, 1] > 0.98
    assert risk.mean() == pytest.approx(chance.mean(), rel=0.05)


def test_reasons_are_exact_and_nobody_average_has_any(fitted):
    model, _, matrix = fitted
    odds = logit(model.predict(matrix))
    moved = model.contributions(matrix)
    rest = odds - moved.sum(axis=1)
    assert rest.std() < 1e-5
    assert (moved[["constant", "never"]] == 0).all().all()
    # Before calibration bends it, each is coefficient x (value - mean): over everybody they cancel out.
    parts, average = model.learned.shap(matrix)
    assert np.abs(parts.mean(axis=0)).max() < 1e-4
    assert parts.sum(axis=1) + average == pytest.approx(model.learned.raw(matrix), abs=1e-5)


def test_being_missing_is_a_part_of_the_feature_that_is_missing(fitted):
    model, _, matrix = fitted
    unknown = matrix["test"].isna()
    moved = model.contributions(matrix)["test"]
    # Unknown counts as 1.0 in this world, more than the mean of those known.
    assert moved[unknown].nunique() > 0
    assert moved[unknown].min() > 0 > moved[~unknown & (matrix["test"] < -1)].max()


def test_risk_never_falls_with_a_feature_that_it_may_only_rise_with():
    matrix, _ = world(NUMBER, 1)
    # By accident of these people, the more admissions the fewer outcomes.
    outcome = np.random.default_rng(3).random(NUMBER) < expit(-1 - 0.5 * matrix["admissions"].to_numpy())
    at = matrix.head(1).loc[[0] * 6].assign(admissions=np.arange(6, dtype="float32"))
    free, _ = fit(matrix, outcome)
    bound, _ = fit(matrix, outcome, rising={"admissions": 1})
    assert np.diff(free.predict(at)).min() < 0
    assert np.diff(bound.predict(at)).min() >= 0


def test_many_features_of_noise_and_few_people_are_held_back():
    random = np.random.default_rng(5)
    noise = pd.DataFrame(random.normal(size=(1_200, 200)), columns=[f"n{number}" for number in range(200)])
    noise = noise.assign(illness=random.normal(size=1_200)).astype("float32")
    outcome = random.random(1_200) < expit(-2 + noise["illness"].to_numpy())
    fresh = pd.DataFrame(random.normal(size=(4_000, 201)), columns=noise.columns).astype("float32")
    model, _ = fit(noise, outcome)
    assert np.corrcoef(logit(model.predict(fresh)), fresh["illness"])[0, 1] > 0.6


def test_it_comes_back_from_disk_as_it_was_and_as_plain_text(fitted, tmp_path):
    model, _, matrix = fitted
    back = load(
        save(Models(model, model, None, None, EVIDENCE, Benefit(), chosen_because="because"), tmp_path / "models")
    )
    assert back.risk.learned.kind == "linear"
    assert back.chosen_because == "because"
    assert np.array_equal(back.risk.predict(matrix), model.predict(matrix))
    assert back.risk.contributions(matrix).equals(model.contributions(matrix))
    assert json.loads((tmp_path / "models" / "risk.json").read_text())["intercept"] == model.learned.intercept


def test_learning_twice_gives_the_same(fitted):
    model, _, matrix = fitted
    again, _ = fit(matrix, np.random.default_rng(2).random(NUMBER) < world(NUMBER, 1)[1])
    assert np.array_equal(again.predict(matrix), model.predict(matrix))


# Which of the two is registered


def predicted_by(blur_of_trees: float, blur_of_linear: float, number: int = 20_000, top: float = 0.0) -> dict:
    """Test predictions: true log odds blurred by so much; with `top`, the linear model knows less of those at highest risk."""
    random = np.random.default_rng(1)
    odds = random.normal(-2.5, 1.2, number)
    outcome = random.random(number) < expit(odds)
    keys = pd.DataFrame({"index_date": pd.Timestamp("2025-06-01"), "person_id": np.arange(number), "outcome": outcome})
    noise = random.normal(size=(2, number))
    blurred = {"trees": odds + blur_of_trees * noise[0], "linear": odds + blur_of_linear * noise[1]}
    high = np.argsort(-blurred["linear"])[: round(0.05 * number)]
    blurred["linear"][high] = random.permutation(blurred["linear"][high]) if top else blurred["linear"][high]
    return {
        kind: keys.assign(risk=expit(np.polyval(np.polyfit(seen, odds, 1), seen))) for kind, seen in blurred.items()
    }


def chosen(tests: dict, standing=None, learner="auto"):
    return choose(tests, learner, standing, 0.02, 1, {})


def test_where_trees_gain_little_the_simpler_model_is_used_and_the_sentence_says_why():
    found = chosen(predicted_by(0.5, 0.45))
    assert found.kind == "linear"
    assert "simpler model is enough" in found.reason
    assert f"less than {ENOUGH_BETTER}" in found.reason
    assert "the champion" not in found.reason


def test_where_trees_rank_better_they_earn_their_keep():
    found = chosen(predicted_by(0.3, 0.9))
    assert found.kind == "trees"
    assert "earn their keep" in found.reason


def test_once_linear_the_trees_must_surely_be_better():
    tests = predicted_by(0.5, 0.6, 8_000)
    assert chosen(tests).kind == "trees"
    stays = chosen(tests, standing="linear")
    assert stays.kind == "linear"
    assert "not surely" in stays.reason
    assert chosen(predicted_by(0.3, 0.9), standing="linear").kind == "trees"


def test_a_setting_may_ask_for_either():
    assert chosen(predicted_by(0.5, 0.45), learner="trees").kind == "trees"
    assert chosen(predicted_by(0.3, 0.9), learner="linear").kind == "linear"


def test_a_simpler_model_that_surely_finds_fewer_within_capacity_is_never_used():
    tests = predicted_by(0.5, 0.5, 60_000, top=1.0)
    for standing in (None, "trees", "linear"):
        found = chosen(tests, standing)
        assert found.kind == "trees"
        assert "within capacity" in found.reason


def test_one_that_finds_a_few_less_is_not_taken_up_but_not_given_up_either():
    tests = predicted_by(0.5, 0.5)
    trees = tests["trees"]
    missed = trees["outcome"] & ~at_capacity(trees["risk"].to_numpy(), 0.02)
    few = missed & (missed.cumsum() <= 20)
    tests["trees"] = trees.assign(risk=trees["risk"].mask(few, 0.9))
    assert chosen(tests).kind == "trees"
    assert chosen(tests, standing="linear").kind == "linear"
