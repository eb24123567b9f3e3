"""One feature: what is counted, over which days, and how it is said in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from casewell.errors import SettingsError
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
    "usual_provider",
    "bice_boxerman",
    "age",
    "sex_female",
    "imd_decile",
    "household_size",
    "lives_alone",
    "household_bereavement",
    "household_children",
    "household_old",
    "large_address",
    "registered_days",
    "registrations_begun",
    "practices",
    "income_decile",
    "employment_decile",
    "education_decile",
    "health_decile",
    "crime_decile",
    "housing_services_decile",
    "environment_decile",
    "minutes_to_gp",
    "minutes_to_pharmacy",
    "minutes_to_hospital",
    "weighted_sum",
    "reaches",
    "share",
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
    "usual_provider": (
        "Share of the visits in the window that were with whom most of them were (a code is somebody seen, a visit a day "
        "on which it is written); missing with fewer than two visits"
    ),
    "bice_boxerman": (
        "Chance that two visits in the window, drawn at random, were with the same (a code is somebody seen, a visit a day "
        "on which it is written); missing with fewer than two visits"
    ),
    "age": "Years from the month of birth to the index date",
    "sex_female": "1 female, 0 male, missing for every other entry",
    "imd_decile": "Index of multiple deprivation decile of the area of residence, by the registration of that day",
    "household_size": "People registered at the person's address, the person included, who are not known to have left or died",
    "lives_alone": "1 when nobody else is registered at the person's address, otherwise 0",
    "household_bereavement": (
        "1 when somebody registered at the person's address died in the 365 days before, while the person lived there"
    ),
    "household_children": "Others registered at the person's address who are under 18",
    "household_old": "Others registered at the person's address who are 75 or over",
    "large_address": "1 when more people are registered at the person's address than a household has, otherwise 0",
    "registered_days": "Days since the present registration began; missing when its start is not known",
    "registrations_begun": "Registrations that began in the window",
    "practices": "Different practices at which the person was registered in the window",
    **{
        f"{domain}_decile": f"As imd_decile, of the {words} domain alone"
        for domain, words in (
            ("income", "income"),
            ("employment", "employment"),
            ("education", "education, skills and training"),
            ("health", "health deprivation and disability"),
            ("crime", "crime"),
            ("housing_services", "barriers to housing and services, which distance to services is part of,"),
            ("environment", "living environment"),
        )
    },
    **{
        f"minutes_to_{place}": (
            f"Minutes from the area of residence to {words}, by the site's own table (the source travel_times), the same on every day; "
            "missing without such a table, or where it does not tell"
        )
        for place, words in (
            ("gp", "the nearest general practice"),
            ("pharmacy", "the nearest pharmacy"),
            ("hospital", "the nearest hospital"),
        )
    },
    "weighted_sum": (
        "Sum of other features, each times its weight, without those that another rules out; missing when one is missing"
    ),
    "reaches": "1 when such a sum reaches the threshold, otherwise 0, also when it is missing",
    "share": "The first of several features over their sum; missing when that is 0",
}

STATIC = ("age", "sex_female")
DOMAINS = tuple(name for name in MEANINGS if name.endswith("_decile") and name != "imd_decile")
TRAVEL = tuple(name for name in MEANINGS if name.startswith("minutes_to_"))
LIVING = (
    "imd_decile",
    "household_size",
    "lives_alone",
    "household_bereavement",
    "household_children",
    "household_old",
    "large_address",
    "registered_days",
    "registrations_begun",
    "practices",
    *DOMAINS,
    *TRAVEL,
)
DERIVED = ("weighted_sum", "reaches", "share")
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
SILENT_AT_ZERO = (*ZERO_WHEN_NOTHING, "lives_alone", *DERIVED)
# One code is not different from itself, and a count of one may point at what it counts.
SAID_FROM_TWO = ("distinct_codes", "weighted_sum")
LONG_AGO_DAYS = 365  # what happened before that is no reason why now
# A value outside this range is a fault of the record; sums of such values would also lose their last digits.
LARGEST_USABLE_VALUE = 1e9


@dataclass(frozen=True)
class Part:
    """A feature in a derived one: its weight, and the feature (0 or 1) that rules it out where it is 1."""

    feature: Feature
    weight: float = 1.0
    unless: Feature | None = None


@dataclass(frozen=True)
class Feature:
    """A column of the feature matrix. Windows are [index_date - window_days, index_date); None is all history.

    A derived feature is made of `parts`, and its window is the longest of theirs.
    """

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
    parts: tuple[Part, ...] = ()
    threshold: float | None = None

    def __post_init__(self) -> None:
        """Refuse a feature that shows what must not be shown.

        Raises
        ------
        SettingsError
            It rests on sensitive groups, or there are no words to show it in.
        """
        problems = [
            f"group {group!r} is sensitive and cannot be showable"
            for group in sorted(self.groups())
            if group in SENSITIVE_GROUPS
        ]
        problems += [] if self.template else ["it is showable but has no template"]
        if self.showable and problems:
            raise SettingsError(
                [f"feature {self.name!r}: {problem}" for problem in problems],
                "Declare it with show=False; features/sensitive.py says which groups nobody is shown, and why.",
            )

    def groups(self) -> frozenset[str]:
        """Return the code groups that the feature rests on, its parts' included."""
        own = frozenset() if self.group is None else frozenset({self.group})
        return own.union(*(feature.groups() for feature in self.made_of()))

    def made_of(self) -> tuple[Feature, ...]:
        """Return the features that a derived one is made of, those that rule another out included."""
        return tuple(feature for part in self.parts for feature in (part.feature, part.unless) if feature is not None)

    def words(self, value: float) -> str | None:
        """Say the value as a reason, or None when it may not be shown or says nothing (missing, or zero of a count)."""
        if not self.showable or not math.isfinite(value):
            return None
        if self.aggregation in SILENT_AT_ZERO and value <= 0:
            return None
        if self.aggregation == "days_since_last" and value > LONG_AGO_DAYS:
            return None
        if self.aggregation in SAID_FROM_TWO and value < 2:
            return None
        one = self.template_one and round(value) == 1
        return (self.template_one if one else self.template).format(value=value)
