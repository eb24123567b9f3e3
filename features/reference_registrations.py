"""What the features of registrations and areas mean, in pandas; `features.registrations` must give the same cells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.registrations import REGISTERED_DAYS


def of_area(name: str, asked: pd.Series, then: pd.DataFrame, _: pd.DataFrame) -> float:
    """Return what is told of the area (a decile, minutes) of the registration that described the person."""
    return float(then.loc[then["person_id"] == asked["person_id"], name].sum(min_count=1))


def registered_days(asked: pd.Series, then: pd.DataFrame, _: pd.DataFrame) -> float:
    """Return the days since the present registration began."""
    own = then[
        (then["person_id"] == asked["person_id"]) & then["died_on"].isna() & ~(then["end"] <= asked["index_date"])
    ]
    return float((asked["index_date"] - own["start"]).dt.days.sum(min_count=1))


def _begun(asked: pd.Series, residences: pd.DataFrame) -> pd.DataFrame:
    own = residences[residences["person_id"] == asked["person_id"]]
    return own[own["start"].isna() | (own["start"] < asked["index_date"])]


def registrations_begun(asked: pd.Series, _: pd.DataFrame, residences: pd.DataFrame) -> float:
    """Return how many registrations began in the window; missing for somebody never registered by then."""
    begun = _begun(asked, residences)
    since = asked["index_date"] - pd.Timedelta(days=REGISTERED_DAYS)
    return float((begun["start"] >= since).sum()) if len(begun) else np.nan


def practices(asked: pd.Series, _: pd.DataFrame, residences: pd.DataFrame) -> float:
    """Return at how many practices the person was registered in the window, ends not known by then not counted."""
    begun = _begun(asked, residences)
    since = asked["index_date"] - pd.Timedelta(days=REGISTERED_DAYS)
    lasted = begun[~((begun["end"] <= since) & (begun["end_known_at"] < asked["index_date"]))]
    return float(lasted.loc[lasted["practice_code"] != "", "practice_code"].nunique()) if len(begun) else np.nan
