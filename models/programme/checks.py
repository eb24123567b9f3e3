"""What an account of a programme must survive before it may be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from casewell.settings import Benefit
from features.catalogue import CATALOGUE
from features.feature import Feature
from models.benefit.comparison import Estimate
from models.benefit.evidence import CASE_MANAGEMENT, CONTROL_MARGIN, FEWEST_CONTROLS, Check, by_chance
from models.programme.outcomes import YEAR_DAYS

FEWEST_COMPARABLE = 2.0  # effective comparators for each starter
OUT_OF_REACH = 0.05  # of the starters may have hardly anybody like them among the others
MOST_BY_CHANCE = 0.2  # standard deviations; beyond it a difference is no small thing, however few people there are


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


def known_from_one_year(columns: Sequence[str]) -> list[str]:
    """Return the features that do not tell what happened more than a year before the index date.

    What looks further back, or tells the time since something, would make the arms alike in the year before last, so
    that nothing could differ there. Whether a lasting condition is on record stays.
    """
    wanted = set(columns)
    return [feature.name for feature in CATALOGUE if feature.name in wanted and _within_a_year(feature)]


def _within_a_year(feature: Feature) -> bool:
    if feature.parts:
        return all(_within_a_year(part) for part in feature.made_of())
    looks_back = (feature.window_days or 0) * (2 if feature.aggregation == "change" else 1)
    endless = feature.window_days is None and feature.aggregation.startswith("days_since")
    return looks_back <= YEAR_DAYS and not endless


def checks(
    apart: pd.Series,
    comparable: float,
    starters: int,
    out_of_reach: float,
    control: Estimate,
    earlier: Estimate,
    events: tuple[int, int],
    two_years: bool,
    rules: Benefit,
    programme: str = CASE_MANAGEMENT,
) -> tuple[Check, ...]:
    """Weigh whether like was compared with like; no sentence tells an exact count of people.

    Parameters
    ----------
    apart : standardised difference of each feature after weighting
    comparable : effective number of people to compare with
    starters : people who started
    out_of_reach : share of the starters whose odds of starting exceed what any comparator may count for
    control : difference in planned admissions, which the programme should not change
    earlier : difference in the share with an emergency admission in the year before last, which nothing later can change;
        of arms made alike in what the last year shows (`known_from_one_year`)
    events : people with a planned admission, and with an emergency admission in the year before last, in the arm with fewer
    two_years : whether there are data of the two years before the index dates of enough starters
    programme : its name in sentences
    """
    enough = starters >= rules.minimum_treated
    number = f"{rules.minimum_treated} people are needed who started {programme}; {'there are as many' if enough else 'there are fewer'}"
    worst = apart.abs()
    limit = max(rules.maximum_imbalance, min(by_chance(len(apart), starters, comparable), MOST_BY_CHANCE))
    return (
        Check("enough starters", enough, number),
        Check(
            "balance",
            bool(worst.max() <= limit),
            f"after weighting, starters and the people they are compared with differ by up to {worst.max():.2f} standard "
            f"deviations ({worst.idxmax()}); the limit is {limit:.2f}, which is the settings' or, where people are few, what a lottery would leave",
        ),
        Check(
            "overlap",
            comparable >= FEWEST_COMPARABLE * starters and out_of_reach <= OUT_OF_REACH,
            f"the comparison tells as much as {comparable / starters:.1f} equally weighted people for each starter would; "
            f"{FEWEST_COMPARABLE:.0f} are needed; {'at most' if out_of_reach <= OUT_OF_REACH else 'more than'} "
            f"{OUT_OF_REACH:.0%} of the starters have hardly anybody like them among the others",
        ),
        _nought(
            "planned admissions",
            control,
            f"in the share with a planned admission, which {programme} should not change",
            None if events[0] >= FEWEST_CONTROLS else "hardly any planned admission is on record",
        ),
        check_year_before_last(earlier, events[1], two_years),
    )


def check_year_before_last(earlier: Estimate, events: int, two_years: bool) -> Check:
    """Ask that arms made alike in the last year do not differ in the one before it; parameters as for `checks`."""
    unknown = None if events >= FEWEST_CONTROLS else "hardly any emergency admission of that year is on record"
    return _nought(
        "the year before last",
        earlier,
        "in the share with an emergency admission then, which nothing later can change",
        unknown if two_years else "the data begin less than two years before nearly all starts",
    )


def _nought(name: str, found: Estimate, why: str, unknown: str | None) -> Check:
    if unknown:
        return Check(name, False, f"{unknown}, so the difference {why}, cannot be checked")
    low, high = found.interval()
    return Check(
        name,
        bool(-CONTROL_MARGIN <= low <= 0 <= high <= CONTROL_MARGIN),
        f"the difference {why}, is {found.value:+.3f} a person ({low:+.3f} to {high:+.3f}; it must hold nought and stay "
        f"within {CONTROL_MARGIN:.2f} of it)",
    )
