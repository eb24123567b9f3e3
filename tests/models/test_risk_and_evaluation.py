"""Risk, its figures of merit, promotion, and models on disk."""

import json
from dataclasses import asdict, replace

import lightgbm
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.errors import TrainingError
from casewell.settings import Benefit, Training
from features import CATALOGUE
from models import store
from models.benefit import amenability
from models.benefit.comparison import Estimate
from models.benefit.evidence import Check, Evidence, too_few
from models.evaluation.evaluate import calibration_curve, evaluate
from models.other_programmes.learn import LearnedProgramme
from models.risk.calibration import CalibratedRisk, beta_calibration
from models.risk.estimator import fit_risk, person_folds
from models.risk.rising import RISES_WITH, rising
from models.risk.trees import Trees
from models.score import require_features, score
from models.store import load, save
from models.train import RECENT_CANCER, Models, columns_with_history

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
    outcome = np.random.default_rng(3).random(20_000) < chance
    test = pd.DataFrame({"person_id": np.arange(20_000), "risk": model.predict(matrix), "outcome": outcome})
    value = evaluate(test, 0.05, 1, draws=0).set_index("measure")["value"]
    assert value["calibration_slope"] == pytest.approx(1, abs=0.1)
    assert value["observed_over_expected"] == pytest.approx(1, abs=0.07)
    assert value["ici"] < 0.015


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


def test_risk_never_falls_with_a_feature_that_it_may_only_rise_with():
    random = np.random.default_rng(8)
    matrix = pd.DataFrame({"admissions": random.poisson(1.0, 6_000), "other": random.normal(size=6_000)}).astype(
        "float32"
    )
    # By accident of these people, the more admissions the fewer outcomes.
    outcome = random.random(6_000) < expit(-1 - 0.5 * matrix["admissions"]).to_numpy()
    folds, nobody = person_folds(pd.Series(np.arange(6_000)), 4, 1), np.zeros(6_000, dtype=bool)
    at = pd.DataFrame({"admissions": np.arange(6.0), "other": 0.0}).astype("float32")
    free, _ = fit_risk(matrix, outcome, nobody, folds, RULES, 1)
    bound, _ = fit_risk(matrix, outcome, nobody, folds, RULES, 1, rising={"admissions": 1})
    assert np.diff(free.predict(at)).min() < 0
    assert np.diff(bound.predict(at)).min() >= 0


def test_only_declared_features_are_bound_to_rise():
    bound = rising(CATALOGUE)
    assert bound["emergency_admission_count_365d"] == 1
    assert bound["emergency_admission_days_since_last_ever"] == -1
    assert "any_gp_event_count_365d" not in bound
    assert len(bound) < 40


@pytest.mark.parametrize("bent", [0.0, 0.5])
def test_calibration_mends_bent_odds_and_never_changes_the_order(bent):
    odds = np.random.default_rng(1).normal(-2, 1.5, 60_000)
    true = -0.3 + 0.8 * odds + bent * np.log(expit(odds))
    outcome = np.random.default_rng(2).random(60_000) < expit(true)
    intercept, slope, bend = beta_calibration(odds, outcome)
    mended = intercept + slope * odds + bend * np.log(expit(odds))
    assert np.abs(expit(mended) - expit(true)).max() < 0.03
    assert np.array_equal(np.argsort(mended), np.argsort(odds))


def test_odds_that_point_the_wrong_way_are_calibrated_to_the_rate_and_not_turned_round():
    odds = np.random.default_rng(1).normal(0, 1, 5_000)
    outcome = np.random.default_rng(2).random(5_000) < expit(-1 - odds)
    intercept, slope, bend = beta_calibration(odds, outcome)
    assert (slope, bend) == (0.0, 0.0)
    assert expit(intercept) == pytest.approx(outcome.mean(), abs=1e-6)


def test_features_that_never_vary_or_are_always_missing_do_no_harm(fitted):
    model, _, matrix, outcome, folds = fitted
    worse = matrix.assign(constant=np.float32(3), missing=np.float32(np.nan))
    again, _ = fit_risk(worse, outcome, np.zeros(12_000, dtype=bool), folds, RULES, 1)
    assert np.corrcoef(again.predict(worse), model.predict(matrix))[0, 1] > 0.97


@pytest.mark.parametrize(
    ("happened", "words"), [(False, "nobody had the outcome"), (True, "everybody had the outcome")]
)
def test_an_outcome_that_nobody_or_everybody_had_is_refused(happened, words):
    matrix, _ = world(200, 1)
    folds = person_folds(pd.Series(np.arange(200)), 4, 1)
    with pytest.raises(TrainingError, match=words):
        fit_risk(matrix, np.full(200, happened), np.zeros(200, dtype=bool), folds, RULES, 1)


def test_predictions_do_not_depend_on_the_newest_months_of_the_people_predicted(fitted):
    _, _, matrix, outcome, folds = fitted
    # Another name: of groups by age the calibration may be mended, and turned outcomes would ask for it.
    matrix = matrix.rename(columns={"age": "years"})
    when = np.arange(12_000) % 6
    held = (folds == 1) & (when == 5)
    turned = np.where(held, ~outcome, outcome)
    _, other = fit_risk(matrix, turned, np.zeros(12_000, dtype=bool), folds, RULES, 1, when=when)
    _, usual = fit_risk(matrix, outcome, np.zeros(12_000, dtype=bool), folds, RULES, 1, when=when)
    # Out-of-fold trees never saw these people; only the calibration, which everybody shares, may have moved.
    assert np.array_equal(np.argsort(other[folds == 1]), np.argsort(usual[folds == 1]))


def test_all_rows_of_a_person_fall_into_one_fold():
    people = pd.Series(np.repeat(np.arange(1000), 3))
    folds = person_folds(people, 5, 7)
    assert (pd.Series(folds).groupby(people).nunique() == 1).all()
    assert np.bincount(folds).min() > 500


def test_the_calibration_curve_has_ten_tenths_in_order(fitted):
    _, crossed, _, outcome, _ = fitted
    curve = calibration_curve(pd.DataFrame({"risk": crossed, "outcome": outcome}))
    assert curve["predicted"].is_monotonic_increasing
    assert curve["people"].sum() == 12_000


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


def test_all_that_is_said_of_the_evidence_comes_back_from_disk(tmp_path):
    told = replace(evidence(), advantage=Estimate(0.1, 0.2), lots="Few.", harm="It harms.", suspicion="It may harm.")
    assert all(asdict(told).values())
    programmes = {"walks": LearnedProgramme(told)}
    back = load(save(replace(bare(), evidence=told, programmes=programmes), tmp_path / "models"))
    assert back.evidence == back.programmes["walks"].evidence == told


def test_a_model_that_was_tampered_with_is_refused(fitted, tmp_path):
    folder = save(Models(fitted[0], fitted[0], None, None, evidence(), Benefit()), tmp_path / "models")
    described = json.loads((folder / "models.json").read_text())
    described["risks"]["risk"]["slope"] = 9
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


def test_every_rule_of_what_may_only_rise_finds_a_feature():
    bound = rising(CATALOGUE)
    found = {
        (declared.group, declared.aggregation) if declared.group else declared.name
        for declared in CATALOGUE
        if declared.name in bound
    }
    assert found == set(RISES_WITH)
    assert bound["cms_score"] == bound["cms_conditions"] == 1


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


def bare() -> Models:
    data = lightgbm.Dataset(pd.DataFrame({"age": np.arange(400.0)}), np.arange(400) > 200)
    trees = CalibratedRisk(Trees(lightgbm.train({"verbose": -1}, data, 2)), 0.0, 1.0, ("age",))
    return Models(trees, trees, None, None, evidence(), Benefit())


def test_a_model_whose_features_count_something_else_now_is_refused(tmp_path, monkeypatch):
    folder = save(bare(), tmp_path / "models")
    assert load(folder).risk.features == ("age",)
    monkeypatch.setattr(store, "declarations", lambda names: dict.fromkeys(names, "another"))
    with pytest.raises(TrainingError, match=r"1 feature.*'age'"):
        load(folder)


def test_a_model_of_a_version_that_kept_less_is_refused(tmp_path):
    folder = save(bare(), tmp_path / "models")
    told = json.loads((folder / "models.json").read_text())
    del told["risks"]
    (folder / "models.json").write_text(json.dumps(told))
    (folder / "digests.json").write_text(json.dumps(store._digests(folder)))
    with pytest.raises(TrainingError, match="earlier version"):
        load(folder)


def test_windows_longer_than_the_history_are_left_out_of_the_models():
    names = columns_with_history(365)
    assert "emergency_admission_count_365d" in names
    assert "emergency_admission_count_730d" not in names
    assert "emergency_admission_count_730d" in columns_with_history(730)
    assert "any_gp_event_days_since_first_ever" not in columns_with_history(10_000)


def test_what_is_made_of_others_is_left_out_where_a_part_of_it_drifts():
    assert "efi_index" in columns_with_history(365)
    assert "efi_index" not in columns_with_history(300)  # counts the medicines of a year
    assert "charlson_score" not in columns_with_history(365)
    assert "ed_attendance_change_90d" in columns_with_history(180)
    assert "ed_attendance_change_90d" not in columns_with_history(120)  # compares with the 90 days before


def test_numbers_of_lasting_conditions_stay_though_the_cancer_of_five_years_does_not():
    names = columns_with_history(365)
    assert {"cms_score", "cms_conditions", "major_illness"} <= set(names)
    assert RECENT_CANCER not in names
    assert RECENT_CANCER in columns_with_history(1826)


@pytest.mark.parametrize(("started", "told"), [(0, "0"), (7, "fewer than 8"), (8, "at least 5"), (299, "at least 295")])
def test_hardly_any_treatment_means_benefit_is_assumed_and_says_why(started, told):
    found = too_few(started, Benefit())
    assert found.grade == "assumed"
    assert f": {told} people started case management in the history, 300 are needed" in found.sentence()
