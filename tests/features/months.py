"""Events as a folder of months, the way in which a change of one week changes few files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def write_months(events: pd.DataFrame, folder: Path) -> Path:
    """Write each event to the month it became known in, and again, as a retirement, to the month that ended it."""
    folder.mkdir(parents=True, exist_ok=True)
    told = events[events["known_at"].notna() & events["time"].notna()]
    known, until = (told[name].dt.strftime("%Y-%m") for name in ("known_at", "known_until"))
    later = until.notna() & (until > known)
    first = told.assign(month=known, known_until=told["known_until"].mask(later))
    rows = pd.concat([first, told.assign(month=until)[later]])
    rows.head(0).drop(columns="month").to_parquet(folder / "1900-01.parquet", index=False)
    for month, part in rows.groupby("month"):
        part.drop(columns="month").sort_values(["subject_id", "time"]).to_parquet(
            folder / f"{month}.parquet", index=False
        )
    return folder
