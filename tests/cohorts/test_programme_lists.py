"""Lists of several programmes, in every format: what each place is of is said, and nothing more than is needed."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest

from casewell.settings import OtherProgramme, Teams
from cohorts import OtherProgrammes, allocate, as_offered, assemble, first_steps, write_bundles, write_lists
from cohorts.first_steps import ANOTHER, OTHERWISE
from models.tables import PROGRAMME_SCORES

TITLES = {"case_management": "Case management", "link": "Social <b>prescribing"}
ASSUMED = "Benefit of social prescribing is assumed to be 2% of each person's risk (a paper)."


@pytest.fixture
def week(people, scores, as_of):
    """Team T1 has two places of case management and one of another programme; team T2 has case management alone."""
    told = {"title": TITLES["link"], "owner": "An owner", "review_date": "2999-01-01"}
    link = OtherProgramme(**told, places={"T1": 1}, benefit={"share": 0.02, "source": "A paper of a board"})
    gains = pd.DataFrame({"person_id": [1, 3], "programme": "link", "benefit": [0.001, 0.02]})
    grades = {"eligible": True, "benefit_low": np.nan, "benefit_high": np.nan, "supported": False}
    gains = gains.assign(**grades, evidence_grade="assumed")[list(PROGRAMME_SCORES.columns)]
    others = OtherProgrammes({"link": link}, gains)
    everybody = people({}, {}, {}, {"team_code": "T2"})
    scored = scores({"benefit": 0.05}, {"benefit": 0.04}, {"benefit": 0.03}, {"benefit": 0.01})
    allocation = allocate(scored, everybody, Teams(default_capacity=2, reserve_share=0), b"k", others=others)
    said = pd.DataFrame({"person_id": [1, 2, 3, 4], "reason_1": "3 falls"})
    offered = as_offered(allocation, scored, others)
    return allocation, assemble(allocation, offered, said, everybody, as_of).assign(changed="first list")


@pytest.fixture
def several(heading):
    return dataclasses.replace(heading, titles=TITLES, assumptions={"link": ASSUMED})


def test_the_cohort_says_what_each_place_is_of_with_its_own_benefit(week):
    cohort = week[1].set_index("person_id")
    assert cohort["programme"].to_dict() == {
        1: "case_management",
        2: "case_management",
        3: "link",
        4: "case_management",
    }
    assert cohort.loc[3, "benefit"] == 0.02
    assert cohort.loc[3, ["evidence_grade", "benefit_band"]].tolist() == ["assumed", "Unsure"]
    assert cohort.loc[[1, 2, 3], "rank"].tolist() == [1, 2, 3]


def test_a_workbook_and_a_csv_name_the_programme_by_its_title(week, contacts, practices, several, tmp_path):
    write_lists(week[1], contacts({}, {}, {}, {}), practices, several, tmp_path, False)
    sheet = list(openpyxl.load_workbook(tmp_path / "T1.xlsx").active.iter_rows(values_only=True))
    head = next(number for number, row in enumerate(sheet) if row[0] == "Rank")
    place = sheet[head].index("Programme")
    assert [row[place] for row in sheet[head + 1 :]] == ["Case management"] * 2 + ["Social <b>prescribing"]
    assert sheet[head][place - 1 : place + 2] == ("Status", "Programme", "NHS number")
    lines = [row[0] for row in sheet[:head]]
    assert ASSUMED in lines
    assert any(line.startswith("Benefit is learned by comparing") for line in lines)
    assert ASSUMED not in [
        row[0] for row in openpyxl.load_workbook(tmp_path / "T2.xlsx").active.iter_rows(values_only=True)
    ]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "T1.csv").read_bytes().decode(), newline="")))
    assert [row["programme"] for row in rows] == ["Case management"] * 2 + ["Social <b>prescribing"]


def test_a_list_that_moves_somebody_to_another_programme_has_another_version(
    week, contacts, practices, several, tmp_path
):
    versions = []
    for name, programme in (("a", "link"), ("b", "case_management")):
        cohort = week[1].assign(programme=week[1]["programme"].mask(week[1]["rank"] == 3, programme))
        write_lists(cohort, contacts({}, {}, {}, {}), practices, several, tmp_path / name, False)
        rows = csv.DictReader(io.StringIO((tmp_path / name / "T1.csv").read_bytes().decode(), newline=""))
        versions.append({row["list_version"] for row in rows})
    assert len(versions[0]) == 1
    assert not versions[0] & versions[1]


def test_lists_of_case_management_alone_do_not_mention_programmes(week, contacts, practices, heading, tmp_path):
    alone = week[1].drop(columns="programme")
    write_lists(alone, contacts({}, {}, {}, {}), practices, heading, tmp_path, False)
    write_bundles(alone, contacts({}, {}, {}, {}), practices, heading, tmp_path, "admission", 365, True)
    assert "programme" not in (tmp_path / "T1.csv").read_text().split("\r\n")[0]
    sheet = openpyxl.load_workbook(tmp_path / "T1.xlsx").active
    assert "Programme" not in [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "programme" not in (tmp_path / "T1.json").read_text()


def test_a_bundle_has_a_group_for_each_programme_and_a_task_that_says_which(
    week, contacts, practices, several, tmp_path
):
    write_bundles(week[1], contacts({}, {}, {}, {}), practices, several, tmp_path, "admission", 365, True)
    entries = [entry["resource"] for entry in json.loads((tmp_path / "T1.json").read_bytes())["entry"]]
    groups = [entry for entry in entries if entry["resourceType"] == "Group"]
    assert [(group["quantity"], group["code"]["coding"][0]["code"]) for group in groups] == [
        (2, "case_management"),
        (1, "link"),
    ]
    assert groups[1]["code"]["text"] == "People offered Social <b>prescribing, and their reserve"
    tasks = [entry for entry in entries if entry["resourceType"] == "Task"]
    assert [task["code"]["text"] for task in tasks] == ["Offer case management"] * 2 + ["Offer Social <b>prescribing"]
    assert tasks[2]["code"]["coding"] == [
        {"system": "urn:casewell:programme", "code": "link", "display": "Social <b>prescribing"}
    ]
    assert "<b>" not in tasks[2]["text"]["div"]
    risks = [entry for entry in entries if entry["resourceType"] == "RiskAssessment"]
    assert [risk["note"][0]["text"] == ASSUMED for risk in risks] == [False, False, True]


def test_the_first_step_towards_another_programme_is_to_offer_it(week):
    strongest = pd.DataFrame({"person_id": [1, 3], "number": 1, "group": ["falls", "falls"]})
    steps = first_steps(pd.Series([1, 2, 3]), strongest, week[0], TITLES).set_index("person_id")["first_step"]
    assert steps[1].startswith("Arrange a falls risk assessment")
    assert steps[2] == OTHERWISE
    assert steps[3] == ANOTHER + "Social <b>prescribing"


def test_the_sheet_of_changes_says_which_programme_each_place_was_of(week, contacts, practices, several, tmp_path):
    moved = pd.DataFrame(
        {
            "team_code": "T1",
            "movement": "left",
            "person_id": [2, 3],
            "cause": "score",
            "why": "x",
            "programme": ["link", "gone"],
        }
    )
    names = contacts({}, {}, {}, {})
    write_lists(week[1], names, practices, several, tmp_path, False, turnover=moved)
    write_lists(week[1], names, practices, several, tmp_path / "first", False)
    for folder, told in ((tmp_path, ["Social <b>prescribing", "gone"]), (tmp_path / "first", [])):
        rows = list(openpyxl.load_workbook(folder / "T1.xlsx")["Changes"].iter_rows(values_only=True))
        head = next(number for number, row in enumerate(rows) if row[0] == "Change")
        assert rows[head][:3] == ("Change", "Programme", "NHS number")
        assert [row[1] for row in rows[head + 1 :]] == told
