"""Which feeds have stopped, and for how many people: each source against its own pace, practice by practice.

Rows are counted by the day on which they became known, for the people of each practice, in the newest window and in the
year before it. A feed is silent for a practice when next to nothing came where the year before says that plenty should.
A source that comes seldom (a quarterly return) is judged over a window of two and a half times the age that its newest record
seldom exceeds, as in `casewell sources check`. One from which nothing at all came for longer is judged over its whole silence,
against the year before that: however long ago it stopped, it has not come back. What ended more than three years ago, longer
than features look back, is history and no feed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from casewell.settings import Monitoring
from fairness.disclosure import HIDDEN, control, share_of, shown_before, written
from monitoring.findings import LOOK, PAST, STOPPED, Finding
from records.quality.feeds import TIMES_USUAL, usual_age

YEAR = 364  # days, whole weeks, so that no weekday counts once more
FEWEST_EXPECTED = 10.0  # rows in the window; of fewer, none may come by chance (once in 20,000 windows)
NEXT_TO_NOTHING = 0.1  # of what was expected
COLUMNS = ["source", "newest", "window_days", "people", "silent", "share", "level"]

_DAYS = "SELECT DISTINCT source, known_at::DATE AS day FROM read_parquet($events) WHERE known_at < $as_of AND known_at >= $from"
_COUNTS = """
    SELECT source, practice_code,
           count(*) FILTER (WHERE known_at >= $as_of - to_days(window_days)) AS came,
           count(*) FILTER (WHERE known_at < $as_of - to_days(window_days))
               * window_days / $year AS expected
    FROM read_parquet($events) AS event
    JOIN spans USING (source)
    JOIN people ON people.person_id = event.subject_id
    WHERE known_at < $as_of AND known_at >= $as_of - to_days(window_days) - to_days($year)
    GROUP BY source, practice_code, window_days
"""


def feeds(events: Path, people: pd.DataFrame, as_of: dt.date, limits: Monitoring) -> pd.DataFrame:
    """Say of each source how many people's practice it has stopped coming from.

    Parameters
    ----------
    people
        `person_id` and `practice_code` of those who could be offered a place.

    Returns
    -------
    One row a source: `source`, `newest` (day), `window_days`, `people` (of practices that it came from the year before),
    `silent` (of them, at practices from which it has stopped), `share`, and `level` ('' where nothing is amiss).
    """
    day = pd.Timestamp(as_of)
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        database.register("people", people[["person_id", "practice_code"]])
        told = {"events": str(events), "as_of": day}
        days = database.execute(_DAYS, told | {"from": day - pd.Timedelta(days=3 * YEAR)}).df()
        spans = silences(pace(days, limits.silent_days), newest_days(days), as_of)
        database.register("spans", spans)
        counts = database.execute(_COUNTS, told | {"year": YEAR}).df()
    residents = people.groupby("practice_code").size()
    judged = counts[counts["expected"] >= FEWEST_EXPECTED]
    judged = judged.assign(
        people=judged["practice_code"].map(residents).fillna(0),
        stopped=judged["came"] <= NEXT_TO_NOTHING * judged["expected"],
    )
    judged["silent"] = judged["people"].where(judged["stopped"], 0)
    found = spans.merge(judged.groupby("source")[["people", "silent"]].sum().reset_index(), on="source", how="left")
    found = found.fillna({"people": 0, "silent": 0})
    found["share"] = (found["silent"] / found["people"].where(found["people"] > 0)).fillna(0.0)
    found["level"] = found["share"].map(lambda share: level(share, limits))
    return found.sort_values("source", ignore_index=True)[COLUMNS]


def pace(days: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the window in which each source is expected: `source`, `window_days`, from the days on which rows came."""
    rows = []
    for source, own in days.groupby("source"):
        known = np.sort(own["day"].to_numpy("datetime64[D]"))
        # With too few days to know a pace, the longest gap there was.
        usual = usual_age(known) or int(np.diff(known).astype(int).max(initial=0))
        rows.append((source, max(least, round(TIMES_USUAL * usual))))
    return pd.DataFrame(rows, columns=["source", "window_days"])


def newest_days(days: pd.DataFrame) -> pd.DataFrame:
    """Return the newest of the days on which rows came: `source`, `newest`."""
    return days.groupby("source")["day"].max().rename("newest").reset_index()


def silences(spans: pd.DataFrame, newest: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return `spans` with `newest`; the window of a source that is silent for longer reaches back to its newest day."""
    found = spans.merge(newest, on="source")
    silent = (pd.Timestamp(as_of) - pd.to_datetime(found["newest"])).dt.days - 1
    return found.assign(window_days=np.maximum(found["window_days"], silent).astype("int64"))


def level(share: float, limits: Monitoring) -> str:
    """Say how grave it is that so large a share of people has a silent feed."""
    if share > limits.maximum_silent_people:
        return PAST
    return LOOK if share > limits.silent_people_to_look_at else ""


def stopped(found: pd.DataFrame) -> list[str]:
    """Return the sources that have stopped for more people than the limit."""
    return found.loc[found["level"] == PAST, "source"].tolist()


def _percent(share: float) -> str:
    return HIDDEN if np.isnan(share) else f"{share:.0%}"


def _against(limits: Monitoring, level: str) -> str:
    """Say which limit the share is beyond, and which one it is not."""
    told, failed = f"{limits.silent_people_to_look_at:.0%}", f"{limits.maximum_silent_people:.0%}"
    if level == PAST:
        return f"above {failed} the feed has failed"
    return f"above {told} it is told, above {failed} the feed would have failed"


def fit_feeds(found: pd.DataFrame, earlier: Mapping[str, Any]) -> pd.DataFrame:
    """Return the feeds with counts fit to show beside those of the `earlier` week's record, and shares from those."""
    rows = earlier.get("feeds", [])
    counts = {
        name: control(found[name].astype("float64"), shown_before(rows, found, ["source"], name))
        for name in ("people", "silent")
    }
    return found.assign(**counts, share=share_of(counts["silent"], counts["people"]).round(3))


def about_feeds(found: pd.DataFrame, limits: Monitoring, earlier: Mapping[str, Any] | None = None) -> list[Finding]:
    """Say which feeds have stopped, and for whom; `earlier` is the record of the week before."""
    told = fit_feeds(found, earlier or {})
    return [
        Finding(
            STOPPED,
            row.level,
            f"{row.source}: records have stopped coming from the practices of {_percent(row.share)} of people "
            f"({written(row.silent)} of {written(row.people)}) for {row.window_days} days; {_against(limits, row.level)}.",
            "Ask the supplier whether the feed still runs, and have what is missing sent again; until then these people's "
            "scores rest on less than others'.",
            row.source,
        )
        for row in told[told["level"] != ""].itertuples()
    ]
