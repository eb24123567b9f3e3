"""The check of the sources reports everything at once, judges as the run does, and shows nobody."""

from __future__ import annotations

import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import records
from casewell import __main__ as front_door
from casewell.errors import SourceError
from casewell.settings import Quality, Source
from records.quality import check_sources, codes, feeds, freshness, page, shifts
from records.quality.findings import INFORM, LOOK, STOP, masked
from tests.records.conftest import number
from tests.support import REPOSITORY, demonstration_settings

AS_OF = dt.date(2022, 10, 13)
TODAY = dt.date(2026, 1, 1)
LIMITS = Quality()
EXCERPT = REPOSITORY / "tests" / "data" / "omop_excerpt"
BASIS = {"reference": "test agreement", "purposes": ["direct_care"], "review_date": "2999-01-01"}


def checked(settings, as_of=AS_OF):
    return check_sources(settings, as_of, TODAY)


def found(report, **wanted):
    rows = report.findings
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    return rows


def changed(settings, name, **changes):
    source = settings.sources[name].model_copy(update=changes)
    return settings.model_copy(update={"sources": {**settings.sources, name: source}})


def test_a_whole_system_would_run(system, settled):
    report = checked(settled(system))
    assert not report.stops, list(found(report, severity=STOP)["sentence"])
    assert {one.source for one in report.freshness} == set(system) - {"practices"}


def test_every_source_is_checked_though_others_are_broken(system, settled):
    system["gp_events"].loc[10:19, "code_system"] = "READ"
    system["housing"] = system["housing"].drop(columns="event_type")
    settings = settled(system)
    settings.sources["programme"].path.unlink()
    settings.sources["hospital_spells"].path.write_bytes(b"\xff\xfe\x00broken\x00" * 40)
    report = checked(settings)
    stopping = set(found(report, severity=STOP)["source"])
    assert stopping == {"gp_events", "housing", "programme", "hospital_spells"}
    said = found(report, source="gp_events", column="code_system")["sentence"].item()
    assert said.startswith("gp_events.csv: column code_system holds a value that is not allowed in 10 of ")


def test_other_faults_of_a_source_with_a_missing_column_are_found_too(system, settled):
    system["gp_events"].loc[10:19, "code_system"] = "READ"
    system["gp_events"] = system["gp_events"].rename(columns={"event_date": "evnt_date"})
    rows = found(checked(settled(system)), source="gp_events", severity=STOP)
    assert set(rows["column"]) == {"event_date", "code_system"}
    assert "evnt_date" in rows[rows["column"] == "event_date"]["advice"].item()


def test_two_faults_of_the_same_rows_are_both_found(system, settled):
    system["gp_events"].loc[10:19, "code_system"] = "READ"
    system["gp_events"].loc[10:19, "code"] = None
    rows = found(checked(settled(system)), source="gp_events", check="values")
    assert set(rows["column"]) == {"code_system", "code"}
    assert set(rows["rows"]) == {10}


@pytest.mark.parametrize("rows", [0, 1, 3, 20])
def test_what_stops_the_check_stops_the_run(system, settled, tmp_path, rows):
    system["gp_events"].loc[10 : 9 + rows, "event_date"] = "not a date" if rows else "2022-03-01"
    settings = settled(system)
    try:
        records.build(settings, AS_OF, tmp_path / "out")
        stopped = False
    except SourceError:
        stopped = True
    assert checked(settings).stops == stopped


def test_a_source_without_a_basis_is_not_opened(system, settled):
    settings = changed(settled(system), "housing", lawful_basis=None)
    settings.sources["housing"].path.unlink()
    rows = found(checked(settings), source="housing")
    assert list(rows["check"]) == ["lawful basis"]
    assert list(rows["severity"]) == [STOP]


def test_copies_and_clashes_are_told_apart(system, settled):
    gp = system["gp_events"]
    system["gp_events"] = pd.concat([gp, gp.loc[10:18]], ignore_index=True)
    system["housing"].loc[:9, "record_id"] = "same"
    report = checked(settled(system))
    copies, clashes = (
        found(report, source="gp_events", check="duplicates"),
        found(report, source="housing", check="duplicates"),
    )
    assert list(copies["severity"]) == [LOOK]
    assert list(copies["rows"]) == [9]
    assert list(clashes["severity"]) == [STOP]


def test_nobody_is_shown_and_small_counts_are_hidden(system, settled, tmp_path):
    system["gp_events"].loc[:2, "event_date"] = "01/03/2022"
    system["housing"].loc[:3, "event_type"] = "Ashdown"
    system["urgent"] = pd.DataFrame([system["housing"].iloc[0].tolist()])
    report = checked(changed(settled(system), "urgent", table="urgent_care"))
    for path in page.write(report, tmp_path / "out"):
        text = path.read_text()
        assert "Ashdown" not in text
        assert not re.search(r"\b999\d{7}\b", text)
        assert "in fewer than 8 of" in text
    assert found(report, source="gp_events", column="event_date")["rows"].isna().all()
    shown = report.findings["rows"].dropna()
    assert not ((shown > 0) & (shown < 8)).any()


def test_counts_in_messages_are_masked():
    assert masked("in 3 of 40 row(s); 7 line(s), 12 row(s), 2023-05-01") == (
        "in fewer than 8 of 40 row(s); fewer than 8 line(s), 12 row(s), 2023-05-01"
    )


def test_the_page_stands_alone_and_equal_reports_give_equal_bytes(system, settled, tmp_path):
    settings = settled(system)
    told, written = page.write(checked(settings), tmp_path / "a")
    again = page.write(checked(settings), tmp_path / "b")
    assert [told.read_bytes(), written.read_bytes()] == [path.read_bytes() for path in again]
    text = written.read_text()
    assert "<script" not in text
    assert not re.search(r"(src|href)=.?https?:", text)
    assert text.count("<svg") == text.count("</svg>") >= 2


# The opt-outs


def with_opt_outs(system, received):
    system["opt_outs"]["received_date"] = received
    return system


@pytest.mark.parametrize(
    ("received", "every", "stale"), [("2022-10-08", 7, False), ("2022-09-12", 7, True), ("2022-09-12", None, False)]
)
def test_stale_opt_outs_stop_run_and_check(system, settled, tmp_path, received, every, stale):
    settings = changed(settled(with_opt_outs(system, received)), "opt_outs", expected_every_days=every)
    assert checked(settings).stops == stale
    if not stale:
        records.build(settings, AS_OF, tmp_path / "out")
        return
    with pytest.raises(SourceError, match="the newest row is 31 days old on 2022-10-13") as caught:
        records.build(settings, AS_OF, tmp_path / "out")
    assert "expected every 7 days" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_opt_outs_newer_than_the_day_of_the_run_are_fresh(system, settled, tmp_path):
    settings = changed(settled(with_opt_outs(system, "2022-12-01")), "opt_outs", expected_every_days=7)
    records.build(settings, AS_OF, tmp_path / "out")


@pytest.mark.parametrize(("when_stale", "stops"), [("report", False), ("stop", True)])
def test_a_stale_feed_stops_a_run_only_where_the_settings_say_so(system, settled, tmp_path, when_stale, stops):
    settings = changed(settled(system, quality={"when_stale": when_stale}), "gp_events", expected_every_days=30)
    report = checked(settings)
    assert list(found(report, check="freshness")["source"]) == ["gp_events"]
    assert report.stops == stops
    if not stops:
        records.build(settings, AS_OF, tmp_path / "out")
        return
    with pytest.raises(SourceError, match=r"'gp_events'.*the newest row is 222 days old on 2022-10-13"):
        records.build(settings, AS_OF, tmp_path / "out")


def test_an_empty_opt_out_file_stops_the_run(system, settled):
    system["opt_outs"] = system["opt_outs"].head(0)
    report = checked(settled(system))
    assert list(found(report, source="opt_outs", severity=STOP)["check"]) == ["opt-outs"]
    assert (
        found(report, check="opt-outs", severity=INFORM)["sentence"].str.contains("include people who opted out").any()
    )


def test_rows_of_opted_out_people_are_not_counted(system, settled):
    report = checked(settled(system))
    gp = next(profile for profile in report.profiles if profile.name == "gp_events")
    assert gp.rows == 39  # type 1 holds for direct care, the national opt-out does not


# Feeds


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


def test_a_practice_without_rows_is_named_when_people_are_registered_with_it(system, settled):
    demographics = system["demographics"]
    more = pd.concat(
        [
            demographics.assign(record_id=lambda t, n=n: t["record_id"] + f"-{n}", address_line=f"{n} High Street")
            for n in range(3)
        ]
    )
    system["demographics"] = more.assign(practice_code=np.where(np.arange(len(more)) % 2, "P1", "P2"))
    report = checked(settled(system))
    assert list(found(report, source="gp_events", check="coverage")["place"]) == ["P2"]
    assert found(report, source="practices", check="coverage").empty


# Simulated populations, on seeds that nothing was tuned on


@pytest.fixture(scope="module")
def wronged(tmp_path_factory):
    """A population with three wrongs at once, and its settings."""
    import simulator

    folder = tmp_path_factory.mktemp("wronged")
    planted = ["feed_outage", "missing_ethnicity", "coding_change"]
    simulator.simulate(4_000, 77, folder / "sources", folder / "truth", scenario=planted)
    return demonstration_settings(folder, folder / "sources")


@pytest.fixture(scope="module")
def wrongs(wronged):
    from casewell.settings import load

    return check_sources(load(wronged))


def test_practices_whose_feed_stopped_are_all_found_and_no_other(wronged, wrongs):
    gp = pd.read_parquet(wronged.parent / "sources" / "gp_events.parquet", columns=["practice_code", "received_date"])
    last = pd.to_datetime(gp.groupby("practice_code")["received_date"].max())
    silent = set(last.index[last < last.max() - pd.Timedelta(days=60)])
    assert silent
    assert set(found(wrongs, check="stopped", severity=LOOK)["place"]) == silent


def test_a_change_of_coding_is_found_with_its_month(wrongs):
    gone = found(wrongs, check="codes", severity=LOOK)
    new = found(wrongs, check="codes", severity=INFORM)
    assert {"1003671000000109", "11429006"} <= set(gone["sentence"].str.extract(r"code (\d+) ")[0])
    assert new["sentence"].str.contains("43396009 in unit '%'").any()
    assert set(gone["month"]) == {pd.Timestamp("2025-04-01")}


def test_missing_ethnicity_is_found_in_every_source_that_holds_it(wrongs):
    assert set(found(wrongs, check="missing ethnicity")["source"]) == {
        "demographics",
        "emergency_care",
        "hospital_spells",
    }
    assert not wrongs.stops


def test_a_population_without_planted_wrongs_raises_none_of_them(population, tmp_path):
    from casewell.settings import load

    report = check_sources(load(demonstration_settings(tmp_path, population)))
    assert not report.stops
    unusual = report.findings[
        report.findings["check"].isin(["stopped", "coverage", "volume", "missing ethnicity", "codes", "freshness"])
    ]
    assert list(unusual[unusual["severity"] == LOOK]["sentence"]) == []
    # The one practice of each network that the simulator silences for 35 days has sent everything since.
    gaps = unusual[unusual["check"] == "stopped"]
    assert set(gaps["source"]) == {"gp_events"}
    assert gaps["sentence"].str.contains("35 days; then it came again").all()


# The command


@pytest.mark.parametrize(("broken", "code"), [(False, 0), (True, 4)])
def test_the_command_writes_both_files_and_exits_with_4_if_a_run_would_stop(system, settled, tmp_path, broken, code):
    settings = settled(system)
    if broken:
        settings.sources["housing"].path.unlink()
    told = tmp_path / "settings.yaml"
    told.write_text(json.dumps(settings.model_dump(mode="json", exclude_unset=True)))
    outcome = CliRunner().invoke(
        front_door.app,
        ["sources", "check", "--settings", str(told), "--out", str(tmp_path / "out"), "--as-of", str(AS_OF)],
    )
    assert outcome.exit_code == code, outcome.output
    report = json.loads((tmp_path / "out" / "sources.json").read_text())
    assert report["stops_the_run"] == broken
    stopping = [found["sentence"] for found in report["findings"] if found["severity"] == STOP]
    assert any("housing.csv" in sentence for sentence in stopping) == broken
    assert (tmp_path / "out" / "sources.html").is_file()


def test_omop_tables_are_read_as_the_run_reads_them(system, settled):
    settings = settled(system)
    told = {"kind": "omop", "path": EXCERPT, "expected_every_days": 30, "lawful_basis": BASIS}
    settings = settings.model_copy(
        update={
            "sources": {"cdm": Source.model_validate(told)},
            "teams": settings.teams.model_copy(update={"by": "all"}),
        }
    )
    report = check_sources(settings)
    assert not report.stops
    (fresh,) = report.freshness
    assert fresh.age_days == 1
    later = check_sources(settings, report.as_of + dt.timedelta(days=60))
    assert list(found(later, check="freshness")["source"]) == ["cdm"]


def test_an_ethnic_group_without_usable_numbers_is_found(system, settled):
    spells = pd.concat([system["hospital_spells"]] * 20, ignore_index=True)
    spells["record_id"] = [f"H{n}" for n in range(len(spells))]
    spells["spell_id"] = spells["record_id"]
    spells["ethnic_category"] = np.where(np.arange(len(spells)) % 2, "A", "H")
    spells.loc[(spells["ethnic_category"] == "H") & (np.arange(len(spells)) % 4 == 0), "nhs_number"] = None
    system["hospital_spells"] = spells
    rows = found(checked(settled(system)), source="hospital_spells", severity=LOOK)
    assert rows["sentence"].str.contains("whose ethnic group is Asian have no usable NHS number").sum() == 1
    assert not rows["sentence"].str.contains("whose ethnic group is White have").any()


def test_a_number_of_two_people_and_a_person_with_two_numbers_are_found(system, settled):
    people = system["demographics"]
    again = people.loc[28:36].assign(
        record_id=[f"A{n}" for n in range(9)], nhs_number=[number(n) for n in range(101, 110)]
    )
    # One person, registered twice with a slip in the birth date: no finding.
    slip = people.loc[[7]].assign(record_id="A9", date_of_birth=people.loc[7, "date_of_birth"][:8] + "28")
    people.loc[8:16, "nhs_number"] = list(people.loc[18:26, "nhs_number"])
    system["demographics"] = pd.concat([people, again, slip], ignore_index=True)
    rows = found(checked(settled(system)), check="NHS numbers", severity=LOOK)
    assert rows["rows"].tolist() == [9, 9]
    told = " ".join(rows["sentence"])
    assert "9 NHS numbers stand on registrations of two different people" in told
    assert "9 people seem to be registered under two NHS numbers" in told
