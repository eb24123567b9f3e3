"""The store's order of rows, and what a retirement does to the event it retires."""

from __future__ import annotations

import numpy as np

from casewell.errors import SourceError
from features.coding import NEVER, Events
from features.compiled import compiled


def ordered(events: Events) -> Events:
    """Sort events that are sorted by person: by day, known, code, value, end and until too."""
    order = np.arange(len(events.person))
    return _taken(events, order) if _sort(events, order) else events


def settled(events: Events, retires: np.ndarray) -> Events:
    """Put several parts' events in one order, each retired event with the day from which it no longer held.

    Parameters
    ----------
    events
        The parts one after the other, each sorted by person.
    retires
        Whether a row is a retirement: the event that it repeats, of an earlier part, held only until `until`.

    Raises
    ------
    SourceError
        A retirement repeats no event.
    """
    order = np.argsort(events.person, kind="stable")
    _sort(events, order)
    keep = np.ones(len(order), dtype=np.bool_)
    unmatched = _settle(events, order, retires, NEVER, keep)
    if unmatched:
        raise SourceError(
            [f"events: {unmatched:,} retirement(s) of an event that no earlier month tells"],
            "Delete the folder of monthly events and build records anew.",
        )
    return _taken(events, order[keep])


def _taken(events: Events, order: np.ndarray) -> Events:
    return Events(*(column[order] for column in events))


@compiled
def _compared(day, known, code, value, end, one, other):  # type: ignore[no-untyped-def]
    """Tell whether row `one` comes before (-1) or after (1) row `other` of the same person, `until` apart; or neither."""
    if day[one] != day[other]:
        return -1 if day[one] < day[other] else 1
    if known[one] != known[other]:
        return -1 if known[one] < known[other] else 1
    if code[one] != code[other]:
        return -1 if code[one] < code[other] else 1
    if value[one] != value[other]:
        return -1 if value[one] < value[other] else 1
    if end[one] != end[other]:
        return -1 if end[one] < end[other] else 1
    return 0


@compiled
def _sort(events, order):  # type: ignore[no-untyped-def]
    """Sort rows that are sorted by person, and nearly so by day (insertion sort); say whether any had to move."""
    person, code, day, known, until, end, value = events
    moved = False
    for position in range(1, len(order)):
        row, place = order[position], position
        while place > 0 and person[order[place - 1]] == person[row]:
            before = order[place - 1]
            compared = _compared(day, known, code, value, end, before, row)
            if compared == -1 or (compared == 0 and until[before] <= until[row]):
                break
            order[place] = before
            place -= 1
        if place != position:
            order[place] = row
            moved = True
    return moved


@compiled
def _settle(events, order, retires, never, keep):  # type: ignore[no-untyped-def]
    """Drop, for each retirement, one equal event that has no `until`; return how many had none to drop.

    Equal events lie together, those without `until` last.
    """
    person, code, day, known, until, end, value = events
    unmatched, begin = 0, 0
    while begin < len(order):
        row, stop, waiting = order[begin], begin, 0
        while (
            stop < len(order)
            and person[order[stop]] == person[row]
            and _compared(day, known, code, value, end, order[stop], row) == 0
        ):
            waiting += retires[order[stop]]
            stop += 1
        place = stop
        while waiting > 0 and place > begin and until[order[place - 1]] == never:
            place -= 1
            keep[place] = False
            waiting -= 1
        unmatched += waiting
        begin = stop
    return unmatched
