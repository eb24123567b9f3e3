"""What an offer of a place changed among people who were drawn by lot: the strongest evidence there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import EventName
from models.benefit.comparison import Estimate
from models.programme.effect import Arms, effect
from models.programme.outcomes import YEAR_DAYS, Course

FEWEST, FEWEST_EACH = 100, 20  # people in lots; of them drawn, and not


@dataclass(frozen=True)
class ByLot:
    """The effect of an offer on the share with the outcome within a year.

    drawn, passed_over : people, by the first lot that each was in
    entries : times that they were in a lot, the first and all that followed
    drawn_later : share of those passed over who were drawn in a later lot of the same year
    started : share of the drawn who started, and of those passed over
    difference : drawn less passed over, as offered (intention to treat)
    outcome : the outcome, of those that can rank
    """

    drawn: int
    passed_over: int
    entries: int
    drawn_later: float
    started: tuple[float, float]
    difference: Estimate
    outcome: EventName = "admission_or_death"


def first_lots(lots: pd.DataFrame) -> pd.DataFrame:
    """Return each person's first lot: weekly lots hold mostly the same people, who are drawn anew each time.

    Parameters
    ----------
    lots : `cohorts.tables.LOTS` of every list

    Returns
    -------
    The first lot of each person, in order of person, with `entries` (lots the person was in within a year of it) and
    `drawn_later` (drawn in one after the first).
    """
    ordered = lots.sort_values(["person_id", "as_of", "team_code"], ignore_index=True)
    first = ordered.drop_duplicates("person_id").reset_index(drop=True)
    since = ordered["as_of"] - ordered.groupby("person_id")["as_of"].transform("first")
    inside = ordered[since < pd.Timedelta(days=YEAR_DAYS)]
    entries = inside.groupby("person_id").size()
    again = inside[inside["drawn"] & inside["person_id"].duplicated()]["person_id"]
    return first.assign(
        entries=first["person_id"].map(entries).astype("int64"), drawn_later=first["person_id"].isin(again)
    )


def by_lot(lots: pd.DataFrame, course: Course) -> ByLot | None:
    """Compare the drawn with those passed over, each weighted by the recorded chance; None where too few were in a lot.

    Parameters
    ----------
    lots : `first_lots`, one row a person
    course : what happened to each from the day of the list
    """
    drawn = lots["drawn"].to_numpy()
    seen = course.stayed.astype("float64")
    followed = seen > 0
    if followed.sum() < FEWEST or min((drawn & followed).sum(), (~drawn & followed).sum()) < FEWEST_EACH:
        return None
    chance = lots["chance"].to_numpy()
    arms = Arms(lots["person_id"].to_numpy(), drawn, chance / (1 - chance), seen)
    happened = course.outcome().astype("float64")
    found = effect(arms, happened, np.full(len(lots), happened[followed].mean()))
    starters, others = arms.weights()
    return ByLot(
        int((drawn & followed).sum()),
        int((~drawn & followed).sum()),
        int(lots.loc[followed, "entries"].sum()),
        float(others @ lots["drawn_later"]),
        (float(starters @ course.started), float(others @ course.started)),
        found.difference,
        course.ranks,
    )
