"""What teams can offer this week: case management, other programmes to whom they are open, and what it all costs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

import cohorts
from casewell import doors
from casewell.settings import CASE_MANAGEMENT, CASE_MANAGEMENT_TITLE, Settings
from models.tables import PROGRAMME_SCORES
from records.programmes import enrolments_of, offers_of


def titles_of(settings: Settings) -> dict[str, str]:
    """Return what each programme is called, by code; nothing where there is only case management."""
    if not settings.programmes:
        return {}
    return {CASE_MANAGEMENT: CASE_MANAGEMENT_TITLE} | {code: one.title for code, one in settings.programmes.items()}


def all_places(settings: Settings, team: str) -> int:
    """Return a team's places of this week, of all programmes."""
    return settings.teams.places(team) + sum(other.places_of(team) for other in settings.programmes.values())


def besides(settings: Settings, as_of: dt.date, linked: Path, out: Path) -> cohorts.OtherProgrammes | None:
    """Return what there is beside case management, and what that costs; None without other programmes and budgets.

    A programme is open to whom its rules let in, and who has not declined it of late (`routing.declined_days`).
    """
    if not settings.programmes and not settings.teams.budgets:
        return None
    place = settings.programme.costs.place
    cost = place.amount if place else 0.0
    if not settings.programmes:
        return cohorts.OtherProgrammes(place_cost=cost)
    scores = doors.read(out / "programme_scores.parquet", PROGRAMME_SCORES)
    scores = scores[scores["eligible"]].reset_index(drop=True)
    days = settings.routing.declined_days
    closed = pd.Series(False, index=scores.index)
    for code in settings.programmes:
        here = scores.loc[scores["programme"] == code, "person_id"]
        until = cohorts.declined_until(here, offers_of(linked, code), enrolments_of(linked, code), days)
        closed[here.index] = (until > pd.Timestamp(as_of)).to_numpy()
    return cohorts.OtherProgrammes(settings.programmes, scores[~closed].reset_index(drop=True), cost)
