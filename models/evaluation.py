"""How good the risk is, on months that came after everything it learned from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.by_group import measure_by
from models.comparison import History, top

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def evaluate(test: pd.DataFrame, share: float, seed: int, draws: int = 200) -> pd.DataFrame:
    """Measure predictions against outcomes, everybody together.

    Parameters
    ----------
    test : DataFrame, `models.tables.TEST_PREDICTIONS`
    share : places as a share of eligible people
    draws : bootstrap draws, of people rather than rows

    Returns
    -------
    DataFrame
        `measure` (of `models.figures.MEASURES`), `value`, `low`, `high` (95 % percentile interval over people).
    """
    return measure_by(test, None, share, seed, draws)[["measure", "value", "low", "high"]]


def calibration_curve(test: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Return mean predicted and observed outcome by tenth of risk: `tenth`, `people`, `predicted`, `observed`."""
    tenth = pd.qcut(test["risk"].rank(method="first"), bins, labels=False) + 1
    return (
        test.assign(tenth=tenth)
        .groupby("tenth")
        .agg(people=("risk", "size"), predicted=("risk", "mean"), observed=("outcome", "mean"))
        .reset_index()
    )


def benefit_curve(history: History, index_date: np.ndarray, orders: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Compare ways of choosing, at growing numbers of places, by what the history says they gain.

    Parameters
    ----------
    orders : rule: the score by which it chooses, highest first

    Returns
    -------
    DataFrame
        `rule`, `share` of people chosen, `gain` (average benefit among them, doubly robust), `low`, `high`.
    """
    rows = []
    for rule, score in orders.items():
        for share in SHARES:
            gain = history.average(top(score, index_date, share))
            low, high = gain.interval()
            rows.append({"rule": rule, "share": share, "gain": gain.value, "low": low, "high": high})
    return pd.DataFrame(rows)
