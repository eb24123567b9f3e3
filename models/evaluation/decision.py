"""Decision curve: what acting on a predicted risk is worth, at each risk from which one would act.

Net benefit is the share of true positives less that of false ones, weighed by the odds of the
threshold: whoever acts from a risk of one in five thinks four false alarms as bad as one person
missed (Vickers and Elkin 2006).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.evaluation.by_group import quantiles
from models.evaluation.cells import draw, sums_from

THRESHOLDS = np.round(np.arange(0.02, 0.61, 0.02), 2)
EVERYBODY = "act on everybody"


def decision_curve(
    risks: Mapping[str, np.ndarray], outcome: np.ndarray, person: np.ndarray, seed: int, draws: int = 200
) -> pd.DataFrame:
    """Return the net benefit of acting by each risk, and of acting on everybody.

    Parameters
    ----------
    risks : name: probability, one a row
    outcome (boolean), person : one a row

    Returns
    -------
    DataFrame
        `rule`, `threshold`, `net_benefit` (true positives per person, net), `low`, `high` (over people). Acting on
        nobody is worth 0 at every threshold.
    """
    tables = []
    for rule, risk in ({EVERYBODY: np.ones(len(outcome))} | dict(risks)).items():
        band = np.asarray(np.searchsorted(THRESHOLDS, risk, side="right"))
        rows, events = draw(band, outcome, person, len(THRESHOLDS) + 1, draws, seed)
        acted, right = (sums_from(counts)[:, 1:] for counts in (rows, events))
        worth = (right - (acted - right) * THRESHOLDS / (1 - THRESHOLDS)) / rows.sum(axis=1, keepdims=True)
        low, high = quantiles(worth[1:])
        tables.append(
            pd.DataFrame(
                {"rule": rule, "threshold": THRESHOLDS, "net_benefit": worth[0], "low": low, "high": high},
            )
        )
    return pd.concat(tables, ignore_index=True)
