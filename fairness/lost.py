"""Who was lost before any model: whose records found no person, who opted out, who was quarantined.

No list can be fair to people who never reach it. The counts come from `records/` (the table `linkage`); here the
best and the worst group are held against each other.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from casewell.settings import Fairness
from fairness.groups import is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS, REPORTED, Levels
from records.gaps import best_and_worst
from records.lost import GROUPINGS
from records.tables import LOSSES

LOSS_WORDS = {
    "no_person_found": "a record that found no person",
    "likely_missed": "links that were probably missed",
    "one_service_only": "known to one service only, and not registered",
    "opted_out": "opted out",
    "quarantined": "no record that passed its checks",
}
JUDGED = ("no_person_found", "quarantined")
"""What the services did. An opt-out is a person's own choice, which no gate may press on; it is told all the same."""

COLUMNS = ["grouping", "measure", "groups", "best", "worst", "value", "low", "high", "wide_low", "wide_high", "verdict"]


def has_group(lost: pd.DataFrame) -> pd.Series:
    """Say for each row of the table `linkage` whether its people's group is known."""
    return is_recorded(lost["group"])


def in_order(lost: pd.DataFrame) -> pd.DataFrame:
    """Sort the table `linkage`: groups by name, people without one last."""
    ordered = lost.assign(unknown=~has_group(lost)).sort_values(["grouping", "unknown", "group", "measure"])
    return ordered.drop(columns="unknown").reset_index(drop=True)


def large_enough(lost: pd.DataFrame, settings: Fairness) -> pd.DataFrame:
    """Return the rows of groups that are compared."""
    return lost[has_group(lost) & (lost["base"] >= settings.minimum_people)]


def comparisons(lost: pd.DataFrame, settings: Fairness) -> int:
    """Count the differences on which the gate decides."""
    judged = large_enough(lost[lost["measure"].isin(JUDGED)], settings)
    sizes = judged[judged["grouping"].isin(settings.gate_on)].groupby(["grouping", "measure"]).size()
    return int((sizes > 1).sum())


def differences(lost: pd.DataFrame, settings: Fairness, levels: Levels) -> pd.DataFrame:
    """Return the difference between the best and the worst group for every grouping and loss, with a verdict.

    `lost` follows records.tables.LINKAGE and may be empty: then nothing can be told. `value` is the worst less the
    best share; `low`, `high` hold whichever groups turn out best and worst; `wide_low`, `wide_high` are at the
    confidence that a fail needs. Losses that are not `JUDGED` are `reported`.
    """
    enough = large_enough(lost, settings)
    keys = ["grouping", "measure"]
    plain, wide = (best_and_worst(enough, level, settings.minimum_people).set_index(keys) for level in levels)
    wide = wide[["low", "high"]].add_prefix("wide_")
    every = pd.MultiIndex.from_product([list(GROUPINGS), list(LOSSES)], names=keys)
    table = plain.join(wide).reindex(every).reset_index()
    table = table.assign(
        groups=table["groups"].fillna(0).astype("int64"), best=table["best"].fillna(""), worst=table["worst"].fillna("")
    )
    return table.assign(verdict=_judge(table, settings))[COLUMNS]


def _judge(table: pd.DataFrame, settings: Fairness) -> np.ndarray:
    limit = settings.maximum_lost_difference
    kinds = [~table["measure"].isin(JUDGED), table["wide_low"] > limit, table["high"] <= limit]
    return np.select(kinds, [REPORTED, FAIL, PASS], CANNOT_TELL)
