"""What the tests of reading share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

import records
from casewell.errors import SourceError
from casewell.settings import Settings

AS_OF = dt.date(2022, 7, 2)


def everybody_numbered(system: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tiny system with a number for everybody, so that nothing has to be linked by name."""
    system["hospital_spells"].loc[0, "nhs_number"] = system["demographics"].loc[0, "nhs_number"]
    del system["housing"]
    return system


def changed(settings: Settings, name: str, **changes: object) -> Settings:
    """Return the settings with one source described otherwise."""
    source = settings.sources[name]
    new = type(source).model_validate({**source.model_dump(exclude_unset=True), **changes})
    return settings.model_copy(update={"sources": {**settings.sources, name: new}})


def tables_of(settings: Settings, out: Path) -> tuple[pd.DataFrame, ...]:
    """Build, and return people, events and contacts."""
    linked = records.build(settings, AS_OF, out)
    return tuple(map(pd.read_parquet, (linked.people, linked.events, linked.contacts)))


def refused(settings: Settings, out: Path) -> str:
    """Return all problems for which a build is refused; nothing is written then, and no number is told."""
    with pytest.raises(SourceError) as caught:
        records.build(settings, AS_OF, out)
    assert not out.exists()
    assert "999" not in str(caught.value), "a message holds an NHS number"
    return "\n".join(caught.value.problems)


def counts_of(linked: records.Linked, source: str) -> dict[str, int]:
    """Return the rows of a source by fate."""
    counts = pd.read_parquet(linked.source_counts)
    return counts[counts["source"] == source].groupby("fate")["rows"].sum().to_dict()


def quarantined(linked: records.Linked, name: str) -> pd.DataFrame:
    """Return the rows of a source that were set aside."""
    return pd.read_parquet(linked.people.parent / "quarantine" / f"{name}.parquet")
