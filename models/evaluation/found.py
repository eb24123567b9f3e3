"""Whom the model finds: how long before the outcome, and how many of them had not been admitted before.

A list of people who were admitted last month needs no model, and comes too late for many of
them (Billings and others 2013).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.evaluation.by_group import quantiles

BEFORE = "emergency_admission_count_730d"


def found_early(
    rows: pd.DataFrame, chosen: np.ndarray, seed: int, draws: int = 200
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Describe the true positives: those at capacity who went on to have the outcome.

    Parameters
    ----------
    rows : DataFrame
        `person_id`, `outcome`, `days_to_outcome` and, if it is built, the feature `emergency_admission_count_730d`.
    chosen : boolean, one a row, who is within capacity

    Returns
    -------
    DataFrame
        `measure`, `value`, `low`, `high` (95 %, over people): `lead_days` (median days from the index date to the outcome),
        `lead_over_90_days` (share), `without_admission` (share with no emergency admission in the two years before).
    dict
        Measure: why it is absent.
    """
    hits = rows[chosen & rows["outcome"].to_numpy()]
    absent = {}
    flags = {"lead_over_90_days": hits["days_to_outcome"] > 90}
    if BEFORE in hits:
        flags["without_admission"] = hits[BEFORE] == 0
    else:
        absent["without_admission"] = f"there is no feature {BEFORE}"
    if hits.empty:
        return pd.DataFrame(columns=["measure", "value", "low", "high"]), dict.fromkeys(
            ["lead_days", *flags], "nobody within capacity had the outcome"
        )
    weights = _weights(hits["person_id"].to_numpy(), seed, draws)
    found = {"lead_days": _median(hits["days_to_outcome"].to_numpy(), weights)}
    found |= {name: flag.to_numpy("float64") @ weights / weights.sum(axis=0) for name, flag in flags.items()}
    low, high = quantiles(np.stack([drawn[1:] for drawn in found.values()], axis=1))
    value = [drawn[0] for drawn in found.values()]
    return pd.DataFrame({"measure": list(found), "value": value, "low": low, "high": high}), absent


def _weights(person: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """Return each row's weight in each draw (rows x draws); the first column is the data as they are."""
    people, whose = np.unique(person, return_inverse=True)
    drawn = np.random.default_rng(seed).poisson(1.0, (len(people), draws))
    return np.column_stack([np.ones(len(people)), drawn])[whose]


def _median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    order = np.argsort(values, kind="stable")
    below = weights[order].cumsum(axis=0)
    return values[order][(below >= below[-1] / 2).argmax(axis=0)]
