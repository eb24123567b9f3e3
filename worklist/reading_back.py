"""What teams wrote comes back in the files that were sent: each row is held against the published list before it counts."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.db import OperationalError, transaction
from django.utils import timezone

from casewell.errors import StorageError
from cohorts.formats import write_private
from cohorts.storage import disk
from worklist.giving_back import give_back
from worklist.judging import REFERENCE, answer_of, not_as_sent, untouched
from worklist.plain import PlainMessageError
from worklist.published import Row, TeamList, week_of
from worklist.recording import add, history_of, refuse_mixture
from worklist.returned_rows import Returned, read_returned
from worklist.standing import Answer, news


@dataclass
class Taken:
    """What became of the rows of returned files: counts, and one sentence for each row that was refused."""

    recorded: int = 0
    known_already: int = 0
    untouched: int = 0
    refused: list[str] = field(default_factory=list)


def take_back(files: Iterable[Path], data_dir: Path, folder: Path) -> Taken:
    """Record what teams wrote into the files they gave back, and hand all of it on to the next run and its lists.

    Whatever can be recorded is, all together or not at all; every other row is refused by its number and a reason, and
    no value of a person. A copy of each file is kept in `folder/returned`, so that nothing written in it is lost. A row counts
    if it says something else than what counts now and than the last file said of it: so a file that is read again, or filled
    in further, changes nothing of what was recorded differently since.

    Raises
    ------
    SourceError
        A file is no list of Casewell's.
    StorageError
        The disk is full or cannot be written; then nothing was recorded.
    """
    files = list(files)
    read = [(path, read_returned(path)) for path in files]
    copies = {path: _copy_of(path, folder / "returned") for path in files}
    read_before = {copy.stem for copy in copies.values() if copy.exists()}
    taken, lists = Taken(), _Lists(data_dir)
    accepted: list[tuple[TeamList, Row, Answer, str]] = []
    for path, rows in read:
        accepted += [(*found, copies[path].stem) for found in _judge(path.name, rows, lists, taken)]
    try:
        with transaction.atomic():
            for team, row, answer, file in accepted:
                _record(team, row, answer, file, file in read_before, taken)
            for path, copy in copies.items():
                _keep(path, copy)
            if taken.recorded:
                give_back(folder)
    except OperationalError:
        raise StorageError(
            "nothing was recorded: the store of outcomes is busy, or the disk is full", "Try again in a minute."
        ) from None
    return taken


def _judge(name: str, rows: list[Returned], lists: _Lists, taken: Taken) -> list[tuple[TeamList, Row, Answer]]:
    today, found = timezone.localdate(), {}
    said: dict[str, set[Answer]] = defaultdict(set)
    for returned in rows:
        problems, place = _of_row(returned, lists, today)
        if problems is None:
            taken.untouched += 1
        elif isinstance(problems, Answer) and place is not None:
            said[place[1].reference].add(problems)
            found[returned.number] = (*place, problems)
        elif isinstance(problems, list):
            taken.refused += [f"{name}, row {returned.number}: {problem}" for problem in problems]
    twice = {number for number, (_, row, _) in found.items() if len(said[row.reference]) > 1}
    taken.refused += [
        f"{name}, row {number}: this person stands in the file with two answers" for number in sorted(twice)
    ]
    return list(
        {row.reference: (team, row, answer) for n, (team, row, answer) in found.items() if n not in twice}.values()
    )


def _of_row(
    returned: Returned, lists: _Lists, today: dt.date
) -> tuple[Answer | list[str] | None, tuple[TeamList, Row] | None]:
    place = lists.find(returned.cells["reference"])
    if isinstance(place, str):
        return [place] if returned.filled_in else None, None
    if untouched(returned, place[1]):
        return None, None
    wrong = not_as_sent(returned, *place)
    if wrong:
        return [wrong], None
    return answer_of(returned, place[0].week.as_of, today), place


class _Lists:
    """The published lists, each read once."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.days: dict[str, dict[str, tuple[TeamList, Row]]] = {}

    def find(self, reference: str) -> tuple[TeamList, Row] | str:
        """Return the list and the row of a reference, or why there is none."""
        parts = REFERENCE.fullmatch(reference)
        if parts is None:
            return "its Reference is not one that Casewell wrote"
        day = parts[1]
        if day not in self.days:
            try:
                self.days[day] = self._of_day(day)
            except PlainMessageError as error:
                return str(error)
        if not self.days[day]:
            return "no list of that day is published here"
        return self.days[day].get(reference, "nobody on that day's lists has this Reference")

    def _of_day(self, day: str) -> dict[str, tuple[TeamList, Row]]:
        week = week_of(self.data_dir, day)
        teams = [week.team_list(stem) for stem in week.stems()] if week else []
        return {row.reference: (team, row) for team in teams for row in team.rows}


def _record(team: TeamList, row: Row, answer: Answer, file: str, read_before: bool, taken: Taken) -> None:
    refuse_mixture(team)
    added = news(answer, row, history_of(team, row), read_before)
    if added is None:
        taken.known_already += 1
        return
    add(team, row, added, file)
    taken.recorded += 1


def _copy_of(path: Path, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}{path.suffix.lower()}"


def _keep(path: Path, copy: Path) -> None:
    with disk(
        "the returned file could not be kept, so nothing was recorded", "Free some space or mend the permissions."
    ):
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(copy, path.read_bytes())
