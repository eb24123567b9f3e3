"""What counts now of a row on a list, and whether an answer says anything else.

Every record says all that the team then said of a row, so the newest counts; but for the outcome, which a record without one
leaves as it was. A row on which nothing is recorded yet stands as its list was published: with the owner and the progress
that were carried on from earlier lists.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worklist.models import Outcome
from worklist.published import Row
from worklist.returned_rows import as_read

WORDS = ("owner", "progress", "note")


@dataclass(frozen=True)
class Answer:
    """What a team says of one person; `outcome` is empty, and both days missing, as long as nothing has come of the offer."""

    outcome: str
    start_date: dt.date | None
    offer_again: dt.date | None
    owner: str
    progress: str
    note: str

    @property
    def decision(self) -> tuple[str, dt.date | None, dt.date | None]:
        """What became of the offer."""
        return self.outcome, self.start_date, self.offer_again

    @property
    def words(self) -> dict[str, str]:
        """Owner, progress and note."""
        return {name: getattr(self, name) for name in WORDS}

    def in_words(self, words: Mapping[str, str]) -> Answer:
        """Return the same decision with another owner, progress and note."""
        return Answer(*self.decision, words["owner"], words["progress"], words["note"])

    def only_repeats(self, other: Answer, apart_from: Collection[str] = ()) -> bool:
        """Whether this says nothing that `other` does not; without an outcome it says nothing of what became of the offer."""
        same = not self.outcome or self.decision == other.decision
        return same and all(self.words[name] == other.words[name] for name in WORDS if name not in apart_from)


def published(row: Row) -> Answer:
    """Return what a row says before anything is recorded of it."""
    return Answer("", None, None, as_read(row.owner), as_read(row.progress), "")


def said_in(record: Outcome) -> Answer:
    """Return what one record says."""
    return Answer(record.outcome, record.start_date, record.offer_again, record.owner, record.progress, record.note)


def standing(row: Row, records: Sequence[Outcome]) -> Answer:
    """Return what counts now of a row; `records` are all of it, in order."""
    words = (said_in(records[-1]) if records else published(row)).words
    decided = next((said_in(record) for record in reversed(records) if record.outcome), published(row))
    return decided.in_words(words)


def news(answer: Answer, row: Row, records: Sequence[Outcome], read_before: bool) -> Answer | None:
    """Return what a row of a file adds to what is recorded, or None where it adds nothing.

    An empty cell of the team's own words says nothing, and one that is as it was published says nothing against what the
    pages changed since. Else a file adds something where it differs from what counts now and from what the last file said; a
    file that was read before, from what any file said.
    """
    as_sent = published(row).words
    said_nothing = {
        name
        for name, word in answer.words.items()
        if not word or (word == as_sent[name] and _changed_last_on_pages(name, row, records))
    }
    now = standing(row, records)
    added = answer.in_words({name: (now if name in said_nothing else answer).words[name] for name in WORDS})
    by_file = [said_in(record) for record in records if record.returned_file]
    earlier = by_file if read_before else by_file[-1:]
    if added.only_repeats(now) or any(added.only_repeats(told, said_nothing) for told in earlier):
        return None
    return added


def _changed_last_on_pages(name: str, row: Row, records: Sequence[Outcome]) -> bool:
    value: Any = published(row).words[name]
    on_pages = False
    for record in records:
        if getattr(record, name) != value:
            value, on_pages = getattr(record, name), not record.returned_file
    return on_pages
