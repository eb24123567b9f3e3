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


def refuse_unknown_teams(settings: Settings, linked: Path) -> None:
    """Refuse settings that name a team which serves nobody, before hours go into a model (`cohorts.refuse_unknown_teams`)."""
    serving = pd.read_parquet(linked / "people.parquet", columns=["team_code"])["team_code"]
    cohorts.refuse_unknown_teams(set(serving), settings.teams, settings.programmes)


def besides(settings: Settings, as_of: dt.date, linked: Path, out: Path) -> cohorts.OtherProgrammes | None:
    """Return what there is beside case management, and what that costs; None without other programmes and budgets.

    A programme is open to whom its rules let in, and who has given no answer to it that stands (`closed_to`).
    """
    if not settings.programmes and not settings.teams.budgets:
        return None
    place = settings.programme.costs.place
    cost = place.amount if place else 0.0
    if not settings.programmes:
        return cohorts.OtherProgrammes(place_cost=cost)
    scores = doors.read(out / "programme_scores.parquet", PROGRAMME_SCORES)
    scores = scores[scores["eligible"]].reset_index(drop=True)
    return cohorts.OtherProgrammes(settings.programmes, scores, cost, closed_to(settings, as_of, linked))


def closed_to(settings: Settings, as_of: dt.date, linked: Path) -> pd.DataFrame:
    """Return `person_id`, `programme` and `why` of those who are on a programme, or to whose team's last offer of it an answer stands.

    Whoever is on the caseload of case management is routed before any programme is offered (`cohorts.route`).
    """
    day = pd.Timestamp(as_of)
    found = [cohorts.nobody_closed()]
    for code in (CASE_MANAGEMENT, *settings.programmes):
        offers, spells = offers_of(linked, code), enrolments_of(linked, code)
        if code != CASE_MANAGEMENT:
            on_it = spells.loc[(spells["start"] < day) & ~(spells["end"] <= day), ["person_id"]].drop_duplicates()
            found.append(on_it.assign(programme=code, why=cohorts.ON_IT))
        found.append(cohorts.standing_answers(offers, spells, day, settings.routing).assign(programme=code))
    return pd.concat(found, ignore_index=True)
