"""Recording an outcome, and looking up what was recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from django.db import OperationalError, transaction

from casewell.errors import StorageError
from worklist.giving_back import write_programme
from worklist.models import Outcome, about
from worklist.plain import PlainMessageError
from worklist.published import Row, TeamList


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
    outcome: str,
    start_date: dt.date | None,
    offer_again: dt.date | None,
    folder: Path,
) -> Outcome:
    """Add an outcome and give all outcomes back as a source, both or neither.

    Parameters
    ----------
    team
        The list as it is published now.
    reference, version
        The row's own reference, and the version of the list that the coordinator was looking at.
    outcome, start_date, offer_again
        Already checked by `worklist.forms`; the same as the newest again is not added twice.
    folder
        Where `programme.csv` is written.

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
            newest = newest_outcomes(team, [row]).get(row.reference)
            if newest is not None and newest.same_as(outcome, start_date, offer_again):
                return newest
            added = add(team, row, outcome, start_date, offer_again)
            write_programme(folder)
            return added
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


def add(
    team: TeamList, row: Row, outcome: str, start_date: dt.date | None, offer_again: dt.date | None, **written: str
) -> Outcome:
    """Add an outcome, already checked; `written` are the team's own words (owner, progress, note) and the file they stood in."""
    return Outcome.objects.create(
        reference=row.reference,
        week=team.week.as_of,
        team_code=row.team_code,
        nhs_number=row.nhs_number,
        list_version=team.version,
        outcome=outcome,
        start_date=start_date,
        offer_again=offer_again,
        synthetic=team.week.synthetic,
        **written,
    )


def newest_outcomes(team: TeamList, rows: Iterable[Row]) -> dict[str, Outcome]:
    """Return the outcome that counts, by the row's reference, of those rows that have one."""
    wanted = {about(row.reference, row.nhs_number, team.version): row.reference for row in rows}
    recorded = Outcome.objects.filter(reference__in=wanted.values()).order_by("pk")
    return {wanted[outcome.about]: outcome for outcome in recorded if outcome.about in wanted}


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
