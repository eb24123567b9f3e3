"""The evaluation: against simple rules, by group, and what its page says."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.settings import Training
from models import assess
from models.benefit.comparison import Estimate
from models.benefit.evidence import Check, Evidence
from models.beside import measure_beside
from models.evaluation.against import compare
from models.evaluation.assessment import PRACTICE, numbers
from models.evaluation.by_group import measure_by
from models.evaluation.decision import EVERYBODY, decision_curve
from models.evaluation.evaluate import evaluate
from models.evaluation.found import found_early
from models.evaluation.page import write_page
from models.evaluation.verdicts import months_unjudged, not_beaten, on_rivals, weakest
from models.promotion import decide
from models.risk.baselines import run_baselines
from models.risk.estimator import fit_risk, person_folds
from models.risk.kinds import NAMES

PEOPLE = 8_000
LOGISTIC = NAMES["linear"]
COLUMNS = ["age", "sex_female", "emergency_admission_count_365d", "emergency_admission_count_730d", "illness"]
EVIDENCE = Evidence("assumed", (Check("enough treated", False, "seen"),), 12, Estimate(0.01, 0.02), None)


def world(seed: int, plain: bool) -> pd.DataFrame:
    """People of two index dates; in a `plain` world risk is a logistic regression, otherwise it rises at both ends of illness."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "person_id": np.arange(PEOPLE) % (PEOPLE // 2),
            "index_date": pd.Timestamp("2025-06-01").as_unit("us"),
            "age": random.uniform(18, 95, PEOPLE),
            "sex_female": random.integers(0, 2, PEOPLE).astype(float),
            "emergency_admission_count_365d": random.poisson(0.2, PEOPLE).astype(float),
            "illness": random.normal(size=PEOPLE),
        }
    )
    rows["index_date"] = np.where(np.arange(PEOPLE) < PEOPLE // 2, rows["index_date"], pd.Timestamp("2025-07-01"))
    rows["emergency_admission_count_730d"] = rows["emergency_admission_count_365d"] + random.poisson(0.2, PEOPLE)
    odds = -4 + 0.03 * rows["age"] + 0.5 * rows["emergency_admission_count_365d"]
    odds += 0.8 * rows["illness"] if plain else 1.5 * (rows["illness"].abs() > 1)
    rows["outcome"] = random.random(PEOPLE) < expit(odds)
    rows["days_to_outcome"] = np.where(rows["outcome"], random.integers(0, 365, PEOPLE), np.nan)
    return rows


def examined(plain: bool):
    learn, rows = world(1, plain), world(2, plain)
    rules = Training(trees=80, learning_rate=0.1, minimum_leaf=50)
    nobody, folds = np.zeros(PEOPLE, dtype=bool), person_folds(learn["person_id"], 4, 1)
    matrix = learn[COLUMNS].astype("float32")
    outcome = learn["outcome"].to_numpy()
    model, _ = fit_risk(matrix, outcome, nobody, folds, rules, 1)
    linear, _ = fit_risk(matrix, outcome, nobody, folds, rules, 1, kind="linear")
    test = rows[["index_date", "person_id", "outcome"]].assign(risk=model.predict(rows), need=0.0)
    simple = run_baselines(learn, ~nobody, rows, {LOGISTIC: linear.predict(rows)})
    groups = {
        "sex": rows["sex_female"].map({0.0: "male", 1.0: "female"}),
        PRACTICE: (rows["person_id"] % 7).astype(str),
    }
    themes = dict.fromkeys(COLUMNS, "hospital") | {"age": "people", "sex_female": "people"}
    return assess(model, test, rows, simple, groups, themes, 0.05, 1, draws=20), test, rows


@pytest.fixture(scope="module")
def twisted():
    return examined(plain=False)


def test_the_model_ranks_better_than_every_rule_where_it_does(twisted):
    assert not_beaten(twisted[0].against) == []


def test_every_baseline_is_run_or_said_to_be_absent(twisted):
    found = twisted[0]
    assert {"last year's admissions", "age and sex", LOGISTIC} <= set(found.against["rule"])
    assert "charlson" in found.absent["Charlson index"].lower()


def test_a_rule_that_is_the_model_gains_nothing_on_it(twisted):
    _, test, _ = twisted
    found = compare(test, pd.DataFrame({"same": test["risk"]}), 0.05, 1, draws=20)
    same = found[found["rule"] == "same"]
    assert (same[["gain", "gain_low", "gain_high"]].abs() < 1e-12).all().all()
    assert set(found["month"]) == {"all", "2025-06-01", "2025-07-01"}


def test_a_rule_that_knows_the_outcome_is_said_not_to_be_beaten(twisted):
    _, test, _ = twisted
    oracle = pd.DataFrame({"oracle": np.where(test["outcome"], 0.9, 0.1)})
    assert len(not_beaten(compare(test, oracle, 0.05, 1, draws=5))) == 3


def test_a_month_in_which_nobody_had_the_outcome_is_neither_won_nor_lost(twisted):
    _, test, rows = twisted
    late = test["index_date"] == test["index_date"].max()
    silent = compare(test.assign(outcome=test["outcome"] & ~late), rows[["age"]] / 100, 0.05, 1, draws=5)
    assert months_unjudged(silent) == ["2025-07-01"]
    assert not_beaten(silent) == []
    assert on_rivals(silent).endswith(
        "in every test month in which that can be told. It cannot be told in: 2025-07-01."
    )
    nobody = compare(test.assign(outcome=False), pd.DataFrame({LOGISTIC: test["risk"]}), 0.05, 1, draws=5)
    assert "cannot be told" in on_rivals(nobody)


def test_acting_on_everybody_is_worth_what_arithmetic_says():
    outcome = np.arange(100) < 30
    curve = decision_curve({"oracle": outcome.astype(float)}, outcome, np.arange(100), 1, draws=10)
    at = curve[curve["threshold"] == 0.2].set_index("rule")["net_benefit"]
    assert at["oracle"] == pytest.approx(0.3)
    assert at[EVERYBODY] == pytest.approx(0.3 - 0.7 * 0.2 / 0.8)


def test_lead_time_and_admissions_before_are_those_of_the_true_positives():
    rows = pd.DataFrame(
        {
            "person_id": np.arange(30),
            "outcome": [True] * 20 + [False] * 10,
            "days_to_outcome": [*[10.0] * 5, *[200.0] * 15, *[np.nan] * 10],
            "emergency_admission_count_730d": [1.0] * 5 + [0.0] * 25,
        }
    )
    found, absent = found_early(rows, np.ones(30, dtype=bool), 1)
    value = found.set_index("measure")["value"]
    assert value["lead_days"] == 200
    assert value["lead_over_90_days"] == 0.75
    assert value["without_admission"] == 0.75
    assert absent == {}


def test_without_anybody_rightly_found_the_reason_is_given():
    rows = pd.DataFrame({"person_id": [1], "outcome": [False], "days_to_outcome": [np.nan]})
    found, absent = found_early(rows, np.ones(1, dtype=bool), 1)
    assert found.empty
    assert "nobody" in absent["lead_days"]


def test_what_moves_the_predictions_is_gathered_by_theme(twisted):
    found = twisted[0]
    assert found.features["feature"].iloc[0] in {"illness", "age"}
    assert set(found.themes["theme"]) == {"hospital", "people"}
    admissions = found.features.set_index("feature").loc["emergency_admission_count_365d"]
    assert admissions["more_means"] == "more"


def test_a_group_for_whom_it_predicts_too_little_is_named(twisted):
    found, test, rows = twisted
    worse = test.assign(risk=np.where(rows["sex_female"] == 1, test["risk"] / 2, test["risk"]))
    groups = measure_by(worse, rows["sex_female"].map({0.0: "male", 1.0: "female"}), 0.05, 1).assign(grouping="sex")
    said = weakest(replace(found, groups=groups))
    assert any("too little for sex 'female'" in sentence for sentence in said)
    assert not any("too little for sex 'male'" in sentence for sentence in said)


def test_the_page_says_everything_and_is_the_same_twice(twisted, tmp_path):
    found, _, rows = twisted
    pages = [
        write_page(
            found,
            None,
            None,
            EVIDENCE,
            tmp_path / name,
            "admission",
            dt.date(2026, 10, 1),
            True,
            measure_beside({}, rows, 0.05, 1),
            pd.DataFrame({"other": []}),
            None,
            "The trees earn their keep.",
        ).read_bytes()
        for name in ("a.html", "b.html")
    ]
    assert pages[0] == pages[1]
    text = pages[0].decode()
    for heading in ("Risk", "Against what else", "Calibration", "worth", "Whom it finds", "For whom", "By practice"):
        assert heading in text
    for heading in ("Over time", "What drives it", "Where it is weakest", "Evidence of benefit"):
        assert heading in text
    assert text.count("<svg") == 6
    assert "The trees earn their keep." in text
    assert "nan" not in text


def test_the_page_holds_stated_benefits_and_their_intervals_against_what_was_had(twisted, tmp_path):
    found, _, rows = twisted
    names = ["stated", "stated_low", "stated_high", "found", "found_low", "found_high"]
    told = [0.04, -0.1, 0.2, 0.03, 0.01, 0.05], [0.09, -0.1, 0.3, None, None, None]
    tenths = pd.DataFrame(told, columns=names, dtype=object)
    about = (tmp_path / "a.html", "admission", dt.date(2026, 10, 1), True, measure_beside({}, rows, 0.05, 1))
    page = write_page(
        found, None, tenths.assign(tenth=[1, 2]), EVIDENCE, *about, pd.DataFrame({"other": []}), None, "Said."
    ).read_text()
    assert "in 1 of 2 the benefit that was stated lies within" in page
    assert "benefit is assumed and has no interval" in page
    assert "-0.100 to +0.300" in page
    assert "cannot be told" in page


def test_the_same_numbers_stand_in_the_json_and_the_books(twisted):
    found, *_ = twisted
    told = json.loads(json.dumps(found.as_dict()))
    auroc = {row["measure"]: row["value"] for row in told["measures"]}["auroc"]
    assert numbers(found)["auroc"] == pytest.approx(auroc)
    assert "auroc_of_logistic_regression" in numbers(found)


def groups_of(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {"sex": rows["sex_female"].map({0.0: "male", 1.0: "female"})}


def decision(test, champion, rows, share=0.05):
    return decide(evaluate(test, share, 1, draws=50), test, champion, share, groups_of(rows))


def test_a_calibrated_challenger_without_a_champion_is_promoted(twisted):
    _, test, rows = twisted
    assert decision(test, None, rows).promoted


def test_a_challenger_that_is_not_calibrated_is_refused(twisted):
    _, test, rows = twisted
    refused = decision(test.assign(risk=test["risk"] / 2), None, rows)
    assert not refused.promoted
    assert "outside 0.8 to 1.25" in refused.reason


def test_a_challenger_no_better_than_chance_is_refused(twisted):
    _, test, rows = twisted
    blind = np.random.default_rng(1).normal(test["outcome"].mean(), 0.001, len(test))
    measures = evaluate(test.assign(risk=blind), 0.05, 1, draws=50)
    measures.loc[measures["measure"] == "calibration_slope", "value"] = 1.0
    refused = decide(measures, test.assign(risk=blind), None, 0.05, groups_of(rows))
    assert "chance" in refused.reason


def test_a_challenger_that_finds_fewer_than_the_champion_is_refused(twisted):
    _, test, rows = twisted
    better = np.where(test["outcome"], 0.9, 0.1)
    assert not decision(test, better, rows).promoted
    assert decision(test, 1 - better, rows).promoted


def test_the_same_model_again_is_promoted(twisted):
    _, test, rows = twisted
    assert decision(test, test["risk"].to_numpy(), rows).promoted


def test_a_challenger_that_harms_a_group_is_refused_and_the_group_named(twisted):
    _, test, rows = twisted
    # The champion finds women, the challenger finds more, but men.
    female = rows["sex_female"].to_numpy() == 1
    champion = np.where(female, test["risk"], 0.001)
    challenger = np.where(~female & test["outcome"], 0.99, np.where(female, 0.001, test["risk"]))
    measures = evaluate(test, 0.05, 1, draws=50)
    refused = decide(measures, test.assign(risk=challenger), champion, 0.05, groups_of(rows))
    assert not refused.promoted
    assert "sex 'female'" in refused.reason


def test_baselines_bear_features_without_values():
    rows = world(1, True)
    rows = rows.assign(age=np.nan)
    found = run_baselines(rows, np.ones(len(rows), dtype=bool), rows, {})
    assert "age and sex" in found.absent
    assert found.risk["last year's admissions"].between(0, 1).all()


def test_a_test_too_small_for_its_figures_refuses_and_says_that_they_could_not_be_measured(twisted):
    _, test, rows = twisted
    few = test.head(60)
    refused = decide(evaluate(few, 0.05, 1, draws=10), few, None, 0.05, groups_of(rows.head(60)))
    assert not refused.promoted
    assert "could not be measured" in refused.reason
    assert "nan" not in refused.reason
