"""A row that is sent again, corrected: each week knows the version that had come by then, also when it is built later."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import records
from records.quality.check import check_sources

from .checks import found

WEEK, LATER = dt.date(2022, 10, 13), dt.date(2023, 6, 1)
DOORS = (
    "people",
    "residences",
    "enrolments",
    "offers",
    "draws",
    "events",
    "identities",
    "contacts",
    "practices",
    "removed",
)
NONE = None


def of(system, table, record):
    return system[table][system[table]["record_id"] == record]


def sent_again(system, table, record, **changes):
    """The system, with one record sent once more."""
    again = of(system, table, record).iloc[:1].assign(**changes)
    return system | {table: pd.concat([system[table], again], ignore_index=True)}


def first_told(system):
    """What had come by the week: a spell of case management that ends, a death, and a registration that ends."""
    system = dict(system)
    system["demographics"] = (
        system["demographics"]
        .assign(version_received_date=NONE)
        .astype({"registration_end_date": "object", "date_of_death": "object", "death_received_date": "object"})
    )
    told = {
        "D38": {"date_of_death": "2022-08-01", "death_received_date": "2022-08-10"},
        "D39": {"date_of_death": "2022-08-01", "death_received_date": "2022-08-10"},
        "D37": {"registration_end_date": "2022-07-01", "registration_end_received_date": "2022-07-05"},
    }
    for record, values in told.items():
        for column, value in values.items():
            system["demographics"].loc[system["demographics"]["record_id"] == record, column] = value
    started = {
        "start_date": "2022-06-10",
        "end_date": NONE,
        "referral_date": "2022-06-01",
        "received_date": "2022-06-12",
    }
    system["programme"] = system["programme"].assign(**started, outcome="started").iloc[:1]
    return sent_again(system, "programme", "C0", end_date="2022-09-01", received_date="2022-09-03")


def corrected(system):
    """The same, and what came after the week: all of it was otherwise."""
    system = sent_again(system, "programme", "C0", end_date="2022-08-15", received_date="2022-11-20")
    later = {"version_received_date": "2022-11-20"}
    system = sent_again(system, "demographics", "D38", date_of_death=NONE, death_received_date=NONE, **later)
    system = sent_again(system, "demographics", "D39", date_of_death="2022-08-03", **later)
    return sent_again(system, "demographics", "D37", registration_end_date=NONE, **later)


def with_a_later_feed(system):
    """Housing goes on, so that a later day can be asked for."""
    row = system["housing"].iloc[:1].assign(record_id="U99", event_date="2023-05-01", received_date="2023-05-31")
    return system | {"housing": pd.concat([system["housing"], row], ignore_index=True)}


def told_of(out, name):
    return pd.read_parquet(out / f"{name}.parquet")


def of_records(out, name, *wanted):
    """Rows of a table of the people of some registrations, in their order."""
    who = told_of(out, "identities").query("source == 'demographics'").set_index("source_record")["person_id"]
    return told_of(out, name).set_index("person_id").loc[who[list(wanted)]]


@pytest.fixture
def then(system):
    return first_told(system)


def test_a_past_week_is_rebuilt_as_it_was_known_before_the_corrections(then, settled, tmp_path):
    records.build(settled(then), WEEK, tmp_path / "then")
    records.build(settled(with_a_later_feed(corrected(then)), data_dir=tmp_path / "other"), WEEK, tmp_path / "rebuilt")
    for name in DOORS:
        pd.testing.assert_frame_equal(told_of(tmp_path / "then", name), told_of(tmp_path / "rebuilt", name))
    assert of_records(tmp_path / "rebuilt", "people", "D38", "D39")["died_on"].dt.day.tolist() == [1, 1]
    (end,) = told_of(tmp_path / "rebuilt", "enrolments")["end"]
    assert end == pd.Timestamp("2022-09-01")


def test_a_later_week_knows_the_corrections(then, settled, tmp_path):
    records.build(settled(with_a_later_feed(corrected(then))), LATER, tmp_path / "out")
    people = of_records(tmp_path / "out", "people", "D37", "D38", "D39")
    assert people["registered_to"].isna().all()
    assert people["died_on"].fillna(pd.Timestamp(0)).tolist()[1:] == [pd.Timestamp(0), pd.Timestamp("2022-08-03")]
    spells = told_of(tmp_path / "out", "enrolments")
    assert spells[["start", "end"]].iloc[0].tolist() == [pd.Timestamp("2022-06-10"), pd.Timestamp("2022-08-15")]
    assert spells["known_at"].tolist() == [pd.Timestamp("2022-06-12")], "the start was known from its first version on"


def test_a_spell_has_no_end_before_the_version_that_told_it(then, settled, tmp_path):
    records.build(settled(then), dt.date(2022, 9, 3), tmp_path / "out")
    assert told_of(tmp_path / "out", "enrolments")["end"].isna().all()


def test_an_end_is_known_from_its_own_day_of_receipt_on(system, settled, tmp_path):
    received = {"referral_date": "2022-05-01", "start_date": "2022-06-01", "end_date": "2022-08-01"}
    system["programme"] = system["programme"].iloc[:1].assign(**received, received_date="2022-06-02")
    system["programme"]["end_received_date"] = "2022-10-12"
    for day, known in ((dt.date(2022, 10, 12), False), (WEEK, True)):
        records.build(settled(system), day, tmp_path / str(day))
        for name in ("enrolments", "offers"):
            assert told_of(tmp_path / str(day), name)["end"].notna().tolist() == [known]


def test_the_order_of_the_versions_does_not_matter(then, settled, tmp_path):
    system = with_a_later_feed(corrected(then))
    records.build(settled(system), LATER, tmp_path / "one")
    turned = {name: table.iloc[::-1] for name, table in system.items()}
    records.build(settled(turned, data_dir=tmp_path / "other"), LATER, tmp_path / "two")
    for name in DOORS:
        assert (tmp_path / "one" / f"{name}.parquet").read_bytes() == (
            tmp_path / "two" / f"{name}.parquet"
        ).read_bytes()


def test_a_version_that_is_faulty_replaces_nothing(then, settled, tmp_path):
    late = {"version_received_date": "2022-09-20"}
    system = sent_again(then, "demographics", "D39", date_of_death="1900-01-01", **late)
    linked = records.build(settled(system), WEEK, tmp_path / "out")
    assert of_records(tmp_path / "out", "people", "D39")["died_on"].dt.day.tolist() == [1]
    assert told_of(linked.summary.parent / "quarantine", "demographics")["record_id"].tolist() == ["D39"]


@pytest.mark.parametrize("received", ["2022-09-03", "2022-09-04"])
def test_one_record_id_of_two_people_or_twice_on_one_day_is_no_correction(then, settled, tmp_path, received):
    other = (
        then["demographics"]["nhs_number"].iloc[7] if received == "2022-09-04" else then["programme"]["nhs_number"][0]
    )
    system = sent_again(then, "programme", "C0", nhs_number=other, end_date="2022-07-01", received_date=received)
    settings = settled(system, quality={"max_bad_share": 1})
    records.build(settings, WEEK, tmp_path / "out")
    aside = told_of(tmp_path / "out" / "quarantine", "programme")["reason"].unique().tolist()
    assert aside == ["column record_id names rows that differ"]


def test_the_check_says_how_many_rows_are_earlier_versions(then, settled):
    report = check_sources(settled(with_a_later_feed(corrected(then))), LATER, dt.date(2023, 8, 1))
    assert not report.stops
    (sentence,) = found(report, source="demographics", check="duplicates")["sentence"]
    assert sentence.endswith("rows are each a version of a row of which a later one was known.")
