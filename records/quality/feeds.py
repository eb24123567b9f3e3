"""Do the feeds still come? How old each source is, and which of its places fell silent.

Silence is judged by a feed's own pace: the age that its newest record is seldom beyond. A quarterly
return is silent for weeks and well; a practice that sends daily is not.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import Quality, Source
from records.quality.findings import INFORM, LOOK, STOP, Finding, countable, shown
from records.quality.profile import Profile

SELDOM_BEYOND = 0.95
TIMES_USUAL = 2.5
TIMES_USUAL_IN_THE_PAST = 4.0  # more, for a past has many silences to be struck by
FEWEST_DAYS = 50  # of receipt; fewer say little about a pace
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Freshness:
    """How old a source is at a day.

    Attributes
    ----------
    newest
        The day on which its newest record became known; None when it has none.
    age_days
        From then to the day of the check.
    usual_days
        The age beyond which it seldom was; None when it has too short a past to say.
    expected_days
        What the settings expect; None when they say nothing.
    """

    source: str
    newest: dt.date | None
    age_days: int | None
    usual_days: int | None
    expected_days: int | None

    @property
    def stale(self) -> bool:
        """Whether it is older than the settings expect, or has nothing though they expect something."""
        return self.expected_days is not None and (self.age_days is None or self.age_days > self.expected_days)


def freshness(name: str, source: Source, days: pd.Series, as_of: dt.date) -> Freshness:
    """Say how old a source is at a day, from the days on which its records became known.

    `days` may come in any order and more than once; those on or after `as_of` do not count.
    """
    known = np.unique(days.to_numpy("datetime64[D]"))
    known = known[known < np.datetime64(as_of)]
    if not len(known):
        return Freshness(name, None, None, None, source.expected_every_days)
    newest = known[-1].astype(dt.date)
    return Freshness(name, newest, (as_of - newest).days, usual_age(known), source.expected_every_days)


def about_freshness(fresh: Freshness, file: str, limits: Quality) -> list[Finding]:
    """Judge a source's age against the settings, or else against its own pace."""
    if fresh.newest is None:
        return [
            Finding(
                fresh.source,
                "freshness",
                LOOK,
                f"{file} holds no row that was known before the day of the check.",
                "Ask the supplier for the rows, or check the column of receipt and `known_lag_days`.",
            )
        ]
    age = f"The newest row of {file} became known on {fresh.newest}, {_days(fresh.age_days)} before this day"
    ask = "Ask the supplier whether the feed still runs and whether a delivery was missed."
    if fresh.stale:
        return [
            Finding(
                fresh.source,
                "freshness",
                STOP if limits.when_stale == "stop" else LOOK,
                f"{age}; the settings expect one every {_days(fresh.expected_days)}.",
                ask,
            )
        ]
    if fresh.expected_days is None and _silent(fresh.age_days or 0, fresh.usual_days, limits):
        return [
            Finding(
                fresh.source,
                "stopped",
                LOOK,
                f"{age}; until then it was seldom older than {_days(fresh.usual_days)}.",
                f"{ask} Say with `expected_every_days` how often it should come.",
            )
        ]
    return []


def stopped_places(profile: Profile, limits: Quality) -> list[Finding]:
    """Find practices, hospitals or teams whose rows stopped while the source's others went on, and healed gaps."""
    if profile.days.empty or not profile.place_column:
        return []
    end = profile.days["day"].max()
    findings = []
    for place, rows in profile.days.groupby("place"):
        known = rows["day"].to_numpy("datetime64[D]")
        usual = usual_age(known)
        if not place or usual is None:
            continue
        silence = int((np.datetime64(end, "D") - known[-1]) / DAY)
        if _silent(silence, usual, limits):
            findings.append(_stopped(profile, str(place), rows, silence))
        findings += _gaps(profile, str(place), known, usual, limits)
    return findings


def _stopped(profile: Profile, place: str, rows: pd.DataFrame, silence: int) -> Finding:
    last = rows["day"].max()
    before = rows.loc[rows["day"] > last - pd.Timedelta(days=365), "rows"].sum()
    span = min(365, (last - rows["day"].min()).days + 1)
    missing = int(before / span * silence)
    return Finding(
        profile.name,
        "stopped",
        LOOK,
        f"{profile.file}: nothing has come from {kind(profile)} {place} since {last:%Y-%m-%d}, {silence} days, "
        f"while others went on; at its usual pace {shown(missing)} rows would have come.",
        "Ask the supplier; until it is mended, people there look healthier than they are. If the place closed, "
        "nothing need be done.",
        column=profile.place_column,
        place=place,
        rows=countable(missing),
    )


def _gaps(profile: Profile, place: str, known: np.ndarray, usual: int, limits: Quality) -> list[Finding]:
    lengths = (np.diff(known) / DAY).astype(int)
    return [
        Finding(
            profile.name,
            "stopped",
            INFORM,
            f"{profile.file}: nothing came from {kind(profile)} {place} from {known[at] + DAY} to {known[at + 1] - DAY}, "
            f"{lengths[at] - 1} days; then it came again.",
            "Lists made in those weeks knew less of the people there. Nothing to do, unless a finding on coverage "
            "says that rows are still missing.",
            column=profile.place_column,
            place=place,
            month=known[at].astype("datetime64[M]").astype(dt.date),
        )
        for at in np.flatnonzero(lengths > 1)
        if _silent(int(lengths[at]), usual, limits, TIMES_USUAL_IN_THE_PAST)
    ]


def _days(days: int | None) -> str:
    return "1 day" if days == 1 else f"{days} days"


def kind(profile: Profile) -> str:
    """Say what the places of a source are."""
    return {
        "practice_code": "practice",
        "provider_code": "hospital trust",
        "team_code": "team",
        "care_site_id": "care site",
        "code": "codes of the kind",
    }[profile.place_column]


def _silent(days: int, usual: int | None, limits: Quality, times: float = TIMES_USUAL) -> bool:
    return usual is not None and days > max(limits.silent_days, times * usual)


def usual_age(known: np.ndarray) -> int | None:
    """Return the age of the newest record that was seldom exceeded, over every day from the first to the last."""
    if len(known) < FEWEST_DAYS:
        return None
    gaps = np.sort((np.diff(known) / DAY).astype(int))
    # On each day of a gap of n days the newest record is 1 to n days old.
    ages = np.arange(1, gaps[-1] + 1)
    days_at_least = len(gaps) - np.searchsorted(gaps, ages)
    reached = np.cumsum(days_at_least) / gaps.sum()
    return int(ages[np.searchsorted(reached, SELDOM_BEYOND)])
