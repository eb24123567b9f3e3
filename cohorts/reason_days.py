"""When what a reason says happened: the latest admission, the first record of an illness, the start of home support.

A day is one of the feature's own events, those that its value was made of, and never a private one
(`cohorts.private_days`): then the reason stands without a date, as reasons that have none do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from cohorts.private_days import private_days
from features.code_groups import map_codes
from features.feature import Feature
from features.reference_engine import usable, visible

_EVENTS = """
SELECT e.subject_id AS person_id, coded."group", "time", "end", known_at, known_until, numeric_value
FROM read_parquet($events) AS e JOIN coded USING (code) SEMI JOIN asked ON asked.person_id = e.subject_id
    AND asked."group" = coded."group"
"""
_LATEST, _FIRST, _GOING_ON, _ENDED, _LONGEST = "latest", "first", "going on", "ended", "longest"


def with_days(
    chosen: pd.DataFrame,
    catalogue: Sequence[Feature],
    events: Path,
    as_of: dt.date,
    code_groups: pd.DataFrame,
    since: dt.date | None = None,
) -> pd.DataFrame:
    """Add the day to each reason.

    Parameters
    ----------
    chosen
        What `reasons.strongest` returned.
    events
        The Parquet file of the `events` table, from which the features were made.
    since
        The day of the list before; missing in the first week.

    Returns
    -------
    DataFrame
        `chosen` in its order, with `words` as they stand on the list, `day` (missing where there is none, or it is private),
        `label` (what the events are, in a word or two) and `news`, the latest day of one of them that became known on `since`
        or later (missing likewise).
    """
    rules = _rules(catalogue)
    asked = chosen[["person_id", "feature", "value"]].merge(rules, on="feature")
    seen = _seen(asked, events, as_of, code_groups)
    days = _days(asked, seen)
    fresh = seen[seen["known_at"] >= pd.Timestamp(since)] if since else seen.iloc[:0]
    news = fresh[fresh["age"] <= fresh["window"]].groupby(["person_id", "feature"])["time"].max().rename("news")
    table = chosen.merge(days, on=["person_id", "feature"], how="left")
    table = table.merge(news.reset_index(), on=["person_id", "feature"], how="left")
    labels = code_groups.loc[code_groups["label"] != "", ["group", "label"]].drop_duplicates("group")
    about = rules.merge(labels, on="group", how="left")[["feature", "aggregation", "label"]]
    table = table.merge(about, on="feature", how="left")
    private = pd.MultiIndex.from_frame(private_days(chosen["person_id"].to_numpy(), events, code_groups))
    for name in ("day", "news"):
        table[name] = table[name].astype("datetime64[us]").dt.normalize()
        hidden = pd.MultiIndex.from_frame(table[["person_id", name]]).isin(private)
        if name == "day":
            table["words"] = _without_the_day(table, hidden)
        table[name] = table[name].mask(hidden)
    return table.assign(words=_said(table)).drop(columns=["kind", "aggregation"])


def _rules(catalogue: Sequence[Feature]) -> pd.DataFrame:
    """Say of each showable feature whose events date it, over which window, and how."""
    rows = []
    for feature in catalogue:
        made = feature.made_of()
        # "The latest HbA1c was 75 or more" is of the day of that HbA1c; a sum of many features has no day.
        rests_on = made[0] if feature.group is None and len(made) == 1 else feature
        kind = _kind(rests_on)
        if feature.showable and rests_on.group is not None and kind:
            rows.append((feature.name, rests_on.group, rests_on.window_days, rests_on.aggregation, kind))
    table = pd.DataFrame(rows, columns=["feature", "group", "window", "aggregation", "kind"])
    return table.assign(window=table["window"].astype("float64").fillna(float("inf")))


def _kind(feature: Feature) -> str:
    match feature.aggregation:
        case "any":
            return _FIRST if feature.window_days is None else _LATEST
        case "count" | "change" | "days_since_last" | "last":
            return _LATEST
        case "running" | "days_running":
            return _GOING_ON
        case "days_spent":
            return _ENDED
        case "max":
            return _LONGEST
    return ""


def _seen(asked: pd.DataFrame, events: Path, as_of: dt.date, code_groups: pd.DataFrame) -> pd.DataFrame:
    """Return every visible event of each reason asked about, with the reason."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        wanted = code_groups[code_groups["group"].isin(asked["group"])]
        database.register("coded", map_codes(codes, wanted))
        database.register("asked", asked[["person_id", "group"]].drop_duplicates())
        found = database.execute(_EVENTS, {"events": str(events)}).df()
    return visible(asked.merge(found.assign(index_date=pd.Timestamp(as_of)), on=["person_id", "group"]))


def _days(asked: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    key = ["person_id", "feature"]
    inside = seen[seen["age"] <= seen["window"]]
    of_kind = dict(iter(inside.groupby("kind")))
    nothing = inside.iloc[:0]
    running = inside[(inside["kind"] == _GOING_ON) & ~(inside["end_age"] >= 0)]
    over = seen[seen["kind"].isin([_GOING_ON, _ENDED]) & (seen["end_age"] >= 0) & (seen["end_age"] < seen["window"])]
    latest = of_kind.get(_LATEST, nothing)
    measured = usable(latest, None)
    latest = pd.concat([latest[latest["aggregation"] != "last"], measured[measured["aggregation"] == "last"]])
    longest = usable(of_kind.get(_LONGEST, nothing), None)
    longest = longest[longest["numeric_value"] == longest["value"]]
    found = [
        latest.groupby(key)["time"].max(),
        of_kind.get(_FIRST, nothing).groupby(key)["time"].min(),
        longest.groupby(key)["time"].max(),
        running.groupby(key)["time"].max(),
        over.groupby(key)["end"].max(),
    ]
    states = (_LATEST, _FIRST, _LONGEST, "since", "until")
    table = pd.concat(
        [days.rename("day").reset_index().assign(kind=kind) for days, kind in zip(found, states, strict=True)]
    )
    # What is still going on says more than what has ended.
    return table.drop_duplicates(key)


def _without_the_day(table: pd.DataFrame, hidden: np.ndarray) -> pd.Series:
    """Say "24 days ago" more loosely where that day is private: it is as good as a date."""
    by_calendar = table["aggregation"] == "days_since_last"
    days = table["value"]
    loosely = np.select([days <= 30, days <= 91, days <= 182], ["30 days", "3 months", "6 months"], "12 months")
    bare = table["words"].str.replace(r"\d+ days? ago", "in the last ", regex=True)
    return table["words"].mask(by_calendar & hidden, bare + loosely)


def _said(table: pd.DataFrame) -> pd.Series:
    day = table["day"].dt.day.astype("Int64").astype("str") + table["day"].dt.strftime(" %B %Y")
    phrases = {
        "first": ", on record since " + table["day"].dt.strftime("%B %Y"),
        "since": ", since " + day,
        "until": ", until " + day,
        "longest": ", from " + day,
        "on": ", on " + day,
        "latest": ", the latest on " + day,
    }
    # One is on its day; of several, the day is the latest one's. "One more than before" may be one of several.
    single = table["aggregation"].isin(["days_since_last", "last"])
    single |= (table["aggregation"] == "count") & (table["value"].round() == 1)
    kind = table["kind"].mask((table["kind"] == _LATEST) & single, "on")
    tail = pd.Series("", index=table.index)
    for name, words in phrases.items():
        tail = tail.mask((kind == name) & table["day"].notna(), words)
    return (table["words"] + tail).astype("str")
