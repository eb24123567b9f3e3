"""A FHIR bundle for each team, readable by its owner only."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cohorts.fhir_bundle import fhir_bundle
from cohorts.formats import write_private
from cohorts.safe_text import file_stems
from cohorts.storage import disk
from cohorts.team_lists import Heading, with_contacts


def write_bundles(
    cohort: pd.DataFrame,
    contacts: pd.DataFrame,
    practices: pd.DataFrame,
    heading: Heading,
    folder: Path,
    outcome: str,
    horizon_days: int,
    synthetic: bool,
) -> list[Path]:
    """Write `<team>.json` for each team, also for a team with nobody on its list; see `formats.write_lists`.

    Parameters
    ----------
    outcome, horizon_days
        What the risk is of, in plain words, and within how many days.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    known = with_contacts(cohort, contacts)
    names = dict(zip(practices["team_code"], practices["team_name"], strict=True))
    teams = sorted((set(cohort["team_code"]) | set(names)) - {""})
    stems, by_team = file_stems(teams), dict(iter(known.groupby("team_code")))
    written = []
    with disk(f"the FHIR bundles could not be written to {str(folder)!r}"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for team in teams:
            rows = by_team.get(team, known.iloc[:0])
            content = fhir_bundle(rows, team, names.get(team, ""), heading, outcome, horizon_days, synthetic)
            written.append(write_private(folder / f"{stems[team]}.json", content))
    return written
