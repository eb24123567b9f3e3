"""How far a feature has moved since training: the population stability index over bins made then.

PSI is the sum over bins of (now - then) x ln(now / then), of the shares of rows in each bin: the symmetric form of
the Kullback-Leibler divergence (Jeffreys, 1948), used in credit scoring since Lewis (An Introduction to Credit
Scoring, 1994). The bins are the tenths of the training rows (`features.tally.edges`) and one for missing, since a
model learns from both. That 0.1 deserves a look and 0.25 is a large shift is a convention (Lewis, 1994; Siddiqi,
Credit Risk Scorecards, 2006), and no test: what chance alone gives depends on the number of people and bins
(Yurdakul and Naranjo, Statistical properties of the population stability index, Journal of Risk Model Validation
14(4), 2020). So a shift is told only where it is also larger than chance would give one time in twenty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from features.tally import Tally, coarse, edges, in_bins

LOOK, SHIFTED = 0.1, 0.25
FLOOR = 1e-4  # the smallest share, or half a person's if that is more: an empty bin would make the logarithm infinite
FEWEST = 10  # people in a bin that is told of
CHANCE = 0.05
NONE, SOME, LARGE, NOT_COMPARED = "none", "look", "shifted", "not compared"


def psi(then: np.ndarray, now: np.ndarray, people: float) -> float:
    """Return the population stability index of two lists of shares, each of which sums to 1; `people` of the fewer."""
    floor = max(FLOOR, 0.5 / people)
    then, now = np.maximum(then, floor), np.maximum(now, floor)
    return float(((now - then) * np.log(now / then)).sum())


def by_chance(bins: int, people_then: float, people_now: float) -> float:
    """Return the PSI that chance alone exceeds one time in twenty, by Yurdakul and Naranjo's approximation.

    Of training only the people of one snapshot count: rows of one person resemble each other.
    """
    if bins < 2 or not people_then or not people_now:
        return 0.0
    return float(stats.chi2.ppf(1 - CHANCE, bins - 1) * (1 / people_then + 1 / people_now))


def own_bins(name: str, found: Tally, people: float, dates: int) -> pd.DataFrame:
    """Return a feature's rows of `REFERENCE`: its bins and how many lie in each, without anything about few people.

    With at least FEWEST x dates rows a bin holds at least FEWEST people, since each has one row a date. A smaller
    number of rows without a value, or with one, or of zeros, is told as none.
    """
    fewest = FEWEST * dates
    told = found.present >= fewest
    inner = edges(found, fewest) if told else np.empty(0)
    rows = in_bins(found, inner) if told else np.array([float(found.rows), 0.0])
    rows[0] = rows[0] if rows[0] >= fewest else 0.0
    return pd.DataFrame(
        {
            "feature": name,
            "bin": np.arange(len(rows)),
            "above": [np.nan, np.nan, *inner],
            "up_to": [np.nan, *inner, np.nan],
            "share": rows / max(rows.sum(), 1.0),
            "zero": coarse(found.zeros, found.rows, fewest),
            "people": round(people),
        }
    )


@dataclass(frozen=True)
class Then:
    """A feature in training: its rows of `REFERENCE`, inner edges of bins, shares (missing first), zeros, people."""

    rows: pd.DataFrame
    inner: np.ndarray
    shares: np.ndarray
    zero: float
    people: int


def then_by_feature(table: pd.DataFrame) -> dict[str, Then]:
    """Return a `REFERENCE` by feature."""
    found = {}
    for name, rows in table.sort_values("bin", kind="stable").groupby("feature", sort=False):
        first = rows.iloc[0]
        inner, shares = rows["above"].to_numpy()[2:], rows["share"].to_numpy()
        found[str(name)] = Then(rows, inner, shares, float(first["zero"]), int(first["people"]))
    return found
