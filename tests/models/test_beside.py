"""Outcomes beside the one that ranks: declared once, learned by one path, calibrated on the mean, kept, and shown."""

import dataclasses

import lightgbm
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.errors import TrainingError
from casewell.settings import Benefit, Outcome, Settings
from models import beside
from models.benefit.comparison import Estimate
from models.benefit.evidence import Check, Evidence
from models.beside import Beside, fit_beside, measure_beside, numbers_beside, predict_beside
from models.declared_outcomes import DECLARED
from models.evaluation.days import evaluate_days
from models.evaluation.page_beside import beside_sections
from models.risk.days import CalibratedDays, calibrate_days
from models.risk.estimator import person_folds
from models.risk.trees import Trees
from models.score import require_features
from models.store import load, save
from models.tables import OUTCOMES, SCORES
from models.train import Models

PEOPLE = 6_000


def settings(*names: str, **outcome: str) -> Settings:
    return Settings.model_validate(
        {
            "name": "test",
            "sources": {"demographics": {"path": "x"}},
            "outcome": {"beside": list(names), **outcome},
            "training": {"trees": 60, "minimum_leaf": 30, "minimum_events": 20},
        }
    )


def world(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Three dates of people whose illness decides; returns rows and each row's expected days in bed."""
    random = np.random.default_rng(seed)
    illness = random.normal(size=PEOPLE)
    stays, dead = random.poisson(expit(-2 + illness)), random.random(PEOPLE) < expit(-4 + illness)
    days = np.minimum(random.gamma(2.0, 5.0, PEOPLE) * stays, 365.0)
    rows = pd.DataFrame(
        {
            "person_id": np.arange(PEOPLE),
            "index_date": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"])[np.arange(PEOPLE) % 3],
            "age": random.normal(size=PEOPLE).astype("float32"),
            "illness": illness.astype("float32"),
            "admission": stays > 0,
            "died": dead,
            "bed_days": days,
            "days_at_home": 365.0 - days,
        }
    )
    return rows, 10.0 * expit(-2 + illness)


def fitted(rows: pd.DataFrame, *names: str) -> dict[str, Beside]:
    nobody, folds = np.zeros(len(rows), dtype=bool), person_folds(rows["person_id"], 3, 1)
    return fit_beside(rows, ["age", "illness"], nobody, folds, np.ones(len(rows), dtype=bool), settings(*names))


@pytest.fixture(scope="module")
def learned():
    return fitted(world(1)[0], "admission", "death", "bed_days", "days_at_home")


def test_expected_days_are_right_on_average_and_follow_the_truth_on_people_not_seen(learned):
    rows, expected = world(2)
    predicted = predict_beside({name: one.model for name, one in learned.items()}, rows)
    assert predicted["predicted_bed_days"].mean() == pytest.approx(expected.mean(), rel=0.1)
    assert np.corrcoef(predicted["predicted_bed_days"], expected)[0, 1] > 0.95
    high = expected > np.quantile(expected, 0.9)
    assert predicted["predicted_bed_days"][high].mean() == pytest.approx(expected[high].mean(), rel=0.15)


def test_days_at_home_are_the_days_of_the_horizon_that_are_not_lost(learned):
    rows, expected = world(2)
    home = predict_beside({"days_at_home": learned["days_at_home"].model}, rows)["predicted_days_at_home"]
    assert home.mean() == pytest.approx(365 - expected.mean(), abs=0.5)
    assert home.max() <= 365
    assert np.corrcoef(home, expected)[0, 1] < -0.95


def test_chances_of_events_beside_are_calibrated(learned):
    rows, _ = world(2)
    predicted = predict_beside({"death": learned["death"].model}, rows)["predicted_death"]
    assert predicted.mean() == pytest.approx(rows["died"].mean(), rel=0.15)


def test_days_whose_order_the_trees_have_wrong_are_the_mean():
    random = np.random.default_rng(1)
    raw = random.normal(size=4_000)
    days = random.poisson(np.exp(-raw)).astype("float64")
    intercept, slope = calibrate_days(raw, days)
    assert (np.exp(intercept), slope) == (pytest.approx(days.mean()), 0.0)


@pytest.mark.parametrize("name", ["death", "bed_days", "days_at_home"])
def test_an_outcome_without_events_is_refused_by_name_before_anything_is_fitted(name, monkeypatch):
    rows = world(1)[0].assign(died=False, bed_days=0.0, days_at_home=365.0)
    monkeypatch.setattr(beside, "_fitted", None)
    with pytest.raises(TrainingError, match=f"'{name}': 0 people-months"):
        fitted(rows, name)


def test_what_death_takes_away_is_measured_beside_each_outcome(learned):
    rows, _ = world(3)
    found = measure_beside({name: one.backtest for name, one in learned.items()}, rows, 0.05, 1)
    value = found.set_index(["outcome", "measure"])["value"]
    assert value["admission", "happened"] == rows["admission"].mean()
    assert value["admission", "died_without"] == (rows["died"] & ~rows["admission"]).mean()
    assert value["bed_days", "died_without"] == rows["died"].mean()
    assert value["death", "died_without"] == 0
    assert value["admission", "auroc"] > 0.6
    assert value["bed_days", "observed_over_expected"] == pytest.approx(1, abs=0.15)
    assert numbers_beside(found)["bed_days_explained"] == value["bed_days", "explained"]
    page = "".join(beside_sections(found))
    assert f"{value['admission', 'died_without']:.1%} died without it" in page


def test_a_handful_of_tested_people_get_no_figure_of_merit(learned):
    rows = world(3)[0].head(30).assign(died=[True] * 3 + [False] * 27, admission=False)
    found = measure_beside({name: one.backtest for name, one in learned.items()}, rows, 0.05, 1)
    assert set(found["measure"]) == {"happened", "died_without"}
    died = found[found["measure"] == "died_without"].set_index("outcome")["value"]
    assert np.isnan(died["admission"])  # three people
    assert died["death"] == 0
    assert "too few to tell" in "".join(beside_sections(found))


def test_nothing_beside_leaves_nothing_on_the_page():
    assert beside_sections(measure_beside({}, world(1)[0], 0.05, 1)) == []


def test_figures_of_days_are_those_of_hand_made_predictions():
    test = pd.DataFrame({"person_id": range(4), "days": [1.0, 2.0, 3.0, 10.0], "outcome": [0.0, 2.0, 4.0, 10.0]})
    value = evaluate_days(test, 0.25, 1, draws=0).set_index("measure")["value"]
    assert value["observed_over_expected"] == 1
    assert value["mean_absolute_error"] == 0.5
    assert value["explained"] == pytest.approx(1 - 2 / 56)
    assert value["rank_correlation"] == pytest.approx(1)
    assert value["days_at_capacity"] == 10


def test_each_outcome_has_a_label_a_column_of_scores_and_words():
    for declared in DECLARED.values():
        assert declared.column in OUTCOMES.columns
        assert not SCORES.columns[declared.predicted].required
        assert declared.words


def test_the_outcome_that_ranks_names_itself_unless_it_is_given_a_name():
    assert Outcome().name == "emergency admission or death within 12 months"
    assert Outcome(ranks="death", horizon_days=90).name == "death within 90 days"
    assert Outcome(ranks="death", name="passing").name == "passing"


@pytest.mark.parametrize("again", [["admission_or_death"], ["death", "death"]])
def test_an_outcome_is_not_predicted_twice(again):
    with pytest.raises(ValueError, match="again"):
        Outcome(beside=again)


def test_days_never_exceed_the_horizon():
    data = lightgbm.Dataset(pd.DataFrame({"age": np.arange(400.0)}), np.arange(400.0))
    trees = Trees(lightgbm.train({"verbose": -1, "objective": "tweedie"}, data, 5))
    model = CalibratedDays(trees, 3.0, 1.0, ("age",), 365.0, False)
    matrix = pd.DataFrame({"age": [399.0]})
    assert model.predict(matrix)[0] == 365.0
    assert dataclasses.replace(model, from_most=True).predict(matrix)[0] == 0.0


def test_outcomes_beside_come_back_from_disk_as_they_were(learned, tmp_path):
    rows, _ = world(3)
    trees = learned["death"].model
    evidence = Evidence("assumed", (Check("enough treated", False, "seen"),), 12, Estimate(0.01, 0.02), None)
    back = load(save(Models(trees, trees, None, None, evidence, Benefit(), learned), tmp_path / "models"))
    assert list(back.beside) == ["admission", "death", "bed_days", "days_at_home"]
    for name, one in learned.items():
        assert np.array_equal(back.beside[name].model.predict(rows), one.model.predict(rows))
        assert np.array_equal(back.beside[name].backtest.predict(rows), one.backtest.predict(rows))


def test_a_model_beside_whose_features_are_gone_is_refused(learned):
    trees, evidence = learned["death"].model, Evidence("assumed", (), 12, Estimate(0.01, 0.02), None)
    bare = dataclasses.replace(trees, features=())
    kept = Models(bare, bare, None, None, evidence, Benefit(), {"death": learned["death"]})
    with pytest.raises(TrainingError, match="2 feature"):
        require_features(kept, pd.DataFrame({"person_id": [1]}))
