"""Episodes as they were first sent, and again: with a mistake in the first version of some."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.clock import CUT_OFF
from simulator.diagnoses import GENERAL_DIAGNOSES, UNCODED
from simulator.extract import pick

WRONG_METHODS = {"22": 0.5, "2D": 0.3, "13": 0.2}
SENT_AGAIN = 0.055  # of completed episodes, coded anew
CORRECTED = 0.006  # of spells, all episodes sent again with another discharge date or method


def versions(random: np.random.Generator, stays: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """First versions of all episodes, and second ones of some, a month to five after the first."""
    spell = episodes["spell"].to_numpy()
    settled = ~stays["moved_on"].to_numpy() & stays["kind"].isin(["emergency", "elective"]).to_numpy()
    corrected = (settled & (random.random(len(stays)) < CORRECTED))[spell]
    recoded = ~corrected & (random.random(len(episodes)) < SENT_AGAIN)
    wait = random.integers(30, 151, len(stays))[spell]
    again = episodes[corrected | recoded].assign(again=True)
    again["completed"] = again["completed"].to_numpy() + wait[corrected | recoded].astype("timedelta64[D]")
    first = _mistaken(random, episodes, stays, corrected)
    first = _miscoded(random, first, recoded).assign(again=False)
    rows = pd.concat([first, again], ignore_index=True)
    unsent = (rows["order"] > 1) | rows["again"]
    return rows[~(unsent & (rows["completed"] >= CUT_OFF))].reset_index(drop=True)


def _mistaken(
    random: np.random.Generator, episodes: pd.DataFrame, stays: pd.DataFrame, corrected: np.ndarray
) -> pd.DataFrame:
    """First versions with a discharge a day early, or another method."""
    spell = episodes["spell"].to_numpy()
    day = (random.random(len(stays)) < 0.5)[spell]
    wrong = pick(random, WRONG_METHODS, len(stays))[spell]
    planned = (episodes["kind"] == "elective").to_numpy()
    wrong = np.where(planned, np.where(episodes["method"] == "11", "12", "11"), wrong)
    wrong = np.where(wrong == episodes["method"], "21", wrong)
    discharged, starts, ends = (
        episodes[name].to_numpy().astype("datetime64[D]") for name in ("discharged", "starts", "ends")
    )
    last_start = pd.Series(starts).groupby(spell).transform("max").to_numpy().astype("datetime64[D]")
    earlier = corrected & day & (last_start < discharged) & ~episodes["died"].to_numpy()
    shown = discharged - earlier.astype(int)
    return episodes.assign(
        discharged=shown,
        ends=np.minimum(ends, shown),
        method=np.where(corrected & ~earlier, wrong, episodes["method"]),
    )


def _miscoded(random: np.random.Generator, episodes: pd.DataFrame, recoded: np.ndarray) -> pd.DataFrame:
    """First versions with a primary diagnosis that will not stand, or with none of the secondary ones."""
    fuller = recoded & (random.random(len(episodes)) < 0.4) & (episodes["secondary"] != "").to_numpy()
    guess = pick(random, GENERAL_DIAGNOSES, len(episodes))
    guess = np.where((random.random(len(episodes)) < 0.5) | (guess == episodes["primary"]), UNCODED, guess)
    return episodes.assign(
        primary=np.where(recoded & ~fuller, guess, episodes["primary"]),
        secondary=np.where(fuller, "", episodes["secondary"]),
        procedures=np.where(fuller, "", episodes["procedures"]),
    )
