"""Risk, its figures of merit, promotion, and models on disk."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.errors import TrainingError
from casewell.settings import Benefit, Training
from models import amenability
from models.comparison import Estimate
from models.evaluation import calibration_curve, evaluate, figures_of_merit
from models.evidence import Check, Evidence, too_few
from models.promotion import decide
from models.risk import fit_risk, person_folds
from models.score import require_features, score
from models.store import load, save
from models.train import Models, columns_with_history

RULES = Training(trees=40, minimum_leaf=50)


def world(number: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = pd.DataFrame({"age": random.normal(size=number), "illness": random.normal(size=number)}).astype("float32")
    return matrix, expit(-2 + matrix["age"] + matrix["illness"]).to_numpy()


@pytest.fixture(scope="module")
def fitted():
    matrix, chance = world(12_000, 1)
    outcome = np.random.default_rng(2).random(12_000) < chance
    folds = person_folds(pd.Series(np.arange(12_000)), 4, 1)
    model, crossed = fit_risk(matrix, outcome, np.zeros(12_000, dtype=bool), folds, RULES, 1)
    return model, crossed, matrix, outcome, folds


def test_risk_is_calibrated_on_people_the_model_never_saw(fitted):
    model, *_ = fitted
    matrix, chance = world(20_000, 9)
    figures = figures_of_merit(model.predict(matrix), np.random.default_rng(3).random(20_000) < chance, 0.05)
    assert figures["calibration_slope"] == pytest.approx(1, abs=0.1)
    assert figures["observed_over_expected"] == pytest.approx(1, abs=0.07)


def test_what_happened_to_treated_people_does_not_change_the_risk(fitted):
    _, _, matrix, outcome, folds = fitted
    treated = np.random.default_rng(4).random(12_000) < 0.1
    first, _ = fit_risk(matrix, outcome, treated, folds, RULES, 1)
    second, _ = fit_risk(matrix, np.where(treated, ~outcome, outcome), treated, folds, RULES, 1)
    assert np.array_equal(first.predict(matrix), second.predict(matrix))


def test_training_twice_gives_the_same_predictions(fitted):
    model, _, matrix, outcome, folds = fitted
    again, _ = fit_risk(matrix, outcome, np.zeros(12_000, dtype=bool), folds, RULES, 1)
    assert np.array_equal(model.predict(matrix), again.predict(matrix))


def test_contributions_add_up_to_the_difference_in_log_odds(fitted):
    model, _, matrix, *_ = fitted
    odds = np.log(model.predict(matrix) / (1 - model.predict(matrix)))
    rest = odds - model.contributions(matrix).sum(axis=1)
    assert rest.std() < 1e-4


def test_all_rows_of_a_person_fall_into_one_fold():
    people = pd.Series(np.repeat(np.arange(1000), 3))
    folds = person_folds(people, 5, 7)
    assert (pd.Series(folds).groupby(people).nunique() == 1).all()
    assert np.bincount(folds).min() > 500


def test_figures_of_merit_of_a_known_case():
    figures = figures_of_merit(np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, False, True, False]), 0.5)
    assert figures["auroc"] == 0.75
    assert figures["ppv_at_capacity"] == 0.5
    assert figures["sensitivity_at_capacity"] == 0.5
    assert figures["lift_at_capacity"] == 1
    assert figures["brier"] == pytest.approx((0.01 + 0.64 + 0.64 + 0.01) / 4)


def test_intervals_hold_the_value_and_are_wider_for_fewer_people():
    _, chance = world(4_000, 5)
    outcome = np.random.default_rng(6).random(4_000) < chance
    test = pd.DataFrame({"person_id": np.arange(4_000), "risk": chance, "outcome": outcome})
    wide, narrow = (evaluate(test.head(n), 0.1, 1).set_index("measure").loc["auroc"] for n in (800, 4_000))
    assert narrow["low"] < narrow["value"] < narrow["high"]
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_repeated_rows_of_the_same_people_do_not_narrow_an_interval():
    _, chance = world(800, 5)
    outcome = np.random.default_rng(6).random(800) < chance
    once = pd.DataFrame({"person_id": np.arange(800), "risk": chance, "outcome": outcome})
    one, five = (evaluate(t, 0.1, 1).set_index("measure").loc["auroc"] for t in (once, pd.concat([once] * 5)))
    assert five["high"] - five["low"] == pytest.approx(one["high"] - one["low"], rel=0.3)


def test_the_calibration_curve_has_ten_tenths_in_order(fitted):
    _, crossed, _, outcome, _ = fitted
    curve = calibration_curve(pd.DataFrame({"risk": crossed, "outcome": outcome}))
    assert curve["predicted"].is_monotonic_increasing
    assert curve["people"].sum() == 12_000


def measures(slope: float = 1.0, low: float = 0.7, brier: float = 0.05) -> pd.DataFrame:
    names = ["calibration_slope", "auroc", "brier"]
    return pd.DataFrame({"measure": names, "value": [slope, 0.75, brier], "low": [slope, low, brier]})


@pytest.mark.parametrize(
    ("figures", "champion", "promoted"),
    [
        (measures(), None, True),
        (measures(slope=0.5), None, False),
        (measures(low=0.49), None, False),
        (measures(brier=0.20), np.array([0.5, 0.5]), True),
        (measures(brier=0.26), np.array([0.5, 0.5]), False),
    ],
)
def test_a_challenger_becomes_champion_only_by_the_rule(figures, champion, promoted):
    test = pd.DataFrame({"outcome": [True, False]})
    assert decide(figures, test, champion).promoted is promoted


def evidence(grade: str = "assumed") -> Evidence:
    return Evidence(grade, (Check("enough treated", grade != "assumed", "seen"),), 12, Estimate(0.01, 0.02), None)


def test_models_come_back_from_disk_as_they_were(fitted, tmp_path):
    model, _, matrix, *_ = fitted
    kept = Models(model, model, None, None, evidence(), Benefit())
    back = load(save(kept, tmp_path / "models"))
    assert np.array_equal(back.risk.predict(matrix), model.predict(matrix))
    assert back.evidence == kept.evidence
    assert back.rules == kept.rules
    assert not list((tmp_path / "models").glob("*.pkl"))


def test_a_model_that_was_tampered_with_is_refused(fitted, tmp_path):
    folder = save(Models(fitted[0], fitted[0], None, None, evidence(), Benefit()), tmp_path / "models")
    described = json.loads((folder / "models.json").read_text())
    described["trees"]["risk"]["slope"] = 9
    (folder / "models.json").write_text(json.dumps(described))
    with pytest.raises(TrainingError, match="changed or damaged"):
        load(folder)


def amenable_matrix(**values: float) -> pd.DataFrame:
    names = amenability.RESPONSIVE_CONDITIONS + amenability.UNMET_CIRCUMSTANCES + amenability.OTHER_HELP
    return pd.DataFrame({name: [values.get(name, 0.0)] for name in names})


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ({}, 0.2),
        ({"cms_copd_any_ever": 1}, 0.6),
        ({"cms_copd_any_ever": 1, "cms_asthma_any_ever": 1}, 0.6),
        ({"cms_copd_any_ever": 1, "lives_alone_any_ever": 1}, 1.0),
        ({"cms_copd_any_ever": 1, "care_home_any_ever": 1}, 0.0),
    ],
)
def test_the_amenable_share_follows_the_stated_rule(values, share):
    assert amenability.amenability(amenable_matrix(**values))[0] == pytest.approx(share)


def test_contributions_of_amenability_go_to_what_is_present():
    moved = amenability.contributions(amenable_matrix(cms_copd_any_ever=1, lives_alone_any_ever=1)).iloc[0]
    assert set(moved[moved > 0].index) == {"cms_copd_any_ever", "lives_alone_any_ever"}


def test_assumed_benefit_is_risk_times_amenable_share_times_the_assumed_reduction(fitted):
    model, _, matrix, *_ = fitted
    rows = matrix.head(3).assign(person_id=[1, 2, 3], cms_score=0.0)
    rows = rows.assign(**dict.fromkeys(amenable_matrix().columns, 0.0))
    scores = score(Models(model, model, None, None, evidence(), Benefit(assumed_relative_reduction=0.3)), rows)
    assert scores["benefit"].to_numpy() == pytest.approx(scores["risk"].to_numpy() * 0.2 * 0.3)
    assert (scores["evidence_grade"] == "assumed").all()
    assert not scores["supported"].any()


def test_a_model_whose_features_are_gone_is_refused_with_their_number(fitted):
    with pytest.raises(TrainingError, match="2 feature"):
        require_features(
            Models(fitted[0], fitted[0], None, None, evidence(), Benefit()), pd.DataFrame({"person_id": [1]})
        )


def test_windows_longer_than_the_history_are_left_out_of_the_models():
    names = columns_with_history(365)
    assert "emergency_admission_count_365d" in names
    assert "emergency_admission_count_730d" not in names
    assert "emergency_admission_count_730d" in columns_with_history(730)
    assert "any_gp_event_days_since_first_ever" not in columns_with_history(10_000)


def test_hardly_any_treatment_means_benefit_is_assumed_and_says_why():
    found = too_few(12, Benefit())
    assert found.grade == "assumed"
    assert "12 people started" in found.sentence()
