"""Whose programme a spell, an offer or a lot is of: one programme's must never count as another's.

Whoever reads these tables reads them here, and says of which programme; SQL over the files says the same with
`programme = ...`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from casewell import doors
from records.tables import DRAWS, ENROLMENTS, OFFERS


def enrolments_of(linked: Path, programme: str) -> pd.DataFrame:
    """Return the spells of one programme (`records.tables.ENROLMENTS`), by its code, from a folder of linked tables."""
    return _of(linked, ENROLMENTS, programme)


def offers_of(linked: Path, programme: str) -> pd.DataFrame:
    """Return the referrals to one programme (`records.tables.OFFERS`), by its code."""
    return _of(linked, OFFERS, programme)


def draws_of(linked: Path, programme: str) -> pd.DataFrame:
    """Return the places of one programme that were drawn by lot (`records.tables.DRAWS`), by its code."""
    return _of(linked, DRAWS, programme)


def _of(linked: Path, door: pa.DataFrameSchema, programme: str) -> pd.DataFrame:
    table = doors.read(linked / f"{door.name}.parquet", door)
    return table[table["programme"] == programme].reset_index(drop=True)
