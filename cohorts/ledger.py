"""Where everybody went: one door each, and counts that add up."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from casewell.doors import check
from cohorts.tables import DOORS, ELIGIBLE, LEDGER, NOT_SELECTED
from records.tables import NO_ETHNIC_GROUP, NOT_RECORDED

GROUPINGS = ("imd_decile", "ethnic_group", "sex")

_NOTE = (
    "Internal: the counts are exact and small ones are not hidden. "
    "Apply disclosure control (1 to 7 hidden, others to the nearest 5) before publishing any of them."
)


def ledger(people: pd.DataFrame, removed: pd.DataFrame, routes: pd.DataFrame, allocation: pd.DataFrame) -> pd.DataFrame:
    """Say by which door each person left, and why.

    Parameters
    ----------
    people, removed
        Who came in: the tables of `records/`, with nobody in both.
    routes, allocation
        `routes` covers `people`; `allocation` covers those who are eligible.

    Returns
    -------
    DataFrame
        The `ledger` table, sorted by person.

    Raises
    ------
    RuntimeError
        When somebody has no door, or more than one: a mistake in the house, not in the data.
    """
    turned = routes.loc[routes["door"] != ELIGIBLE, ["person_id", "door", "why"]]
    several = ["programme"] if "programme" in allocation else []
    offered = allocation[["person_id", "why", *several]].assign(
        door=allocation["status"].replace("not_selected", NOT_SELECTED)
    )
    gone = removed[["person_id", "why"]].assign(door=removed["door"].str.replace("_", " "))
    doors = pd.concat([turned, offered, gone], ignore_index=True)[["person_id", "door", "why", *several]]
    doors[several] = doors[several].fillna("")
    groups = pd.concat([table[["person_id", *GROUPINGS]] for table in (people, removed)], ignore_index=True)
    _everybody_once(groups["person_id"], doors["person_id"])
    table = doors.merge(groups, on="person_id", validate="one_to_one")
    table["imd_decile"] = (
        table["imd_decile"].astype("Int64").astype("str").where(table["imd_decile"].notna(), NOT_RECORDED)
    )
    return check(table.sort_values("person_id", ignore_index=True), LEDGER)


def _everybody_once(came_in: pd.Series, left: pd.Series) -> None:
    faults = {
        "came in twice": int(came_in.duplicated().sum()),
        "left by two doors": int(left.duplicated().sum()),
        "have no door": int((~came_in.isin(left)).sum()),
        "left without having come in": int((~left.isin(came_in)).sum()),
    }
    found = [f"{people} {fault}" for fault, people in faults.items() if people]
    if found:
        raise RuntimeError(f"the ledger does not add up: {', '.join(found)}")


def counts(table: pd.DataFrame, as_of: dt.date, synthetic: bool) -> dict[str, Any]:
    """Count the ledger by door, by reason, and by door within each group.

    Returns
    -------
    dict
        `people` (all who came in), `doors` (door: people), `reasons` (door, why, people) and
        `groups` (grouping: group: door: people); every list of doors sums to its whole.
    """
    reasons: Counter[tuple[str, str]] = Counter(zip(table["door"], table["why"], strict=True))
    return {
        "note": _NOTE,
        "as_of": pd.Timestamp(as_of).date().isoformat(),
        "synthetic": bool(synthetic),
        "people": len(table),
        "doors": _by_door(table),
        "reasons": [
            {"door": door, "why": why, "people": people}
            for (door, why), people in sorted(reasons.items(), key=lambda item: (DOORS.index(item[0][0]), item[0][1]))
        ],
        "groups": {
            grouping: {str(group): _by_door(rows) for group, rows in sorted(table.groupby(grouping), key=_group_order)}
            for grouping in GROUPINGS
        },
    }


def write_counts(summary: dict[str, Any], path: Path) -> Path:
    """Write `ledger.json`; equal counts give equal bytes."""
    path.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _by_door(table: pd.DataFrame) -> dict[str, int]:
    found = table["door"].value_counts()
    return {door: int(found.get(door, 0)) for door in DOORS}


def _group_order(item: tuple[Any, pd.DataFrame]) -> tuple[bool, int, str]:
    name = str(item[0])
    return name in (NOT_RECORDED, *NO_ETHNIC_GROUP), int(name) if name.isdigit() else 0, name
