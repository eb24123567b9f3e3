"""Finding the last published list, and bringing its pseudonyms up to date."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd

from casewell.errors import SourceError
from casewell.settings import CASE_MANAGEMENT, OtherProgramme, Settings
from cohorts import Earlier
from flows.workspace import file_digest
from records import register
from records.rotation import present

COLUMNS = ["person_id", "team_code", "status", "programme", "risk_band", "need_band"]


def last_list(settings: Settings, as_of: dt.date) -> Earlier | None:
    """Return the newest list that was published for a day before `as_of`, or None in a first week.

    Raises
    ------
    SourceError
        Its cohort was changed after it was published.
    """
    found = _newest(settings, as_of)
    if found is None:
        return None
    folder, manifest = found
    path = folder / "cohort.parquet"
    if not path.is_file() or file_digest(path) != manifest["files"].get(path.name):
        raise SourceError(
            f"the last list, {str(path)!r}, is not what was published",
            "Restore it, or move its folder away: this week is then a first one, and nobody's place is kept.",
        )
    cohort = pd.read_parquet(path)
    # A list of one programme does not say which.
    cohort = cohort.assign(programme=cohort.get("programme", CASE_MANAGEMENT))[COLUMNS]
    ledger = settings.data_dir / "runs" / manifest["run"] / "ledger.parquet"
    columns = ["person_id", "door", "why"]
    doors = pd.read_parquet(ledger, columns=columns) if ledger.is_file() else pd.DataFrame(columns=columns)
    teams = type(settings.teams).model_validate(manifest["settings"]["teams"])
    return Earlier(
        dt.date.fromisoformat(folder.name),
        up_to_date(settings, cohort, folder.name),
        {team: teams.places(team) for team in sorted(set(cohort["team_code"]))},
        up_to_date(settings, doors.astype({"person_id": "int64"}), folder.name),
        {
            code: OtherProgramme.model_validate(other)
            for code, other in manifest["settings"].get("programmes", {}).items()
        },
        teams.budgets,
    )


def last_scores(settings: Settings, as_of: dt.date) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the model of the last list, as its manifest has it, and its run's `person_id` and `benefit`.

    There is no row where the run is no longer kept, and no model in a first week.
    """
    columns = ["person_id", "benefit"]
    found = _newest(settings, as_of)
    if found is None:
        return {}, pd.DataFrame(columns=columns)
    folder, manifest = found
    scores = settings.data_dir / "runs" / manifest["run"] / "scores.parquet"
    kept = pd.read_parquet(scores, columns=columns) if scores.is_file() else pd.DataFrame(columns=columns)
    return manifest["model"], up_to_date(settings, kept.astype({"person_id": "int64"}), folder.name)


def last_list_digest(settings: Settings, as_of: dt.date) -> str:
    """Return the day and the cohort's digest of the list that a week is compared with; empty in a first week."""
    found = _newest(settings, as_of)
    return f"{found[0].name} {found[1]['files'].get('cohort.parquet')}" if found else ""


def _newest(settings: Settings, as_of: dt.date) -> tuple[Path, dict[str, Any]] | None:
    first = as_of - dt.timedelta(days=settings.stability.compared_days)
    manifests = {path.parent.name: path for path in (settings.data_dir / "cohorts").glob("????-??-??/manifest.json")}
    for day in sorted((day for day in manifests if str(first) <= day < str(as_of)), reverse=True):
        manifest = json.loads(manifests[day].read_text(encoding="utf-8"))
        if manifest["name"] == settings.name:
            return manifests[day].parent, manifest
    return None


def up_to_date(settings: Settings, table: pd.DataFrame, day: str) -> pd.DataFrame:
    """Give people the ids they have now, after a new key and after two turned out to be one; the first row of each stays."""
    ids = present(settings, table["person_id"])
    changes = register.changes(settings)
    merged = changes[(changes["kind"] == "merged") & (changes["as_of"] > pd.Timestamp(day))]
    for _, week in merged.groupby("as_of"):
        into = present(settings, week["person_id"]).set_axis(present(settings, week["other_person_id"]))
        ids = ids.map(into.astype("Int64")).fillna(ids).astype("int64")
    return table.assign(person_id=ids).drop_duplicates("person_id", ignore_index=True)
