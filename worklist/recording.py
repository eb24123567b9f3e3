"""Recording what a team says of a person, and looking up what was recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from django.db import OperationalError, transaction

from casewell.errors import StorageError
from cohorts.team_lists import NOT_RECORDED
from worklist.giving_back import give_back
from worklist.models import Outcome, about
from worklist.plain import PlainMessageError
from worklist.published import Row, TeamList
from worklist.standing import Answer, standing


def row_of(team: TeamList, rank: int) -> Row:
    """Return the row of a rank.

    Raises
    ------
    PlainMessageError
        Nobody on this list has it.
    """
    found = next((row for row in team.rows if row.rank == rank), None)
    if found is None:
        raise PlainMessageError("Nobody on this team's list has that rank.", 404)
    return found


def record(
    team: TeamList,
    reference: str,
    version: str,
    answer: Answer,
    folder: Path,
) -> None:
    """Add what a team says of a person and give everything back, both or neither.

    Parameters
    ----------
    team
        The list as it is published now.
    reference, version
        The row's own reference, and the version of the list that the coordinator was looking at.
    answer
        Already checked by `worklist.forms`; what counts already is not added again.
    folder
        Where `programme.csv` and `work.parquet` are written.

    Raises
    ------
    PlainMessageError
        The row is not on the list, the list was published again, or nothing could be written.
    """
    row = next((row for row in team.rows if row.reference == reference), None)
    if row is None:
        raise PlainMessageError("That person is not on this team's list. Nothing was recorded.", 404)
    if version != team.version:
        raise PlainMessageError(
            "The list was published again after you opened the page, and may hold other people. "
            "Nothing was recorded: go back to the list and look again.",
            409,
        )
    try:
        with transaction.atomic():
            refuse_mixture(team)
            if answer.only_repeats(standing(row, history_of(team, row))):
                return
            add(team, row, answer)
            give_back(folder)
    except (OperationalError, StorageError):
        raise PlainMessageError(
            "Nothing was recorded: the disk is full, or cannot be written, or is busy. Try again in a minute.", 503
        ) from None


def refuse_mixture(team: TeamList) -> None:
    """Refuse to keep outcomes of simulated and of real people in one store.

    Raises
    ------
    PlainMessageError
        The store holds outcomes of the other kind.
    """
    if Outcome.objects.exclude(synthetic=team.week.synthetic).exists():
        raise PlainMessageError(
            "Outcomes of simulated and of real people may not be mixed. Nothing was recorded: "
            "use a data folder of its own for each.",
            409,
        )


def add(team: TeamList, row: Row, answer: Answer, returned_file: str = "") -> None:
    """Add a record, already checked; `returned_file` names the copy of the file it stood in."""
    Outcome.objects.create(
        reference=row.reference,
        week=team.week.as_of,
        team_code=row.team_code,
        programme=row.programme,
        nhs_number=row.nhs_number,
        source_record="" if row.source_record == NOT_RECORDED else row.source_record,
        list_version=team.version,
        outcome=answer.outcome,
        start_date=answer.start_date,
        offer_again=answer.offer_again,
        synthetic=team.week.synthetic,
        returned_file=returned_file,
        **answer.words,
    )


def standings(team: TeamList, rows: Iterable[Row]) -> list[tuple[Row, Answer, bool]]:
    """Return each row with what counts of it now, and whether anything is recorded of it."""
    rows = list(rows)
    records = defaultdict(list)
    for outcome in Outcome.objects.filter(reference__in=[row.reference for row in rows]).order_by("pk"):
        records[outcome.about].append(outcome)
    found = [(row, records.get(about(row.reference, row.nhs_number, team.version), [])) for row in rows]
    return [(row, standing(row, recorded), bool(recorded)) for row, recorded in found]


def history(team: TeamList, row: Row) -> list[Outcome]:
    """Return everything recorded about a person, in this week and before, newest first."""
    if row.nhs_number:
        return list(Outcome.objects.filter(nhs_number=row.nhs_number).order_by("-pk"))
    return list(Outcome.objects.filter(reference=row.reference, list_version=team.version).order_by("-pk"))


def history_of(team: TeamList, row: Row) -> list[Outcome]:
    """Return everything recorded about one row, in order."""
    same = Outcome.objects.filter(reference=row.reference).order_by("pk")
    key = about(row.reference, row.nhs_number, team.version)
    return [outcome for outcome in same if outcome.about == key]
