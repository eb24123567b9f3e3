"""Who came onto the list and who left it since the last one, in numbers: why, and how much of it was the score's doing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import Monitoring
from cohorts.tables import LISTED
from fairness.disclosure import shown_share
from monitoring.findings import CHURN, LOOK, Finding

SCORE = "score"
NEW_MODEL, ROSE, FELL, OTHERS = (
    "new model",
    "own score rose",
    "own score fell",
    "others' scores, or places that came free",
)
MOVED = 0.01  # of the earlier benefit: less is no change


@dataclass(frozen=True)
class Churn:
    """What became of the last list.

    Attributes
    ----------
    since
        The day of the last list.
    listed_then, listed_now
        How many were listed.
    causes
        `movement` (entered, left), `cause`, `people`.
    """

    since: str
    listed_then: int
    listed_now: int
    causes: pd.DataFrame

    def people(self, movement: str) -> int:
        """Return how many entered, or left."""
        return int(self.causes.loc[self.causes["movement"] == movement, "people"].sum())


def churn(
    turnover: pd.DataFrame,
    now: pd.DataFrame,
    then: pd.DataFrame,
    cohort: pd.DataFrame,
    since: str,
    listed_then: int,
    new_model: bool,
) -> Churn:
    """Count who came and went by cause, and say of `score` whose score it was.

    Parameters
    ----------
    turnover
        cohorts.tables.TURNOVER.
    now, then
        `person_id`, `benefit` of this week and of the last list's (empty where no longer kept).
    cohort
        cohorts.tables.COHORT of this week.
    new_model
        Another model scored the last list: then no one's score can be held against the one before.
    """
    table = turnover.merge(now[["person_id", "benefit"]], on="person_id", how="left")
    table = table.merge(then[["person_id", "benefit"]], on="person_id", how="left", suffixes=("", "_then"))
    by = table["benefit"] - table["benefit_then"]
    least = MOVED * table["benefit_then"].abs()
    score = np.select(
        [
            np.full(len(table), new_model),
            (table["movement"] == "entered") & (by > least),
            (table["movement"] == "left") & (by < -least),
        ],
        [NEW_MODEL, ROSE, FELL],
        OTHERS,
    )
    cause = table["cause"].where(table["cause"] != SCORE, pd.Series(score, index=table.index))
    counts = table.assign(cause=cause).groupby(["movement", "cause"]).size().rename("people").reset_index()
    counts = counts.sort_values(["movement", "people", "cause"], ascending=[True, False, True], ignore_index=True)
    return Churn(since, listed_then, int((cohort["status"] == LISTED).sum()), counts)


def about_churn(found: Churn | None, limits: Monitoring) -> list[Finding]:
    """Say whether more of the last list is gone than the limit."""
    if found is None or not found.listed_then:
        return []
    left = found.people("left")
    if left / found.listed_then <= limits.list_replaced:
        return []
    most = found.causes[found.causes["movement"] == "left"].iloc[0]
    return [
        Finding(
            CHURN,
            LOOK,
            f"{shown_share(left, found.listed_then)} of the people listed on {found.since} are no longer on the list; {limits.list_replaced:.0%} is the "
            f"limit. Most often because of: {most['cause']}.",
            "Look at what changed between the two weeks: model, policy, places or data. Coordinators may have called people "
            "who are not on it any more.",
        )
    ]
