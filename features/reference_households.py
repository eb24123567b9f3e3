"""What the features of the household mean, in pandas, one row at a time; `features.households` must give the same cells."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from features.households import BEREAVED_DAYS, LARGEST_HOUSEHOLD
from features.reference_registrations import of_area, practices, registered_days, registrations_begun
from features.registrations import OF_AREA


def registrations_on(day: pd.Timestamp, people: pd.DataFrame, residences: pd.DataFrame) -> pd.DataFrame:
    """Return each person's newest registration begun before a day, with what was known then of its end and of a death."""
    begun = residences[residences["start"].isna() | (residences["start"] < day)]
    newest = begun.sort_values("start", na_position="first").groupby("person_id").tail(1)
    table = newest.merge(people[["person_id", "died_on", "death_known_at", "birth_month"]], on="person_id")
    table["end"] = table["end"].where(table["end_known_at"] < day)
    table["died_on"] = table["died_on"].where((table["death_known_at"] < day) & (table["died_on"] < day))
    return table


def _address_of(asked: pd.Series, then: pd.DataFrame) -> pd.DataFrame:
    own = then[
        (then["person_id"] == asked["person_id"]) & then["died_on"].isna() & ~(then["end"] <= asked["index_date"])
    ]
    return then[then["household_id"].isin(own["household_id"].dropna())]


def household_of(asked: pd.Series, then: pd.DataFrame) -> pd.DataFrame:
    """Return the registrations in the person's household; none where the person is not known to live in one."""
    same = _address_of(asked, then)
    return same if len(_alive(same, asked)) <= LARGEST_HOUSEHOLD else same.head(0)


def _alive(same: pd.DataFrame, asked: pd.Series) -> pd.DataFrame:
    return same[same["died_on"].isna() & ~(same["end"] <= asked["index_date"])]


def _size(asked: pd.Series, then: pd.DataFrame, _: pd.DataFrame) -> float:
    return len(_alive(household_of(asked, then), asked)) or np.nan


def _alone(asked: pd.Series, then: pd.DataFrame, residences: pd.DataFrame) -> float:
    size = _size(asked, then, residences)
    return size if np.isnan(size) else float(size == 1)


def _bereaved(asked: pd.Series, then: pd.DataFrame, residences: pd.DataFrame) -> float:
    same = household_of(asked, then)
    if same.empty:
        return np.nan
    return float(died_at_home(asked, same, residences).any())


def died_at_home(asked: pd.Series, same: pd.DataFrame, residences: pd.DataFrame) -> pd.Series:
    """Mark those of the person's household (`household_of`, one row or more) who died in it, lately, while the person lived there."""
    own = residences[
        (residences["person_id"] == asked["person_id"]) & residences["household_id"].isin(same["household_id"])
    ]
    since = pd.Timestamp.min if own["start"].isna().any() else own["start"].min()
    first = max(since, asked["index_date"] - pd.Timedelta(days=BEREAVED_DAYS))
    return (same["died_on"] >= first) & ~(same["end"] < same["died_on"])


def _others(asked: pd.Series, then: pd.DataFrame) -> pd.DataFrame | None:
    """Return those who live with the person, with their whole `years` of age; None where the household is not known."""
    alive = _alive(household_of(asked, then), asked)
    if alive.empty:
        return None
    months = (asked["index_date"].year - alive["birth_month"].dt.year) * 12 + (
        asked["index_date"].month - alive["birth_month"].dt.month
    )
    return alive.assign(years=months // 12)[alive["person_id"] != asked["person_id"]]


def _children(asked: pd.Series, then: pd.DataFrame, _: pd.DataFrame) -> float:
    others = _others(asked, then)
    return np.nan if others is None else float((others["years"] < 18).sum())


def _old(asked: pd.Series, then: pd.DataFrame, _: pd.DataFrame) -> float:
    others = _others(asked, then)
    return np.nan if others is None else float((others["years"] >= 75).sum())


def _large(asked: pd.Series, then: pd.DataFrame, _: pd.DataFrame) -> float:
    there = len(_alive(_address_of(asked, then), asked))
    return float(there > LARGEST_HOUSEHOLD) if there else np.nan


def _column(
    answer: Callable[[pd.Series, pd.DataFrame, pd.DataFrame], float],
) -> Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame], np.ndarray]:
    def column(rows: pd.DataFrame, people: pd.DataFrame, residences: pd.DataFrame) -> np.ndarray:
        days = {day: registrations_on(day, people, residences) for day in rows["index_date"].unique()}
        values = [answer(asked, days[asked["index_date"]], residences) for _, asked in rows.iterrows()]
        return np.array(values, dtype=np.float32)

    return column


LIVING_COLUMNS = {
    "household_size": _column(_size),
    "lives_alone": _column(_alone),
    "household_bereavement": _column(_bereaved),
    "household_children": _column(_children),
    "household_old": _column(_old),
    "large_address": _column(_large),
    "registered_days": _column(registered_days),
    "registrations_begun": _column(registrations_begun),
    "practices": _column(practices),
    **{name: _column(partial(of_area, name)) for name in OF_AREA},
}
