"""Whom this week's rules would list if the teams still had the places of the last list."""

from __future__ import annotations

import pandas as pd

from casewell.errors import SettingsError
from casewell.settings import Policy, Stability, Teams
from cohorts.allocation import allocate
from cohorts.tables import LISTED


def listed_with(
    places: dict[str, int],
    scores: pd.DataFrame,
    people: pd.DataFrame,
    teams: Teams,
    tie_break_key: bytes,
    policy: Policy,
    groups: pd.DataFrame,
    need_share: float,
    stability: Stability,
    last: pd.DataFrame | None,
) -> list[int] | None:
    """Return `person_id` of those who would be listed, lots aside.

    Parameters
    ----------
    places
        Team code: places of the last list. A team that is not in it, or serves nobody now, has what it has now.
    scores, people, teams, tie_break_key, policy, groups, need_share, stability, last
        As this week's `allocate` is given them.

    Returns
    -------
    list of int
        None where no number of places has changed, or where so many places could not meet this week's floors: then they
        would have given no list at all.
    """
    served = set(people["team_code"])
    changed = {team: number for team, number in places.items() if team in served and number != teams.places(team)}
    if not changed:
        return None
    then = teams.model_copy(update={"capacity": teams.capacity | changed})
    try:
        found = allocate(scores, people, then, tie_break_key, policy, groups, need_share, stability, last)
    except SettingsError:
        return None
    return found.loc[found["status"] == LISTED, "person_id"].tolist()
