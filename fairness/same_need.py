"""Does care fall alike on groups that are alike? Two comparisons, each of people who are otherwise alike.

- *Use at the same need*: at the same recorded illness and age, is a group admitted in an emergency as often as everybody?
- *Admissions for the same attendances*: of people who come to an emergency department as often, of the same recorded illness
  and age, is a group admitted as often? If less, its trouble does not reach the records that the model learns from (people
  turned away): a list by risk passes over them, and calibration within groups looks perfect.

The first mixes less care, which lowers it, with less recording, which raises it, so that both together hide each other.
It is what remains where nobody knows who attended. Each holds what a group has against what everybody's rate in its strata
would give (indirect standardisation).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairness.levels import Levels
from fairness.outcomes import calibration_rows

USE = "use_at_same_need"
ADMITTED = "admitted_when_attending"
NEED_STRATA, BROAD_NEED_STRATA = 20, 5


def same_need_rows(people: pd.DataFrame, grouping: str, groups: pd.Index, levels: Levels) -> pd.DataFrame:
    """Return the rows of each comparison, one for each of `groups`.

    `people` has one row per eligible person: `person_id`, the grouping's label, `need`, `age_band`, `use` (emergency
    admissions of the last three years) and, where it is known, `attended` (attendances of emergency departments in them).
    """
    used = (people["use"] > 0).astype("float64")
    compared = {USE: (used, _mean(used, _part(people["need"], NEED_STRATA), people["age_band"]))}
    if "attended" in people:
        strata = [_part(people["need"], BROAD_NEED_STRATA), people["age_band"]]
        attended = people["attended"].astype("float64")
        with np.errstate(invalid="ignore"):
            rate = _total(people["use"], *strata) / _total(attended, *strata)
        compared[ADMITTED] = (people["use"], (attended * rate).fillna(0))
    tables = []
    for measure, (had, expected) in compared.items():
        table = people[["person_id", grouping]].assign(outcome=had, risk=expected)
        tables.append(calibration_rows(table, grouping, groups, levels).assign(measure=measure))
    return pd.concat(tables)


def _part(need: pd.Series, parts: int) -> pd.Series:
    # Equal needs stay together, whichever part they fall into.
    return np.ceil(need.rank(method="min", pct=True) * parts)


def _mean(values: pd.Series, *strata: pd.Series) -> pd.Series:
    return values.groupby(list(strata)).transform("mean")


def _total(values: pd.Series, *strata: pd.Series) -> pd.Series:
    return values.astype("float64").groupby(list(strata)).transform("sum")
