"""Which months to learn from, calibrate on and choose by, and which to keep for the test.

Four windows in the order of time, never shuffled. Everything in the first three was known by
the first test date, so the back-test is a model that could have been built on that day; between
them and the test lies the gap in which outcomes were not known yet.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.errors import TrainingError
from casewell.settings import Settings

# Of the months that are learned from, the newest sixth chooses and the quarter before it calibrates.
CHOOSE_SHARE, CALIBRATE_SHARE = 1 / 6, 1 / 4
USES = ("train", "calibrate", "choose", "between", "test")


@dataclass(frozen=True)
class Windows:
    """Index dates that a model is made from, in the order of time."""

    train: tuple[pd.Timestamp, ...]
    calibrate: tuple[pd.Timestamp, ...]
    choose: tuple[pd.Timestamp, ...]


@dataclass(frozen=True)
class Split:
    """Index dates by their use; outcomes of the first three are all known before the first of `test`."""

    train: tuple[pd.Timestamp, ...]
    calibrate: tuple[pd.Timestamp, ...]
    choose: tuple[pd.Timestamp, ...]
    between: tuple[pd.Timestamp, ...]
    test: tuple[pd.Timestamp, ...]

    @property
    def known(self) -> tuple[pd.Timestamp, ...]:
        """Every index date that a model built on the first test date could have learned from."""
        return self.train + self.calibrate + self.choose

    @property
    def mature(self) -> tuple[pd.Timestamp, ...]:
        """Every index date whose outcomes are known by now."""
        return self.known + self.between + self.test


def windows(dates: Sequence[pd.Timestamp] | np.ndarray) -> Windows:
    """Cut at least three dates, in order, into those to train on, to calibrate on and to choose by.

    Raises
    ------
    ValueError
        Fewer than three dates: a window would be empty.
    """
    if len(dates) < 3:
        raise ValueError(f"{len(dates)} index date(s) cannot be cut into three windows")
    choose = max(1, math.floor(len(dates) * CHOOSE_SHARE))
    calibrate = max(1, math.floor(len(dates) * CALIBRATE_SHARE))
    cut = len(dates) - choose
    return Windows(tuple(dates[: cut - calibrate]), tuple(dates[cut - calibrate : cut]), tuple(dates[cut:]))


def split(begin: dt.date, as_of: dt.date, settings: Settings) -> Split:
    """Lay out monthly index dates back from `as_of`, with the outcome gap respected.

    An index date is mature when its horizon and the reporting lag have passed. The dates to learn
    from are those whose outcomes were mature on the first test date: what a model built on that
    day could have known.

    Raises
    ------
    TrainingError
        The history is too short for a date in each window.
    """
    rules = settings.training
    wait = pd.Timedelta(days=settings.outcome.horizon_days + rules.reporting_lag_days)
    newest = (pd.Timestamp(as_of) - wait).to_period("M").start_time
    steps = [newest - pd.DateOffset(months=rules.step_months * back) for back in range(rules.index_dates)]
    dates = tuple(date.as_unit("us") for date in reversed(steps) if date > pd.Timestamp(begin))
    test = dates[-rules.test_index_dates :]
    before = dates[: -rules.test_index_dates]
    known = tuple(date for date in before if date + wait <= test[0]) if test else ()
    if len(known) < 3:
        raise TrainingError(
            f"of {len(dates)} mature index date(s) after the data begin on {begin}, {len(test)} are for the test and "
            f"{len(known)} had outcomes known before it; 3 are needed, one each to train on, to calibrate on and to "
            f"choose by. An outcome is known {wait.days} days after its index date",
            "Give more history, raise training.index_dates, or lower training.step_months, training.test_index_dates, "
            "training.reporting_lag_days or outcome.horizon_days.",
        )
    cut = windows(known)
    between = tuple(date for date in before if date not in known)
    return Split(cut.train, cut.calibrate, cut.choose, between, test)


def drawn(split: Split, rows: pd.DataFrame) -> pd.DataFrame:
    """Count what each index date holds, before anything is learned.

    Parameters
    ----------
    rows : DataFrame
        `index_date`, `outcome`: everybody eligible on each date, or those of them whose outcome is known.

    Returns
    -------
    DataFrame
        `index_date`, `use` (one of `USES`), `people`, `outcomes`; a date without anybody has nought of both.
    """
    use = {date: name for name in USES for date in getattr(split, name)}
    counted = rows.groupby("index_date")["outcome"].agg(people="size", outcomes="sum").reindex(sorted(use))
    table = counted.fillna(0).astype("int64").rename_axis("index_date").reset_index()
    return table.assign(use=table["index_date"].map(use))[["index_date", "use", "people", "outcomes"]]


def require_outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of `drawn`, or refuse one in which a window is empty.

    Raises
    ------
    TrainingError
        Naming every window that holds nobody, or nobody with the outcome.
    """
    held = table[table["use"] != "between"].groupby("use")[["people", "outcomes"]].sum()
    empty = [f"nobody was eligible on the dates to {use}" for use in held.index[held["people"] == 0]]
    empty += [
        f"nobody had the outcome after the dates to {use} ({held.loc[use, 'people']:,} people-months)"
        for use in held.index[(held["people"] > 0) & (held["outcomes"] == 0)]
    ]
    if empty:
        raise TrainingError(
            empty, "Check registrations and the outcome's admissions in the sources, or give more people or history."
        )
    return table
