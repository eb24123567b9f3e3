"""How good the risk is, on months that came after everything it learned from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.benefit.comparison import History, top
from models.benefit.model import Foretold
from models.evaluation.by_group import measure_by

TENTHS = 10
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
        `measure` (of `models.evaluation.figures.MEASURES`), `value`, `low`, `high` (95 % percentile interval over people).
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


def benefit_by_tenth(history: History, told: Foretold, supported: np.ndarray, dose: float) -> pd.DataFrame | None:
    """Hold stated benefits against what the history says, by tenth of the benefit; None where nobody is supported.

    Parameters
    ----------
    told : of each row, by models that did not see its person
    supported : boolean; whose benefit would be stated
    dose : share of case management that being treated stands for in `history`

    Returns
    -------
    DataFrame
        `tenth` (10 gains most), `stated` (mean benefit), `stated_low`, `stated_high` (mean ends of the people's own 95 %
        intervals), `found` (average benefit in the history, doubly robust), `found_low`, `found_high`.
    """
    if supported.sum() < TENTHS:
        return None
    tenth = np.zeros(len(supported), dtype=int)
    tenth[supported] = pd.qcut(pd.Series(told.benefit[supported]).rank(method="first"), TENTHS, labels=False) + 1
    rows = []
    for number in range(1, TENTHS + 1):
        inside = tenth == number
        found = history.average(inside)
        ends = [end / dose for end in found.interval()]
        means = [float(values[inside].mean()) for values in (told.benefit, told.low, told.high)]
        rows.append([number, *means, found.value / dose, *ends])
    columns = ["tenth", "stated", "stated_low", "stated_high", "found", "found_low", "found_high"]
    return pd.DataFrame(rows, columns=columns)
