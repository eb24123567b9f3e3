"""Refuse a catalogue that cannot be built, with every problem at once."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Sequence

from casewell.errors import SettingsError
from features.feature import DERIVED, LIVING, MEANINGS, STATIC, Feature
from features.plan import PERIOD_DAYS


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
    for feature in features:
        problems += [f"feature {feature.name!r}: {problem}" for problem in _problems(feature, groups)]
    if problems:
        raise SettingsError(problems, "features/catalogue.py declares the features.")


def _problems(feature: Feature, groups: Collection[str]) -> list[str]:
    problems = []
    if feature.aggregation not in MEANINGS:
        problems.append(f"unknown aggregation {feature.aggregation!r}{_nearest(feature.aggregation, MEANINGS)}")
    if feature.window_days is not None and feature.window_days <= 0:
        problems.append(f"a window of {feature.window_days} days; it must be positive")
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
