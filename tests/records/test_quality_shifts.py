"""Feeds that stop, months that shift and codes that vanish are told from chance, season and trend."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Source
from records.quality import codes, feeds, freshness, shifts
from records.quality.findings import INFORM, LOOK
from tests.records.checks import LIMITS


def days(*stretches):
    return pd.Series(np.concatenate([np.arange(*np.array(s[:2], "datetime64[D]"), s[2]) for s in stretches]))


def test_a_source_is_stale_by_what_the_settings_expect():
    feed = days(("2024-01-01", "2024-06-01", 7))
    source = Source(path="x.csv", expected_every_days=7)
    assert not freshness("x", source, feed, dt.date(2024, 6, 3)).stale
    old = freshness("x", source, feed, dt.date(2024, 6, 20))
    assert (old.newest, old.age_days, old.stale) == (dt.date(2024, 5, 27), 24, True)
    assert freshness("x", source, feed.head(0), dt.date(2024, 6, 3)).stale
    assert not freshness("x", Source(path="x.csv"), feed, dt.date(2024, 12, 1)).stale
    # What arrives on the day itself is not known yet.
    assert freshness("x", source, feed, dt.date(2024, 5, 27)).age_days == 7


def test_the_usual_age_is_by_days_so_that_a_quarterly_return_is_not_silent():
    quarterly = days(
        *(
            (f"{year}-{month:02}-01", f"{year}-{month:02}-21", 1)
            for year in (2021, 2022, 2023)
            for month in (1, 4, 7, 10)
        )
    )
    usual = freshness("x", Source(path="x.csv"), quarterly, dt.date(2024, 1, 1)).usual_days
    assert 60 <= usual <= 75
    daily = freshness("x", Source(path="x.csv"), days(("2021-01-01", "2023-12-31", 1)), dt.date(2024, 1, 1))
    assert daily.usual_days == 1


class Feed:
    """A profile of nothing but days of receipt."""

    name, file, place_column = "gp_events", "gp_events.csv", "practice_code"

    def __init__(self, **places):
        parts = [pd.DataFrame({"place": place, "day": stretch, "rows": 5}) for place, stretch in places.items()]
        self.days = pd.concat(parts).astype({"day": "datetime64[us]"})


def test_a_practice_that_stops_is_found_and_a_healed_gap_is_for_information():
    feed = Feed(
        A=days(("2022-01-01", "2024-01-01", 1)),
        B=days(("2022-01-01", "2023-12-01", 1)),
        C=days(("2022-01-01", "2023-03-01", 1), ("2023-04-05", "2024-01-01", 1)),
        D=days(("2022-01-01", "2023-12-25", 1)),
    )
    findings = {finding.place: finding for finding in feeds.stopped_places(feed, LIMITS)}
    assert {place: finding.severity for place, finding in findings.items()} == {"B": LOOK, "C": INFORM}
    assert "since 2023-11-30, 31 days" in findings["B"].sentence
    assert "from 2023-03-01 to 2023-04-04, 35 days" in findings["C"].sentence


# Shifts


def practices(seed, places=8, months=40, mean=60):
    """Poisson rows of practices of many sizes, with a common season and a slow trend."""
    random = np.random.default_rng(seed)
    span = pd.date_range("2021-01-01", periods=months, freq="MS")
    season = 1 + 0.25 * np.sin(np.arange(months) / 12 * 2 * np.pi) + 0.004 * np.arange(months)
    rows = random.poisson(
        mean * np.exp(random.normal(0, 0.6, (places, 1))) * season * np.exp(random.normal(0, 0.08, (places, months)))
    )
    table = pd.DataFrame(rows, [f"P{n}" for n in range(places)], span).rename_axis(index="place", columns="month")
    return table.stack().rename("rows").reset_index()


@pytest.mark.parametrize("places", [1, 2, 8])
def test_chance_season_and_trend_are_no_shift(places):
    for seed in range(12):
        months = practices(seed, places).assign(no_number=0)
        random = np.random.default_rng(seed)
        months["no_ethnicity"] = random.binomial(months["rows"], 0.1)
        assert shifts.unusual_volumes(months, LIMITS).empty
        assert shifts.unusual_shares(months, "no_ethnicity", LIMITS).empty
        assert shifts.unusual_shares(months, "no_number", LIMITS).empty


@pytest.mark.parametrize("times", [0.1, 4])
@pytest.mark.parametrize("places", [1, 8])
def test_one_month_of_one_practice_is_found(times, places):
    months = practices(5, places, mean=120)
    hit = (months["place"] == "P0") & (months["month"] == "2022-08-01")
    months.loc[hit, "rows"] = (months.loc[hit, "rows"] * times).astype(int)
    cells = shifts.unusual_volumes(months, LIMITS)
    assert list(zip(cells["place"], cells["month"], strict=True)) == [("P0", pd.Timestamp("2022-08-01"))]


def test_ethnicity_missing_from_a_month_on_is_one_stretch():
    months = practices(9, mean=150)
    share = np.where((months["place"] == "P3") & (months["month"] >= "2023-10-01"), 0.5, 0.1)
    months["no_ethnicity"] = np.random.default_rng(9).binomial(months["rows"], share)
    ((place, run),) = shifts.stretches(shifts.unusual_shares(months, "no_ethnicity", LIMITS))
    assert (place, run["month"].min(), len(run)) == ("P3", pd.Timestamp("2023-10-01"), 7)


def test_months_are_judged_once_their_records_have_come():
    span = pd.date_range("2020-01-01", periods=30, freq="MS")
    arrivals = pd.DataFrame(
        [
            (month, month + pd.DateOffset(months=late), rows)
            for month in span
            for late, rows in ((0, 20), (1, 50), (2, 30))
        ],
        columns=["month", "arrived", "rows"],
    )
    assert shifts.months_to_settle(arrivals[arrivals["arrived"] <= span[-1]]) == 2


def test_a_month_of_which_some_places_still_wait_is_not_taken_for_a_fall():
    """A hospital that sends on the last day is a month ahead of one that sends on the first."""
    span = pd.date_range("2021-01-01", periods=24, freq="MS").as_unit("us")
    profile = Feed(A=days(("2021-01-01", "2023-01-01", 1)), B=days(("2021-01-01", "2022-12-20", 1)))
    parts = [pd.DataFrame({"place": place, "month": span, "rows": rows}) for place, rows in (("A", 30), ("B", 300))]
    profile.months = pd.concat(parts, ignore_index=True).assign(no_number=0, no_ethnicity=0)
    profile.arrivals = pd.DataFrame({"month": span, "arrived": span, "rows": 330})
    assert set(shifts.settled(profile).groupby("month").size()) == {1, 2}
    together = shifts.settled(profile, together=True)
    assert set(together["rows"]) == {330}
    assert shifts.about_volumes(profile, LIMITS) == []


def coded(**codes_by_month):
    span = pd.date_range("2021-01-01", periods=36, freq="MS")
    parts = [
        pd.DataFrame({"code": code, "unit": "", "month": span, "rows": rows}) for code, rows in codes_by_month.items()
    ]
    table = pd.concat(parts)
    return table[table["rows"] > 0], span


def test_codes_that_vanish_and_appear_are_found_and_seasonal_or_rare_ones_are_not():
    month = np.arange(36)
    table, span = coded(
        steady=np.full(36, 400),
        gone=np.where(month < 24, 80, 0),
        new=np.where(month < 24, 0, 90),
        season=np.where(month % 12 < 3, 500, 0),
        rare=np.where(month < 24, 5, 0),
        last_winter=np.where((month % 12 < 3) & (month < 26), 300, 0),
    )
    changes = {(change.code, change.vanished): change.month for change in codes.changes(table, span, LIMITS)}
    assert changes == {("gone", True): span[24], ("new", False): span[24]}


def test_a_feed_that_thins_out_is_not_taken_for_lost_codes():
    month = np.arange(36)
    table, span = coded(a=np.where(month < 30, 400, 30), b=np.where(month < 30, 60, 4))
    assert codes.changes(table, span, LIMITS) == []
