"""The months of the history. Month 0 begins on 1 October 2022; intervals are half-open."""

from __future__ import annotations

import numpy as np

START = np.datetime64("2022-10-01")
CUT_OFF = np.datetime64("2026-10-01")
MONTHS = 48
PROGRAMME_START = 12  # case management has been offered since this month
BURN_IN = 12  # months lived before month 0, so that illness is in its stride when the records begin
NEVER = 9_999


def month_start(month: np.ndarray | int) -> np.ndarray:
    """First day of each month."""
    return (START.astype("datetime64[M]") + np.asarray(month)).astype("datetime64[D]")


def day_in_month(random: np.random.Generator, month: np.ndarray) -> np.ndarray:
    """Draw a day of each month."""
    first = month_start(month)
    length = (month_start(np.asarray(month) + 1) - first).astype(int)
    return first + (random.random(len(first)) * length).astype(int)


def month_of(date: np.ndarray) -> np.ndarray:
    """Month that a date falls in."""
    return (date.astype("datetime64[M]") - START.astype("datetime64[M]")).astype(int)


def age_at(birth: np.ndarray, date: np.ndarray | np.datetime64) -> np.ndarray:
    """Age in years, with its fraction."""
    return (date - birth).astype("timedelta64[D]").astype(float) / 365.25
