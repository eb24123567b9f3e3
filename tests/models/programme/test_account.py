"""Groups and checks of a programme's account, on arms made up for the purpose."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Benefit
from models.benefit.comparison import Estimate
from models.programme.account import by_group, unequal
from models.programme.checks import checks, known_from_one_year
from models.programme.earlier import on_record_two_years, year_before_last
from models.programme.effect import Arms


def arms(number: int, seed: int) -> tuple[Arms, np.ndarray, np.ndarray]:
    """Half start, drawn evenly; women are helped by 0.2, men not, and four people say neither."""
    random = np.random.default_rng(seed)
    treated = random.random(number) < 0.5
    sex = np.where(np.arange(number) % 2 == 0, "female", "male").astype(object)
    sex[:4] = "other"
    happened = random.random(number) < 0.5 - 0.2 * (treated & (sex == "female"))
    return Arms(np.arange(number), treated, np.ones(number), np.ones(number)), happened, sex


def test_each_group_has_its_own_effect_and_a_few_people_have_none() -> None:
    both, happened, sex = arms(4000, 1)
    table = by_group(both, happened, np.full(4000, 0.5), {"sex": sex}).set_index("group")
    assert table.loc["female", "low"] < -0.2 < table.loc["female", "high"] < 0
    assert table.loc["male", "low"] < 0 < table.loc["male", "high"]
    assert np.isnan(table.loc["other", "difference"])
    assert table["starters"].sum() == both.treated.sum()
    assert unequal(table.reset_index())["p"].iloc[0] < 0.001


def test_groups_that_are_helped_alike_are_not_told_apart() -> None:
    low = []
    for seed in range(60):
        both, _, sex = arms(1200, seed)
        happened = np.random.default_rng(seed + 1000).random(1200) < 0.5 - 0.1 * both.treated
        low.append(unequal(by_group(both, happened, np.full(1200, 0.5), {"sex": sex}))["p"].iloc[0] < 0.05)
    assert np.mean(low) < 0.15


def weighed(**changes: object) -> dict[str, bool]:
    apart = pd.Series({"age": 0.02, "admissions": -0.05})
    told = {
        "apart": apart,
        "comparable": 4000.0,
        "starters": 1000,
        "out_of_reach": 0.01,
        "control": Estimate(0.01, 0.01),
        "earlier": Estimate(-0.01, 0.012),
        "events": (80, 300),
        "two_years": True,
        "rules": Benefit(),
    }
    return {check.name: check.passed for check in checks(**(told | changes))}


def test_months_whose_year_before_last_is_on_record_answer_for_the_others() -> None:
    dates = pd.Series(pd.to_datetime(["2023-09-01"] * 100 + ["2023-11-01"] * 100))
    started, begin = np.arange(200) % 2 == 0, pd.Timestamp("2021-10-01")
    assert on_record_two_years(dates, started, begin).tolist() == [False] * 100 + [True] * 100
    assert on_record_two_years(dates, started, pd.Timestamp("2021-01-01")).all()
    assert not on_record_two_years(dates, started & (np.arange(200) != 100), begin).any(), "49 starters are too few"


def test_like_compared_with_like_passes_every_check() -> None:
    assert all(weighed().values())


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"starters": 250}, "enough starters"),
        ({"apart": pd.Series({"age": 0.02, "admissions": -0.3})}, "balance"),
        ({"comparable": 1500.0}, "overlap"),
        ({"out_of_reach": 0.2}, "overlap"),
        ({"control": Estimate(0.04, 0.01)}, "planned admissions"),
        ({"control": Estimate(0.0, 0.04)}, "planned admissions"),
        ({"earlier": Estimate(-0.03, 0.01)}, "the year before last"),
        ({"control": Estimate(2e-23, 2e-22), "events": (0, 300)}, "planned admissions"),
        ({"earlier": Estimate(0.0, 0.0), "events": (80, 9)}, "the year before last"),
        ({"two_years": False}, "the year before last"),
    ],
)
def test_each_check_fails_by_itself(changes: dict, failed: str) -> None:
    assert [name for name, passed in weighed(**changes).items() if not passed] == [failed]


def test_a_difference_that_a_lottery_would_leave_among_few_people_is_no_imbalance() -> None:
    apart = pd.Series(np.linspace(-0.13, 0.13, 300), index=[f"feature {number}" for number in range(300)])
    assert weighed(apart=apart, starters=400, comparable=2000.0)["balance"]
    assert not weighed(apart=apart, starters=4000, comparable=20000.0)["balance"]
    assert not weighed(apart=apart * 2, starters=300, comparable=300.0)["balance"], "0.26 is a difference, however few"


def test_no_check_says_exactly_how_many_people_started() -> None:
    for starters, passes in ((1237, True), (123, False)):
        told = checks(
            pd.Series({"age": 0.02}),
            4001.0,
            starters,
            3 / starters,
            Estimate(0.0, 0.01),
            Estimate(0.0, 0.01),
            (80, 80),
            True,
            Benefit(),
        )
        assert told[0].passed is passes
        assert not any(str(starters) in check.seen or f"{starters:,}" in check.seen for check in told)


def test_a_hidden_difference_in_the_year_before_last_is_seen_though_features_hold_that_year() -> None:
    """Who was admitted then starts four times as often; features of two years would make the arms alike in it."""
    number, random = 8000, np.random.default_rng(12)
    then, last = random.poisson(0.3, number), random.poisson(0.3, number)
    treated = random.random(number) < np.where(then > 0, 0.2, 0.05)
    X = pd.DataFrame({"emergency_admission_count_365d": last, "emergency_admission_count_730d": last + then})
    stayed = np.ones(number, dtype=bool)
    found = year_before_last(X.astype("float32"), then > 0, stayed, np.arange(number), treated, 0)
    assert found.interval()[0] > 0.1


def test_the_year_before_last_is_weighed_without_what_would_show_that_year() -> None:
    last_year = ["emergency_admission_count_365d", "emergency_admission_change_90d", "cms_copd_any_ever"]
    further = [
        "emergency_admission_count_730d",
        "emergency_admission_periods_with_1080d",
        "emergency_admission_days_since_last_ever",
        "ed_attendance_count_1095d",
    ]
    assert set(known_from_one_year([*further, *last_year])) == set(last_year)
