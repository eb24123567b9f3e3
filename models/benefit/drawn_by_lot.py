"""People whose place was drawn by lot, ready to be pooled with the history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import Benefit
from models.benefit.comparison import Estimate

LEAST_DOSE = 0.2
"""Share of a whole course of case management by which the drawn must differ from those passed over, or the lot hardly decided."""


@dataclass(frozen=True)
class Drawn:
    """People who were in a lot, each by the first they were in.

    rows : as those of the history (features and `models.tables.OUTCOMES` from the day of the list on), but `treated` says
        drawn; besides `chance`, the recorded chance, and `exposure`, the share of the horizon that came after a start of
        case management
    """

    rows: pd.DataFrame

    @property
    def dose(self) -> Estimate:
        """How much more of the horizon the drawn had case management than those passed over, as a share of all of it."""
        treated, chance = self.rows["treated"].to_numpy(), self.rows["chance"].to_numpy()
        exposure = self.rows["exposure"].to_numpy("float64")
        found = []
        for arm, weight in ((treated, 1 / chance), (~treated, 1 / (1 - chance))):
            share = np.where(arm, weight, 0.0)
            share = share / share.sum()
            mean = float(share @ exposure)
            found.append((mean, share * (exposure - mean)))
        (drawn, one), (passed, other) = found
        return Estimate(drawn - passed, float(np.sqrt(((one - other) ** 2).sum())))

    def too_little(self, rules: Benefit) -> str | None:
        """Say why these lots cannot be learned from, if so; the sentence tells no exact count of people."""
        people = self.rows.groupby("treated")["person_id"].nunique().reindex([True, False], fill_value=0)
        if people.min() < rules.minimum_treated:
            return (
                f"fewer than {rules.minimum_treated} of them were drawn, or fewer were passed over, that can be followed "
                "to the end (`benefit.minimum_treated`)"
            )
        dose = self.dose
        if dose.value < LEAST_DOSE:
            return (
                f"the drawn had case management for {dose.value:.0%} of the time more than those passed over, and "
                f"{LEAST_DOSE:.0%} are needed: too few of the drawn started, or too many of the others did later"
            )
        return None

    def tell_again(self, rows: pd.DataFrame, grace_days: int) -> np.ndarray:
        """Mark rows of the history about the same days of the same people, less than the grace period from the lot (boolean)."""
        day = rows["person_id"].map(self.rows.set_index("person_id")["index_date"])
        return ((rows["index_date"] - day).abs() < pd.Timedelta(days=grace_days)).to_numpy()


def exposure(rows: pd.DataFrame, enrolments: pd.DataFrame, horizon_days: int) -> np.ndarray:
    """Return the share of each row's horizon that came after its first start of case management within it, 0 to 1.

    Parameters
    ----------
    rows : `index_date`, `person_id`
    enrolments : those of case management (`records.programmes.enrolments_of`)
    """
    asked = rows[["index_date", "person_id"]].assign(row=np.arange(len(rows)))
    pairs = asked.merge(enrolments[["person_id", "start"]], on="person_id")
    since = (pairs["start"] - pairs["index_date"]).dt.days
    inside = (since >= 0) & (since < horizon_days)
    first = since[inside].groupby(pairs.loc[inside, "row"]).min().reindex(range(len(rows)))
    return (1 - first / horizon_days).fillna(0.0).to_numpy("float64")
