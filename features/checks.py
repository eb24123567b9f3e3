"""Refuse a catalogue that cannot be built, with every problem at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from casewell.errors import AsOfError, SettingsError
from features.declare import feature_name
from features.feature import Feature
from features.not_events import needed_for
from features.rules import Groups, problems_of

SILENT_DAYS = 365
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
KEYS = ("index_date", "person_id")  # the other columns of a matrix


def check_build(
    features: Sequence[Feature],
    groups: Groups,
    dates: Iterable[pd.Timestamp],
    known: tuple[pd.Timestamp, pd.Timestamp] | None,
) -> None:
    """Check a catalogue, and the dates on which it is asked for, so that whoever got both wrong is told of both.

    Raises
    ------
    SettingsError
        The catalogue breaks a rule: what is wrong with it, and with the dates.
    AsOfError
        Nothing is wrong but index dates, as `check_index_dates` says.
    """
    try:
        check_catalogue(features, groups)
    except SettingsError as wrong:
        try:
            check_index_dates(dates, known)
        except AsOfError as late:
            raise SettingsError([*wrong.problems, *late.problems], f"{wrong.advice} {late.advice}") from None
        raise
    check_index_dates(dates, known)


def check_catalogue(features: Sequence[Feature], groups: Groups) -> None:
    """Check names, groups, aggregations and windows.

    Parameters
    ----------
    groups
        By name of each code group, what its events may have (`features.code_groups.events_have`).

    Raises
    ------
    SettingsError
        Every broken rule at once, with the nearest valid choice where there is one.
    """
    problems = [] if features else ["no feature is declared"]
    problems += _names(features) + _two_meanings(features)
    names = {feature.name for feature in features}
    for feature in [*features, *(part for part in needed_for(features) if part.name not in names)]:
        problems += [f"feature {feature.name!r}: {problem}" for problem in problems_of(feature, groups)]
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
    asked = sorted(np.datetime64(date, "D") for date in dates)
    if not asked:
        return
    if known is None:
        raise AsOfError("there is no event of anybody", "Link the records anew, from sources that hold some.")
    first, last = np.datetime64(known[0], "D") + 1, np.datetime64(known[1], "D") + SILENT_DAYS
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


def _names(features: Sequence[Feature]) -> list[str]:
    """Find names that cannot be a column, or that are another's; capitals do not tell two columns apart."""
    names = [feature.name for feature in features]
    by_column: dict[str, list[str]] = {}
    for name in names:
        by_column.setdefault(name.lower(), []).append(name)
    return [
        *[
            f"feature {name!r} is declared more than once; {_told_apart([one for one in features if one.name == name])}"
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ],
        *[
            f"features {' and '.join(map(repr, sorted(set(same))))} differ by capitals alone; rename one"
            for same in by_column.values()
            if len(set(same)) > 1
        ],
        *[f"a feature cannot be named {name!r}, which every matrix has" for name in KEYS if name in by_column],
        *[
            f"feature {name!r}: a name is letters, digits and underscores, a letter first{_plain(name)}"
            for name in sorted(set(names))
            if not NAME.fullmatch(name)
        ],
    ]


def _told_apart(same: Sequence[Feature]) -> str:
    """Say how features of one name could be told apart, as the catalogue does."""
    apart = sorted(
        {feature_name(one.group, one.aggregation, one.window_days) if one.group else one.name for one in same}
    )
    return f"say {' and '.join(map(repr, apart))}" if len(apart) > 1 else "leave one out"


def _plain(name: str) -> str:
    plain = re.sub(r"[\W_]+", "_", name.lower(), flags=re.ASCII).lstrip("_0123456789").rstrip("_")
    return f", say {plain!r}" if plain else ""


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
