"""Earlier weeks, as their runs' folders hold them: what they predicted, whom they listed, and what has happened since."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import models
import monitoring
from casewell import doors
from casewell.settings import Settings
from cohorts.tables import LEDGER, LISTED, NOT_SELECTED, RESERVE
from flows.earlier import earlier_audit, published_run
from flows.last_list import last_list_digest
from flows.workspace import digest_of
from models.backtest import case_management_could_act
from models.tables import SCORES, TEST_PREDICTIONS
from records.rotation import present

WEEKS_READ = 3
"""How many earlier weeks are held against what happened, in each reading."""
APART = dt.timedelta(days=28)  # weeks that follow each other are nearly the same people and outcomes


@dataclass(frozen=True)
class PastWeek:
    """The run that stands for an earlier day, and what stands for the model that scored it (`scored_by`)."""

    as_of: dt.date
    folder: Path
    model: str


def past_weeks(settings: Settings, as_of: dt.date) -> list[PastWeek]:
    """Return the runs of this population and outcome before a day, oldest first.

    Of several runs of one day the published one stands, as for the earlier audit; else the last by name.
    """
    outcome = settings.model_dump(mode="json")["outcome"]
    found: dict[dt.date, PastWeek] = {}
    for path in sorted((settings.data_dir / "runs").glob("*/manifest.json")):
        folder, told = path.parent, json.loads(path.read_text(encoding="utf-8"))
        day = dt.date.fromisoformat(told["as_of"])
        same = told["name"] == settings.name and told["settings"]["outcome"] == outcome
        whole = folder.suffix != ".partial" and (folder / "scores.parquet").is_file()
        if not same or not whole or day >= as_of:
            continue
        if day not in found or found[day].folder.name != published_run(settings, day):
            found[day] = PastWeek(day, folder, scored_by(told["model"]))
    return [week for _, week in sorted(found.items())]


def held_against(settings: Settings, as_of: dt.date) -> str:
    """Return what stands for all that a week is held against, and its list and pages depend on: list, audit and runs before it."""
    runs = [week.folder.name for week in past_weeks(settings, as_of)]
    return digest_of(last_list_digest(settings, as_of), earlier_audit(settings, as_of), runs)


def scored_by(model: dict[str, Any]) -> str:
    """Return what stands for the model that scored a week, from its manifest's `model`: weeks with equal ones compare."""
    return " without ".join([model["digest"], *model.get("without", [])])


def competing(run: Path) -> pd.DataFrame:
    """Return `person_id` and `risk` of those who could have had a place in a run."""
    scores, ledger = doors.read(run / "scores.parquet", SCORES), doors.read(run / "ledger.parquet", LEDGER)
    could = ledger.loc[ledger["door"].isin([LISTED, RESERVE, NOT_SELECTED]), "person_id"]
    return scores.loc[scores["person_id"].isin(could), ["person_id", "risk"]].reset_index(drop=True)


def risks_of(run: Path) -> np.ndarray:
    """Return the risks of those who could have had a place in a run."""
    return competing(run)["risk"].to_numpy()


def predictions_come_true(
    settings: Settings, as_of: dt.date, linked: Path, weeks: list[PastWeek], trained: Path, model: str
) -> pd.DataFrame:
    """Hold the predictions of earlier weeks against what has happened since: `monitoring.calibration_of`.

    In full for the newest weeks whose outcomes are known, early for the newest that are old enough for it. The early reading
    needs the champion's test predictions, which `trained` holds where the training ran on this machine, and weeks that the
    same `model` (`scored_by`) scored: what should have come by then at each risk is a fact of one model's risks.
    """
    lag = settings.training.reporting_lag_days
    rows = []
    for week in newest(weeks, as_of - dt.timedelta(days=settings.outcome.horizon_days + lag)):
        found = since(settings, linked, _predicted(settings, week))
        rows.append(
            found.assign(
                week=week.as_of, reading=monitoring.IN_FULL, days=settings.outcome.horizon_days, expected=found["risk"]
            )
        )
    test, days = trained / "test_predictions.parquet", settings.monitoring.early_days
    early = newest([week for week in weeks if week.model == model], as_of - dt.timedelta(days=days + lag))
    if early and test.is_file():
        tested = doors.read(test, TEST_PREDICTIONS)
        tested = tested.assign(person_id=present(settings, tested["person_id"]))
        soon = settings.model_copy(update={"outcome": settings.outcome.model_copy(update={"horizon_days": days})})
        then = since(soon, linked, tested[["index_date", "person_id", "risk"]])
        share = monitoring.early_share(then["risk"].to_numpy(), then["outcome"].to_numpy())
        rows += [] if share is None else [_read_early(settings, soon, linked, week, share) for week in early]
    columns = ["week", "reading", "days", "expected", "outcome"]
    return monitoring.calibration_of(pd.concat(rows) if rows else pd.DataFrame(columns=columns))


def _read_early(
    settings: Settings, soon: Settings, linked: Path, week: PastWeek, share: tuple[float, float]
) -> pd.DataFrame:
    found = since(soon, linked, _predicted(settings, week))
    expected = monitoring.expected_early(found["risk"].to_numpy(), share)
    days = soon.outcome.horizon_days
    return found.assign(week=week.as_of, reading=monitoring.EARLY, days=days, expected=expected)


def newest(weeks: list[PastWeek], until: dt.date) -> list[PastWeek]:
    """Return the newest weeks up to a day that lie apart, oldest first, at most WEEKS_READ."""
    chosen: list[PastWeek] = []
    for week in reversed([week for week in weeks if week.as_of <= until]):
        if len(chosen) < WEEKS_READ and (not chosen or chosen[-1].as_of - week.as_of >= APART):
            chosen.append(week)
    return chosen[::-1]


def _predicted(settings: Settings, week: PastWeek) -> pd.DataFrame:
    table = competing(week.folder)
    return table.assign(
        person_id=present(settings, table["person_id"]), index_date=pd.Timestamp(week.as_of).as_unit("us")
    )


def since(settings: Settings, linked: Path, predicted: pd.DataFrame) -> pd.DataFrame:
    """Add `outcome` to `index_date`, `person_id` and `risk`: of those who stayed, and whom case management did not reach."""
    known = pd.read_parquet(linked / "people.parquet", columns=["person_id"])["person_id"]
    asked = predicted[predicted["person_id"].isin(known)].sort_values(["index_date", "person_id"], ignore_index=True)
    labelled = models.labels(asked[["index_date", "person_id"]], linked, settings)
    table = asked.merge(labelled, on=["index_date", "person_id"])
    return table[table["stayed"] & ~case_management_could_act(table)].reset_index(drop=True)
