"""What the kernel is told of the features: numbers for names, and which group needs what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd

from features.code_groups import map_codes
from features.feature import DERIVED, LIVING, STATIC, ZERO_WHEN_NOTHING, Aggregation, Feature

# The kernel knows an aggregation by its place here.
KINDS = tuple(name for name in get_args(Aggregation) if name not in STATIC + LIVING + DERIVED)
PERIOD_DAYS = 30
COUNTED = ("any", "count", "change")
FROM_LIST = KINDS[KINDS.index("days_since_first") :]
ALWAYS = np.int64(1) << 40  # days of a window without a beginning


class Plan(NamedTuple):
    """Arrays; `x_starts[i] : x_starts[i + 1]` are the places in `x` that belong to i."""

    windows: np.ndarray  # the distinct lengths in days
    code_starts: np.ndarray  # by code: its groups
    code_groups: np.ndarray
    count_starts: np.ndarray  # by group: the windows in which its events are counted
    count_windows: np.ndarray
    distinct_starts: np.ndarray  # by group: the windows in which its codes are
    distinct_windows: np.ndarray
    wants_codes: np.ndarray  # by code: whether any of its groups counts codes
    wants_last: np.ndarray  # by group: whether its latest event matters
    wants_list: np.ndarray  # by group: whether its events are walked through
    feature_starts: np.ndarray  # by group: its features
    features: np.ndarray  # column of each
    kinds: np.ndarray  # by column
    lengths: np.ndarray  # by column: the window in days
    first_slots: np.ndarray  # by column: place among the counts (any, count, change) or the distinct counts
    second_slots: np.ndarray  # by column: for change, that of the window twice as long
    empty: np.ndarray  # by column: the value when there is no event


def plan(features: Sequence[Feature], codes: Sequence[str], code_groups: pd.DataFrame) -> Plan:
    """Compile features of event groups, for events whose codes are numbered as in `codes`."""
    groups = sorted({str(feature.group) for feature in features})
    place = {group: number for number, group in enumerate(groups)}
    by_group: list[list[int]] = [[] for _ in groups]
    for column, feature in enumerate(features):
        by_group[place[str(feature.group)]].append(column)
    lengths = [_length(feature) for feature in features]
    counts = [{days for c in by_group[g] for days in _counted(features[c])} for g in range(len(groups))]
    distinct = [
        {lengths[c] for c in by_group[g] if features[c].aggregation == "distinct_codes"} for g in range(len(groups))
    ]
    windows = sorted({length for group in counts + distinct for length in group})
    count_slots, count_starts, count_windows = _slots(counts, windows)
    distinct_slots, distinct_starts, distinct_windows = _slots(distinct, windows)
    pairs = map_codes(codes, code_groups)
    pairs = pairs[pairs["group"].isin(groups)]
    numbers = {code: number for number, code in enumerate(codes)}
    members: list[list[int]] = [[] for _ in codes]
    for code, group in zip(pairs["code"], pairs["group"], strict=True):
        members[numbers[code]].append(place[group])
    code_starts, code_members = _runs(members)
    feature_starts, columns = _runs(by_group)
    how: list[str] = [feature.aggregation for feature in features]
    first = [
        distinct_slots[place[str(f.group)], length]
        if f.aggregation == "distinct_codes"
        else count_slots.get((place[str(f.group)], length), -1)
        for f, length in zip(features, lengths, strict=True)
    ]
    second = [
        count_slots.get((place[str(f.group)], 2 * length), -1) for f, length in zip(features, lengths, strict=True)
    ]
    return Plan(
        windows=np.array(windows, dtype=np.int64),
        code_starts=code_starts,
        code_groups=code_members,
        count_starts=count_starts,
        count_windows=count_windows,
        distinct_starts=distinct_starts,
        distinct_windows=distinct_windows,
        wants_codes=np.array([any(distinct[g] for g in groups_of) for groups_of in members], dtype=bool),
        wants_last=_wanting(by_group, how, ("days_since_last",)),
        wants_list=_wanting(by_group, how, FROM_LIST),
        feature_starts=feature_starts,
        features=columns,
        kinds=np.array([KINDS.index(name) for name in how], dtype=np.int64),
        lengths=np.array(lengths, dtype=np.int64),
        first_slots=np.array(first, dtype=np.int64),
        second_slots=np.array(second, dtype=np.int64),
        empty=np.array([0 if name in ZERO_WHEN_NOTHING else np.nan for name in how], dtype=np.float32),
    )


def _length(feature: Feature) -> int:
    return int(ALWAYS) if feature.window_days is None else feature.window_days


def _counted(feature: Feature) -> tuple[int, ...]:
    if feature.aggregation not in COUNTED:
        return ()
    length = _length(feature)
    return (length, 2 * length) if feature.aggregation == "change" else (length,)


def _slots(wanted: list[set[int]], windows: list[int]) -> tuple[dict[tuple[int, int], int], np.ndarray, np.ndarray]:
    """Number what each group counts: the number of each (group, length), then runs of windows by group."""
    pairs = [(group, length) for group, lengths in enumerate(wanted) for length in sorted(lengths)]
    starts, chosen = _runs([[windows.index(length) for length in sorted(lengths)] for lengths in wanted])
    return {pair: number for number, pair in enumerate(pairs)}, starts, chosen


def _runs(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(some) for some in lists)])
    return starts, np.array([number for some in lists for number in some], dtype=np.int64)


def _wanting(by_group: list[list[int]], how: list[str], kinds: tuple[str, ...]) -> np.ndarray:
    return np.array([any(how[column] in kinds for column in columns) for columns in by_group], dtype=bool)
