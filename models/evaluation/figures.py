"""Figures of merit of a predicted risk: of rows, and of many bootstrap draws at once.

`figures` gives the value, by scikit-learn where it has the measure; `figures_of_draws` gives the
same measures for every draw and stratum of `models.evaluation.cells.Cells`, for the intervals. Terms are those
of Van Calster and others (2019): the calibration intercept is that of a logistic regression with
the log odds of the prediction as offset (0 is right), the slope that on the log odds (1 is right);
scaled Brier is 1 less the Brier score over that of predicting everybody the rate.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from models.evaluation.cells import Cells, sums_from
from models.risk.calibration import log_odds
from models.risk.flexible import calibrated, fit_logistic

MEASURES = (
    "auroc",
    "auprc",
    "brier",
    "scaled_brier",
    "observed_over_expected",
    "calibration_intercept",
    "calibration_slope",
    "ici",
    "share_at_capacity",
    "ppv_at_capacity",
    "sensitivity_at_capacity",
    "lift_at_capacity",
)


def at_capacity(risk: np.ndarray, share: float) -> np.ndarray:
    """Mark the `share` of rows at highest risk, at least one; of equals, the first."""
    chosen = np.zeros(len(risk), dtype=bool)
    chosen[np.argsort(-risk, kind="stable")[: max(1, round(share * len(risk)))]] = True
    return chosen


def figures(risk: np.ndarray, outcome: np.ndarray, chosen: np.ndarray, knots: np.ndarray) -> dict[str, float]:
    """Return every one of `MEASURES` for probabilities and boolean outcomes, some of which are true and some not.

    Parameters
    ----------
    chosen : boolean, from `at_capacity` on everybody; the rows may be those of one group
    knots : of the flexible calibration curve, from `models.risk.flexible.knots_of`
    """
    odds, rate = log_odds(risk), float(outcome.mean())
    ones, happened = np.ones(len(risk)), outcome.astype("float64")
    offset = fit_logistic(ones[:, None], ones, happened, odds)
    slope = fit_logistic(np.column_stack([ones, odds]), ones, happened)
    brier = float(brier_score_loss(outcome, risk))
    ppv = float(outcome[chosen].mean()) if chosen.any() else np.nan
    return {
        "auroc": float(roc_auc_score(outcome, risk)),
        "auprc": float(average_precision_score(outcome, risk)),
        "brier": brier,
        "scaled_brier": 1 - brier / (rate * (1 - rate)),
        "observed_over_expected": rate / float(risk.mean()),
        "calibration_intercept": float(offset[0]),
        "calibration_slope": float(slope[1]),
        "ici": float(np.abs(risk - calibrated(odds, ones, happened, knots)).mean()),
        "share_at_capacity": float(chosen.mean()),
        "ppv_at_capacity": ppv,
        "sensitivity_at_capacity": float(outcome[chosen].sum() / outcome.sum()),
        "lift_at_capacity": ppv / rate,
    }


def figures_of_draws(cells: Cells, listed: np.ndarray, knots: np.ndarray) -> dict[str, np.ndarray]:
    """Return each of `MEASURES` as draws x strata; missing in a draw without any outcome, or with nothing else.

    `listed` comes from `listed_in_draws` on everybody, whatever strata `cells` holds.
    """
    rows, events, risk = cells.rows, cells.events, cells.risk
    others = rows - events
    n, e = rows.sum(axis=2), events.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = others.cumsum(axis=2) - others
        auroc = (events * (below + others / 2)).sum(axis=2) / (e * (n - e))
        # Within a stretch, on average half of it has been passed.
        precision = (sums_from(events) - events / 2) / (sums_from(rows) - rows / 2)
        auprc = np.nansum(precision * events, axis=2) / e
        brier = (events * (1 - risk) ** 2 + others * risk**2).sum(axis=2) / n
        rate = e / n
        places, hits = (rows * listed).sum(axis=2), (events * listed).sum(axis=2)
        found = {
            "auroc": auroc,
            "auprc": auprc,
            "brier": brier,
            "scaled_brier": 1 - brier / (rate * (1 - rate)),
            "observed_over_expected": e / (rows @ risk),
            "calibration_intercept": fit_logistic(np.ones((len(risk), 1)), rows, events, cells.odds)[..., 0],
            "calibration_slope": fit_logistic(np.column_stack([np.ones_like(risk), cells.odds]), rows, events)[..., 1],
            "ici": (rows * np.abs(risk - calibrated(cells.odds, rows, events, knots))).sum(axis=2) / n,
            "share_at_capacity": places / n,
            "ppv_at_capacity": hits / places,
            "sensitivity_at_capacity": hits / e,
            "lift_at_capacity": hits / places / rate,
        }
    possible = (e > 0) & (e < n)
    return {name: np.where(possible, values, np.nan) for name, values in found.items()}


def listed_in_draws(cells: Cells, share: float) -> np.ndarray:
    """Return what part of each stretch has a place in each draw, when the `share` at highest risk has one.

    Draws x 1 x stretches: 1 above the stretch of the last place, 0 below.
    """
    everybody = cells.total().rows
    above = sums_from(everybody) - everybody
    left = share * everybody.sum(axis=2, keepdims=True) - above
    return np.clip(left / np.where(everybody > 0, everybody, 1), 0, 1)


def smooth_curve(cells: Cells, knots: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the flexible calibration curve of every draw at the predicted risks `at`: draws x len(at), strata together."""
    everybody = cells.total()
    return calibrated(everybody.odds, everybody.rows[:, 0], everybody.events[:, 0], knots, log_odds(at))
