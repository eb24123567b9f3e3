"""Outcomes come back as a source: `programme.csv`, in the contract of case management history."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from casewell.settings import CASE_MANAGEMENT
from cohorts.formats import write_private
from cohorts.storage import disk
from worklist.handing_on import write_work
from worklist.models import Outcome

ROUTE = "casewell_list"
IN_THE_CONTRACT = {
    "agreed": "started",
    "declined": "declined",
    "not reached": "not_reached",
    "not suitable": "not_suitable",
    "already supported": "already_supported",
}
COLUMNS = (
    "record_id",
    "nhs_number",
    "team_code",
    "referral_date",
    "referral_route",
    "start_date",
    "end_date",
    "outcome",
    "offer_again_date",
    "received_date",
)
PROGRAMME = "programme"
"""A further column, as soon as an outcome is of another programme than case management."""


def give_back(folder: Path) -> tuple[int, int]:
    """Write the newest outcome of every row to `folder/programme.csv`, and everything recorded to `work.parquet`.

    The first is a source for the next run, the second stands on the next lists; each is written whole or not at all.

    People without a recorded NHS number cannot be recognised by the next run, so they stay out.
    Without anything to give back no file is written. Beside simulated people's outcomes stands
    the file SYNTHETIC, as beside every simulated source.

    Returns
    -------
    tuple of int
        Rows written, and rows left out for want of an NHS number.

    Raises
    ------
    StorageError
        When the disk is full or cannot be written; the file written before still stands.
    """
    # The store's write lock makes writers, also other processes, take turns.
    with transaction.atomic(), disk("the outcomes could not be given back", "Free some space or mend the permissions."):
        outcomes = list(Outcome.objects.order_by("pk"))
        write_work(outcomes, folder)
        decided = [outcome for outcome in outcomes if outcome.outcome]
        first = {outcome.about: outcome for outcome in reversed(decided)}
        newest: dict[tuple[str, str], Outcome] = {}
        for outcome in decided:
            said = (outcome.outcome, outcome.start_date, outcome.offer_again)
            # A new note beside the same outcome is no news: it stays known from the day it was first said.
            if outcome.about not in newest or not newest[outcome.about].same_as(*said):
                newest[outcome.about] = outcome
        known = {key: outcome for key, outcome in newest.items() if outcome.nhs_number}
        if known:
            _stamp(folder, all(outcome.synthetic for outcome in known.values()))
            several = any(outcome.programme != CASE_MANAGEMENT for outcome in known.values())
            lines = [_line(first[key].pk, outcome, several) for key, outcome in known.items()]
            content = _csv([COLUMNS + (PROGRAMME,) * several, *lines])
            os.replace(write_private(folder / ".programme.csv.partial", content), folder / "programme.csv")
    return len(known), len(newest) - len(known)


def _line(number: int, outcome: Outcome, several: bool) -> tuple[str, ...]:
    received = timezone.localdate(outcome.recorded_at)
    return (
        f"worklist-{number}",
        outcome.nhs_number,
        outcome.team_code,
        # A list can be made for tomorrow; nobody is referred after the outcome is known.
        min(outcome.week, received).isoformat(),
        ROUTE,
        outcome.start_date.isoformat() if outcome.start_date else "",
        "",
        IN_THE_CONTRACT[outcome.outcome],
        outcome.offer_again.isoformat() if outcome.offer_again else "",
        received.isoformat(),
        *([outcome.programme] if several else []),
    )


def _csv(lines: list[tuple[str, ...]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows(lines)
    return buffer.getvalue().encode("utf-8")


def _stamp(folder: Path, synthetic: bool) -> None:
    stamp = folder / "SYNTHETIC"
    if not synthetic:
        stamp.unlink(missing_ok=True)
    elif not stamp.exists():
        write_private(stamp, b"The people whose outcomes stand here are simulated.\n")
