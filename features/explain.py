"""Why a feature has the value it has for one person on one day: which events made it, which were left out, and why.

The value is the reference engine's, and so is the choice of events: what is visible, in the window and usable is
decided by its own functions. Here is only said, in words, why an event is not among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features.code_groups import load_code_groups, map_codes
from features.explain_parts import COLUMNS as PARTS
from features.explain_parts import parts_of
from features.feature import LARGEST_USABLE_VALUE, Feature
from features.personal import Personal, personal
from features.reference_engine import build_in_memory, usable, visible, within
from features.reference_values import VALUES

COUNTED, DECIDES, LEFT_OUT = "counted", "decides", "left out"
COLUMNS = ("time", "known_at", "known_until", "code", "numeric_value", "end", "source", "role", "why")


@dataclass(frozen=True)
class Explained:
    """A feature's value for a person on a day.

    Attributes
    ----------
    value
        What the reference engine gives; NaN where there is none.
    events
        `COLUMNS`: every event of the feature's code group, the newest first. `role` is `counted`, `decides` (the
        value is this event's own) or `left out`, and then `why` says why.
    parts
        `part`, `value`, `adds` (text): what a feature without a code group is made of; `part` is a feature's name
        where it is one.
    holds
        The events that are not left out give this value by themselves; None where there are no events to sort out,
        of a feature without a code group.
    """

    value: float
    events: pd.DataFrame
    parts: pd.DataFrame
    holds: bool | None


def explain(person_id: int, feature: Feature, day: pd.Timestamp, linked: Path) -> Explained:
    """Say what made a feature's value for a person on a day, from the linked tables.

    Parameters
    ----------
    day
        The index date: only what was known before it counts.
    linked
        Folder of the linked tables, of that day or later.

    Raises
    ------
    AsOfError
        Nobody who was linked has this id.
    """
    told = personal(person_id, linked)
    value = value_of(told, feature, day)
    if feature.group is None:
        return Explained(value, pd.DataFrame(columns=list(COLUMNS)), parts_of(told, feature, day), None)
    codes = map_codes(told.events["code"].dropna(), load_code_groups())
    mine = told.events[told.events["code"].isin(codes.loc[codes["group"] == feature.group, "code"])]
    sorted_out = sort_out(mine, feature, day)
    used = mine.loc[sorted_out.index[sorted_out["role"] != LEFT_OUT]]
    again = value_of(told.with_events(used), feature, day)
    return Explained(value, sorted_out.reset_index(drop=True), pd.DataFrame(columns=list(PARTS)), same(value, again))


def value_of(told: Personal, feature: Feature, day: pd.Timestamp) -> float:
    """Return what the reference engine gives."""
    matrix = build_in_memory(told.row_on(day), told.events, told.people, told.residences, [feature])
    return float(matrix[feature.name].iloc[0])


def same(one: float, other: float) -> bool:
    """Say whether two values are the same, missing ones too."""
    return bool(one == other or (np.isnan(one) and np.isnan(other)))


def sort_out(events: pd.DataFrame, feature: Feature, day: pd.Timestamp) -> pd.DataFrame:
    """Say of each event of a feature's group whether it counts, and if not, why: `Explained.events`, the newest first."""
    seen = visible(events.assign(index_date=day))
    counted = _counted(seen, feature)
    role = pd.Series(LEFT_OUT, index=events.index).mask(events.index.isin(counted.index), COUNTED)
    role = role.mask(events.index.isin(counted.index[_decides(counted, feature)]), DECIDES)
    why = _why_not(events, feature, day).mask(role != LEFT_OUT, "")
    told = events.assign(role=role, why=why)
    order = ["time", "known_at", "code", "numeric_value", "source"]
    return told.sort_values(order, ascending=[False, False, True, True, True], kind="stable")[list(COLUMNS)]


def _counted(seen: pd.DataFrame, feature: Feature) -> pd.DataFrame:
    """Keep the visible events that an aggregation looks at."""
    window = feature.window_days
    beyond = np.inf if window is None else window
    match feature.aggregation:
        case "change":
            return within(seen, 2 * int(window or 0))
        case "days_spent":
            return seen[(seen["end_age"] >= 0) & (seen["end_age"] < beyond)]
        case "days_running":
            return seen[~(seen["end_age"] >= beyond)]
        case "running":
            return within(seen[~(seen["end_age"] >= 0)], window)
        case how if how in VALUES:
            return usable(seen, window)
    return within(seen, window)


def _decides(counted: pd.DataFrame, feature: Feature) -> pd.Series:
    """Mark the events whose own value or age the feature takes."""
    match feature.aggregation:
        case "days_since_last":
            return counted["age"] == counted["age"].min()
        case "days_since_first":
            return counted["age"] == counted["age"].max()
        case "min":
            return counted["numeric_value"] == counted["numeric_value"].min()
        case "max":
            return counted["numeric_value"] == counted["numeric_value"].max()
        case "last":
            known = counted["known_at"].dt.normalize()
            order = pd.DataFrame({"age": -counted["age"], "known": known, "value": counted["numeric_value"]})
            newest = order.sort_values(["age", "known", "value"]).tail(1)
            return (order == newest.squeeze()).all(axis=1) if len(newest) else counted["age"].isna()
    return pd.Series(False, index=counted.index)


def _why_not(events: pd.DataFrame, feature: Feature, day: pd.Timestamp) -> pd.Series:
    """Say what keeps an event out, the first thing that does; what it says of one that counts means nothing."""
    window = feature.window_days
    start = pd.Timestamp.min if window is None else day - pd.Timedelta(days=window)
    midnight = events["time"].dt.normalize()
    ended = events["end"].dt.normalize()
    about_stays = feature.aggregation in ("days_spent", "days_running", "running")
    reasons = {
        "it has no date": events["time"].isna() | events["known_at"].isna(),
        "it had not happened yet": events["time"] >= day,
        "not known yet": events["known_at"] >= day,
        "superseded: a later version had replaced it": events["known_until"] < day,
        "outside the window: it ended before": (ended <= start)
        & (feature.aggregation in ("days_spent", "days_running")),
        "it had ended": (ended <= day) & (feature.aggregation == "running"),
        "it had not ended yet": ~(ended <= day) & (feature.aggregation == "days_spent"),
        "outside the window": (midnight < start) & (not about_stays or feature.aggregation == "running"),
        "no value": events["numeric_value"].isna(),
        "no usable value": ~(events["numeric_value"].abs() < LARGEST_USABLE_VALUE),
    }
    return pd.Series(np.select(list(reasons.values()), list(reasons), ""), index=events.index)
