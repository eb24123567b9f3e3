"""Records that know what came after them: written because of the outcome, and dated before it.

Such a record says that it was known on a day on which nobody could have written it. It makes a model look better in every
test, and worse than nothing in use, since for the outcomes still to come it has not been written yet. No date in the data
gives it away; the newest days do. Of people with an ordinary record in the last half year some have had the outcome by now,
about as many as of those with the same record had it by the same day a year before. Of people with a record that is only
written after the outcome *all* have had it by now (right truncation, as with the times from infection to illness of Kalbfleisch
and Lawless, J Am Stat Assoc 84, 1989), whereas a year on, the old half year holds those too who had it later.

So each code's two shares are compared (two proportions, pooled variance), less what the middle code's log odds have moved: more
admissions everywhere are no leak. Blind to a leak of a few days, which hardly helps a prediction for a year, and to one in every code at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from scipy.special import expit

from casewell.settings import Outcome, Quality
from fairness.disclosure import HIDDEN, control, share_of, shown_before, written
from features.code_groups import map_codes, require_groups
from monitoring.findings import LEAK, LOOK, Finding

HALF_YEAR, YEAR = 182, 364  # days, whole weeks
FEWEST = 20  # people with the code in either half year, and with code and outcome in the newest
TIMES = 1.5  # the least ratio of the two shares that matters
COUNTS = ["code", "people", "followed", "people_then", "followed_then"]
COLUMNS = [
    "code",
    "people",
    "followed",
    "people_then",
    "followed_then",
    "share",
    "share_then",
    "beyond_chance",
    "leaks",
]

_FOLLOWED = """
    WITH hits AS (
        SELECT subject_id, time AS at FROM read_parquet($events)
        WHERE code IN (SELECT code FROM outcome_codes) AND known_until IS NULL AND known_at < $as_of AND time >= $then_from
        UNION ALL
        SELECT person_id, died_on FROM read_parquet($people)
        WHERE died_on >= $then_from AND died_on < $as_of AND death_known_at < $as_of
    ),
    firsts AS (
        SELECT subject_id, code, known_at >= $now_from AS newest, min(known_at) AS said
        FROM read_parquet($events)
        WHERE (known_at >= $now_from AND known_at < $as_of OR known_at >= $then_from AND known_at < $then_to)
          AND code NOT IN (SELECT code FROM outcome_codes)
        GROUP BY ALL
    )
    SELECT code,
           count(*) FILTER (WHERE newest) AS people,
           count(*) FILTER (WHERE newest AND hits.at < $as_of) AS followed,
           count(*) FILTER (WHERE NOT newest) AS people_then,
           count(*) FILTER (WHERE NOT newest AND hits.at < $then_to) AS followed_then
    FROM firsts ASOF LEFT JOIN hits ON firsts.subject_id = hits.subject_id AND hits.at >= firsts.said
    GROUP BY code ORDER BY code
"""


def leaks(linked: Path, begin: dt.date, as_of: dt.date, outcome: Outcome, limits: Quality) -> pd.DataFrame:
    """Compare, code by code, how many people with a record have had the outcome since, now and a year before.

    Returns
    -------
    One row a code with enough people, none where the data `begin` later than the earlier half year: `people` with the code in the newest half year, `followed` by the outcome before `as_of`;
    the same `then`, a year before; the two shares; by how many standard errors the newest is larger than everybody's change
    explains (`beyond_chance`), and whether that is a sign of a leak (`leaks`).
    """
    require_groups([outcome.admission_group])
    day, events = pd.Timestamp(as_of), str(linked / "events.parquet")
    days = {
        "as_of": day,
        "now_from": day - pd.Timedelta(days=HALF_YEAR),
        "then_to": day - pd.Timedelta(days=YEAR),
        "then_from": day - pd.Timedelta(days=YEAR + HALF_YEAR),
    }
    if pd.Timestamp(begin) > days["then_from"]:
        return judged(pd.DataFrame(columns=COUNTS).astype(dict.fromkeys(COUNTS[1:], "float64")), limits.beyond_chance)
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [events]).df()["code"]
        groups = map_codes(codes)
        database.register("outcome_codes", groups.loc[groups["group"] == outcome.admission_group, ["code"]])
        counts = database.execute(_FOLLOWED, days | {"events": events, "people": str(linked / "people.parquet")}).df()
    return judged(counts, limits.beyond_chance)


def judged(counts: pd.DataFrame, beyond: float) -> pd.DataFrame:
    """Judge the counts of `leaks`: code, people, followed, people_then, followed_then."""
    enough = (counts[["people", "people_then"]] >= FEWEST).all(axis=1)
    table = counts[enough].reset_index(drop=True)
    odds, odds_then = (_log_odds(table[f"followed{when}"], table[f"people{when}"]) for when in ("", "_then"))
    # What every code has in common, by the one in the middle: no single code, however often written, decides it.
    common = float(np.median(odds - odds_then)) if len(table) else 0.0
    share, share_then = table["followed"] / table["people"], table["followed_then"] / table["people_then"]
    expected = expit(odds_then + common)
    both = (table["followed"] + expected * table["people_then"]) / (table["people"] + table["people_then"])
    error = np.sqrt(both * (1 - both) * (1 / table["people"] + 1 / table["people_then"]))
    beyond_chance = (share - expected) / error
    leaking = (beyond_chance > beyond) & (share > TIMES * expected) & (table["followed"] >= FEWEST)
    told = {"share": share, "share_then": share_then, "beyond_chance": beyond_chance, "leaks": leaking}
    return table.assign(**told)[COLUMNS]


def _log_odds(part: pd.Series, whole: pd.Series) -> pd.Series:
    return np.log((part + 0.5) / (whole - part + 0.5))


def fit_leaks(found: pd.DataFrame, earlier: Mapping[str, Any]) -> pd.DataFrame:
    """Return codes judged with counts fit to show beside those of the `earlier` week's record, and shares from those."""
    rows, names = earlier.get("leaks", []), ("people", "followed", "people_then", "followed_then")
    counts = {name: control(found[name].astype("float64"), shown_before(rows, found, ["code"], name)) for name in names}
    shares = {f"share{when}": share_of(counts[f"followed{when}"], counts[f"people{when}"]) for when in ("", "_then")}
    hidden = pd.DataFrame(shares).isna().any(axis=1)
    figures = pd.DataFrame(shares).round(3).assign(beyond_chance=found["beyond_chance"].round(1)).mask(hidden)
    return found.assign(**counts, **figures)


def _percent(share: float) -> str:
    return HIDDEN if np.isnan(share) else f"{share:.0%}"


def about_leaks(
    found: pd.DataFrame, used: dict[str, list[str]], outcome: str, earlier: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Say which codes seem to be written because of the outcome.

    `used` names the model's features that rest on each; `earlier` is the record of the week before.
    """
    told = fit_leaks(found, earlier or {})
    return [
        Finding(
            LEAK,
            LOOK,
            f"{row.code}: of {written(row.people)} people with it in the last half year {_percent(row.share)} have "
            f"had the outcome ({outcome}) since, where a year before it was {_percent(row.share_then)} by the same day. It seems to be written "
            f"because of the outcome and dated before it"
            + (f"; {len(used[row.code])} of the model's features rest on it." if used.get(row.code) else "."),
            "Ask who writes this code, when, and on what day it is received. Until that is known take it out of its code "
            "group and train anew: what a model learns from it is not there for people who are still well.",
        )
        for row in told[told["leaks"]].itertuples()
    ]
