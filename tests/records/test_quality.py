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
from casewell.settings import Source
from records.quality import check_sources, page
from records.quality.findings import LOOK, STOP, masked
from tests.records.checks import AS_OF, changed, checked, found
from tests.records.conftest import number
from tests.support import REPOSITORY

EXCERPT = REPOSITORY / "tests" / "data" / "omop_excerpt"
BASIS = {"reference": "test agreement", "purposes": ["direct_care"], "review_date": "2999-01-01"}


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
