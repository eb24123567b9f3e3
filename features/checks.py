"""Refuse a catalogue that cannot be built, with every problem at once."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from casewell.errors import AsOfError, SettingsError
from features.feature import DERIVED, LIVING, MEANINGS, STATIC, Feature
from features.not_events import needed_for
from features.plan import PERIOD_DAYS

SILENT_DAYS = 365
OF_VALUES = ("sum", "mean", "min", "max", "last", "slope")
OF_STAYS = ("days_spent", "days_running", "running")
# What the events of each of the catalogue's sources have besides a date and a code.
HAVE_VALUES = ("general practice", "hospital", "social care")
HAVE_ENDS = ("hospital", "social care")
HAVE_NEITHER = (
    "community",
    "emergency care",
    "housing",
    "mental health",
    "outpatients",
    "prescriptions",
    "urgent care",
)


def check_catalogue(features: Sequence[Feature], groups: Collection[str]) -> None:
    """Check names, groups, aggregations and windows.

    Raises
    ------
    SettingsError
        Every broken rule at once, unknown names with the nearest known one.
    """
    problems = [] if features else ["no feature is declared"]
    repeated = sorted(name for name, times in Counter(feature.name for feature in features).items() if times > 1)
    problems += [f"feature {name!r} is declared more than once" for name in repeated]
    problems += _two_meanings(features)
    names = {feature.name for feature in features}
    for feature in [*features, *(part for part in needed_for(features) if part.name not in names)]:
        problems += [f"feature {feature.name!r}: {problem}" for problem in _problems(feature, groups)]
    if problems:
        raise SettingsError(problems, "features/catalogue.py declares the features.")


def check_index_dates(dates: Iterable[pd.Timestamp], known: tuple[pd.Timestamp, pd.Timestamp] | None) -> None:
    """Refuse index dates before which nothing was known, or nothing new for a year: every feature would say "none".

    Parameters
    ----------
    known
        The first and the last moment at which an event became known; None without any event.

    Raises
    ------
    AsOfError
        Every such date at once, each with the nearest that can be used.
    """
    if known is None:
        raise AsOfError("there is no event of anybody", "Link the records anew, from sources that hold some.")
    first, last = np.datetime64(known[0], "D") + 1, np.datetime64(known[1], "D") + SILENT_DAYS
    asked = sorted(np.datetime64(date, "D") for date in dates)
    problems = [
        f"index date {date}: nothing was known by then; the first that can be used is {first}"
        for date in asked
        if date < first
    ]
    problems += [
        f"index date {date}: nothing became known in the {SILENT_DAYS} days before it; the last that can be used is {last}"
        for date in asked
        if date > last
    ]
    if problems:
        raise AsOfError(problems, "The events end where the sources do: deliver newer ones, or ask for another date.")


def _two_meanings(features: Sequence[Feature]) -> list[str]:
    """Find names that stand for one thing in the catalogue, or in a part of it, and for another elsewhere."""
    meanings: dict[str, set[tuple[object, ...]]] = {}
    waiting = list(features)
    while waiting:
        feature = waiting.pop()
        meaning = (feature.group, feature.aggregation, feature.window_days, feature.parts, feature.threshold)
        meanings.setdefault(feature.name, set()).add(meaning)
        waiting += feature.made_of()
    declared = Counter(feature.name for feature in features)
    return [
        f"feature {name!r} is one thing here, and another where it is a part"
        for name, several in sorted(meanings.items())
        if len(several) > 1 and declared[name] < 2
    ]


def _problems(feature: Feature, groups: Collection[str]) -> list[str]:
    problems = []
    if feature.aggregation not in MEANINGS:
        problems.append(f"unknown aggregation {feature.aggregation!r}{_nearest(feature.aggregation, MEANINGS)}")
    if not (feature.window_days is None or (type(feature.window_days) is int and feature.window_days > 0)):
        problems.append(f"a window of {feature.window_days} days; it must be a whole number, at least 1, or None")
        return problems
    if not all(math.isfinite(number) for number in (feature.threshold or 0, *(part.weight for part in feature.parts))):
        problems.append("a threshold or weight that is not a finite number")
    for what, aggregations, sources in (("values", OF_VALUES, HAVE_VALUES), ("ends", OF_STAYS, HAVE_ENDS)):
        lacking = (*HAVE_NEITHER, *HAVE_VALUES)
        if feature.aggregation in aggregations and feature.source in lacking and feature.source not in sources:
            problems.append(
                f"{feature.aggregation} needs events with {what}, which those of {feature.source!r} have not; "
                f"take one of {', '.join(sources)}, or count"
            )
    if (feature.aggregation in DERIVED) != bool(feature.parts):
        problems.append(f"{feature.aggregation} {'needs' if feature.aggregation in DERIVED else 'takes no'} parts")
    if (feature.aggregation == "reaches") != (feature.threshold is not None):
        problems.append(
            f"{feature.aggregation} {'needs a' if feature.aggregation == 'reaches' else 'takes no'} threshold"
        )
    if feature.aggregation == "change" and feature.window_days is None:
        problems.append("change needs a window")
    if feature.aggregation == "periods_with" and (feature.window_days is None or feature.window_days % PERIOD_DAYS):
        problems.append(f"periods_with needs a window of whole periods of {PERIOD_DAYS} days{_whole(feature)}")
    without_events = feature.aggregation in STATIC + LIVING + DERIVED
    if without_events and feature.group is not None:
        problems.append(f"{feature.aggregation} takes no code group")
    if not without_events and feature.group not in groups:
        problems.append(f"unknown code group {feature.group!r}{_nearest(str(feature.group), groups)}")
    return problems


def _whole(feature: Feature) -> str:
    periods = max(round((feature.window_days or 0) / PERIOD_DAYS), 1)
    return f", say {periods * PERIOD_DAYS}"


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
