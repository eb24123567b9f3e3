"""Whether what was predicted came true."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Monitoring
from monitoring.maturing import about_calibration, calibration_of, early_share, expected_early, slope_of

WEEK = dt.date(2025, 7, 1)


def week(expected, outcome, reading="in full", days=365):
    return pd.DataFrame({"week": WEEK, "reading": reading, "days": days, "expected": expected, "outcome": outcome})


@pytest.fixture
def risks():
    return np.random.default_rng(2).beta(1, 8, 20_000)


def test_predictions_that_come_true_have_a_ratio_and_a_slope_of_one(risks):
    happened = np.random.default_rng(3).random(len(risks)) < risks
    (row,) = calibration_of(week(risks, happened)).itertuples()
    assert row.low < 1 < row.high
    assert row.slope_low < 1 < row.slope_high
    assert about_calibration(calibration_of(week(risks, happened)), Monitoring()) == []


def test_twice_as_many_outcomes_as_predicted_are_named(risks):
    happened = np.random.default_rng(3).random(len(risks)) < np.minimum(2 * risks, 1)
    (finding,) = about_calibration(calibration_of(week(risks, happened)), Monitoring())
    assert finding.check == "calibration"
    assert "1 July 2025" in finding.sentence


def test_few_outcomes_say_nothing():
    found = calibration_of(week(np.full(500, 0.01), np.arange(500) < 15))
    assert found["ratio"].isna().all()
    assert about_calibration(found, Monitoring()) == []


def test_the_interval_is_the_exact_one_of_a_poisson_number():
    (row,) = calibration_of(week(np.full(1_000, 0.1), np.arange(1_000) < 100)).itertuples()
    assert row.ratio == pytest.approx(1)
    assert (row.low, row.high) == (pytest.approx(0.8136, abs=1e-4), pytest.approx(1.2163, abs=1e-4))


def test_the_early_reading_expects_what_came_early_in_the_champions_test(risks):
    draw = np.random.default_rng(4)
    early = draw.random(len(risks)) < 1 - (1 - risks) ** 0.3
    expected = expected_early(risks, early_share(risks, early))
    assert expected.sum() == pytest.approx(early.sum(), rel=1e-3)
    again = draw.random(len(risks)) < 1 - (1 - risks) ** 0.3
    assert calibration_of(week(expected, again))["ratio"].item() == pytest.approx(1, abs=0.1)


def test_too_few_early_outcomes_give_no_expectation():
    assert early_share(np.full(100, 0.1), np.arange(100) < 5) is None


def test_the_slope_is_that_of_the_log_odds(risks):
    odds = np.log(risks / (1 - risks))
    happened = np.random.default_rng(6).random(len(risks)) < 1 / (1 + np.exp(-0.5 * odds))
    slope, error = slope_of(risks, happened)
    assert slope == pytest.approx(0.5, abs=3 * error)
