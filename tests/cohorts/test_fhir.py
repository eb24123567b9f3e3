"""A team's list as FHIR R4: whole, resolvable, in its value sets, and with nothing live in it."""

from __future__ import annotations

import copy
import csv
import dataclasses
import json
import stat
import unicodedata
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Teams
from cohorts import Heading, allocate, assemble, write_bundles, write_lists, write_practice_files
from cohorts.fhir_checks import is_nhs_number, problems_of
from cohorts.team_lists import in_words

OUTCOME = ("emergency admission or death within 365 days", 365)


@pytest.fixture(scope="module")
def cohort(people, scores, as_of):
    everybody = people({}, {}, {"team_code": "T2"})
    scored = scores({"benefit": 0.05, "risk": 0.6}, {"benefit": 0.04, "risk": 0.25}, {"risk": 0.09999})
    allocation = allocate(scored, everybody, Teams(default_capacity=1), b"k")
    said = pd.DataFrame({"person_id": [1, 2, 3], "reason_1": "3 falls", "reason_2": "lives alone"})
    return assemble(allocation, scored, said, everybody, as_of).assign(changed="first list")


def bundles(cohort, contacts, practices, heading, folder, synthetic=True) -> dict[str, dict]:
    files = write_bundles(cohort, contacts, practices, heading, folder, *OUTCOME, synthetic)
    return {path.stem: json.loads(path.read_bytes()) for path in files}


@pytest.fixture
def bundle(cohort, contacts, practices, heading, tmp_path):
    return bundles(cohort, contacts({}, {"nhs_number": ""}, {}), practices, heading, tmp_path)["T1"]


def of_kind(bundle: dict, kind: str) -> list[dict]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_each_person_is_a_patient_with_a_risk_and_a_task_and_a_member_of_the_group(bundle):
    assert [len(of_kind(bundle, kind)) for kind in ("Patient", "RiskAssessment", "Task", "Group")] == [2, 2, 2, 1]
    patient = of_kind(bundle, "Patient")[0]
    assert patient["identifier"] == [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990653399"}]
    assert (patient["name"][0]["family"], patient["birthDate"]) == ("Byron", "1950-03-04")
    risk = of_kind(bundle, "RiskAssessment")[0]["prediction"][0]
    assert risk["probabilityDecimal"] == 60
    assert risk["whenPeriod"] == {"start": "2026-09-28", "end": "2027-09-27"}, "365 days, the last one whole"
    assert (risk["qualitativeRisk"]["text"], risk["qualitativeRisk"]["coding"][0]["code"]) == (
        "more than 1 in 2",
        "high",
    )
    assert risk["rationale"] == "3 falls; lives alone"
    assert [task["status"] for task in of_kind(bundle, "Task")] == ["requested", "draft"]
    assert of_kind(bundle, "Task")[0]["identifier"][0]["value"] == "2026-09-28/T1/1"


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"given_name": "", "family_name": ""}, None),
        ({"given_name": "Ada", "family_name": ""}, [{"text": "Ada", "given": ["Ada"]}]),
        ({"given_name": "", "family_name": "Byron"}, [{"text": "Byron", "family": "Byron"}]),
        ({"family_name": "a, b"}, [{"text": "a, b, Ada", "family": "a, b", "given": ["Ada"]}]),
    ],
    ids=["no name", "given only", "family only", "a comma"],
)
def test_a_name_has_the_parts_that_are_recorded_and_no_other(
    known, name, cohort, contacts, practices, heading, tmp_path
):
    found = bundles(cohort, contacts(known, {}, {}), practices, heading, tmp_path)["T1"]
    assert of_kind(found, "Patient")[0].get("name") == name


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("U50165", "https://fhir.nhs.uk/Id/ods-organization-code"),
        ("all", "urn:casewell:team"),
        ("T1", "urn:casewell:team"),
    ],
)
def test_only_a_code_of_ods_is_called_one(code, system, cohort, contacts, practices, heading, tmp_path):
    rows, teams = (table.assign(team_code=table["team_code"].replace("T1", code)) for table in (cohort, practices))
    found = bundles(rows, contacts({}, {}, {}), teams, heading, tmp_path)[code]
    assert of_kind(found, "Organization")[0]["identifier"] == [{"system": system, "value": code}]


def test_each_risk_says_the_verdict_the_override_and_what_it_does_without(cohort, contacts, practices, as_of, tmp_path):
    heading = Heading(as_of, "fail", "A. Director", "small pilot", as_of, without=("emergency",))
    found = bundles(cohort, contacts({}, {}, {}), practices, heading, tmp_path)["T1"]
    for risk in of_kind(found, "RiskAssessment"):
        notes = " ".join(note["text"] for note in risk["note"])
        assert all(
            part in notes
            for part in ("FAILED", f"A. Director, until {in_words(as_of)}, because: small pilot", "without emergency")
        )


def test_everything_simulated_is_tagged_as_test_data_and_nothing_else_is(
    bundle, cohort, contacts, practices, heading, tmp_path
):
    assert all(entry["resource"]["meta"]["security"][0]["code"] == "HTEST" for entry in bundle["entry"])
    assert bundle["meta"]["security"][0]["system"] == "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    real = bundles(cohort, contacts({}, {}, {}), practices, heading, tmp_path, synthetic=False)["T1"]
    assert "HTEST" not in json.dumps(real)


def test_only_their_owner_can_read_bundles_and_the_same_list_gives_the_same_bytes(
    cohort, contacts, practices, heading, tmp_path
):
    content = []
    for folder in ("one", "two"):
        for path in write_bundles(cohort, contacts({}, {}, {}), practices, heading, tmp_path / folder, *OUTCOME, True):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            content.append(path.read_bytes())
    assert content[:2] == content[2:]


def test_a_team_with_nobody_has_an_empty_group(cohort, contacts, practices, heading, tmp_path):
    nobody = cohort[cohort["team_code"] == "T1"]
    found = bundles(nobody, contacts({}, {}), practices, heading, tmp_path)["T2"]
    assert of_kind(found, "Group")[0]["quantity"] == 0
    assert of_kind(found, "Patient") == []


def spoil(bundle: dict, kind: str, change) -> list[str]:
    broken = copy.deepcopy(bundle)
    change(of_kind(broken, kind)[0])
    return problems_of(broken)


@pytest.mark.parametrize(
    ("kind", "change", "rule"),
    [
        ("Task", lambda task: task.update(status="done"), "status is not in its value set"),
        ("Task", lambda task: task.update(intent="wish"), "intent is not in its value set"),
        ("Group", lambda group: group.update(type="people"), "type is not in its value set"),
        ("RiskAssessment", lambda risk: risk.update(status="bogus"), "status is not in its value set"),
        ("Task", lambda task: task.update({"for": {"reference": "urn:uuid:nobody"}}), "for leads nowhere"),
        ("Task", lambda task: task.update({"for": task["owner"]}), "for leads to Organization"),
        ("Group", lambda group: group["member"][0].update(entity={"reference": "Patient/1"}), "member leads nowhere"),
        ("RiskAssessment", lambda risk: risk["prediction"][0].update(probabilityDecimal=131), "not a percentage"),
        ("RiskAssessment", lambda risk: risk["prediction"][0].update(probabilityDecimal=0.6), "not the band"),
        ("RiskAssessment", lambda risk: risk["prediction"][0].update(probabilityDecimal=20), "not the band"),
        (
            "RiskAssessment",
            lambda risk: risk["prediction"][0]["qualitativeRisk"]["coding"][0].update(code="huge"),
            "not a band of the list",
        ),
        ("Patient", lambda patient: patient["identifier"][0].update(value="9990653390"), "not an NHS number"),
        (
            "Patient",
            lambda patient: patient["text"].update(div='<div xmlns="http://www.w3.org/1999/xhtml"><script/></div>'),
            "narrative",
        ),
        ("Patient", lambda patient: patient.update(birthDate="yesterday"), "not a FHIR bundle"),
        ("Patient", lambda patient: patient.update(nhs="1"), "not a FHIR bundle"),
    ],
)
def test_what_the_library_would_take_is_refused_and_nobody_is_named(kind, change, rule, bundle):
    assert problems_of(bundle) == []
    found = spoil(bundle, kind, change)
    assert any(rule in problem for problem in found), found
    assert "Byron" not in str(found)


def test_two_entries_under_one_address_are_refused(bundle):
    bundle["entry"].append(bundle["entry"][0])
    assert any("one fullUrl" in problem for problem in problems_of(bundle))


def test_a_check_digit_is_checked():
    assert is_nhs_number("9990653399")
    assert not any(map(is_nhs_number, ("9990653398", "999065339", "9999999999", "99906 53399", "", "٩٩٩٠٦٥٣٣٩٩")))


PARTS = [
    "=", "+", "-", "@", "\uff1d", "\u2212", "<b>", "<script>alert(1)</script>", "</div>", "]]>", "&amp;", "&#60;", "<!--",
    "http://x.y", "javascript:", "\u202e", "\u200f", "\u2066", "\x00", "\x0b", "\r\n", "\t", '"', "'", ",", ";",
    "{{7*7}}", "${x}", "=cmd|' /C calc'!A0", "O'Brien", "Åse", "محمد", "李", "\U0001f600", "x", " ", "",
]  # fmt: skip


def nasty(count: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return ["".join(parts) for parts in random.choice(np.array(PARTS, dtype=object), (count, 4))]


def test_ten_thousand_names_reasons_and_notes_leave_nothing_live_in_any_format(
    people, scores, contacts, practices, as_of, tmp_path
):
    count = 1_000
    texts = np.array(nasty(10 * count, 1), dtype=object).reshape(10, count)
    everybody, scored = people(*[{}] * count), scores(*[{}] * count)
    allocation = allocate(scored, everybody, Teams(default_capacity=count), b"k")
    said = pd.DataFrame({"person_id": everybody["person_id"], "reason_1": texts[0], "reason_2": texts[1]})
    told = dict(zip(("changed", "first_step", "helped_by", "last_contact", "needs"), texts[2:7], strict=True))
    cohort = assemble(allocation, scored, said, everybody, as_of).assign(**told)
    columns = ("family_name", "given_name", "practice_name")
    known = contacts(*[dict(zip(columns, names, strict=True)) for names in texts[7:].T])
    heading = Heading(as_of, "fail", texts[0][0], texts[1][0])
    found = bundles(cohort, known, practices, heading, tmp_path, synthetic=False)["T1"]
    assert len(of_kind(found, "Patient")) == count
    for entry in found["entry"]:
        if "text" in entry["resource"]:
            root = ElementTree.fromstring(entry["resource"]["text"]["div"])
            assert {part.tag.split("}")[1] for part in root.iter()} <= {"div", "p", "ul", "li"}
            assert not any(part.attrib for part in root.iter())
    text = json.dumps(found, ensure_ascii=False)
    assert not any(mark in text for mark in "\u202e\u200f\u2066\x00\x0b")
    divs = [entry["resource"]["text"]["div"] for entry in found["entry"] if "text" in entry["resource"]]
    assert not any("<script" in div or "<b>" in div for div in divs)
    write_lists(cohort, known, practices, heading, tmp_path, synthetic=False)
    with (tmp_path / "T1.csv").open(encoding="utf-8", newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    starts = {unicodedata.normalize("NFKC", cell[:4]).lstrip()[:1] for cell in cells}
    assert not starts & set("=+-@\u2212")
    assert not any(mark in cell for mark in "\u202e\u200f\u2066\x00\x0b\n" for cell in cells)
    with zipfile.ZipFile(tmp_path / "T1.xlsx") as parts:
        for name in parts.namelist():
            content = parts.read(name)
            assert b"<f>" not in content
            assert b"<hyperlink" not in content
            ElementTree.fromstring(content)


def test_a_gp_system_gets_one_practice_a_file_number_first_and_birth_second(people, scores, contacts, as_of, tmp_path):
    everybody = people(*[{}] * 5)
    scored = scores(*[{"benefit": 0.05 - n / 100} for n in range(5)])
    allocation = allocate(scored, everybody, Teams(default_capacity=4), b"k")
    said = pd.DataFrame({"person_id": range(1, 6), "reason_1": "3 falls"})
    cohort = assemble(allocation, scored, said, everybody, as_of)
    known = contacts({}, {"practice_code": "P/2"}, {"nhs_number": "123"}, {"date_of_birth": None}, {})
    assert write_practice_files(cohort, known, tmp_path, synthetic=False) == (2, 2)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(files)[1] == "P1.csv"
    assert sorted(files)[0].startswith("P-2-")
    assert files["P1.csv"] == b'"9990653399","04/03/1950"\r\n'
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    write_practice_files(cohort, known, tmp_path / "made", synthetic=True)
    assert all(path.name.startswith("SYNTHETIC-") for path in (tmp_path / "made").iterdir())


@pytest.mark.parametrize("contact", [{"nhs_number": ""}, {"practice_code": ""}], ids=["no number", "no practice"])
def test_where_nobody_can_be_written_no_file_is(contact, cohort, contacts, tmp_path):
    known = contacts(contact, contact, contact)
    assert write_practice_files(cohort, known, tmp_path, synthetic=False) == (0, 2)
    assert write_practice_files(cohort.iloc[:0], known, tmp_path, synthetic=False) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_one_provenance_says_what_made_every_risk_task_and_group_and_holds_nothing_of_a_person(
    cohort, contacts, practices, heading, tmp_path
):
    made = {"model": "3 abc", "settings": "0123456789ab", "run": "2026-09-28-f00"}
    heading = dataclasses.replace(heading, made_from=made)
    found = bundles(cohort, contacts({}, {}, {}), practices, heading, tmp_path)["T1"]
    (told,) = of_kind(found, "Provenance")
    kinds = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in found["entry"]}
    aims = [kinds[target["reference"]] for target in told["target"]]
    assert sorted(aims) == ["Group", "RiskAssessment", "RiskAssessment", "Task", "Task"]
    assert (told["occurredDateTime"], told["recorded"]) == ("2026-09-28", "2026-09-28T00:00:00Z")
    assert kinds[told["agent"][0]["who"]["reference"]] == "Device"
    assert {each["what"]["identifier"]["value"] for each in told["entity"]} == set(made.values())
    assert "9990653399" not in json.dumps(told)
    assert "Byron" not in json.dumps(told)


def test_a_provenance_that_leads_to_a_person_or_names_no_role_is_refused(bundle):
    told = of_kind(bundle, "Provenance")[0]
    told["target"] = [{"reference": entry["fullUrl"]} for entry in bundle["entry"][2:3]]
    told["entity"] = [{"role": "maker", "what": {"display": "x"}}]
    assert problems_of(bundle) == [
        "Provenance: entity.role is not in its value set (1)",
        "Provenance: target leads to Patient (1)",
    ]
