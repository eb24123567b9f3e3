"""Does the benefit that a group is promised come? Calibration of benefit within groups.

Nobody's benefit is ever seen: a person is on the programme or is not. But a group's average benefit can be told from people
who could as well have been on it as not (overlap weights and doubly robust, `models.benefit.comparison`), and held against the
average of what the scores promised the same people, by the same weights. Few treated people give wide intervals. Nothing
here decides the gate: benefit that is compared and not drawn by lot is no surer than its grade of evidence.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from fairness.levels import Levels
from fairness.rows import rows
from models.benefit.comparison import History

MEASURE = "benefit_beyond_promise"
HISTORY = ("treated", "outcome", "propensity", "without", "with_programme")


def promised_rows(evidence: pd.DataFrame, grouping: str, groups: pd.Index, levels: Levels) -> pd.DataFrame:
    """Return the rows of `benefit_beyond_promise`, one for each of `groups`: average benefit less average promise.

    A difference of probabilities: above 0, a group gains more than its scores say. `count` is of its people who had case
    management. Intervals are clustered by person, who counts at several index dates.

    Parameters
    ----------
    evidence
        models.tables.BENEFIT_EVIDENCE with the grouping's label beside it.
    """
    told = pd.DataFrame(
        [_beyond(rows) for _, rows in evidence.groupby(grouping, sort=True)],
        index=pd.Index(sorted(evidence[grouping].unique())),
        columns=["value", "error", "people", "treated"],
        dtype="float64",
    ).reindex(groups)
    people, treated = told["people"].fillna(0), told["treated"].fillna(0)
    value = told["value"].to_numpy()
    plain, wide = (
        (value - half, value + half)
        for half in (stats.norm.ppf((1 + level) / 2) * told["error"].to_numpy() for level in levels)
    )
    return rows(MEASURE, told["value"], people, treated, people, plain, wide).reset_index()


def _beyond(group: pd.DataFrame) -> tuple[float, float, int, int]:
    everybody = np.ones(len(group), dtype=bool)
    history = History(group["person_id"].to_numpy(), **{name: group[name].to_numpy() for name in HISTORY})
    overlap = history.propensity * (1 - history.propensity)
    promise = np.average(group["benefit"], weights=overlap)
    value, influence = history.influence(everybody)
    influence = influence - overlap * (group["benefit"].to_numpy() - promise) / overlap.sum()
    by_person = pd.Series(influence).groupby(history.person).sum()
    treated = group.loc[group["treated"], "person_id"].nunique()
    return value - promise, float(np.sqrt((by_person**2).sum())), len(by_person), treated
