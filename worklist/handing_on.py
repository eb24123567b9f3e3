"""What teams recorded is handed on to the next list: `work.parquet`, the `work` table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from django.utils import timezone

from casewell import doors
from casewell.settings import CASE_MANAGEMENT
from cohorts.tables import WORK
from worklist.models import Outcome


def write_work(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Write everything that was recorded to `folder/work.parquet`, whole, readable by its owner only.

    Parameters
    ----------
    outcomes
        All records, in order. Of none no file is written.
    """
    if not outcomes:
        return
    partial = folder / ".work.parquet.partial"
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    table = pd.DataFrame([_row(outcome) for outcome in outcomes])
    if (table["programme"] == CASE_MANAGEMENT).all():
        table = table.drop(columns="programme")
    doors.write(table, WORK, partial)
    os.replace(partial, folder / "work.parquet")


def _row(outcome: Outcome) -> dict[str, object]:
    return {
        "number": outcome.pk,
        "list_as_of": pd.Timestamp(outcome.week),
        "team_code": outcome.team_code,
        "programme": outcome.programme,
        "nhs_number": outcome.nhs_number,
        "source_record": outcome.source_record,
        "recorded_on": pd.Timestamp(timezone.localdate(outcome.recorded_at)),
        "owner": outcome.owner,
        "progress": outcome.progress,
        "outcome": outcome.outcome,
        "start": pd.Timestamp(outcome.start_date) if outcome.start_date else pd.NaT,
        "offer_again": pd.Timestamp(outcome.offer_again) if outcome.offer_again else pd.NaT,
        "note": outcome.note,
    }
