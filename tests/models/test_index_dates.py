"""Which months are learned from, calibrated on and chosen by, and which are kept for the test."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.errors import TrainingError
from casewell.settings import Settings
from models.index_dates import USES, drawn, require_outcomes, split, windows
from models.train import require_enough_outcomes

HISTORY = (dt.date(2022, 10, 1), dt.date(2026, 10, 1))


def settings(**training: int) -> Settings:
    source = {"path": "x.parquet"}
    return Settings.model_validate({"name": "test", "sources": {"demographics": source}, "training": training})


def test_every_outcome_that_is_learned_from_is_known_before_the_first_test_date():
    dates = split(*HISTORY, settings(index_dates=30, test_index_dates=3, reporting_lag_days=60))
    assert dates.known[-1] + pd.Timedelta(days=365 + 60) <= dates.test[0]
    assert dates.test[-1] + pd.Timedelta(days=365 + 60) <= pd.Timestamp("2026-10-01")
    assert dates.test == tuple(pd.Timestamp(day) for day in ("2025-06-01", "2025-07-01", "2025-08-01"))


def test_the_windows_follow_one_another_and_none_is_empty():
    dates = split(*HISTORY, settings(index_dates=24))
    assert all(getattr(dates, use) for use in USES)
    assert list(dates.mature) == sorted(set(dates.mature))
    assert len(dates.mature) == 24
    assert dates.known == dates.train + dates.calibrate + dates.choose


@pytest.mark.parametrize(("number", "sizes"), [(3, (1, 1, 1)), (8, (5, 2, 1)), (24, (14, 6, 4))])
def test_the_newest_dates_choose_and_those_before_calibrate(number, sizes):
    cut = windows(list(range(number)))
    assert (len(cut.train), len(cut.calibrate), len(cut.choose)) == sizes
    assert [*cut.train, *cut.calibrate, *cut.choose] == list(range(number))


def test_no_index_date_lies_before_the_data_begin():
    dates = split(dt.date(2023, 1, 1), dt.date(2026, 10, 1), settings(index_dates=60))
    assert min(dates.mature) > pd.Timestamp("2023-01-01")


def test_a_longer_step_reaches_further_back_with_as_many_dates():
    dates = split(*HISTORY, settings(index_dates=12, step_months=2))
    assert len(dates.mature) == 12
    assert dates.mature[0] == pd.Timestamp("2023-10-01")


@pytest.mark.parametrize(
    ("begin", "training"),
    [(dt.date(2025, 1, 1), {}), (HISTORY[0], {"index_dates": 12}), (HISTORY[0], {"step_months": 6})],
)
def test_a_history_too_short_for_every_window_is_refused_with_advice(begin, training):
    with pytest.raises(TrainingError, match="3 are needed") as refusal:
        split(begin, HISTORY[1], settings(**training))
    assert "history" in refusal.value.advice


def counted(outcomes: dict[str, int]) -> pd.DataFrame:
    dates = split(*HISTORY, settings(index_dates=24))
    rows = [
        (date, number < outcomes.get(use, 3)) for use in USES for date in getattr(dates, use) for number in range(5)
    ]
    return drawn(dates, pd.DataFrame(rows, columns=["index_date", "outcome"]))


def test_each_date_is_drawn_with_its_use_its_people_and_outcomes():
    table = counted({})
    assert (table["people"] == 5).all()
    assert (table["outcomes"] == 3).all()
    assert list(dict.fromkeys(table["use"])) == list(USES)
    assert require_outcomes(table) is table


def test_a_window_without_people_or_outcomes_is_refused_by_name():
    table = counted({"calibrate": 0})
    table.loc[table["use"] == "choose", ["people", "outcomes"]] = 0
    with pytest.raises(TrainingError) as refusal:
        require_outcomes(table)
    assert refusal.value.problems == [
        "nobody was eligible on the dates to choose",
        "nobody had the outcome after the dates to calibrate (10 people-months)",
    ]


def months(outcomes_a_month: int) -> tuple[pd.DataFrame, object]:
    """Two hundred people in every month, none of them treated, the first so many of them with the outcome."""
    dates = split(*HISTORY, settings(index_dates=24))
    rows = pd.DataFrame(
        {"index_date": np.repeat(np.array(dates.mature), 200), "person_id": np.tile(np.arange(200), 24)}
    )
    rows = rows.assign(treated=False, early=False, offerable=True, outcome=rows["person_id"] < outcomes_a_month)
    return rows, dates


def test_a_test_with_too_few_outcomes_for_its_figures_is_refused_with_both_numbers():
    require_enough_outcomes(*months(7), settings())
    with pytest.raises(TrainingError) as refusal:
        require_enough_outcomes(*months(6), settings(minimum_events=200))
    assert refusal.value.problems == [
        "48 outcomes in the training months, 200 are needed",
        "18 outcomes in the test months, 20 are needed",
    ]
