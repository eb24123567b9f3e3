"""What each aggregation means, in pandas, one feature at a time.

Slow and plain on purpose: the kernel must give the same cells to the last bit. Aggregations of values are in
`reference_values`, of gaps in `reference_gaps`, of visits in `reference_continuity`, of households in
`reference_households`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from features.code_groups import load_code_groups, map_codes
from features.feature import DERIVED, LARGEST_USABLE_VALUE, LIVING, STATIC, ZERO_WHEN_NOTHING, Feature
from features.not_events import derived_column, needed_for, static_column
from features.reference_continuity import CONTINUITY
from features.reference_gaps import GAPS
from features.reference_households import LIVING_COLUMNS
from features.reference_values import VALUES

ROW = ["index_date", "person_id"]
DAY = pd.Timedelta(days=1)


def build_in_memory(
    population: pd.DataFrame,
    events: pd.DataFrame,
    people: pd.DataFrame,
    residences: pd.DataFrame,
    features: Sequence[Feature],
) -> pd.DataFrame:
    """Return the matrix that `features.build` would write (float32 columns)."""
    rows = population.sort_values(ROW, ignore_index=True)
    pairs = map_codes(events["code"].dropna(), load_code_groups())
    grouped = events.merge(pairs, on="code").rename(columns={"subject_id": "person_id"})
    seen = {str(group): visible(rows.merge(members, on="person_id")) for group, members in grouped.groupby("group")}
    nothing = visible(rows.merge(grouped.head(0), on="person_id"))
    columns: dict[str, np.ndarray] = {}
    for feature in needed_for(features):
        if feature.aggregation in STATIC:
            columns[feature.name] = static_column(feature, rows.merge(people, on="person_id", how="left"))
        elif feature.aggregation in LIVING:
            columns[feature.name] = LIVING_COLUMNS[feature.aggregation](rows, people, residences)
        elif feature.aggregation not in DERIVED:
            columns[feature.name] = _from_events(feature, rows, seen.get(str(feature.group), nothing))
    for feature in features:
        if feature.aggregation in DERIVED:
            columns[feature.name] = derived_column(feature, columns)
    return pd.concat([rows, pd.DataFrame({feature.name: columns[feature.name] for feature in features})], axis=1)


def _from_events(feature: Feature, rows: pd.DataFrame, seen: pd.DataFrame) -> np.ndarray:
    values = AGGREGATIONS[feature.aggregation](seen, feature.window_days)
    answer = rows.merge(values.rename("value").reset_index(), on=ROW, how="left")["value"]
    if feature.aggregation in ZERO_WHEN_NOTHING:
        answer = answer.fillna(0)
    return answer.to_numpy(dtype=np.float32)


def visible(events: pd.DataFrame) -> pd.DataFrame:
    """Keep what had happened, was known and not yet replaced before the index date; `age` is whole days back from it."""
    held = events["known_until"].isna() | (events["known_until"] >= events["index_date"])
    seen = events[held & (events["time"] < events["index_date"]) & (events["known_at"] < events["index_date"])]
    age = (seen["index_date"] - seen["time"].dt.normalize()) / DAY
    until = (seen["index_date"] - seen["end"].dt.normalize()) / DAY
    return seen.assign(age=age, end_age=until)


def within(seen: pd.DataFrame, window: int | None) -> pd.DataFrame:
    """Keep events of [index_date - window, index_date)."""
    return seen if window is None else seen[seen["age"] <= window]


def usable(seen: pd.DataFrame, window: int | None) -> pd.DataFrame:
    """Keep events of the window with a value that can be believed."""
    inside = within(seen, window)
    return inside[inside["numeric_value"].abs() < LARGEST_USABLE_VALUE]


def _any(seen: pd.DataFrame, window: int | None) -> pd.Series:
    return (within(seen, window).groupby(ROW).size() > 0).astype(float)


def _count(seen: pd.DataFrame, window: int | None) -> pd.Series:
    return within(seen, window).groupby(ROW).size()


def _change(seen: pd.DataFrame, window: int | None) -> pd.Series:
    length = int(window or 0)
    recent = _count(seen, length)
    return recent.sub(_count(seen, 2 * length).sub(recent, fill_value=0), fill_value=0)


def _distinct_codes(seen: pd.DataFrame, window: int | None) -> pd.Series:
    return within(seen, window).groupby(ROW)["code"].nunique()


def _days_since_last(seen: pd.DataFrame, window: int | None) -> pd.Series:
    return within(seen, window).groupby(ROW)["age"].min()


def _days_since_first(seen: pd.DataFrame, window: int | None) -> pd.Series:
    return within(seen, window).groupby(ROW)["age"].max()


def _overlap(seen: pd.DataFrame, end_age: pd.Series, window: int | None) -> pd.Series:
    start_age = seen["age"] if window is None else seen["age"].clip(upper=window)
    days = (start_age - end_age).clip(lower=0)
    return seen.assign(days=days).groupby(ROW)["days"].sum()


def _days_spent(seen: pd.DataFrame, window: int | None) -> pd.Series:
    ended = seen[seen["end_age"] >= 0]
    return _overlap(ended, ended["end_age"], window)


def _days_running(seen: pd.DataFrame, window: int | None) -> pd.Series:
    return _overlap(seen, seen["end_age"].fillna(0).clip(lower=0), window)


def _running(seen: pd.DataFrame, window: int | None) -> pd.Series:
    return _any(seen[~(seen["end_age"] >= 0)], window)


def _value(how: str) -> Callable[[pd.DataFrame, int | None], pd.Series]:
    return lambda seen, window: VALUES[how](usable(seen, window))


def _gap(how: str) -> Callable[[pd.DataFrame, int | None], pd.Series]:
    return lambda seen, window: GAPS[how](within(seen, window), window)


def _visits(how: str) -> Callable[[pd.DataFrame, int | None], pd.Series]:
    return lambda seen, window: CONTINUITY[how](within(seen, window))


AGGREGATIONS: dict[str, Callable[[pd.DataFrame, int | None], pd.Series]] = {
    "any": _any,
    "count": _count,
    "change": _change,
    "distinct_codes": _distinct_codes,
    "days_since_last": _days_since_last,
    "days_since_first": _days_since_first,
    "days_spent": _days_spent,
    "days_running": _days_running,
    "running": _running,
    **{how: _value(how) for how in VALUES},
    **{how: _gap(how) for how in GAPS},
    **{how: _visits(how) for how in CONTINUITY},
}
