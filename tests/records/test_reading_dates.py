"""Dates in whatever order, months sent twice and deaths before birth have their answer, and nothing is lost."""

from __future__ import annotations

import pandas as pd
import pytest

import records
from tests.records.readings import AS_OF, changed, counts_of, everybody_numbered, quarantined, refused, tables_of


@pytest.fixture
def system(system):
    return everybody_numbered(system)


def with_dates(table: pd.DataFrame, column: str, dates: list[str]) -> pd.DataFrame:
    return table.assign(**{column: (dates * 40)[: len(table)]})


def test_a_declared_date_format_reads_as_iso_does(system, settled, tmp_path):
    expected = tables_of(settled(system), tmp_path / "iso")
    for column in ("event_date", "recorded_date", "received_date"):
        system["gp_events"][column] = pd.to_datetime(system["gp_events"][column]).dt.strftime("%d/%m/%Y")
    settings = changed(settled(system), "gp_events", date_format="%d/%m/%Y")
    for one, other in zip(expected, tables_of(settings, tmp_path / "out"), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("dates", "advice"),
    [
        (["01/03/2022", "25/02/2022"], "40 look like DD/MM: if that is right, declare `date_format: '%d/%m/%Y'`"),
        (["03/01/2022", "02/25/2022"], "40 look like MM/DD: if that is right, declare `date_format: '%m/%d/%Y'`"),
        (["01.03.22", "25.02.22"], "declare `date_format: '%d.%m.%y'`"),
        (["01/03/2022", "02/02/2022"], "40 can be read as DD/MM and as MM/DD: ask the supplier which"),
        (["25/02/2022", "02/25/2022"], "20 can only be DD/MM and 20 only MM/DD"),
    ],
)
def test_dates_that_are_not_iso_are_answered_with_the_format_to_declare(system, settled, tmp_path, dates, advice):
    system["gp_events"] = with_dates(system["gp_events"], "event_date", dates)
    said = refused(settled(system), tmp_path / "out")
    assert "column event_date is not a date (YYYY-MM-DD) in 39 of 39 row(s)" in said
    assert advice in said


def test_a_few_dates_in_another_format_are_kept_as_they_were_read(system, settled, tmp_path):
    system["gp_events"].loc[7, "event_date"] = "around Easter"
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    (row,) = quarantined(linked, "gp_events").itertuples()
    assert row.reason == "column event_date is not a date (YYYY-MM-DD)"
    assert row.as_read == "event_date=around Easter"
    assert row.record_id == "G7"


@pytest.mark.parametrize(
    ("date_format", "dates"),
    [
        ("%d/%m/%Y", ["25/02/2022", "03/02/2022", *["20/02/2022"] * 37, "02/25/2022"]),
        (None, ["2022-02-25", "2022-02-03", *["2022-02-20"] * 37, "2022-25-02"]),
    ],
)
def test_days_and_months_in_both_orders_stop_the_run_though_most_dates_can_be_read(
    system, settled, tmp_path, date_format, dates
):
    system["gp_events"] = with_dates(system["gp_events"], "event_date", dates)
    settings = changed(settled(system), "gp_events", date_format=date_format)
    said = refused(settings, tmp_path / "out")
    assert "'gp_events' (gp_events.csv): column event_date has day and month in both orders: in 1 of 40 date(s)" in said
    assert "1 date(s) which read either way cannot be trusted" in said


# A month sent twice


def test_a_month_sent_twice_under_new_record_ids_counts_once(system, settled, tmp_path):
    expected = tables_of(settled(system), tmp_path / "once")
    again = system["gp_events"].assign(record_id=lambda rows: "X" + rows["record_id"], received_date="2022-04-05")
    system["gp_events"] = pd.concat([again, system["gp_events"]])
    linked = records.build(settled(system), AS_OF, tmp_path / "twice")
    counts = pd.read_parquet(linked.source_counts)
    twice = counts[counts["why"].str.startswith("sent twice")]
    assert (twice["source"].tolist(), twice["fate"].tolist(), twice["rows"].tolist()) == (
        ["gp_events"],
        ["duplicate"],
        [39],
    )
    read = tuple(map(pd.read_parquet, (linked.people, linked.events, linked.contacts)))
    for one, other in zip(expected, read, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_two_equal_rows_alone_are_two_contacts(system, settled, tmp_path):
    twin = system["gp_events"].iloc[[0]].assign(record_id="X0")
    system["gp_events"] = pd.concat([system["gp_events"], twin])
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    assert counts_of(linked, "gp_events") == {"opted_out": 1, "used": 40}


# Births and deaths


def test_a_death_before_birth_is_set_aside_and_comes_back_when_mended(system, settled, tmp_path):
    whole = system["demographics"].copy()
    system["demographics"].loc[39, "date_of_death"] = "1919-05-01"
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    (row,) = quarantined(linked, "demographics").itertuples()
    assert (row.record_id, row.reason) == ("D39", "column date_of_birth is later than date_of_death")
    assert str(row.date_of_death)[:10] == "1919-05-01"
    system["demographics"] = whole
    assert (
        counts_of(records.build(settled(system), AS_OF, tmp_path / "again"), "demographics").get("quarantined", 0) == 0
    )
