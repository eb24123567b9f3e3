"""Coding that changed: a code in steady use vanishes from a source, or from one practice, as another appears in its place.

The same rule as `casewell sources check` (`records.quality.codes`), on the linked events that features are made of.
A model that learned from the one code and meets the other takes a change of coding for a change of health.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from casewell.settings import Quality
from monitoring.findings import CODING, LOOK, Finding
from records.quality.codes import GONE, IN_USE, NEXT_TO_NOTHING, Change, changes
from records.quality.findings import month_words, shown

SETTLES = 3  # months until nearly all of a month's records have come
MOST_NAMED = 4
TOGETHER = 1  # months between one code's end and the other's beginning, at most
EVERYWHERE, OTHERS = "", "others"
COLUMNS = ["place", "month", "code", "usual", "instead"]

_COUNTS = """
    SELECT event.source, coalesce(people.practice_code, '') AS place, event.code, date_trunc('month', event.time) AS month,
           count(*) AS rows
    FROM read_parquet($events) AS event LEFT JOIN people ON people.person_id = event.subject_id
    WHERE event.time >= $begin AND event.time < $end AND event.known_until IS NULL
    GROUP BY ALL
"""


def coding_changes(
    events: Path, people: pd.DataFrame, begin: dt.date, as_of: dt.date, limits: Quality
) -> tuple[pd.DataFrame, list[Finding]]:
    """Find codes that gave way to others in the months from `begin` to `as_of`, in whole sources and in single practices.

    Parameters
    ----------
    people
        `person_id`, `practice_code`.

    Returns
    -------
    One row a code that vanished with another that appeared (`source`, `place`, `month`, `code`, `usual` rows a month before,
    `instead`: the codes that appeared), and the findings: one a source and month.
    """
    first = pd.Timestamp(begin).to_period("M").start_time + pd.DateOffset(months=1)
    end = pd.Timestamp(as_of).to_period("M").start_time - pd.DateOffset(months=SETTLES - 1)
    months = pd.date_range(first, end - pd.DateOffset(months=1), freq="MS").as_unit("us")
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        database.register("people", people[["person_id", "practice_code"]])
        counts = database.execute(_COUNTS, {"events": str(events), "begin": first, "end": end}).df()
    table = pd.concat(
        [_gave_way(rows, months, limits).assign(source=source) for source, rows in counts.groupby("source")]
        or [pd.DataFrame(columns=[*COLUMNS, "source"])],
        ignore_index=True,
    )
    return table, [_finding(rows) for _, rows in table.groupby(["source", "month"])]


def _gave_way(counts: pd.DataFrame, months: pd.DatetimeIndex, limits: Quality) -> pd.DataFrame:
    """Return a source's codes that gave way, of all practices together and, besides those, of single ones."""
    whole = counts.groupby(["code", "month"], as_index=False)["rows"].sum().assign(place=EVERYWHERE)
    everywhere = pd.DataFrame(columns=["code"])
    parts = []
    turning = turned(pd.concat([whole, counts[counts["place"] != EVERYWHERE]]), months, limits.smallest_usual)
    # One code that ends, and another that begins.
    enough = turning.groupby("place")["code"].transform("nunique") > 2
    for place, rows in turning[enough].groupby("place"):
        found = replaced(changes(rows.assign(unit=""), months, limits)).assign(place=place)
        if place == EVERYWHERE:  # sorts first
            everywhere = found
            parts.append(found)
        else:
            parts.append(found[~found["code"].isin(everywhere["code"])])
    return pd.concat([pd.DataFrame(columns=COLUMNS), *parts], ignore_index=True)


def turned(counts: pd.DataFrame, months: pd.DatetimeIndex, least: int) -> pd.DataFrame:
    """Return the codes of each place that may have begun or ended: next to nothing in the first months or the last.

    Besides, they have rows enough for a few months of `least`. All others are one code, OTHERS, since a code is judged
    against all there is.
    """
    keys = ["place", "code"]
    rows = counts.groupby(keys)["rows"].sum()
    usual = rows / len(months)
    edges = pd.DataFrame(
        {
            name: counts[counts["month"].isin(edge)].groupby(keys)["rows"].sum() / GONE
            for name, edge in (("first", months[:GONE]), ("last", months[-GONE:]))
        }
    ).reindex(usual.index, fill_value=0)
    turning = (edges.fillna(0).min(axis=1) <= NEXT_TO_NOTHING * usual) & (rows >= least * IN_USE / 4)
    turns = turning.reindex(pd.MultiIndex.from_frame(counts[keys])).to_numpy()
    others = counts[~turns].groupby(["place", "month"], as_index=False)["rows"].sum().assign(code=OTHERS)
    return pd.concat([counts[turns], others], ignore_index=True)


def replaced(found: list[Change]) -> pd.DataFrame:
    """Return the codes that vanished while others appeared: `month`, `code`, `usual`, `instead`."""
    appeared = [change for change in found if not change.vanished]
    rows = []
    for gone in (change for change in found if change.vanished):
        instead = [new for new in appeared if abs(_months_between(new.month, gone.month)) <= TOGETHER]
        # What came instead must be of like volume, or it is another matter.
        if sum(new.usual for new in instead) >= gone.usual / 2:
            rows.append((gone.month, gone.code, gone.usual, ", ".join(sorted(new.code for new in instead))))
    return pd.DataFrame(rows, columns=["month", "code", "usual", "instead"])


def _months_between(one: pd.Timestamp, other: pd.Timestamp) -> int:
    return (one.year - other.year) * 12 + one.month - other.month


def _finding(rows: pd.DataFrame) -> Finding:
    first = rows.sort_values(["place", "usual"], ascending=[True, False]).iloc[0]
    codes = sorted(rows["code"].unique())
    named = ", ".join(codes[:MOST_NAMED]) + (f" and {len(codes) - MOST_NAMED} more" if len(codes) > MOST_NAMED else "")
    where = "" if (rows["place"] == EVERYWHERE).any() else f" in {rows['place'].nunique()} practice(s)"
    return Finding(
        CODING,
        LOOK,
        f"{first['source']}: from {month_words(first['month'])} on {named} "
        f"{'is' if len(codes) == 1 else 'are'} no longer written{where}, and {first['instead']} appeared at once; before, "
        f"{shown(int(np.round(rows['usual'].sum())))} rows a month were usual.",
        "Add the new codes, and their units, to the code groups, and train anew; until then a change of coding looks like a "
        "change of health.",
        first["source"],
    )
