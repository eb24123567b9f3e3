"""What an offer of a place changed among people who were drawn by lot: the strongest evidence there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.comparison import Estimate
from models.programme.effect import Arms, effect
from models.programme.outcomes import Course

FEWEST, FEWEST_EACH = 100, 20  # people in lots; of them drawn, and not


@dataclass(frozen=True)
class ByLot:
    """The effect of an offer on the share with an emergency admission or death within a year.

    drawn, passed_over : rows in lots, weeks and people
    started : share of the drawn who started, and of those passed over
    difference : drawn less passed over, as offered (intention to treat)
    """

    drawn: int
    passed_over: int
    started: tuple[float, float]
    difference: Estimate


def by_lot(lots: pd.DataFrame, course: Course) -> ByLot | None:
    """Compare the drawn with those passed over, each weighted by the recorded chance; None where too few were in a lot.

    Parameters
    ----------
    lots : `cohorts.tables.LOTS`; somebody in several lots has several rows, and counts as one person in the error
    course : what happened to each row from the day of the list
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
        (float(starters @ course.started), float(others @ course.started)),
        found.difference,
    )
