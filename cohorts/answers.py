"""Answers to an offer that stand for a while: who declined a programme, and whom a team found it not to be for.

Without this, whoever a team found not suitable would be on its list at the same rank next week. An answer stands until the day that was
said, or for so many days, or until the person starts all the same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from casewell.settings import Routing

DECLINED = "declined: offer again later"
NOT_SUITABLE = "found not suitable: look again later"
SUPPORTED = "already supported by another service: look again later"
ON_IT = "already on the programme"
"""No answer, but closes a programme beside case management all the same."""
_ANSWERS = {"declined": DECLINED, "not_suitable": NOT_SUITABLE, "already_supported": SUPPORTED}


def standing_answers(
    offers: pd.DataFrame, enrolments: pd.DataFrame, as_of: pd.Timestamp, routing: Routing
) -> pd.DataFrame:
    """Return `person_id` and `why` of everybody whose answer to one programme stands on `as_of`.

    Each person's newest answer counts, and of two that became known at once the one that stands longer; a start on that day or after it has
    answered it.

    Parameters
    ----------
    offers, enrolments
        Those of the programme (`records.programmes`), as known before `as_of`.
    """
    said = offers[offers["outcome"].isin(_ANSWERS)]
    days = np.where(said["outcome"] == "declined", routing.declined_days, routing.not_suitable_days)
    stands = said["known_at"].dt.normalize() + pd.to_timedelta(days, unit="D")
    table = said.assign(until=said["offer_again"].fillna(stands))
    newest = table.sort_values(["person_id", "known_at", "until", "outcome"]).drop_duplicates("person_id", keep="last")
    started = enrolments.groupby("person_id")["start"].max().reindex(newest["person_id"]).to_numpy()
    answered = started >= newest["known_at"].dt.normalize().to_numpy()
    held = newest[~answered & (newest["until"] > as_of).to_numpy()]
    return pd.DataFrame({"person_id": held["person_id"], "why": held["outcome"].map(_ANSWERS)}).reset_index(drop=True)
