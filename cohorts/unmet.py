"""Unmet need: people whose illness is heavy, whom hospital has not seen in an emergency, and who have no place.

A list by expected benefit rests on what records show. Who is ill and does not come shows little, and is passed over by
risk (the inverse care law). The list of unmet need goes to each team beside its list, for somebody who knows the people
to look at. Nobody leaves by another door for being on it: the ledger has them as not selected.
"""

from __future__ import annotations

import pandas as pd

from casewell.doors import check
from cohorts.assembly import need_bands
from cohorts.tables import UNMET
from fairness.places import in_high_need


def unmet_need(
    allocation: pd.DataFrame, scores: pd.DataFrame, use: pd.DataFrame, need_share: float, count: int
) -> pd.DataFrame:
    """Return up to `count` people of each team in high need, without an emergency admission and without a place.

    Parameters
    ----------
    allocation, scores
        Everybody who competed; high need is the top `need_share` of them.
    use
        `person_id` and `use`, emergency admissions of the last three years.

    Returns
    -------
    DataFrame
        The `unmet` table, sorted by team and rank: most need first, then the higher risk, then by pseudonym.
    """
    table = scores[["person_id", "need", "risk"]].merge(
        allocation[["person_id", "team_code", "status"]], on="person_id"
    )
    table = table.assign(need_band=need_bands(table["need"]), high=in_high_need(table["need"], need_share))
    table = table.merge(use[["person_id", "use"]], on="person_id", how="left", validate="one_to_one")
    seen = table["use"].fillna(0) > 0
    found = table[table["high"] & ~seen & (table["status"] == "not_selected")].sort_values(
        ["team_code", "need", "risk", "person_id"], ascending=[True, False, False, True], ignore_index=True
    )
    found = found.assign(rank=found.groupby("team_code").cumcount() + 1)
    return check(found.loc[found["rank"] <= count, list(UNMET.columns)].reset_index(drop=True), UNMET)
