"""From a place on a list to care that lasts, by group: who is lost at which step.

An equal list is no equal care: a group may be chosen as often and reached less, say yes less often, or leave sooner. Each
step is a share of the step before. The records of case management tell it, of offers of the last year, whoever made them.
Nothing here decides the gate: what became of offers says as much of the service as of the list.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from fairness import intervals

OFFERED_WITHIN_DAYS = 365
STAYED_DAYS = 90
STEPS = {
    "offered": "offered case management in the last year",
    "reached": "of those offered, reached",
    "agreed": "of those reached and suitable, agreed and started",
    "stayed": f"of those who started {STAYED_DAYS} days ago or earlier, on the programme {STAYED_DAYS} days or longer",
}
COLUMNS = ["grouping", "group", "step", "base", "count", "share", "low", "high"]
_NOT_REACHED = ("not_reached",)
_NOT_FOR_THEM = ("not_suitable", "already_supported")


GROUPINGS = ("imd_quintile", "ethnic_group", "sex", "age_band")


def funnel_rows(offers: pd.DataFrame, people: pd.DataFrame, as_of: dt.date, level: float) -> pd.DataFrame:
    """Return one row per grouping, group and step of `STEPS`, exact counts of people.

    Parameters
    ----------
    offers
        Those of case management (`records.programmes.offers_of`); of each person the newest of the last year counts.
    people
        One row per person who counts for the first step: `person_id` and the labels of `GROUPINGS`. Who was offered a place
        and is not among them (on a caseload now, or dead) must be there too, else the later steps lose those who agreed.
    level
        Confidence of `low` and `high`, Jeffreys' interval of `share`.
    """
    today = pd.Timestamp(as_of)
    recent = offers[offers["offered"] >= today - pd.Timedelta(days=OFFERED_WITHIN_DAYS)]
    newest = recent.sort_values(["person_id", "offered", "outcome", "start"]).drop_duplicates("person_id", keep="last")
    known = people[["person_id", *GROUPINGS]].merge(newest, on="person_id", how="left", validate="one_to_one")
    offered = known["outcome"].notna()
    reached = offered & ~known["outcome"].isin(_NOT_REACHED)
    suitable = reached & ~known["outcome"].isin(_NOT_FOR_THEM)
    started = known["start"].notna()
    long_ago = started & (known["start"] <= today - pd.Timedelta(days=STAYED_DAYS))
    left = known["end"] < known["start"] + pd.Timedelta(days=STAYED_DAYS)
    flags = {
        "offered": (pd.Series(True, index=known.index), offered),
        "reached": (offered, reached),
        "agreed": (suitable, started & suitable),
        "stayed": (long_ago, long_ago & ~left),
    }
    tables = []
    for grouping in GROUPINGS:
        for step, (base, count) in flags.items():
            sums = (
                pd.DataFrame({"base": base, "count": count}).groupby(known[grouping], sort=True).sum().astype("float64")
            )
            low, high = intervals.proportion(sums["count"].to_numpy(), sums["base"].to_numpy(), level)
            share = sums["count"] / sums["base"].where(sums["base"] > 0)
            told = sums.assign(grouping=grouping, step=step, share=share, low=low, high=high)
            tables.append(told.rename_axis("group").reset_index())
    return pd.concat(tables, ignore_index=True)[COLUMNS]
