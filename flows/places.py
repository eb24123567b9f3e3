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
    no = closed_to(settings, as_of, linked)
    answered = pd.MultiIndex.from_frame(no.loc[no["why"] == cohorts.DECLINED, ["person_id", "programme"]])
    closed = pd.MultiIndex.from_frame(scores[["person_id", "programme"]]).isin(answered)
    return cohorts.OtherProgrammes(settings.programmes, scores[~closed].reset_index(drop=True), cost)


def closed_to(settings: Settings, as_of: dt.date, linked: Path) -> pd.DataFrame:
    """Return `person_id`, `programme` and `why` of those who are on a programme beside case management, or declined it of late."""
    day, days = pd.Timestamp(as_of), settings.routing.declined_days
    found = [pd.DataFrame({"person_id": pd.Series(dtype="int64"), "programme": "", "why": ""})]
    for code in settings.programmes:
        offers, spells = offers_of(linked, code), enrolments_of(linked, code)
        on_it = spells.loc[(spells["start"] < day) & ~(spells["end"] <= day), "person_id"]
        found.append(pd.DataFrame({"person_id": on_it, "programme": code, "why": cohorts.ON_IT}))
        asked = offers["person_id"].drop_duplicates()
        declined = asked[(cohorts.declined_until(asked, offers, spells, days) > day).to_numpy()]
        found.append(pd.DataFrame({"person_id": declined, "programme": code, "why": cohorts.DECLINED}))
    return pd.concat(found, ignore_index=True)
