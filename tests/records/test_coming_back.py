"""Bad input, one kind after another: a clear answer, nothing lost, and all as before once it is mended."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

import records
from casewell.errors import SourceError
from records.quality import check_sources
from tests.records.conftest import NUMBERS, settle, whole_system

AS_OF = dt.date(2022, 10, 13)
TABLES = ("people", "events", "enrolments", "contacts", "identities", "removed")


def tables_of(settings, out: Path) -> dict[str, pd.DataFrame]:
    linked = records.build(settings, AS_OF, out)
    return {name: pd.read_parquet(getattr(linked, name)) for name in TABLES}


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """The system before anything went wrong with it."""
    root = tmp_path_factory.mktemp("before")
    return root, tables_of(settle(root, whole_system()), root / "out")


@pytest.fixture
def mended(before, tmp_path):
    """Assert that the mended system gives what it gave before it was spoiled."""

    def check():
        root, expected = before
        # A register of its own: the spoiled build may have left one, under another key.
        settings = settle(tmp_path, whole_system(), pseudonym_key_file=root / "key", data_dir=tmp_path / "anew")
        for name, table in tables_of(settings, tmp_path / "mended").items():
            pd.testing.assert_frame_equal(table, expected[name])
        assert not (tmp_path / "mended" / "quarantine").exists()

    return check


def cut_off(path):
    table = pd.concat([pd.read_csv(path, dtype=str)] * 200)
    table.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])


def rewrite(path, **changes):
    pd.read_csv(path, dtype=str).to_csv(path, index=False, **changes)


def renamed(path):
    pd.read_csv(path, dtype=str).rename(columns={"code": "kode"}).to_csv(path, index=False)


def dates(path, written):
    table = pd.read_csv(path, dtype=str)
    table["event_date"] = [written[place % len(written)] for place in table.index]
    table.to_csv(path, index=False)


REFUSED = {
    "a truncated Parquet file": (lambda path: cut_off(path), {"path": "gp_events.parquet"}, "the file was cut off"),
    "a wrong delimiter": (lambda path: rewrite(path, sep="|"), {}, "its columns are separated by '|', not ','"),
    "mixed date formats": (lambda path: dates(path, ["2022-03-01", "01/03/2022"]), {}, "is not a date (YYYY-MM-DD)"),
    "day-month swaps": (lambda path: dates(path, ["2022-03-01"] * 39 + ["2022-13-02"]), {}, "both orders"),
    "a wrong encoding": (lambda path: rewrite(path, encoding="utf-16"), {}, "the file is UTF-16 text"),
    "a column renamed": (renamed, {}, "missing column 'code'; the nearest there is 'kode'"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_cannot_be_used_is_refused_and_all_is_as_before_once_mended(wrong, tmp_path, mended):
    spoil, changes, said = REFUSED[wrong]
    settings = settle(tmp_path, whole_system())
    source = settings.sources["gp_events"]
    if changes:
        path = source.path.with_name(changes["path"])
        source.path.rename(path)
        source = source.model_copy(update={"path": path})
    spoil(source.path)
    settings = settings.model_copy(update={"sources": {**settings.sources, "gp_events": source}})
    with pytest.raises(SourceError) as caught:
        records.build(settings, AS_OF, tmp_path / "out")
    assert said in str(caught.value)
    assert "999" not in str(caught.value), "a message holds an NHS number"
    assert not (tmp_path / "out").exists()
    mended()


def in_cp1252(settings):
    path = settings.sources["housing"].path
    path.write_bytes(path.read_bytes().replace(b"Ashdown", b"Ashd\xf6wn", 1))


def changed(table, row, **values):
    def change(system):
        system[table] = system[table].astype("object")
        for name, value in values.items():
            system[table].loc[row, name] = value

    return change


SET_ASIDE = {
    "one date in another format": (
        changed("gp_events", 7, event_date="01/03/2022"),
        "gp_events",
        "column event_date is not a date",
    ),
    "a death before birth": (
        changed("demographics", 39, date_of_death="1919-05-01"),
        "demographics",
        "later than date_of_death",
    ),
    "a day of receipt that cannot be read": (
        changed("demographics", 7, registration_start_date="soon"),
        "demographics",
        "registration_start_date is not a date",
    ),
    "one line in another encoding": (in_cp1252, "housing", "not UTF-8 text"),
}


@pytest.mark.parametrize("wrong", SET_ASIDE)
def test_a_row_set_aside_keeps_its_reason_and_comes_back_once_mended(wrong, tmp_path, mended):
    spoil, source, reason = SET_ASIDE[wrong]
    system = whole_system()
    if spoil is not in_cp1252:
        spoil(system)
    settings = settle(tmp_path, system)
    if spoil is in_cp1252:
        spoil(settings)
    linked = records.build(settings, AS_OF, tmp_path / "out")
    (row,) = pd.read_parquet(tmp_path / "out" / "quarantine" / f"{source}.parquet").itertuples()
    assert reason in row.reason
    counts = pd.read_parquet(linked.source_counts)
    assert counts[counts["fate"] == "quarantined"]["rows"].tolist() == [1]
    mended()


@pytest.mark.parametrize("wrong", ["two people with one number", "one person with two numbers"])
def test_a_wrong_number_loses_no_row_and_is_as_before_once_mended(wrong, tmp_path, mended):
    system = whole_system()
    if wrong == "two people with one number":
        system["demographics"].loc[8, "nhs_number"] = NUMBERS[7]
    else:
        # Her own record at the hospital bears a second, valid number.
        system["hospital_spells"].loc[7, "nhs_number"] = "9434765919"
    linked = records.build(settle(tmp_path, system), AS_OF, tmp_path / "out")
    counts = pd.read_parquet(linked.source_counts).groupby(["source", "fate"])["rows"].sum()
    assert counts["demographics"].to_dict() == {"opted_out": 1, "used": 39}
    assert counts["hospital_spells"].to_dict() == {"opted_out": 1, "used": 39}
    found = pd.read_parquet(linked.identities)
    known = found[found["source"] == "demographics"]
    assert known["person_id"].nunique() == 39, "two registered people were joined"
    mended()


def test_a_month_repeated_changes_nothing(before, tmp_path):
    root, expected = before
    system = whole_system()
    system["gp_events"] = pd.concat(
        [system["gp_events"], system["gp_events"].assign(record_id=lambda t: "again" + t["record_id"])]
    )
    got = tables_of(settle(tmp_path, system, pseudonym_key_file=root / "key"), tmp_path / "out")
    for name in TABLES:
        pd.testing.assert_frame_equal(got[name], expected[name])


def test_one_practice_missing_is_named_and_its_people_stay(tmp_path, mended):
    system = whole_system()
    people = pd.concat([system["demographics"]] * 3, ignore_index=True)
    more = people.assign(record_id=[f"M{n}" for n in range(120)])
    more["nhs_number"] = None
    more["given_name"] = [f"Name{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(120)]
    system["demographics"] = pd.concat([system["demographics"], more], ignore_index=True)
    system["gp_events"]["practice_code"] = "P1"
    system["practices"] = system["practices"].head(1)
    settings = settle(tmp_path, system, teams={"by": "practice"})
    findings = check_sources(settings, AS_OF).findings
    named = findings[(findings["check"] == "coverage") & (findings["place"] == "P2")]
    assert set(named["source"]) == {"gp_events", "practices"}
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert (pd.read_parquet(linked.people)["practice_code"] == "P2").sum() >= 80
    mended()


@pytest.mark.parametrize(
    ("rows", "every", "said"), [(0, None, "has no rows"), (2, 28, "who opted out since is not known")]
)
def test_empty_and_month_old_opt_outs_stop_the_run_until_they_are_fetched(tmp_path, mended, rows, every, said):
    system = whole_system()
    system["opt_outs"] = system["opt_outs"].head(rows).assign(received_date="2022-09-12")
    settings = settle(tmp_path, system)
    source = settings.sources["opt_outs"].model_copy(update={"expected_every_days": every})
    settings = settings.model_copy(update={"sources": {**settings.sources, "opt_outs": source}})
    with pytest.raises(SourceError, match=said):
        records.build(settings, AS_OF, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    mended()
