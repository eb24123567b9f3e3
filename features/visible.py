"""The one place where an event becomes visible: when it had happened and was known, until it was replaced.

Days of the index dates are sorted, so an event is visible on a run of a person's dates: from the first that lies
after the day and after the day of knowledge, to the last that does not lie after `until`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.coding import Events
from features.compiled import compiled


class Asked(NamedTuple):
    """Who is asked for, sorted by person and day; `place` is each row's place in the answer."""

    person: np.ndarray
    day: np.ndarray
    place: np.ndarray


class Seen(NamedTuple):
    """Events with the run of dates that each is visible on: of person i are events `begins[i] : ends[i]` and rows
    `rows[i] : rows[i + 1]` of those asked for; event e is visible on dates `since[e] : until[e]` of them."""

    begins: np.ndarray
    ends: np.ndarray
    rows: np.ndarray
    since: np.ndarray
    until: np.ndarray

    @property
    def dates(self) -> int:
        """Most dates of a person."""
        return int(np.diff(self.rows).max(initial=0))

    @property
    def most(self) -> int:
        """Most events of a person."""
        return int((self.ends - self.begins).max(initial=0))


def see(events: Events, asked: Asked) -> Seen:
    """Say on which dates each event is visible; events are sorted by person."""
    people, first = np.unique(asked.person, return_index=True)
    rows = np.append(first, len(asked.person))
    begins, ends = (np.searchsorted(events.person, people, side) for side in ("left", "right"))
    since, until = (np.zeros(len(events.person), dtype=np.int32) for _ in range(2))
    _see(events.day, events.known, events.until, begins, ends, asked.day, rows, since, until)
    return Seen(begins, ends, rows, since, until)


@compiled
def _see(day, known, replaced, begins, ends, asked_day, rows, since, until):  # type: ignore[no-untyped-def]
    for person in range(len(begins)):
        first, last = rows[person], rows[person + 1]
        for event in range(begins[person], ends[person]):
            begin, end = first, last
            while begin < last and (asked_day[begin] <= day[event] or asked_day[begin] <= known[event]):
                begin += 1
            while end > begin and asked_day[end - 1] > replaced[event]:
                end -= 1
            since[event], until[event] = begin - first, end - first
