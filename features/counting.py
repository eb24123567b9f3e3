"""Counts of events and of codes, and how long ago the latest was, for every index date in one walk.

An event adds 1 at the first date that sees it, and takes it away at the first that no longer does or whose window
it has left; summed along the dates, that is the count.
"""

from __future__ import annotations

import numpy as np

from features.coding import Events
from features.compiled import compiled
from features.plan import KINDS, Plan
from features.visible import Asked, Seen

ANY, COUNT, CHANGE, DISTINCT, LAST = range(5)
NONE = np.iinfo(np.int32).min
assert KINDS[:5] == ("any", "count", "change", "distinct_codes", "days_since_last")


def count(events: Events, seen: Seen, asked: Asked, plan: Plan, out: np.ndarray) -> None:
    """Fill the rows of `out` (features, rows asked), which holds `plan.empty`, whose features count."""
    groups, codes = len(plan.wants_last), len(plan.wants_codes)
    _walk(
        events.day,
        events.code,
        seen,
        asked.day,
        asked.place,
        plan,
        np.zeros((len(plan.count_windows), seen.dates + 1), dtype=np.int32),
        np.zeros((len(plan.distinct_windows), seen.dates), dtype=np.int32),
        np.empty((groups, seen.dates), dtype=np.int32),
        np.empty((codes, seen.dates), dtype=np.int32),
        out,
    )


@compiled
def _walk(day, code, seen, asked_day, asked_place, plan, counts, distinct, latest, latest_code, out):  # type: ignore[no-untyped-def]
    begins, ends, rows, since, until = seen
    windows, code_starts, code_groups = plan.windows, plan.code_starts, plan.code_groups
    count_starts, count_windows = plan.count_starts, plan.count_windows
    distinct_starts, distinct_windows = plan.distinct_starts, plan.distinct_windows
    wants_codes, wants_last = plan.wants_codes, plan.wants_last
    starts, columns, kinds, lengths = plan.feature_starts, plan.features, plan.kinds, plan.lengths
    first_slots, second_slots = plan.first_slots, plan.second_slots
    # A group or code is this person's once it is marked with the person's number; before, its sums are another's.
    group_marks, code_marks = np.full(len(wants_last), -1), np.full(len(wants_codes), -1)
    groups, codes = np.empty(len(wants_last), dtype=np.int64), np.empty(len(wants_codes), dtype=np.int64)
    pointers = np.zeros(len(windows), dtype=np.int64)
    for person in range(len(begins)):
        first, dates = rows[person], rows[person + 1] - rows[person]
        groups_seen, codes_seen, before = 0, 0, NONE
        pointers[:] = 0
        for event in range(begins[person], ends[person]):
            begin, end, today = since[event], until[event], day[event]
            if begin == end:
                continue
            if today != before:
                before = today
                for window in range(len(windows)):
                    # The first date whose window the event has left; events come in order of day.
                    while pointers[window] < dates and asked_day[first + pointers[window]] - windows[window] <= today:
                        pointers[window] += 1
            number = code[event]
            if wants_codes[number]:
                if code_marks[number] != person:
                    code_marks[number] = person
                    codes[codes_seen] = number
                    codes_seen += 1
                    for date in range(dates):
                        latest_code[number, date] = NONE
                for date in range(begin, end):
                    latest_code[number, date] = today
            for at in range(code_starts[number], code_starts[number + 1]):
                group = code_groups[at]
                if group_marks[group] != person:
                    group_marks[group] = person
                    groups[groups_seen] = group
                    groups_seen += 1
                    for date in range(dates):
                        latest[group, date] = NONE
                    for slot in range(count_starts[group], count_starts[group + 1]):
                        for date in range(dates + 1):
                            counts[slot, date] = 0
                    for slot in range(distinct_starts[group], distinct_starts[group + 1]):
                        for date in range(dates):
                            distinct[slot, date] = 0
                # From the longest window to the shortest: what is not in one is in none that is shorter.
                for slot in range(count_starts[group + 1] - 1, count_starts[group] - 1, -1):
                    leaves = min(end, pointers[count_windows[slot]])
                    if begin >= leaves:
                        break
                    counts[slot, begin] += 1
                    counts[slot, leaves] -= 1
                if wants_last[group]:
                    for date in range(begin, end):
                        latest[group, date] = today
        for touched in range(codes_seen):
            number = codes[touched]
            for at in range(code_starts[number], code_starts[number + 1]):
                group = code_groups[at]
                for slot in range(distinct_starts[group], distinct_starts[group + 1]):
                    length = windows[distinct_windows[slot]]
                    for date in range(dates):
                        known = latest_code[number, date]
                        distinct[slot, date] += known != NONE and asked_day[first + date] - known <= length
        for touched in range(groups_seen):
            group = groups[touched]
            for at in range(starts[group], starts[group + 1]):
                column = columns[at]
                kind, slot = kinds[column], first_slots[column]
                if kind in (COUNT, ANY):
                    total = 0
                    for date in range(dates):
                        total += counts[slot, date]
                        if total > 0:  # nothing is there already, and most is nothing
                            out[column, asked_place[first + date]] = total if kind == COUNT else 1
                elif kind == CHANGE:
                    total, twice = 0, 0
                    for date in range(dates):
                        total += counts[slot, date]
                        twice += counts[second_slots[column], date]
                        out[column, asked_place[first + date]] = 2 * total - twice
                elif kind == DISTINCT:
                    for date in range(dates):
                        if distinct[slot, date] > 0:
                            out[column, asked_place[first + date]] = distinct[slot, date]
                elif kind == LAST:
                    for date in range(dates):
                        age = asked_day[first + date] - latest[group, date]
                        if latest[group, date] != NONE and age <= lengths[column]:
                            out[column, asked_place[first + date]] = age
