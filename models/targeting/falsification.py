"""What would show that a comparison is not fair: who was alike, what cannot have changed, and what a hidden cause could do."""

from __future__ import annotations

import numpy as np

from models.benefit.comparison import Estimate, History, effective_sample
from models.targeting.clusters import clustered_error

RARE = 0.01  # a chance of treatment below which hardly anybody like the person was treated


def placebo_effect(
    placebo: np.ndarray, treated: np.ndarray, propensity: np.ndarray, person: np.ndarray, among: np.ndarray
) -> Estimate:
    """Estimate the seeming fall in an outcome that treatment cannot have changed; nought where like is compared with like.

    Overlap-weighted. Give an outcome of another kind, or of a time before treatment (`pre-period`).

    Parameters
    ----------
    placebo, treated : boolean, of each row
    propensity : chance of treatment
    among : boolean; of whom
    """
    level = np.full(len(placebo), placebo.mean())
    return History(person, treated, placebo, propensity, level, level).average(among)


def risk_ratio(
    outcome: np.ndarray, treated: np.ndarray, propensity: np.ndarray, person: np.ndarray, among: np.ndarray
) -> Estimate:
    """Estimate the rate of the outcome with treatment over that without, overlap-weighted; for `e_value`.

    NaN where an arm has nobody among them, or no outcome. Parameters as for `placebo_effect`.
    """
    with_it, without = among * treated * (1 - propensity), among * ~treated * propensity
    if not (with_it @ outcome > 0 and without @ outcome > 0):
        return Estimate(float("nan"), float("nan"))
    rates = [np.average(outcome, weights=weight) for weight in (with_it, without)]
    parts = [
        weight * (outcome - rate) / (weight.mean() * rate)
        for weight, rate in zip((with_it, without), rates, strict=True)
    ]
    ratio = float(rates[0] / rates[1])
    return Estimate(ratio, ratio * clustered_error(parts[0] - parts[1], person))


def overlap(treated: np.ndarray, propensity: np.ndarray, among: np.ndarray) -> dict[str, float]:
    """Say how many people like those `among` (boolean) were treated and how many were not.

    Returns
    -------
    dict
        `rows`; `treated`; `median_chance` of treatment; `rarely_treated`, the share whose chance is below 0.01;
        `effective_treated`, `effective_untreated`: as many equally weighted rows would be as informative.
    """
    weights = [np.where(arm & among, other, 0.0) for arm, other in ((treated, 1 - propensity), (~treated, propensity))]
    return {
        "rows": float(among.sum()),
        "treated": float((treated & among).sum()),
        "median_chance": float(np.median(propensity[among])),
        "rarely_treated": float((propensity[among] < RARE).mean()),
        "effective_treated": effective_sample(weights[0][weights[0] > 0]),
        "effective_untreated": effective_sample(weights[1][weights[1] > 0]),
    }
