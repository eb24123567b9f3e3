from __future__ import annotations

import csv
import io
import stat
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewell import doors
from casewell.errors import StorageError
from casewell.settings import Teams
from cohorts import Heading, allocate, assemble, write_lists
from cohorts.tables import TURNOVER
from fairness.levels import CANNOT_TELL, FAIL, PASS

NASTY = st.one_of(
    st.text(max_size=30),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", " ", "\t", "\r", "\u202e", "\u200f", "\u00a0", "\x00", "'"]),
        st.sampled_from(
            [
                "=",
                "+",
                "-",
                "@",
                "\uff1d",
                "\uff0b",
                "\uff0d",
                "\uff20",
                "<b>",
                "&amp;",
                "http://",
                '"',
                ",",
                "=cmd|' /C calc'!A0",
            ]
        ),
        st.text(max_size=10),
    ),
)


@pytest.fixture(scope="session")
def cohort(people, scores, as_of):
    everybody = people({}, {}, {"team_code": "T2"})
    scored = scores({"benefit": 0.05}, {"benefit": 0.04}, {"benefit": 0.03, "evidence_grade": "assumed"})
    allocation = allocate(scored, everybody, Teams(default_capacity=1), b"k")
    said = pd.DataFrame(
        {"person_id": [1, 2, 3], "reason_1": ["3 falls", "2 falls", "1 fall"], "reason_2": "lives alone"}
    )
    return assemble(allocation, scored, said, everybody, as_of)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def sheet_of(path: Path):
    return openpyxl.load_workbook(path).active


def table_of(path: Path) -> list[dict[str, str | None]]:
    rows = list(sheet_of(path).iter_rows(values_only=True))
    head = next(number for number, row in enumerate(rows) if row[0] == "Rank")
    return [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :]]


def test_a_team_reads_its_people_in_order_with_names_bands_and_reasons(cohort, contacts, practices, heading, tmp_path):
    files = write_lists(cohort, contacts({}, {"family_name": "Hopper"}, {}), practices, heading, tmp_path, False)
    assert [path.name for path in files] == ["T1.xlsx", "T1.csv", "T2.xlsx", "T2.csv"]
    first, second = table_of(tmp_path / "T1.xlsx")
    assert (first["Rank"], first["Status"], first["Name"]) == ("1", "listed", "Byron, Ada")
    assert (first["NHS number"], first["Date of birth"]) == ("9990653399", "04-Mar-1950")
    assert first["Why now"] == "• 3 falls\n• lives alone"
    assert first["Likely to benefit"] == "High"
    assert (second["Status"], second["Name"]) == ("reserve", "Hopper, Ada")
    assert [row["nhs_number"] for row in rows_of(tmp_path / "T1.csv")] == ["9990653399"] * 2
    assert not any("." in (value or "") for name, value in first.items() if name != "Why now")


def test_the_heading_says_what_the_list_is_worth(cohort, contacts, practices, heading, tmp_path):
    write_lists(cohort, contacts({}, {}, {}), practices, heading, tmp_path, True)
    lines = [row[0] for row in sheet_of(tmp_path / "T2.xlsx").iter_rows(max_row=6, values_only=True)]
    assert lines[0].startswith("SYNTHETIC")
    assert lines[1] == "Case management list: South team (T2)"
    assert "28 September 2026" in lines[2]
    assert "ASSUMED" in lines[3]
    assert lines[4].startswith("Fairness: CANNOT TELL: the data do not show that no group is treated unfairly")
    assert "A. Director" in lines[5]
    assert "small pilot" in lines[5]
    row = rows_of(tmp_path / "T2.csv")[0]
    assert (row["synthetic"], row["evidence_grade"]) == ("SYNTHETIC", "assumed")
    assert (row["fairness"], row["harm"], row["released_by"]) == (heading.verdict, "", heading.owner)


def test_a_real_list_is_not_stamped_synthetic(cohort, contacts, practices, heading, tmp_path):
    write_lists(cohort, contacts({}, {}, {}), practices, heading, tmp_path, False)
    assert b"SYNTHETIC" not in (tmp_path / "T1.csv").read_bytes()
    with zipfile.ZipFile(tmp_path / "T1.xlsx") as parts:
        assert not any(b"SYNTHETIC" in parts.read(part) for part in parts.namelist())


def test_a_team_with_nobody_gets_a_list_that_says_so(cohort, contacts, practices, heading, tmp_path):
    write_lists(cohort[cohort["team_code"] == "T1"], contacts({}, {}, {}), practices, heading, tmp_path, False)
    values = [row[0] for row in sheet_of(tmp_path / "T2.xlsx").iter_rows(values_only=True)]
    assert "Nobody is listed for this team this week." in values
    assert rows_of(tmp_path / "T2.csv") == []


def test_whoever_moved_from_team_to_team_stands_in_both_teams_changes(cohort, contacts, practices, heading, tmp_path):
    moved = pd.DataFrame(
        {
            "team_code": ["T1", "T2"],
            "movement": ["entered", "left"],
            "person_id": 1,
            "cause": "moved",
            "why": ["came from another team's list", "is on another team's list"],
        }
    )
    turnover = doors.check(moved, TURNOVER)
    write_lists(cohort, contacts({}, {}, {}), practices, heading, tmp_path, False, turnover=turnover)
    for team, movement in (("T1", "entered"), ("T2", "left")):
        rows = list(openpyxl.load_workbook(tmp_path / f"{team}.xlsx")["Changes"].iter_rows(values_only=True))
        assert [row[:3] for row in rows if row[1] == "9990653399"] == [(movement, "9990653399", "Byron, Ada")]


def test_harm_is_told_on_every_list_that_somebody_releases_in_spite_of_it(cohort, contacts, practices, as_of, tmp_path):
    said = "On the history case management seems to have done harm."
    write_lists(
        cohort,
        contacts({}, {}, {}),
        practices,
        Heading(as_of, "fail", "A. Director", "known", harms=(said,)),
        tmp_path,
        False,
    )
    lines = [row[0] for row in sheet_of(tmp_path / "T1.xlsx").iter_rows(max_row=7, values_only=True)]
    assert said in lines
    assert {row["harm"] for row in rows_of(tmp_path / "T1.csv")} == {said}


def test_a_source_whose_feed_failed_is_named_in_every_row(cohort, contacts, practices, as_of, tmp_path):
    heading = Heading(as_of, "pass", without=("emergency", "community"))
    write_lists(cohort, contacts({}, {}, {}), practices, heading, tmp_path, False)
    assert {row["scored_without"] for row in rows_of(tmp_path / "T1.csv")} == {"emergency, community"}
    lines = [row[0] for row in sheet_of(tmp_path / "T1.xlsx").iter_rows(max_row=6, values_only=True)]
    assert any(line.startswith("Scored without emergency, community") for line in lines)


def test_a_person_without_a_name_or_number_is_not_recorded(cohort, contacts, practices, heading, tmp_path):
    blank = {"nhs_number": "", "given_name": "", "family_name": "", "date_of_birth": None, "practice_name": ""}
    write_lists(cohort, contacts(blank, {}), practices, heading, tmp_path, False)
    for team, practice in (("T1", "P1"), ("T2", "not recorded")):
        row = table_of(tmp_path / f"{team}.xlsx")[0]
        assert [row[name] for name in ("NHS number", "Name", "Date of birth")] == ["not recorded"] * 3
        assert row["Practice"] == practice


def test_the_same_inputs_give_the_same_bytes(cohort, contacts, practices, heading, tmp_path):
    known = contacts({}, {}, {})
    for folder, seed in (("one", 1), ("two", 2)):
        write_lists(cohort, known.sample(frac=1, random_state=seed), practices, heading, tmp_path / folder, True)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_only_their_owner_can_read_the_lists(cohort, contacts, practices, heading, tmp_path):
    folder = tmp_path / "lists"
    files = write_lists(cohort, contacts({}, {}, {}), practices, heading, folder, False)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_coordinator_chooses_the_outcome_from_a_list(cohort, contacts, practices, heading, tmp_path):
    write_lists(cohort, contacts({}, {}, {}), practices, heading, tmp_path, False)
    sheet = sheet_of(tmp_path / "T1.xlsx")
    choices = {str(rule.sqref)[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    outcome = next(cell.column_letter for cell in sheet[sheet.max_row - 2] if cell.value == "Outcome")
    assert choices[outcome] == '"agreed,declined,not reached,not suitable,already supported"'
    assert sheet.freeze_panes == "E8"


@settings(max_examples=15, deadline=None)
@given(family=NASTY, given_name=NASTY, practice=NASTY, reason=NASTY)
def test_no_name_becomes_a_formula_or_markup_in_any_format(
    family, given_name, practice, reason, cohort, contacts, practices, as_of
):
    person = {"family_name": family, "given_name": given_name, "practice_name": practice}
    heading = Heading(as_of, "fail", f"{reason} Director", reason)
    with tempfile.TemporaryDirectory() as folder:
        write_lists(
            cohort.assign(reason_1=reason or "x"),
            contacts(person, person, person),
            practices.assign(team_name=practice),
            heading,
            Path(folder),
            False,
        )
        for row in rows_of(Path(folder) / "T1.csv"):
            assert not any(
                cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
                for cell in row.values()
            )
            assert not any(ord(mark) < 32 or mark in "\u202e\u200f" for cell in row.values() for mark in cell)
        sheet = sheet_of(Path(folder) / "T1.xlsx")
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} == {"s"}
        assert {cell.number_format for cell in cells} == {"@"}
        assert not any(cell.hyperlink for cell in cells)
        assert not any("\u202e" in cell.value for cell in cells)


def test_a_full_disk_is_said_plainly_and_names_nobody(cohort, contacts, practices, heading, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fdopen", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        write_lists(cohort, contacts({}, {}, {}), practices, heading, tmp_path, False)
    assert "Byron" not in str(caught.value)
    assert "still stand" in caught.value.advice


def test_every_verdict_of_the_gate_has_words(cohort, contacts, practices, as_of, tmp_path):
    for verdict in (PASS, FAIL, CANNOT_TELL):
        write_lists(cohort, contacts({}, {}, {}), practices, Heading(as_of, verdict), tmp_path, False)
