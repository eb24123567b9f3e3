"""Whom this week's rules would list if the teams still had the places of the last list."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from casewell.errors import SettingsError
from casewell.settings import Policy, Stability, Teams
from cohorts.allocation import allocate
from cohorts.changes import Earlier
from cohorts.several import OtherProgrammes
from cohorts.tables import LISTED


def listed_with(
    earlier: Earlier,
    scores: pd.DataFrame,
    people: pd.DataFrame,
    teams: Teams,
    tie_break_key: bytes,
    policy: Policy,
    groups: pd.DataFrame,
    need_share: float,
    stability: Stability,
    last: pd.DataFrame | None,
    others: OtherProgrammes | None = None,
) -> list[int] | None:
    """Return `person_id` of those who would be listed, lots aside.

    Parameters
    ----------
    earlier
        The last list, with its places and budgets. A team that is not in it, or serves nobody now, has what it has now; so
        has a programme that was not there.
    scores, people, teams, tie_break_key, policy, groups, need_share, stability, last, others
        As this week's `allocate` is given them.

    Returns
    -------
    list of int
        None where no number of places has changed, or where so many places could not meet this week's floors: then they
        would have given no list at all.
    """
    served = {team: number for team, number in earlier.places.items() if team in set(people["team_code"])}
    teams_then, others_then = _teams_then(teams, earlier, served), _others_then(others, earlier, list(served))
    if (teams_then, others_then) == (teams, others):
        return None
    asked = (policy, groups, need_share, stability, last)
    try:
        found = allocate(scores, people, teams_then, tie_break_key, *asked, others=others_then)
    except SettingsError:
        return None
    return found.loc[found["status"] == LISTED, "person_id"].tolist()


def _teams_then(teams: Teams, earlier: Earlier, served: dict[str, int]) -> Teams:
    changed = {team: number for team, number in served.items() if number != teams.places(team)}
    budgets = {team: pounds for team, pounds in teams.budgets.items() if team not in served}
    budgets |= {team: earlier.budgets[team] for team in served if team in earlier.budgets}
    return teams.model_copy(update={"capacity": teams.capacity | changed, "budgets": budgets})


def _others_then(others: OtherProgrammes | None, earlier: Earlier, served: list[str]) -> OtherProgrammes | None:
    if others is None:
        return None
    then = {}
    for code, other in others.programmes.items():
        was = earlier.others.get(code, other)
        changed = {team: was.places_of(team) for team in served if was.places_of(team) != other.places_of(team)}
        then[code] = other.model_copy(update={"places": other.places | changed})
    return replace(others, programmes=then)
