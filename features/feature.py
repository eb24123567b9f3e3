"""One feature: what is counted, over which days, and how it is said in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from features.sensitive import SENSITIVE_GROUPS

Aggregation = Literal[
    "any",
    "count",
    "change",
    "distinct_codes",
    "days_since_last",
    "days_since_first",
    "days_spent",
    "days_running",
    "running",
    "sum",
    "mean",
    "min",
    "max",
    "last",
    "slope",
    "longest_gap",
    "periods_with",
    "overdue",
    "age",
    "sex_female",
    "imd_decile",
    "household_size",
    "lives_alone",
    "household_bereavement",
    "condition_score",
    "condition_count",
]

MEANINGS: dict[str, str] = {
    "any": "1 when at least one event lies in the window, otherwise 0",
    "count": "Number of events in the window",
    "change": "Number of events in the window less the number in the window of equal length before it",
    "distinct_codes": "Number of different codes in the window",
    "days_since_last": "Whole days from the latest event in the window to the index date; missing when there is none",
    "days_since_first": "Whole days from the earliest event in the window to the index date; missing when there is none",
    "days_spent": "Days of [time, end) that fall in the window, summed over stays that ended by the index date",
    "days_running": "As days_spent, and a stay without an end by the index date counts up to it",
    "running": "1 when a stay that began in the window has no end by the index date, otherwise 0",
    "sum": "Sum of the usable values in the window; missing when there is none",
    "mean": "Mean of the usable values in the window; missing when there is none",
    "min": "Smallest usable value in the window; missing when there is none",
    "max": "Largest usable value in the window; missing when there is none",
    "last": "The latest usable value in the window; of several on one day the one known last, then the largest",
    "slope": "Least-squares change per year of the usable values in the window; missing with fewer than two days",
    "longest_gap": "Most days between two events that follow each other in the window; missing with fewer than two days",
    "periods_with": "Share of the window's whole periods of 30 days, counted back from the index date, with an event",
    "overdue": (
        "Days since the latest event over the usual (median) gap between events in the window; missing with fewer "
        "than three days"
    ),
    "age": "Years from the month of birth to the index date",
    "sex_female": "1 female, 0 male, missing for every other entry",
    "imd_decile": "Index of multiple deprivation decile of the area of residence, by the registration of that day",
    "household_size": "People registered at the person's address, the person included, who are not known to have left or died",
    "lives_alone": "1 when nobody else is registered at the person's address, otherwise 0",
    "household_bereavement": (
        "1 when somebody registered at the person's address died in the 365 days before, while the person lived there"
    ),
    "condition_score": "Sum of the published weights of the Cambridge Multimorbidity Score conditions present",
    "condition_count": "Number of the Cambridge Multimorbidity Score conditions present",
}

STATIC = ("age", "sex_female")
LIVING = ("imd_decile", "household_size", "lives_alone", "household_bereavement")
DERIVED = ("condition_score", "condition_count")
ZERO_WHEN_NOTHING = (
    "any",
    "count",
    "change",
    "distinct_codes",
    "days_spent",
    "days_running",
    "running",
    "periods_with",
)
SILENT_AT_ZERO = (*ZERO_WHEN_NOTHING, "lives_alone")
SEVERAL = 2  # fewer are not different from each other
LONG_AGO_DAYS = 365  # what happened before that is no reason why now
# A value outside this range is a fault of the record; sums of such values would also lose their last digits.
LARGEST_USABLE_VALUE = 1e9


@dataclass(frozen=True)
class Feature:
    """A column of the feature matrix. Windows are [index_date - window_days, index_date); None is all history."""

    name: str
    source: str
    group: str | None
    aggregation: Aggregation
    window_days: int | None
    unit: str
    description: str
    template: str = ""
    template_one: str = ""
    showable: bool = False
    in_model: bool = True

    def __post_init__(self) -> None:
        """Refuse a feature that shows what must not be shown."""
        if self.showable and self.group in SENSITIVE_GROUPS:
            raise ValueError(f"feature {self.name!r}: group {self.group!r} is sensitive and cannot be showable")
        if self.showable and not self.template:
            raise ValueError(f"feature {self.name!r} is showable but has no template")

    def words(self, value: float) -> str | None:
        """Say the value as a reason, or None when it may not be shown or says nothing (missing, or zero of a count)."""
        if not self.showable or not math.isfinite(value):
            return None
        if self.aggregation in SILENT_AT_ZERO and value <= 0:
            return None
        if self.aggregation == "days_since_last" and value > LONG_AGO_DAYS:
            return None
        if self.aggregation == "distinct_codes" and value < SEVERAL:
            return None
        one = self.template_one and round(value) == 1
        return (self.template_one if one else self.template).format(value=value)
