"""What must hold of each feature by itself, whatever the others are."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping

from features.feature import DERIVED, LIVING, MEANINGS, STATIC, Feature
from features.plan import PERIOD_DAYS
from features.registrations import REGISTERED_DAYS

OF_VALUES = ("sum", "mean", "min", "max", "last", "slope")
OF_STAYS = ("days_spent", "days_running", "running")
LONGEST_DAYS = 36_525  # a hundred years; a longer window is all history
# Of what does not come from events, only these look back a window, and always the same.
WINDOWS_OF_REGISTRATIONS = {"registrations_begun": REGISTERED_DAYS, "practices": REGISTERED_DAYS}
Groups = Mapping[str, Collection[str]]
"""By name of each code group, what its events may have (`features.code_groups.events_have`)."""


def problems_of(feature: Feature, groups: Groups) -> list[str]:
    """Say every rule that a feature breaks: its aggregation, window, group, parts and threshold, and how they fit."""
    problems = []
    if feature.aggregation not in MEANINGS:
        problems.append(f"unknown aggregation {feature.aggregation!r}{_nearest(feature.aggregation, MEANINGS)}")
    problems += _window_problems(feature)
    if not all(math.isfinite(number) for number in (feature.threshold or 0, *(part.weight for part in feature.parts))):
        problems.append("a threshold or weight that is not a finite number; give a finite one")
    problems += _lacking(feature, groups)
    if (feature.aggregation in DERIVED) != bool(feature.parts):
        problems.append(f"{feature.aggregation} {'needs' if feature.aggregation in DERIVED else 'takes no'} parts")
    if (feature.aggregation == "reaches") != (feature.threshold is not None):
        problems.append(
            f"{feature.aggregation} {'needs a' if feature.aggregation == 'reaches' else 'takes no'} threshold"
        )
    without_events = feature.aggregation in STATIC + LIVING + DERIVED
    if without_events and feature.group is not None:
        problems.append(f"{feature.aggregation} takes no code group")
    if not without_events and feature.group not in groups:
        near = _nearest(str(feature.group), groups) or "; docs/reference/features.md lists them"
        problems.append(f"unknown code group {feature.group!r}{near}")
    return problems


def _window_problems(feature: Feature) -> list[str]:
    days, fixed = feature.window_days, WINDOWS_OF_REGISTRATIONS.get(feature.aggregation)
    if feature.aggregation in STATIC + LIVING and days != fixed:
        return [f"{feature.aggregation} {f'is always of {fixed} days' if fixed else 'takes no window'}; say {fixed}"]
    if days is None:
        if feature.aggregation == "periods_with":
            return [f"periods_with needs a window of whole periods of {PERIOD_DAYS} days, say 360"]
        return ["change needs a window, say 90 days"] if feature.aggregation == "change" else []
    if type(days) is not int or not 0 < days <= LONGEST_DAYS:
        return [
            f"a window of {days!r} days; it must be a whole number from 1 to {LONGEST_DAYS}, or None for all history"
            f"{_nearest_window(days)}"
        ]
    if feature.aggregation == "periods_with" and days % PERIOD_DAYS:
        nearest = max(round(days / PERIOD_DAYS), 1) * PERIOD_DAYS
        return [f"periods_with needs a window of whole periods of {PERIOD_DAYS} days, say {nearest}"]
    return []


def _nearest_window(days: object) -> str:
    if isinstance(days, bool) or not isinstance(days, int | float) or math.isnan(days):
        return ""
    return "; say None" if abs(days) > LONGEST_DAYS else f"; say {max(round(abs(days)), 1)}"


def _lacking(feature: Feature, groups: Groups) -> list[str]:
    """Say what the events of the feature's group have not that its aggregation needs."""
    needed = "values" if feature.aggregation in OF_VALUES else "ends" if feature.aggregation in OF_STAYS else None
    if needed is None or feature.group is None or needed in groups.get(feature.group, [needed]):
        return []  # an unknown group is told of by itself
    able = [name for name, have in groups.items() if needed in have]
    near = difflib.get_close_matches(feature.group, able, 1)
    group = repr(near[0]) if near else "a group whose code system has some (code_systems.csv)"
    return [
        f"{feature.aggregation} needs events with {needed}, which those of {feature.group!r} have not; "
        f"take count, or {group}"
    ]


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
