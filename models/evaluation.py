"""How good the risk is, on months that came after everything it learned from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from models.comparison import History, top
from models.risk import log_odds, recalibrate

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
Measure = Callable[[np.ndarray, np.ndarray], float]


def calibration(risk: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Return calibration-in-the-large on the log odds (0 is right) and slope (1 is right)."""
    _, slope = recalibrate(log_odds(risk), outcome)
    observed = np.clip(outcome.mean(), 1e-6, 1 - 1e-6)
    return float(log_odds(np.array([observed]))[0] - log_odds(np.array([risk.mean()]))[0]), slope


def measures(share: float) -> dict[str, Measure]:
    """Name each figure of merit; `share` is the places as a share of people.

    Each takes risk and outcome arrays. At capacity: positive predictive value, sensitivity
    and lift among the `share` at highest risk.
    """

    def chosen(risk: np.ndarray) -> np.ndarray:
        return top(risk, np.zeros(len(risk)), share)

    return {
        "auroc": lambda risk, outcome: float(roc_auc_score(outcome, risk)),
        "auprc": lambda risk, outcome: float(average_precision_score(outcome, risk)),
        "brier": lambda risk, outcome: float(brier_score_loss(outcome, risk)),
        "observed_over_expected": lambda risk, outcome: float(outcome.mean() / risk.mean()),
        "calibration_intercept": lambda risk, outcome: calibration(risk, outcome)[0],
        "calibration_slope": lambda risk, outcome: calibration(risk, outcome)[1],
        "ppv_at_capacity": lambda risk, outcome: float(outcome[chosen(risk)].mean()),
        "sensitivity_at_capacity": lambda risk, outcome: float(outcome[chosen(risk)].sum() / outcome.sum()),
        "lift_at_capacity": lambda risk, outcome: float(outcome[chosen(risk)].mean() / outcome.mean()),
    }


def evaluate(test: pd.DataFrame, share: float, seed: int, draws: int = 60) -> pd.DataFrame:
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
    figures = measures(share)
    drawn: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(draws):
        people = random.integers(0, len(person), len(person))
        counts = starts[people + 1] - starts[people]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = order[np.repeat(starts[people], counts) + within]
        if 0 < outcome[rows].sum() < len(rows):
            for name, measure in figures.items():
                drawn[name].append(measure(risk[rows], outcome[rows]))
    return pd.DataFrame(
        {
            "measure": list(figures),
            "value": [measure(risk, outcome) for measure in figures.values()],
            "low": [float(np.quantile(values, 0.025)) for values in drawn.values()],
            "high": [float(np.quantile(values, 0.975)) for values in drawn.values()],
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


def benefit_curve(history: History, index_date: np.ndarray, assumed: np.ndarray) -> pd.DataFrame:
    """Compare ways of choosing, at growing numbers of places, by what the history says they gain.

    Returns
    -------
    DataFrame
        `rule` (learned benefit, assumed benefit, risk), `share` of people chosen, `gain` (average
        benefit among them, doubly robust), `low`, `high`.
    """
    rules = {
        "learned benefit": history.without - history.with_programme,
        "assumed benefit": assumed,
        "risk": history.without,
    }
    rows = []
    for rule, score in rules.items():
        for share in SHARES:
            gain = history.average(top(score, index_date, share))
            low, high = gain.interval()
            rows.append({"rule": rule, "share": share, "gain": gain.value, "low": low, "high": high})
    return pd.DataFrame(rows)
