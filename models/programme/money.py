"""What a programme cost, what it saved, and when it paid for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings.programme import Costs
from models.benefit.comparison import Estimate
from models.programme.effect import Arms, Effect, effect
from models.programme.outcomes import MONTHS, Course

PRICED = {
    "admissions": "emergency_admission",
    "bed_days": "bed_day",
    "attendances": "emergency_attendance",
    "gp_contacts": "gp_contact",
    "community_contacts": "community_contact",
}


@dataclass(frozen=True)
class Money:
    """In pounds, for each starter.

    place : what a place costs; None where the settings do not say
    spent_without, saved : over the year; saved is without less with
    curve : `month`, `saved`, `low`, `high`: cumulative savings by the end of each month
    payback : month by whose end savings had met the cost of a place; the earliest and the latest that the interval
        allows; NaN where none within the year
    relative : cost with over cost without; NaN where nothing with a price was to be expected
    break_even : how many of those eligible in an average month would save more than a place costs, with its ends
    """

    place: float | None
    spent_without: float
    saved: Estimate
    curve: pd.DataFrame
    payback: tuple[float, float, float] | None
    relative: Estimate
    break_even: tuple[float, float, float] | None


def prices(costs: Costs) -> dict[str, float]:
    """Return the price of each measure that has one."""
    given = {measure: getattr(costs, name) for measure, name in PRICED.items()}
    return {measure: cost.amount for measure, cost in given.items() if cost is not None and cost.amount > 0}


def money(
    arms: Arms,
    course: Course,
    expected: Mapping[str, np.ndarray],
    costs: Costs,
    eligible: np.ndarray,
) -> Money | None:
    """Work out savings; None where nothing has a price.

    Parameters
    ----------
    expected : measure to what is expected of each row without the programme, over the year
    eligible : how many of the people eligible in an average month each row stands for (`cohort.stands_for`)
    """
    price = prices(costs)
    if not price:
        return None
    by_month = sum(
        (amount * course.counts[measure][:, 2 * MONTHS :].cumsum(axis=1) for measure, amount in price.items()),
        start=np.zeros((len(arms.treated), MONTHS)),
    )
    without = sum((amount * expected[measure] for measure, amount in price.items()), start=np.zeros(len(arms.treated)))
    _, others = arms.weights()
    pace = (others @ by_month) / max(float(others @ by_month[:, -1]), 1e-12)
    found = [effect(arms, by_month[:, month], pace[month] * without) for month in range(MONTHS)]
    whole = found[-1]
    curve = _curve(found)
    relative = whole.ratio(arms, by_month[:, -1])
    place = costs.place.amount if costs.place is not None else None
    return Money(
        place,
        whole.without,
        _saved(whole),
        curve,
        None if place is None else payback(curve, place),
        relative,
        None if place is None or np.isnan(relative.value) else break_even(without, eligible, relative, place),
    )


def payback(curve: pd.DataFrame, place: float) -> tuple[float, float, float]:
    """Return the first month by whose end savings meet the cost of a place: estimate, earliest, latest; NaN where none does."""
    return tuple(_first(curve, name, place) for name in ("saved", "high", "low"))  # type: ignore[return-value]


def break_even(
    without: np.ndarray, stands_for: np.ndarray, relative: Estimate, place: float
) -> tuple[float, float, float]:
    """Return how many people would each save more than a place costs, if everybody's cost falls by one share; with its ends.

    Parameters
    ----------
    without : expected cost of each row without the programme
    stands_for : how many people each row stands for
    relative : cost with over cost without
    """
    low, high = relative.interval()

    def size(ratio: float) -> float:
        return float(stands_for[(1 - ratio) * without >= place].sum()) if ratio < 1 else 0.0

    return size(relative.value), size(high), size(low)


def _saved(found: Effect) -> Estimate:
    return Estimate(-found.difference.value, found.difference.error)


def _curve(found: list[Effect]) -> pd.DataFrame:
    estimates = [_saved(one) for one in found]
    ends = [one.interval() for one in estimates]
    return pd.DataFrame(
        {
            "month": np.arange(1, MONTHS + 1),
            "saved": [one.value for one in estimates],
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        }
    )


def _first(curve: pd.DataFrame, name: str, place: float) -> float:
    reached = curve.loc[curve[name] >= place, "month"]
    return float(reached.iloc[0]) if len(reached) else float("nan")
