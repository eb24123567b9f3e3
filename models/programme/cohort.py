"""Who is compared in the account of a programme: one small trial a month, emulated from the records.

Each index date opens a trial (Hernán and Robins, Am J Epidemiol 2016). Everybody eligible and not enrolled is in it;
whoever starts within the grace period is on the programme from that day, and the others are compared from a day drawn
from the same days, so that both arms are followed from a like moment. Who starts later stays where they are
(intention to treat).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from casewell.settings import Settings
from features.code_groups import load_code_groups, map_codes, require_groups

COMPARED_EACH = 30  # comparators taken for each starter of a month
MOST_COMPARED = 600_000  # all months together: with 500 features as much as 1.2 GB of memory

_FATES = """
    SELECT trials.place,
           coalesce(people.died_on < trials.starts_on, FALSE) AS died_first,
           coalesce(people.registered_to <= trials.starts_on, FALSE) AS left_first,
           EXISTS (
             SELECT 1 FROM read_parquet($events) AS events JOIN groups USING (code)
             WHERE events.subject_id = trials.person_id AND events.known_until IS NULL
               AND events.time >= trials.index_date AND events.time < trials.starts_on
           ) AS admitted_first
    FROM trials JOIN read_parquet($people) AS people USING (person_id)
    ORDER BY trials.place
"""


def trials(history: pd.DataFrame, enrolments: pd.DataFrame, grace_days: int, seed: int) -> pd.DataFrame:
    """Take every starter of each month, and of the others so many for each of them, drawn by a hash with the seed in it.

    Fewer comparators are taken for each where there would be more than `MOST_COMPARED`.

    Parameters
    ----------
    history : DataFrame
        `index_date`, `person_id`: everybody eligible and not enrolled on each date, in the order of the features.
    enrolments : DataFrame
        Those of the programme (`records.programmes.enrolments_of`).

    Returns
    -------
    DataFrame
        `place` (row of `history`), `index_date`, `person_id`, `treated`, `starts_on`: the day from which the person is
        followed. No row where nobody started.
    """
    starts = _first_starts(history, enrolments, grace_days)
    table = pd.DataFrame(
        {
            "place": np.arange(len(history)),
            "index_date": history["index_date"].to_numpy(),
            "person_id": history["person_id"].to_numpy(),
            "treated": starts.notna().to_numpy(),
            "starts_on": starts.to_numpy(),
        }
    )
    drawn = _drawn(table, seed)
    of_date = table.groupby("index_date")["treated"].transform("sum").to_numpy()
    turn = pd.Series(np.where(table["treated"], np.nan, drawn)).groupby(table["index_date"]).rank(method="first")
    each = min(COMPARED_EACH, max(1, MOST_COMPARED // max(int(table["treated"].sum()), 1)))
    table = table[table["treated"] | (turn <= each * of_date)].reset_index(drop=True)
    offsets = np.sort((table["starts_on"] - table["index_date"]).dt.days.dropna().to_numpy())
    if not len(offsets):
        return table
    picked = offsets[(_drawn(table, seed + 1) * len(offsets)).astype("int64")]
    given = table["index_date"] + pd.to_timedelta(picked, unit="D").astype("timedelta64[us]")
    return table.assign(starts_on=table["starts_on"].where(table["treated"], given))


def fates(table: pd.DataFrame, linked: Path, settings: Settings) -> pd.DataFrame:
    """Say of each row of `trials` what happened between its index date and the day from which it is followed.

    Returns the table with `died_first`, `left_first` and `admitted_first` (of the outcome's admission group): whoever
    one of them holds of was no longer in the state that the features describe, in either arm.
    """
    require_groups([settings.outcome.admission_group])
    events = str(linked / "events.parquet")
    groups = load_code_groups()
    with duckdb.connect() as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?) ORDER BY code", [events]).df()["code"]
        mapping = map_codes(codes, groups)
        database.register("groups", mapping[mapping["group"] == settings.outcome.admission_group])
        database.register("trials", table[["place", "person_id", "index_date", "starts_on"]])
        found = database.execute(_FATES, {"events": events, "people": str(linked / "people.parquet")}).df()
    return table.merge(found, on="place", validate="one_to_one")


def attrition(table: pd.DataFrame) -> pd.DataFrame:
    """Count who was left out and why, by arm: `why`, `starters`, `compared`; the first reason that holds counts."""
    why = np.select(
        [table["died_first"], table["left_first"], table["admitted_first"]],
        ["died before the day", "moved away before the day", "admitted as an emergency before the day"],
        "followed",
    )
    counted = pd.crosstab(pd.Series(why, name="why"), table["treated"].to_numpy())
    counted = counted.reindex(columns=[True, False], fill_value=0).set_axis(["starters", "compared"], axis=1)
    return counted.rename_axis(columns=None).reset_index()


def followed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of both arms that can be followed from their day on."""
    kept = ~(table["died_first"] | table["left_first"] | table["admitted_first"])
    return table[kept].reset_index(drop=True)


def stands_for(rows: pd.DataFrame, eligible: pd.Series) -> np.ndarray:
    """Return how many of the people eligible in an average month each row stands for.

    Every starter of a month is among the rows, of the others a sample; so a starter stands for one person of that
    month, and the comparators for everybody else.

    Parameters
    ----------
    rows : `followed`
    eligible : index date to the number of people eligible and not enrolled
    """
    of_date = rows.groupby("index_date")["treated"]
    starters, number = of_date.transform("sum"), of_date.transform("size")
    others = (rows["index_date"].map(eligible) - starters) / (number - starters).clip(lower=1)
    months = max(rows["index_date"].nunique(), 1)
    return np.where(rows["treated"], 1.0, others.to_numpy("float64")) / months


def _first_starts(history: pd.DataFrame, enrolments: pd.DataFrame, grace_days: int) -> pd.Series:
    """Return each row's first start in [index date, index date + grace); missing where there is none."""
    rows = history[["index_date", "person_id"]].assign(place=np.arange(len(history)))
    pairs = rows.merge(enrolments[["person_id", "start"]], on="person_id")
    since = (pairs["start"] - pairs["index_date"]).dt.days
    first = pairs[(since >= 0) & (since < grace_days)].groupby("place")["start"].min()
    return first.reindex(range(len(history))).astype("datetime64[us]")


def _drawn(table: pd.DataFrame, seed: int) -> np.ndarray:
    """Return a number from 0 to 1 a row that depends only on person, date and seed."""
    keyed = table[["person_id", "index_date"]].assign(seed=seed)
    return pd.util.hash_pandas_object(keyed, index=False).to_numpy() / 2.0**64
