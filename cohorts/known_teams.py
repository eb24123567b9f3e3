"""Teams that the settings name must be there: a misspelt one would have no places, and its people no list."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from casewell.errors import SettingsError
from casewell.settings import OtherProgramme, Teams

_NAMED = 12
"""So many teams are named to somebody who named one that is not there."""


def refuse_unknown_teams(serving: Collection[str], teams: Teams, programmes: Mapping[str, OtherProgramme]) -> None:
    """Refuse settings that give places, money or a margin to a team that serves nobody.

    `serving` are the codes of the teams that somebody belongs to, and `programmes` those beside case management, by code.

    Raises
    ------
    SettingsError
        It names each, where it stands, and the team that was probably meant.
    """
    known = sorted(set(serving) - {""})
    named_in: dict[str, Collection[str]] = {
        "teams.capacity": set(teams.capacity),
        "teams.budgets": set(teams.budgets),
        "teams.margins": set(teams.margins),
    }
    named_in |= {f"programmes.{code}.places": set(other.places) for code, other in sorted(programmes.items())}
    problems = []
    for key, named in named_in.items():
        for code in sorted(set(named) - set(known)):
            near = difflib.get_close_matches(code, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"{key} names {code!r}, a team that serves nobody{hint}")
    if problems:
        more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
        there = f"this week {', '.join(known[:_NAMED])}{more}"
        raise SettingsError(
            problems, f"Teams are by {teams.by!r} (teams.by); the codes come from the practices: {there}."
        )
