"""Whether what earlier weeks predicted came true: in full once their outcomes are known, and by early signs before.

The early reading asks, of people predicted some weeks ago, whether as many have had the outcome by now as should. What should
comes from the champion's own test: there the outcome by that day is held against the predicted risk by a logistic regression
on its log odds, so that people at high risk may have it sooner. It says nothing of a model that was wrong in its test already;
the full reading does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import chi2

from casewell.settings import Monitoring
from models.risk.calibration import log_odds
from models.risk.flexible import fit_logistic
from monitoring.findings import CALIBRATION, LOOK, Finding

IN_FULL, EARLY = "in full", "early"
FEWEST_OUTCOMES = 20
Z = 1.96
COLUMNS = [
    "week", "reading", "days", "people", "observed", "expected", "ratio", "low", "high", "slope", "slope_low", "slope_high",
]  # fmt: skip


def early_share(risk: np.ndarray, early: np.ndarray) -> tuple[float, float] | None:
    """Return intercept and slope of the log odds of an early outcome on those of the predicted risk; None with too few.

    Parameters
    ----------
    risk, early
        Of the champion's tested people: the predicted probability, and whether the outcome came early (boolean).
    """
    if early.sum() < FEWEST_OUTCOMES or early.all():
        return None
    ones = np.ones(len(risk))
    fitted = fit_logistic(np.column_stack([ones, log_odds(risk)]), ones, early.astype("float64"))
    return float(fitted[0]), float(fitted[1])


def expected_early(risk: np.ndarray, share: tuple[float, float]) -> np.ndarray:
    """Return the probability of the outcome within the early days, for predicted risks."""
    return expit(share[0] + share[1] * log_odds(risk))


def calibration_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Hold predictions against what happened.

    Parameters
    ----------
    rows
        One a person and week: `week` (the day of the list), `reading` (`IN_FULL` or `EARLY`), `days`, `expected` (probability)
        and `outcome` (boolean).

    Returns
    -------
    A row a week and reading, COLUMNS: `ratio` of observed over expected with an exact Poisson interval (95 %), and the
    calibration slope with Wald's. With fewer than FEWEST_OUTCOMES neither is given.
    """
    found = [
        dict(zip(("week", "reading", "days"), key, strict=True)) | _of_one(part["expected"], part["outcome"])
        for key, part in rows.groupby(["week", "reading", "days"], sort=True)
    ]
    return pd.DataFrame(found, columns=COLUMNS)


def _of_one(expected: pd.Series, outcome: pd.Series) -> dict[str, float]:
    observed, total = int(outcome.sum()), float(expected.sum())
    told = {"people": len(outcome), "observed": observed, "expected": total}
    names = ("ratio", "low", "high", "slope", "slope_low", "slope_high")
    if observed < FEWEST_OUTCOMES or observed == len(outcome):
        return told | dict.fromkeys(names, np.nan)
    low = chi2.ppf(0.025, 2 * observed) / 2 / total
    high = chi2.ppf(0.975, 2 * (observed + 1)) / 2 / total
    slope, error = slope_of(expected.to_numpy(), outcome.to_numpy())
    return told | dict(
        zip(names, (observed / total, low, high, slope, slope - Z * error, slope + Z * error), strict=True)
    )


def slope_of(expected: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Return the calibration slope and its standard error; missing where everybody was predicted alike."""
    if np.ptp(expected) == 0:
        return np.nan, np.nan
    design = np.column_stack([np.ones(len(expected)), log_odds(expected)])
    fitted = fit_logistic(design, np.ones(len(expected)), outcome.astype("float64"))
    chance = expit(design @ fitted)
    information = design.T @ (design * (chance * (1 - chance))[:, None])
    return float(fitted[1]), float(np.sqrt(np.linalg.inv(information)[1, 1]))


def about_calibration(found: pd.DataFrame, limits: Monitoring) -> list[Finding]:
    """Say of which earlier weeks far more, or far fewer, had the outcome than was predicted: surely beyond the limit."""
    above, below = found["low"] > limits.calibration_ratio, found["high"] < 1 / limits.calibration_ratio
    return [
        Finding(
            CALIBRATION,
            LOOK,
            f"Of the people of {row.week:%d %B %Y} {row.ratio:.2f} times as many had the outcome within {row.days} days as were "
            f"expected ({row.low:.2f} to {row.high:.2f}); a factor of "
            f"{limits.calibration_ratio:g} is the limit.",
            "Look at casewell evaluate, by group, and train anew; until then read the risks as a ranking, not as probabilities.",
        )
        for row in found[above | below].itertuples()
    ]
