"""Which months are learned from, and which are kept for the test."""

import datetime as dt

import pandas as pd
import pytest

from casewell.errors import TrainingError
from casewell.settings import Settings
from models.index_dates import split


def settings(**training: int) -> Settings:
    source = {"path": "x.parquet"}
    return Settings.model_validate({"name": "test", "sources": {"demographics": source}, "training": training})


def test_every_training_outcome_is_known_before_the_first_test_date():
    rules = settings(index_dates=30, test_index_dates=3, reporting_lag_days=60)
    dates = split(dt.date(2022, 10, 1), dt.date(2026, 10, 1), rules)
    assert dates.train[-1] + pd.Timedelta(days=365 + 60) <= dates.test[0]
    assert dates.test[-1] + pd.Timedelta(days=365 + 60) <= pd.Timestamp("2026-10-01")
    assert dates.test == tuple(pd.Timestamp(day) for day in ("2025-06-01", "2025-07-01", "2025-08-01"))


def test_no_date_is_used_twice_and_all_are_in_order():
    dates = split(dt.date(2022, 10, 1), dt.date(2026, 10, 1), settings(index_dates=24))
    assert list(dates.mature) == sorted(set(dates.mature))
    assert len(dates.mature) == 24


def test_no_index_date_lies_before_the_data_begin():
    dates = split(dt.date(2023, 1, 1), dt.date(2026, 10, 1), settings(index_dates=60))
    assert min(dates.mature) > pd.Timestamp("2023-01-01")


def test_a_history_too_short_is_refused_with_advice():
    with pytest.raises(TrainingError, match="test month"):
        split(dt.date(2025, 1, 1), dt.date(2026, 10, 1), settings())
