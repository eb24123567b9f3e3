"""People whose place was drawn by lot and whose outcomes are known: by earlier lists, and by the programme's own records."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pandas as pd
from prefect import task

import cohorts
import models
from casewell import doors
from casewell.errors import SourceError
from casewell.settings import CASE_MANAGEMENT, Settings
from cohorts.tables import LOTS
from flows.last_list import up_to_date
from flows.progress import say
from flows.stages import LEARNING, build_features_of, history_rows
from flows.workspace import file_digest, identity, stage
from models.benefit.drawn_by_lot import Drawn, exposure
from models.programme.lots import first_lots
from records.programmes import draws_of, enrolments_of
from records.tables import PEOPLE

COLUMNS = ["as_of", "team_code", "person_id", "chance", "drawn"]


def lots_told(settings: Settings, as_of: dt.date, linked: Path, programme: str = CASE_MANAGEMENT) -> pd.DataFrame:
    """Return everybody who was in a lot for a programme before `as_of`, drawn or not.

    Columns `as_of`, `team_code`, `person_id`, `chance`, `drawn`. Lots of published lists are of case management alone.
    """
    published = published_lots(settings, as_of) if programme == CASE_MANAGEMENT else []
    recorded = draws_of(linked, programme).rename(columns={"drawn_on": "as_of"})
    told = pd.concat([lots[COLUMNS] for lots in [*published, recorded]], ignore_index=True)
    return told[told["as_of"] < pd.Timestamp(as_of)].reset_index(drop=True)


def published_lots(settings: Settings, as_of: dt.date) -> list[pd.DataFrame]:
    """Return `cohorts.tables.LOTS` of each list of this population that was published for a day before `as_of`, with today's pseudonyms.

    Raises
    ------
    SourceError
        Lots were changed after they were published.
    """
    found = []
    for path in sorted((settings.data_dir / "cohorts").glob("????-??-??/lots.parquet")):
        manifest = json.loads(path.with_name("manifest.json").read_text(encoding="utf-8"))
        if manifest["name"] != settings.name or path.parent.name >= str(as_of):
            continue
        if file_digest(path) != manifest["files"].get(path.name):
            raise SourceError(
                f"the lots of an earlier list, {str(path)!r}, are not what was published",
                "Restore them; they are the record of the experiment. Or move their folder away, and nothing is learned from them.",
            )
        found.append(up_to_date(settings, doors.read(path, LOTS), path.parent.name))
    return found


def resting(settings: Settings, as_of: dt.date) -> pd.DataFrame | None:
    """Return `cohorts.resting_now` of the lots of published lists; None where no margin lets anybody rest."""
    if not any(margin.rest_days for margin in settings.teams.margins.values()):
        return None
    lots = pd.concat([doors.empty(LOTS), *published_lots(settings, as_of)], ignore_index=True)
    return cohorts.resting_now(lots, settings.teams, as_of)


def lots_over(
    settings: Settings, as_of: dt.date, linked: Path, days: int, programme: str = CASE_MANAGEMENT
) -> pd.DataFrame:
    """Return `models.programme.lots.first_lots` of everybody whose outcome over so many days is known by `as_of`.

    Left out are people who have opted out since, or whom the records do not hold any more.
    """
    people = doors.read(linked / "people.parquet", PEOPLE)["person_id"]
    lots = first_lots(lots_told(settings, as_of, linked, programme))
    wait = pd.Timedelta(days=days + settings.training.reporting_lag_days)
    over = lots["as_of"] + wait <= pd.Timestamp(as_of)
    return lots[over & lots["person_id"].isin(people)].reset_index(drop=True)


@task
def build_lots(settings: Settings, as_of: dt.date, linked: Path) -> Path | None:
    """Build features and outcomes of the people whose place was drawn by lot, from the day of the list; None without any."""
    lots = lots_over(settings, as_of, linked, settings.outcome.horizon_days)
    lots = lots[lots["chance"].between(0, 1, inclusive="neither")].rename(columns={"as_of": "index_date"})
    who = models.still_eligible(
        lots[["index_date", "person_id"]],
        linked / "people.parquet",
        linked / "enrolments.parquet",
        settings.eligibility,
    )
    if who.empty:
        return None
    lots = who.merge(lots[["index_date", "person_id", "chance", "drawn"]], on=["index_date", "person_id"])
    told = hashlib.sha256(pd.util.hash_pandas_object(lots, index=False).to_numpy().tobytes()).hexdigest()[:12]
    folder = settings.data_dir / "features" / f"{as_of}-lots-{identity(settings, as_of, *LEARNING)}-{told}"

    def build(out: Path) -> None:
        say("Building outcomes and features of people whose place was drawn by lot")
        models.outcomes(who, linked, settings).to_parquet(out / "outcomes.parquet")
        build_features_of(settings, who, linked, out)
        lots.to_parquet(out / "lots.parquet")

    return stage(folder, build)


def drawn_by_lot(folder: Path, linked: Path, settings: Settings) -> Drawn:
    """Read the people of `build_lots` as benefit learns from them."""
    lots = pd.read_parquet(folder / "lots.parquet")
    rows = history_rows(folder).merge(lots, on=["index_date", "person_id"], validate="one_to_one")
    had = exposure(rows, enrolments_of(linked, CASE_MANAGEMENT), settings.outcome.horizon_days)
    return Drawn(rows.assign(treated=rows["drawn"], exposure=had).drop(columns="drawn"))
