"""What an offer drawn by lot changed, on lots whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.programme.lots import by_lot, first_lots
from models.programme.outcomes import MONTHS, Course


def drawn_by_lot(number: int, effect: float, seed: int) -> tuple[pd.DataFrame, Course]:
    """Two strata: where the chance of a place is high the outcome is frequent, so that a plain comparison would see harm."""
    random = np.random.default_rng(seed)
    high = random.random(number) < 0.5
    chance = np.where(high, 2 / 3, 1 / 4)
    drawn = random.random(number) < chance
    happened = random.random(number) < np.where(high, 0.6, 0.2) + effect * drawn
    admissions = np.zeros((number, 3 * MONTHS))
    admissions[:, 2 * MONTHS] = happened
    started = drawn & (random.random(number) < 0.5)
    course = Course({"admissions": admissions}, np.full(number, np.nan), np.ones(number, dtype=bool), started)
    table = pd.DataFrame({"person_id": np.arange(number), "chance": chance, "drawn": drawn})
    return table.assign(entries=1, drawn_later=False), course


def test_the_effect_of_an_offer_is_within_its_interval_where_a_plain_comparison_is_not() -> None:
    lots, course = drawn_by_lot(6000, -0.1, 1)
    found = by_lot(lots, course)
    low, high = found.difference.interval()
    assert low < -0.1 < high < 0
    outcome = course.outcome()
    assert outcome[lots["drawn"]].mean() - outcome[~lots["drawn"]].mean() > high
    assert found.started[0] == pytest.approx(0.5, abs=0.05)
    assert found.started[1] == 0
    assert found.drawn + found.passed_over == 6000


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = []
    for seed in range(200):
        found = by_lot(*drawn_by_lot(600, -0.05, seed)).difference
        held.append(found.interval()[0] < -0.05 < found.interval()[1])
    assert 0.90 <= np.mean(held) <= 0.99


def test_a_person_counts_once_by_the_first_lot_however_often_drawn_again() -> None:
    weeks = pd.to_datetime(["2024-01-08", "2024-01-01", "2024-01-15", "2024-01-01", "2025-06-01"])
    lots = pd.DataFrame(
        {
            "as_of": weeks,
            "team_code": "A",
            "person_id": [7, 7, 7, 3, 3],
            "chance": 0.5,
            "drawn": [True, False, False, False, True],
        }
    )
    told = first_lots(lots)
    assert told["person_id"].tolist() == [3, 7]
    assert told["as_of"].nunique() == 1
    assert told["entries"].tolist() == [1, 3]
    assert told["drawn"].tolist() == [False, False]
    assert told["drawn_later"].tolist() == [False, True], "a draw after the year is no draw within it"
    turned = first_lots(lots.iloc[::-1])
    pd.testing.assert_frame_equal(told, turned)


def test_forty_people_in_ten_weekly_lots_are_forty_people() -> None:
    lots, course = drawn_by_lot(400, -0.1, 4)
    weekly = lots.assign(
        person_id=np.arange(400) % 40,
        as_of=pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * (np.arange(400) // 40), unit="D"),
        team_code="A",
    )
    once = first_lots(weekly.drop(columns=["entries", "drawn_later"]))
    assert (
        by_lot(once, Course(*(part(vars(course)[name], 40) for name in ("counts", "died", "stayed", "started"))))
        is None
    )


def part(values: np.ndarray | dict, number: int) -> np.ndarray | dict:
    return {name: one[:number] for name, one in values.items()} if isinstance(values, dict) else values[:number]


def test_a_handful_in_a_lot_gives_no_number() -> None:
    lots, course = drawn_by_lot(99, -0.1, 2)
    assert by_lot(lots, course) is None
    lots, course = drawn_by_lot(400, -0.1, 3)
    assert by_lot(lots.assign(drawn=np.arange(400) < 12), course) is None
