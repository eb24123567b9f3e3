"""Which months to learn from, and which to keep for the test."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from casewell.errors import TrainingError
from casewell.settings import Settings


@dataclass(frozen=True)
class Split:
    """Index dates by their use; outcomes of `train` are all known before the first of `test`."""

    train: tuple[pd.Timestamp, ...]
    between: tuple[pd.Timestamp, ...]
    test: tuple[pd.Timestamp, ...]

    @property
    def mature(self) -> tuple[pd.Timestamp, ...]:
        """Every index date whose outcomes are known by now."""
        return self.train + self.between + self.test


def split(begin: dt.date, as_of: dt.date, settings: Settings) -> Split:
    """Lay out monthly index dates back from `as_of`, with the outcome gap respected.

    An index date is mature when its horizon and the reporting lag have passed. Training
    dates are those whose outcomes were mature on the first test date: what a model built
    on that day could have known.

    Raises
    ------
    TrainingError
        When the history is too short to leave a date for training and one for the test.
    """
    rules = settings.training
    wait = pd.Timedelta(days=settings.outcome.horizon_days + rules.reporting_lag_days)
    newest = (pd.Timestamp(as_of) - wait).to_period("M").start_time
    steps = [newest - pd.DateOffset(months=rules.step_months * back) for back in range(rules.index_dates)]
    dates = tuple(date.as_unit("us") for date in reversed(steps) if date > pd.Timestamp(begin))
    test = dates[-rules.test_index_dates :]
    before = dates[: -rules.test_index_dates]
    train = tuple(date for date in before if date + wait <= test[0]) if test else ()
    if not train:
        raise TrainingError(
            f"the data begin on {begin} and the index date furthest back that has outcomes before the test "
            f"would need {rules.test_index_dates} test month(s) and {wait.days} days twice over before {as_of}",
            "Give more history, or lower training.test_index_dates, training.reporting_lag_days or outcome.horizon_days.",
        )
    return Split(train, tuple(date for date in before if date not in train), test)
