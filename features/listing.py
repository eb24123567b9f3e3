"""Aggregations that look at the events of a group one by one: stays, values, slopes, gaps and visits.

All sums are of whole numbers, so that no order can change a digit.
"""

from __future__ import annotations

import numpy as np

from features.coding import NO_VALUE, Events
from features.compiled import compiled, is_kept
from features.plan import KINDS, PERIOD_DAYS, Plan
from features.visible import Asked, Seen

DAYS_PER_YEAR = 365.25
MILLIONTHS = 1_000_000
LIMB = 17  # bits; a value has 50 or fewer, and three limbs' products with days and counts fit 63
NONE = np.iinfo(np.int32).min
FIRST, SPENT, RUNNING_DAYS, RUNNING, SUM, MEAN, MIN, MAX, LATEST, SLOPE, LONGEST_GAP, PERIODS, OVERDUE = range(5, 18)
USUAL, BICE = 18, 19
assert (KINDS[FIRST], KINDS[SUM], KINDS[SLOPE], KINDS[OVERDUE]) == ("days_since_first", "sum", "slope", "overdue")
assert KINDS[USUAL:] == ("usual_provider", "bice_boxerman")


def walk_through(events: Events, seen: Seen, asked: Asked, plan: Plan, out: np.ndarray) -> None:
    """Fill the rows of `out` (features, rows asked) whose features look at single events."""
    if plan.wants_list.any():
        room = seen.most * int(np.diff(plan.code_starts).max(initial=0))
        _walk(events, seen, asked.day, asked.place, plan, room, seen.dates, NO_VALUE, PERIOD_DAYS, out)


def is_compiled() -> bool:
    """Say whether machine code of the largest loop, which takes longest to compile, is kept from an earlier run."""
    return is_kept(_walk)


@compiled
def _walk(events, seen, asked_day, asked_place, plan, room, most_dates, no_value, period_days, out):  # type: ignore[no-untyped-def]
    all_code, all_day, all_known, all_end, all_value = events.code, events.day, events.known, events.end, events.value
    begins, ends, rows, all_since, all_until = seen
    code_starts, code_groups, wants = plan.code_starts, plan.code_groups, plan.wants_list
    starts, columns, kinds, lengths = plan.feature_starts, plan.features, plan.kinds, plan.lengths
    marks, groups = np.full(len(wants), -1), np.empty(len(wants), dtype=np.int64)
    sizes, places = np.zeros(len(wants), dtype=np.int64), np.zeros(len(wants), dtype=np.int64)
    day, known, end = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    value, since, until = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    gaps, steps = np.empty(room, dtype=np.int64), np.empty((most_dates + 1, 3), dtype=np.int64)
    codes, tallies = np.empty(room, dtype=np.int64), np.zeros((len(code_starts), 3), dtype=np.int64)
    list_event, list_group = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    for person in range(len(begins)):
        first, dates, touched, listed = rows[person], rows[person + 1] - rows[person], 0, 0
        for event in range(begins[person], ends[person]):
            if all_since[event] < all_until[event]:
                for at in range(code_starts[all_code[event]], code_starts[all_code[event] + 1]):
                    group = code_groups[at]
                    if wants[group]:
                        if marks[group] != person:
                            marks[group], sizes[group], groups[touched] = person, 0, group
                            touched += 1
                        sizes[group] += 1
                        list_event[listed], list_group[listed] = event, group
                        listed += 1
        total = 0
        for number in range(touched):
            places[groups[number]] = total
            total += sizes[groups[number]]
        # Lay each group's events out together, in order of day.
        for at in range(listed):
            event, place = list_event[at], places[list_group[at]]
            day[place], known[place], end[place] = all_day[event], all_known[event], all_end[event]
            value[place], since[place], until[place] = all_value[event], all_since[event], all_until[event]
            codes[place] = all_code[event]
            places[list_group[at]] += 1
        for number in range(touched):
            group = groups[number]
            stop = places[group]
            begin = stop - sizes[group]
            for at in range(starts[group], starts[group + 1]):
                column = columns[at]
                kind, length = kinds[column], lengths[column]
                if kind < FIRST:
                    continue
                if kind in (SUM, MEAN):
                    today, place = asked_day[first : first + dates], asked_place[first : first + dates]
                    _sums(
                        kind, day, value, since, until, begin, stop, today, length, no_value, steps, place, out[column]
                    )
                    continue
                # Events `oldest : newest` lie in the window; from date to date both can only move on.
                oldest, newest = begin, begin
                for date in range(dates):
                    today = asked_day[first + date]
                    while newest < stop and day[newest] < today:
                        newest += 1
                    while oldest < newest and today - day[oldest] > length:
                        oldest += 1
                    # A stay that began before the window may reach into it.
                    if newest == (begin if SPENT <= kind <= RUNNING else oldest):
                        continue
                    if kind == FIRST:
                        answer = _first(day, since, until, oldest, newest, date, today)
                    elif kind <= RUNNING:
                        answer = _stays(kind, day, end, since, until, begin, newest, date, today, length)
                    elif kind <= LATEST:
                        answer = _values(kind, day, known, value, since, until, oldest, newest, date, no_value)
                    elif kind == SLOPE:
                        answer = _slope(day, value, since, until, oldest, newest, date, today, no_value)
                    elif kind >= USUAL:
                        answer = _visits(kind, day, codes, since, until, tallies, oldest, newest, date)
                    else:
                        answer = _gaps(kind, day, since, until, gaps, oldest, newest, date, today, length, period_days)
                    if not np.isnan(answer):
                        out[column, asked_place[first + date]] = answer


@compiled
def _first(days, since, until, begin, stop, date, today):  # type: ignore[no-untyped-def]
    for event in range(begin, stop):
        if since[event] <= date < until[event]:
            return float(today - days[event])
    return np.nan


@compiled
def _stays(kind, days, ends, since, until, begin, stop, date, today, length):  # type: ignore[no-untyped-def]
    total = 0
    for event in range(begin, stop):
        if not since[event] <= date < until[event]:
            continue
        age = today - days[event]
        end_age = today - ends[event]
        if kind == RUNNING:
            total = max(total, age <= length and end_age < 0)
        elif kind == RUNNING_DAYS or end_age >= 0:
            total += max(0, min(age, length) - max(0, end_age))
    return float(total)


@compiled
def _sums(kind, days, values, since, until, begin, stop, today, length, no_value, steps, place, out):  # type: ignore[no-untyped-def]
    """Write the sum or mean of each date where there is a value.

    A value is added at the first date that sees it and taken away at the first that no longer does; it is kept in two
    parts, so that no sum can overflow.
    """
    steps[:] = 0
    leaves, number, high, low = 0, 0, 0, 0
    for event in range(begin, stop):
        while leaves < len(today) and today[leaves] - length <= days[event]:
            leaves += 1
        value, seen, gone = values[event], since[event], min(until[event], leaves)
        if value == no_value or seen >= gone:
            continue
        steps[seen, 0] += 1
        steps[gone, 0] -= 1
        steps[seen, 1] += value >> 32
        steps[gone, 1] -= value >> 32
        steps[seen, 2] += value & 0xFFFFFFFF
        steps[gone, 2] -= value & 0xFFFFFFFF
    for date in range(len(today)):
        number, high, low = number + steps[date, 0], high + steps[date, 1], low + steps[date, 2]
        if number > 0:
            total = (high + (low >> 32)) * 4294967296.0 + (low & 0xFFFFFFFF)
            out[place[date]] = total / MILLIONTHS if kind == SUM else total / number / MILLIONTHS


@compiled
def _values(kind, days, knowns, values, since, until, begin, stop, date, no_value):  # type: ignore[no-untyped-def]
    """Return the smallest, largest or latest value."""
    any_value, best, day, known = False, 0, NONE, NONE
    for event in range(begin, stop):
        value = values[event]
        if value == no_value or not since[event] <= date < until[event]:
            continue
        if not any_value:
            any_value, best, day, known = True, value, days[event], knowns[event]
        elif kind == MIN:
            best = min(best, value)
        elif kind == MAX:
            best = max(best, value)
        elif (days[event], knowns[event], value) > (day, known, best):
            best, day, known = value, days[event], knowns[event]
    return best / MILLIONTHS if any_value else np.nan


@compiled
def _slope(days, values, since, until, begin, stop, date, today, no_value):  # type: ignore[no-untyped-def]
    """Return (n sum(xy) - sum(x) sum(y)) / (n sum(xx) - sum(x)^2) per year, exact up to the division.

    Each value is cut into three limbs. The numerator is linear in the values, so it is made for each limb and put
    together at the end, carrying first, so that nothing is lost where large parts cancel.
    """
    mask = (1 << LIMB) - 1
    number, x, xx = 0, 0, 0
    y0, y1, y2, xy0, xy1, xy2 = 0, 0, 0, 0, 0, 0
    for event in range(begin, stop):
        value, age = values[event], today - days[event]
        if value == no_value or not since[event] <= date < until[event]:
            continue
        low, middle, high = value & mask, (value >> LIMB) & mask, value >> (2 * LIMB)
        number += 1
        x -= age
        xx += age * age
        y0, y1, y2 = y0 + low, y1 + middle, y2 + high
        xy0, xy1, xy2 = xy0 - age * low, xy1 - age * middle, xy2 - age * high
    spread = number * xx - x * x
    if number == 0 or spread == 0:
        return np.nan
    low, middle, high = number * xy0 - x * y0, number * xy1 - x * y1, number * xy2 - x * y2
    middle += low >> LIMB
    high += middle >> LIMB
    total = high * 17179869184.0 + ((middle & mask) * (1 << LIMB) + (low & mask))
    return total / spread * DAYS_PER_YEAR / MILLIONTHS


@compiled
def _gaps(kind, days, since, until, room, begin, stop, date, today, length, period_days):  # type: ignore[no-untyped-def]
    """Return the longest gap, the share of periods with an event, or how overdue the next event is."""
    gaps, periods, before, longest, period = 0, 0, NONE, 0, -1
    whole = length // period_days
    for event in range(begin, stop):
        day = days[event]
        age = today - day
        if day == before or not since[event] <= date < until[event]:
            continue
        if before != NONE:
            room[gaps] = day - before
            longest = max(longest, day - before)
            gaps += 1
        before = day
        now = (age - 1) // period_days
        if now != period and now < whole:
            periods += 1
        period = now
    if kind == PERIODS:
        return periods / whole
    if kind == LONGEST_GAP:
        return float(longest) if gaps > 0 else np.nan
    if gaps < 2:
        return np.nan
    ordered = np.sort(room[:gaps])
    return (today - before) / ((ordered[(gaps - 1) // 2] + ordered[gaps // 2]) / 2)


@compiled
def _visits(kind, days, codes, since, until, tallies, begin, stop, date):  # type: ignore[no-untyped-def]
    """Return how far visits are with the same: a visit is a day with a code.

    Of each code `tallies` holds which call counted it last, its latest day and its visits; the last row counts the calls.
    """
    tallies[-1, 0] += 1
    total, most, pairs = 0, 0, 0
    for event in range(begin, stop):
        if not since[event] <= date < until[event]:
            continue
        tally = tallies[codes[event]]
        if tally[0] != tallies[-1, 0]:
            tally[0], tally[1], tally[2] = tallies[-1, 0], NONE, 0
        if tally[1] != days[event]:
            pairs += 2 * tally[2]  # with each of the visits before
            tally[1], tally[2] = days[event], tally[2] + 1
            total, most = total + 1, max(most, tally[2])
    if total < 2:
        return np.nan
    return most / total if kind == USUAL else pairs / (total * (total - 1))
