"""How good the risk is, on months that came after everything it learned from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from models.comparison import History, top
from models.trees import log_odds, recalibrate

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def figures_of_merit(risk: np.ndarray, outcome: np.ndarray, share: float) -> dict[str, float]:
    """Return every figure of merit for probabilities and boolean outcomes.

    Calibration in the large is the log odds of the observed less the mean predicted rate (0 is
    right); the slope is that of a logistic regression on the log odds (1 is right). Capacity is
    the `share` of people at highest risk, ties by position.
    """
    odds = log_odds(risk)
    rate, expected = float(outcome.mean()), float(risk.mean())
    chosen = outcome[np.argsort(-risk, kind="stable")[: max(1, round(share * len(risk)))]]
    return {
        "auroc": float(roc_auc_score(outcome, risk)),
        "auprc": float(average_precision_score(outcome, risk)),
        "brier": float(brier_score_loss(outcome, risk)),
        "observed_over_expected": rate / expected,
        "calibration_intercept": float(np.subtract(*log_odds(np.array([rate, expected])))),
        "calibration_slope": recalibrate(odds, outcome)[1],
        "ppv_at_capacity": float(chosen.mean()),
        "sensitivity_at_capacity": float(chosen.sum() / outcome.sum()),
        "lift_at_capacity": float(chosen.mean() / rate),
    }


def evaluate(test: pd.DataFrame, share: float, seed: int, draws: int = 200) -> pd.DataFrame:
    """Measure predictions against outcomes.

    Parameters
    ----------
    test : DataFrame, `models.tables.TEST_PREDICTIONS`
    share : places as a share of eligible people
    draws : bootstrap draws, of people rather than rows

    Returns
    -------
    DataFrame
        `measure`, `value`, `low`, `high` (95 % percentile interval over people).
    """
    risk, outcome = test["risk"].to_numpy(), test["outcome"].to_numpy()
    person, members = np.unique(test["person_id"], return_inverse=True)
    order = np.argsort(members, kind="stable")
    starts = np.searchsorted(members[order], np.arange(len(person) + 1))
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        people = random.integers(0, len(person), len(person))
        counts = starts[people + 1] - starts[people]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = order[np.repeat(starts[people], counts) + within]
        if 0 < outcome[rows].sum() < len(rows):
            drawn.append(figures_of_merit(risk[rows], outcome[rows], share))
    value = pd.Series(figures_of_merit(risk, outcome, share))
    spread = pd.DataFrame(drawn).quantile([0.025, 0.975])
    return pd.DataFrame(
        {
            "measure": value.index,
            "value": value.to_numpy(),
            "low": spread.iloc[0].to_numpy(),
            "high": spread.iloc[1].to_numpy(),
        }
    )


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
