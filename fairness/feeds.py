"""Whose records have stopped coming: people of practices that sent nothing for weeks, by group.

A score made of records that stopped is not the score that others get, and nothing in the score shows it. Here nothing is
a sample: a practice is silent or it is not, so the difference between groups is a fact and has no interval.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from casewell.settings import Fairness
from fairness.groups import is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS

COLUMNS = ["grouping", "group", "people", "silent", "share", "verdict"]
GROUPINGS = ("imd_quintile", "ethnic_group")

_LATEST = """
    SELECT subject_id AS person_id, max(known_at) AS latest
    FROM read_parquet($events) WHERE source IN (SELECT unnest($sources)) AND known_at < $as_of
    GROUP BY ALL
"""


def silent_practices(
    people: pd.DataFrame, events: Path, sources: Collection[str], as_of: dt.date, days: int
) -> pd.Series:
    """Say for each row of `people` whether the person's practice has sent nothing for `days` days before `as_of`.

    `sources` are the names, in the settings, of the sources with GP records.

    Raises
    ------
    ValueError
        There are none: then nobody knows whose practice is silent.
    """
    if not sources:
        raise ValueError("without a source of GP records nobody knows whose practice is silent")
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        latest = database.execute(
            _LATEST, {"events": str(events), "sources": sorted(sources), "as_of": pd.Timestamp(as_of)}
        ).df()
    found = people[["person_id", "practice_code"]].merge(latest, on="person_id", how="left")
    newest = found.groupby("practice_code")["latest"].max()
    last = people["practice_code"].map(newest)
    silent = last.isna() | (last < pd.Timestamp(as_of) - pd.Timedelta(days=days))
    return silent & (people["practice_code"] != "")


def feed_rows(people: pd.DataFrame, settings: Fairness) -> pd.DataFrame:
    """Return one row per grouping and group: `people`, `silent` (their practice sends nothing), `share`, and the verdict.

    `people` has one row per eligible person: the labels of `GROUPINGS`, and `silent`. The verdict is of the grouping: the
    worst group of those large enough against the best. Where more of all people have a silent practice than may lie between
    two groups, alike or not, it is no pass: too much of what the scores are made of is missing.
    """
    tables = []
    too_many = people["silent"].mean() > settings.maximum_silent_difference
    for grouping in GROUPINGS:
        table = people.groupby(grouping, sort=True).agg(people=("silent", "size"), silent=("silent", "sum"))
        table = table.rename_axis("group").reset_index().assign(grouping=grouping)
        table["share"] = table["silent"] / table["people"]
        judged = table[is_recorded(table["group"]) & (table["people"] >= settings.minimum_people)]
        apart = judged["share"].max() - judged["share"].min() if len(judged) > 1 else np.nan
        unsure = CANNOT_TELL if too_many or np.isnan(apart) else PASS
        verdict = FAIL if apart > settings.maximum_silent_difference else unsure
        tables.append(table.assign(verdict=verdict))
    return pd.concat(tables, ignore_index=True)[COLUMNS]
