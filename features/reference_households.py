"""What the features of the household mean, in pandas, one row at a time; `features.households` must give the same cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from features.households import BEREAVED_DAYS, LARGEST_HOUSEHOLD


def registrations_on(day: pd.Timestamp, people: pd.DataFrame, residences: pd.DataFrame) -> pd.DataFrame:
    """Return each person's newest registration begun before a day, with what was known then of its end and of a death."""
    begun = residences[residences["start"].isna() | (residences["start"] < day)]
    newest = begun.sort_values("start", na_position="first").groupby("person_id").tail(1)
    table = newest.merge(people[["person_id", "died_on", "death_known_at"]], on="person_id")
    table["end"] = table["end"].where(table["end_known_at"] < day)
    table["died_on"] = table["died_on"].where((table["death_known_at"] < day) & (table["died_on"] < day))
    return table


def household_of(asked: pd.Series, then: pd.DataFrame) -> pd.DataFrame:
    """Return the registrations at the person's address; none where the person is not known to live there."""
    own = then[
        (then["person_id"] == asked["person_id"]) & then["died_on"].isna() & ~(then["end"] <= asked["index_date"])
    ]
    same = then[then["household_id"].isin(own["household_id"].dropna())]
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
    own = residences[
        (residences["person_id"] == asked["person_id"]) & residences["household_id"].isin(same["household_id"])
    ]
    since = pd.Timestamp.min if own["start"].isna().any() else own["start"].min()
    first = max(since, asked["index_date"] - pd.Timedelta(days=BEREAVED_DAYS))
    return float(((same["died_on"] >= first) & ~(same["end"] < same["died_on"])).any())


def _decile(asked: pd.Series, then: pd.DataFrame, _: pd.DataFrame) -> float:
    return float(then.loc[then["person_id"] == asked["person_id"], "imd_decile"].sum(min_count=1))


def _column(
    answer: Callable[[pd.Series, pd.DataFrame, pd.DataFrame], float],
) -> Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame], np.ndarray]:
    def column(rows: pd.DataFrame, people: pd.DataFrame, residences: pd.DataFrame) -> np.ndarray:
        values = [
            answer(asked, registrations_on(asked["index_date"], people, residences), residences)
            for _, asked in rows.iterrows()
        ]
        return np.array(values, dtype=np.float32)

    return column


LIVING_COLUMNS = {
    "household_size": _column(_size),
    "lives_alone": _column(_alone),
    "household_bereavement": _column(_bereaved),
    "imd_decile": _column(_decile),
}
