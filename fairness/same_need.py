"""At the same illness and age, does one group use hospital in an emergency less, or more, than everybody?

The other side of need at the same risk, and sharper, because three years of admissions are many:

- *less* than everybody: this group's trouble does not reach the records that the model learns from (people turned
  away, or who do not come). A list by risk passes over them, and calibration within groups looks perfect;
- *more* than everybody: this group's illness is written down less than it is, or is worse for the same diagnosis.

People are put in strata of recorded need and age; how many of a group had an emergency admission is held against how many
everybody's rate in its strata would give (indirect standardisation). Deprivation brings more admissions for the same
illness, so the gate looks at the gradient along it (`fairness.gradient`), within limits that are not even about 1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairness.levels import Levels
from fairness.outcomes import calibration_rows

MEASURE = "use_at_same_need"
NEED_STRATA = 20


def same_need_rows(people: pd.DataFrame, grouping: str, groups: pd.Index, levels: Levels) -> pd.DataFrame:
    """Return the rows of `use_at_same_need`, one for each of `groups`.

    `people` has one row per eligible person: `person_id`, the grouping's label, `need`, `age_band`, and `use`, the
    emergency admissions of the last three years.
    """
    used = people["use"] > 0
    # Equal needs stay together, whichever twentieth they fall into.
    twentieth = np.ceil(people["need"].rank(method="min", pct=True) * NEED_STRATA)
    expected = used.astype("float64").groupby([twentieth, people["age_band"]]).transform("mean")
    table = people[["person_id", grouping]].assign(outcome=used, risk=expected)
    return calibration_rows(table, grouping, groups, levels).assign(measure=MEASURE)
