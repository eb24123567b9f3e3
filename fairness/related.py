"""Is ethnicity, as recorded, anybody's at all? In every population it goes with age and with where people live.

A column that was shuffled on its way, or joined to the wrong people, has groups that are all alike: every share is even, every
calibration good, and a gate that believed it would pass any list. What gives it away is that it goes with nothing.
"""

from __future__ import annotations

import pandas as pd
from scipy.stats import chi2_contingency

from fairness.groups import is_recorded

GOES_WITH = ("age_band", "imd_quintile")
SURELY = 0.001
"""Shuffled ethnicity goes with one of the two by chance in fewer than two in a thousand weeks."""


def goes_with_nothing(people: pd.DataFrame) -> bool:
    """Say whether recorded ethnic groups are as alike in age and deprivation as chance would make them.

    Pearson's chi-squared test of each table. Too few people to show what goes with ethnicity count as alike; fewer than two
    recorded groups do not, for then there is nothing to be alike.

    Parameters
    ----------
    people
        One row per eligible person: `ethnic_group` and the labels of `GOES_WITH`.
    """
    known = people[is_recorded(people["ethnic_group"])]
    if known["ethnic_group"].nunique() < 2:
        return False
    tables = [pd.crosstab(known["ethnic_group"], known[name]) for name in GOES_WITH]
    return not any(chi2_contingency(table).pvalue < SURELY for table in tables if table.shape[1] > 1)
