import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.errors import SettingsError
from casewell.settings import Fairness
from fairness.levels import judge, levels_for, refuse_outdated_limits


def verdict(measure, low, high, wide_low, wide_high, value=1.0, people=1_000):
    row = {"measure": measure, "value": value, "low": low, "high": high, "people": people}
    return judge(pd.DataFrame([row | {"wide_low": wide_low, "wide_high": wide_high}]), Fairness()).iloc[0]


@pytest.mark.parametrize(
    ("low", "high", "wide_low", "wide_high", "expected"),
    [
        (0.70, 1.20, 0.60, 1.40, "pass"),
        (0.66, 1.20, 0.60, 1.40, "cannot tell"),
        (0.40, 0.60, 0.35, 0.66, "fail"),
        (0.40, 0.60, 0.35, 0.68, "cannot tell"),
        (2.00, 3.00, 1.80, 4.00, "pass"),
    ],
)
def test_a_share_of_places_is_judged_by_its_whole_interval(low, high, wide_low, wide_high, expected):
    assert verdict("share_ratio", low, high, wide_low, wide_high) == expected


@pytest.mark.parametrize(
    ("low", "high", "wide_low", "wide_high", "expected"),
    [
        (0.81, 1.24, 0.70, 1.30, "pass"),
        (0.79, 1.00, 0.70, 1.30, "cannot tell"),
        (1.00, 1.26, 0.90, 1.30, "cannot tell"),
        (1.30, 1.50, 1.26, 1.60, "fail"),
        (0.50, 0.70, 0.40, 0.79, "fail"),
        (1.30, 1.50, 1.20, 1.60, "cannot tell"),
    ],
)
def test_calibration_is_judged_on_both_sides(low, high, wide_low, wide_high, expected):
    assert verdict("calibration_ratio", low, high, wide_low, wide_high) == expected


def test_a_small_group_or_a_missing_figure_cannot_tell_and_other_measures_are_only_reported():
    assert verdict("share_ratio", 0.1, 0.2, 0.1, 0.3, people=99) == "cannot tell"
    assert verdict("share_ratio", np.nan, np.nan, np.nan, np.nan, value=np.nan) == "cannot tell"
    assert verdict("auroc", 0.1, 0.2, 0.1, 0.3) == "reported"


def test_more_comparisons_ask_for_more_certainty_before_a_fail():
    assert levels_for(0.95, 0) == (0.95, 0.95)
    assert levels_for(0.95, 10) == pytest.approx((0.95, 0.995))


def test_the_comparisons_are_those_the_gate_makes_in_groups_large_enough(tools):
    world = tools["make_world"](2_000)
    assert tools["run"](world, Fairness(gate_on=["sex"])).totals["comparisons"] == 4
    assert tools["run"](world, Fairness(gate_on=["sex"], minimum_people=1_500)).totals["comparisons"] == 0


def test_limits_whose_review_is_overdue_are_refused():
    day = dt.date(2027, 4, 1)
    refuse_outdated_limits(Fairness(), day)
    settings = Fairness(limits_owner="A. Director", limits_review_date=day)
    refuse_outdated_limits(settings, day)
    with pytest.raises(SettingsError, match="limits_review_date was 2027-04-01"):
        refuse_outdated_limits(settings, day + dt.timedelta(days=1))
