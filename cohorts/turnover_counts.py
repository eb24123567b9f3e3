"""How much of the list changed, by cause and team, and what the limit on changes cost."""

from __future__ import annotations

from typing import Any

import pandas as pd

from casewell.settings import Stability
from cohorts.changes import Earlier, moved_between_programmes
from cohorts.tables import LISTED
from cohorts.whys import KEEPS, KEPT_OUT

NOTE = (
    "Internal: the counts are exact and small ones are not hidden. "
    "Apply disclosure control (1 to 7 hidden, others to the nearest 5) before publishing any of them."
)


def turnover_counts(
    turnover: pd.DataFrame,
    allocation: pd.DataFrame,
    scores: pd.DataFrame,
    stability: Stability,
    earlier: Earlier | None,
) -> dict[str, Any]:
    """Count who came and went, and price the limit on changes.

    Returns
    -------
    dict
        `since` (None in a first week), `says` (sentences), `listed`, `listed_last`, `stayed`, `entered` and `left` by
        cause, `teams` (team: entered, left), with several programmes `moved_between_programmes`, and `limit`: its settings, the places it `moved` and the `benefit_lost`
        (people expected to be spared the outcome, as the models expect).
    """
    listed = allocation["status"] == LISTED
    kept, out = allocation["why"] == KEEPS, allocation["why"] == KEPT_OUT
    benefit = allocation["person_id"].map(scores.set_index("person_id")["benefit"])
    moved, lost = int((kept & listed).sum()), float(benefit[out].sum() - benefit[kept].sum())
    told: dict[str, Any] = {
        "note": NOTE,
        "since": str(earlier.as_of) if earlier else None,
        "listed": int(listed.sum()),
        "limit": stability.model_dump(mode="json") | {"moved": moved, "benefit_lost": lost},
    }
    if earlier is None:
        return told | {"says": ["This is a first list: there is none to compare it with, and nobody's place was kept."]}
    last = int((earlier.cohort["status"] == LISTED).sum())
    entered, left = (turnover[turnover["movement"] == movement] for movement in ("entered", "left"))
    teams = turnover.groupby(["team_code", "movement"]).size().unstack(fill_value=0)
    teams = teams.reindex(columns=["entered", "left"], fill_value=0)
    told |= {
        "listed_last": last,
        "stayed": last - len(left),
        "entered": _by_cause(entered),
        "left": _by_cause(left),
        "teams": {str(team): {name: int(n) for name, n in row.items()} for team, row in teams.iterrows()},
    }
    share = len(left) / last if last else 0.0
    says = [
        f"Since the list of {earlier.as_of}, {len(entered)} people came onto the lists and {len(left)} of {last} ({share:.0%}) left them."
    ]
    if "programme" in allocation:
        moves = moved_between_programmes(allocation, earlier)
        told |= {"moved_between_programmes": moves}
        says.append(f"{moves} are listed for another programme than last time, which counts as neither.")
    if stability.chosen:
        says.append(
            f"The limit on changes moved {moved} place(s), and costs {lost:.2f} people expected to be spared the outcome."
        )
    return told | {"says": says}


def _by_cause(rows: pd.DataFrame) -> dict[str, int]:
    return {str(cause): int(people) for cause, people in rows["cause"].value_counts().sort_index().items()}
