"""Made-up histories whose true benefit is known, hard in the ways real ones are (docs/benefit-testbed.md has the equations).

About one person in ten has the outcome, one in twenty-five was treated, chiefly the sick, and
hardly anybody in six of forty practices, in care homes or near the end of life. Few features
of seventy say who gains; a few people are harmed, and they are among those at highest risk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

SHAPES = ("relative", "additive", "follows risk", "no heterogeneity", "no effect", "no overlap", "confounded", "harm")
CONDITIONS, COUNTS, MEASUREMENTS, NOISE = 18, 16, 12, 13
PRACTICES, CLOSED_PRACTICES = 40, 6
BASE_RISK, TREATED_SHARE = 0.10, 0.04


@dataclass(frozen=True)
class History:
    """What was seen, and the truth behind it; arrays of one length, one row a person."""

    features: pd.DataFrame
    treated: np.ndarray
    outcome: np.ndarray
    placebo: np.ndarray
    randomised: np.ndarray
    propensity: np.ndarray
    risk_without: np.ndarray
    risk_with: np.ndarray

    @property
    def benefit(self) -> np.ndarray:
        """True fall in the chance of the outcome."""
        return self.risk_without - self.risk_with


def make(shape: str, people: int, seed: int, randomised: int = 0) -> History:
    """Draw a history.

    Parameters
    ----------
    shape : one of `SHAPES`
    randomised : that many people, drawn by lot, are treated by the toss of a coin

    Raises
    ------
    ValueError
        Unknown shape.
    """
    if shape not in SHAPES:
        raise ValueError(f"unknown shape {shape!r}; known: {', '.join(SHAPES)}")
    random = np.random.default_rng([seed, SHAPES.index(shape), people])
    features = _features(people, random)
    frailty = features["frailty"].to_numpy("float64")
    hidden = random.normal(size=people) if shape == "confounded" else np.zeros(people)
    without = _risk(features, frailty, hidden)
    with_programme = np.clip(
        without - _benefit("relative" if shape == "confounded" else shape, features, without), 0.001, 0.999
    )
    propensity = _propensity(shape, features, without)
    drawn = np.zeros(people, dtype=bool)
    drawn[random.permutation(people)[:randomised]] = True
    propensity = np.where(drawn, 0.5, propensity)
    treated = random.random(people) < propensity
    outcome = random.random(people) < np.where(treated, with_programme, without)
    placebo = random.random(people) < expit(-3 + 0.5 * frailty + 0.3 * features["condition_3"])
    return History(features, treated, outcome, placebo, drawn, propensity, without, with_programme)


def _features(people: int, random: np.random.Generator) -> pd.DataFrame:
    """Seventy features: a frailty index, age, sex, deprivation, practice, circumstances, conditions, counts, measurements, noise."""
    age = np.clip(random.normal(55, 19, people), 18, 100)
    frailty = 0.035 * (age - 55) + random.normal(size=people)
    columns = {
        "frailty": frailty,
        "age": age,
        "female": random.random(people) < 0.5,
        "deprivation": random.integers(1, 11, people),
        "practice": random.integers(0, PRACTICES, people),
        "lives_alone": random.random(people) < expit(-1.4 + 0.02 * (age - 55)),
        "care_home": random.random(people) < expit(-5.7 + 1.1 * frailty),
        "end_of_life": random.random(people) < expit(-5.7 + 1.1 * frailty),
        "missed_appointments": random.poisson(0.4, people),
        "carer": random.random(people) < 0.1,
        "housebound": random.random(people) < expit(-4.5 + 0.8 * frailty),
    }
    for i in range(CONDITIONS):
        columns[f"condition_{i}"] = random.random(people) < expit(-3.2 + 0.09 * i + (0.3 + 0.05 * (i % 8)) * frailty)
    for i in range(COUNTS):
        rate = np.exp(-1.2 + 0.12 * i + (0.25 + 0.05 * (i % 6)) * frailty)
        columns[f"count_{i}"] = random.poisson(np.minimum(random.gamma(0.8, rate / 0.8), 60))
    for i in range(MEASUREMENTS):
        value = 10.0 + i + (0.15 * i) * frailty + 2 * random.normal(size=people)
        columns[f"measurement_{i}"] = np.where(random.random(people) < 0.15 + 0.04 * i, np.nan, value)
    for i in range(NOISE):
        columns[f"noise_{i}"] = random.normal(size=people) if i % 2 else random.poisson(1.0, people)
    return pd.DataFrame({name: np.asarray(values, dtype="float32") for name, values in columns.items()})


def _risk(x: pd.DataFrame, frailty: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    odds = (
        0.70 * frailty
        + 0.7 * x["condition_0"]
        + 0.5 * x["condition_1"]
        + 0.6 * x["condition_2"]
        + 0.5 * x["condition_4"] * (x["age"] > 70)
        + 0.35 * np.log1p(x["count_0"])
        + 0.45 * np.log1p(x["count_1"])
        + 0.30 * np.log1p(x["count_2"])
        + 0.25 * np.log1p(x["missed_appointments"])
        + 0.05 * (x["deprivation"] - 5)
        + 1.8 * x["care_home"]
        + 2.5 * x["end_of_life"]
        + 0.5 * x["housebound"] * x["lives_alone"]
        + 0.8 * (np.nan_to_num(x["measurement_8"], nan=18.0) > 21)
        + 0.8 * hidden
    ).to_numpy("float64")
    return expit(_shift(odds, BASE_RISK) + odds)


def _benefit(shape: str, x: pd.DataFrame, without: np.ndarray) -> np.ndarray:
    """Return the true fall in risk (before it is kept within 0.001 and 0.999)."""
    if shape == "relative":
        share = 0.40 * x["lives_alone"] + 0.30 * x["condition_0"] + 0.20 * np.minimum(x["missed_appointments"], 2)
        share += 0.30 * x["condition_5"] * (x["age"] > 60) - 0.15 * (x["count_3"] > 3) - 0.10 * x["female"] - 0.15
        other_help = (x["care_home"] + x["end_of_life"]) > 0
        return np.where(other_help, -0.12, np.clip(share, 0.0, 0.75)) * without
    if shape == "additive":
        fall = (
            0.01
            + 0.03 * x["lives_alone"]
            + 0.03 * x["condition_6"]
            + 0.02 * (x["age"] < 50)
            + 0.03 * (x["count_4"] > 2)
        )
        fall -= 0.04 * (x["care_home"] + x["end_of_life"])
        return np.minimum(fall.to_numpy("float64"), 0.7 * without)
    if shape == "no heterogeneity":
        return np.minimum(0.02, 0.7 * without)
    if shape == "no effect":
        return np.zeros(len(x))
    if shape == "harm":
        return -0.2 * without
    return 0.25 * without


def _propensity(shape: str, x: pd.DataFrame, without: np.ndarray) -> np.ndarray:
    """Return the chance of treatment: clinicians refer by risk, which in `confounded` they see more of than was written down."""
    odds = (
        1.15 * logit(without)
        + 0.4 * np.log1p(x["count_5"])
        + 0.5 * x["housebound"]
        + 0.5 * x["condition_7"]
        - 3.5 * (x["practice"] < CLOSED_PRACTICES)
        - 4.5 * ((x["care_home"] + x["end_of_life"]) > 0)
    ).to_numpy("float64")
    if shape == "no overlap":
        odds = 12.0 * (odds - np.quantile(odds, 1 - TREATED_SHARE))
    return expit(_shift(odds, TREATED_SHARE) + odds)


def _shift(odds: np.ndarray, mean: float) -> float:
    return float(brentq(lambda constant: expit(constant + odds).mean() - mean, -30, 30))
