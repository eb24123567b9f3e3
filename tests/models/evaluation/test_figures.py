"""Figures of merit, with and without draws; calibration; groups too small to tell."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from models.evaluation import cells
from models.evaluation.by_group import draw_figures, measure_by
from models.evaluation.evaluate import evaluate
from models.evaluation.figures import MEASURES, at_capacity, figures
from models.risk.calibration import log_odds
from models.risk.flexible import calibrated, fit_logistic, knots_of

PEOPLE = 6_000


def predicted(number: int = PEOPLE, seed: int = 5, shift: float = 0.0) -> pd.DataFrame:
    """Predictions whose log odds are `shift` too low."""
    random = np.random.default_rng(seed)
    odds = random.normal(-1.8, 1.1, number)
    return pd.DataFrame(
        {"person_id": np.arange(number), "risk": expit(odds), "outcome": random.random(number) < expit(odds + shift)}
    )


def values(table: pd.DataFrame, column: str = "value") -> pd.Series:
    return table.set_index("measure")[column]


def test_a_known_case():
    risk, outcome = np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, False, True, False])
    found = figures(risk, outcome, at_capacity(risk, 0.5), knots_of(log_odds(risk)))
    assert found["auroc"] == 0.75
    assert found["ppv_at_capacity"] == 0.5
    assert found["sensitivity_at_capacity"] == 0.5
    assert found["lift_at_capacity"] == 1
    assert found["brier"] == pytest.approx((0.01 + 0.64 + 0.64 + 0.01) / 4)
    assert found["scaled_brier"] == pytest.approx(1 - found["brier"] / 0.25)


def test_predictions_that_are_right_are_said_to_be_calibrated():
    found = values(evaluate(predicted(60_000), 0.05, 1, draws=0))
    assert found["calibration_intercept"] == pytest.approx(0, abs=0.05)
    assert found["calibration_slope"] == pytest.approx(1, abs=0.05)
    assert found["ici"] < 0.005


def test_predictions_that_are_too_low_are_found_out():
    found = values(evaluate(predicted(60_000, shift=0.5), 0.05, 1, draws=0))
    assert found["calibration_intercept"] == pytest.approx(0.5, abs=0.05)
    assert found["observed_over_expected"] > 1.3
    assert found["ici"] > 0.05


def test_a_bent_calibration_is_found_by_the_index_although_the_slope_is_right():
    test = predicted(60_000)
    odds = logit(test["risk"].to_numpy())
    bent = expit(odds + 0.6 * np.cos(3 * odds))
    test["outcome"] = np.random.default_rng(1).random(len(test)) < bent
    assert values(evaluate(test, 0.05, 1, draws=0))["ici"] > 0.02


def test_figures_of_draws_agree_with_those_of_the_rows():
    test = predicted()
    risk, outcome = test["risk"].to_numpy(), test["outcome"].to_numpy()
    knots = knots_of(log_odds(risk))
    exact = figures(risk, outcome, at_capacity(risk, 0.05), knots)
    counted = cells.count(risk, outcome, np.arange(PEOPLE), np.zeros(PEOPLE, dtype=int), 1, 0, 1)
    drawn = draw_figures(counted, 0.05, knots)
    for measure in MEASURES:
        assert drawn[measure][0, 0] == pytest.approx(exact[measure], abs=0.02, rel=0.02), measure


def test_an_interval_covers_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(30):
        found = evaluate(predicted(1_500, seed), 0.05, 1, draws=60).set_index("measure").loc["observed_over_expected"]
        covered += found["low"] <= 1 <= found["high"]
    assert covered >= 25


def test_intervals_hold_the_value_and_are_wider_for_fewer_people():
    test = predicted()
    wide, narrow = (evaluate(test.head(n), 0.1, 1).set_index("measure").loc["auroc"] for n in (800, PEOPLE))
    assert narrow["low"] < narrow["value"] < narrow["high"]
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_repeated_rows_of_the_same_people_do_not_narrow_an_interval():
    once = predicted(800)
    one, five = (evaluate(t, 0.1, 1).set_index("measure").loc["auroc"] for t in (once, pd.concat([once] * 5)))
    assert five["high"] - five["low"] == pytest.approx(one["high"] - one["low"], rel=0.3)


def test_the_order_of_rows_does_not_matter():
    test = predicted(2_000).assign(group=lambda t: np.where(t["person_id"] % 3 == 0, "a", "b"))
    mixed = test.sample(frac=1, random_state=4)
    first, second = (measure_by(t, t["group"], 0.05, 1, draws=20) for t in (test, mixed))
    pd.testing.assert_frame_equal(first, second)


def test_capacity_is_one_threshold_for_all_groups():
    test = predicted().assign(group=lambda t: np.where(t["risk"] > 0.2, "high", "low"))
    found = measure_by(test, test["group"], 0.05, 1, draws=10).set_index(["group", "measure"])["value"]
    assert found["high", "share_at_capacity"] > 0.05
    assert np.isnan(found["low", "ppv_at_capacity"])


@pytest.mark.parametrize(
    ("people", "outcomes", "told"), [(3, 1, False), (99, 40, False), (200, 19, False), (200, 20, True)]
)
def test_a_group_with_too_few_people_or_outcomes_is_too_small_to_tell(people, outcomes, told):
    test = predicted(4_000).assign(group="others")
    few = predicted(people, 7).assign(group="few", person_id=lambda t: t["person_id"] + 10_000)
    few["outcome"] = np.arange(people) < outcomes
    both = pd.concat([test, few], ignore_index=True)
    found = measure_by(both, both["group"], 0.05, 1, draws=10)
    figure = found[found["group"] == "few"].set_index("measure")
    assert figure.loc["auroc", ["value", "low", "high"]].notna().all() == told
    assert found[found["group"] == "others"]["value"].notna().all()


def test_a_share_of_fewer_than_eight_people_is_not_told():
    test = predicted(4_000)
    found = values(evaluate(test, 7 / 4_000, 1, draws=10))
    assert np.isnan(found["ppv_at_capacity"])
    assert np.isfinite(found["auroc"])


@pytest.mark.parametrize("centre", [-6.0, -3.5, 0.5, 2.0])
def test_a_calibrated_group_at_one_end_of_the_scale_is_said_to_be_calibrated(centre):
    random = np.random.default_rng(3)
    knots = knots_of(random.normal(-2.5, 1.0, 20_000))
    odds = random.normal(centre, 0.4, 8_000)
    smoothed = calibrated(odds, np.ones(8_000), expit(odds), knots)
    assert np.abs(smoothed - expit(odds)).mean() < 0.002


def test_logistic_regressions_of_counts_are_those_of_the_rows():
    test = predicted(2_000)
    odds = log_odds(test["risk"].to_numpy())
    design = np.column_stack([np.ones(len(odds)), odds])
    happened = test["outcome"].to_numpy("float64")
    twice = fit_logistic(design, np.full((3, len(odds)), 2.0), np.tile(2 * happened, (3, 1)))
    once = fit_logistic(design, np.ones(len(odds)), happened)
    assert twice == pytest.approx(np.tile(once, (3, 1)), abs=1e-5)
