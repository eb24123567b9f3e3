"""What an account of a programme must survive before it may be believed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from casewell.settings import Benefit
from models.comparison import Estimate
from models.evidence import CONTROL_MARGIN, Check

FEWEST_COMPARABLE = 2.0  # effective comparators for each starter
OUT_OF_REACH = 0.05  # of the starters may have hardly anybody like them among the others


def before_after(before: np.ndarray, after: np.ndarray, person: np.ndarray) -> Estimate:
    """Estimate what a naive account would claim: the mean after less the mean before, of those who started alone.

    People start when things are at their worst, and fare better afterwards with or without help (regression to the
    mean); in the Camden trial such an account showed -38 points where the truth was nought (Finkelstein and others, 2020).
    """
    change = after.astype("float64") - before
    mean = float(change.mean())
    _, people = np.unique(person, return_inverse=True)
    error = np.sqrt((np.bincount(people, weights=change - mean) ** 2).sum()) / len(change)
    return Estimate(mean, float(error))


def e_value(ratio: Estimate) -> tuple[float, float]:
    """Return how strong a hidden cause must be to explain a risk ratio away, and to bring its interval to one.

    As a risk ratio with both starting and the outcome (VanderWeele and Ding, Ann Intern Med 2017); 1 where the
    interval holds one already.
    """
    low, high = ratio.interval()
    nearest = 1.0 if low <= 1 <= high else (high if ratio.value < 1 else low)
    return _strength(ratio.value), _strength(nearest)


def checks(
    apart: pd.Series,
    comparable: float,
    starters: int,
    out_of_reach: float,
    control: Estimate,
    earlier: Estimate,
    rules: Benefit,
) -> tuple[Check, ...]:
    """Weigh whether like was compared with like.

    Parameters
    ----------
    apart : standardised difference of each feature after weighting
    comparable : effective number of comparators
    starters : people who started
    out_of_reach : share of the starters whose odds of starting exceed what any comparator may count for
    control : difference in planned admissions, which case management should not change
    earlier : difference in the share with an emergency admission in the year before last, which nothing later can change
    """
    enough = f"{starters} people started case management; {rules.minimum_treated} are needed"
    worst = apart.abs()
    # What a lottery among as many people would leave in one of so many features, once in twenty times.
    by_chance = norm.ppf(1 - 0.025 / len(apart)) * np.sqrt(1 / starters + 1 / comparable)
    limit = max(rules.maximum_imbalance, by_chance)
    return (
        Check("enough starters", starters >= rules.minimum_treated, enough),
        Check(
            "balance",
            bool(worst.max() <= limit),
            f"after weighting, starters and the people they are compared with differ by up to {worst.max():.2f} standard "
            f"deviations ({worst.idxmax()}); the limit is {limit:.2f}, which is the settings' or, where people are few, what a lottery would leave",
        ),
        Check(
            "overlap",
            comparable >= FEWEST_COMPARABLE * starters and out_of_reach <= OUT_OF_REACH,
            f"the comparison tells as much as {comparable:,.0f} equally weighted people would, for {starters:,} starters; "
            f"{out_of_reach:.0%} of the starters have hardly anybody like them among the others",
        ),
        _nought("planned admissions", control, "in the share with one, which case management should not change"),
        _nought(
            "the year before last",
            earlier,
            "in the share with an emergency admission then, which nothing later can change",
        ),
    )


def _nought(name: str, found: Estimate, why: str) -> Check:
    low, high = found.interval()
    return Check(
        name,
        bool(-CONTROL_MARGIN <= low <= 0 <= high <= CONTROL_MARGIN),
        f"the difference {why}, is {found.value:+.3f} a person ({low:+.3f} to {high:+.3f}; it must hold nought and stay "
        f"within {CONTROL_MARGIN:.2f} of it)",
    )


def _strength(ratio: float) -> float:
    if np.isnan(ratio) or ratio <= 0:
        return float("nan")
    away = max(ratio, 1 / ratio)
    return float(away + np.sqrt(away * (away - 1)))
