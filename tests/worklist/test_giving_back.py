"""Outcomes come back as a source of the next run."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import stat
from pathlib import Path

import pandas as pd
import pytest

import records
from casewell import doors
from casewell.settings import Source
from cohorts import route
from records.tables import CONTACTS, ENROLMENTS, OFFERS, PEOPLE, RESIDENCES

from .conftest import AS_OF, settings_in

TODAY = dt.date.today()


@pytest.fixture
def programme(data):
    path = data / "worklist" / "programme.csv"

    def read():
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


def test_an_agreement_comes_back_as_a_start_with_its_day(answer, publish, programme):
    publish()
    answer(outcome="agreed", start_date="2022-10-20")
    (row,) = programme()
    assert row == {
        "record_id": "worklist-1",
        "nhs_number": "9990000001",
        "team_code": "N1",
        "referral_date": "2022-10-13",
        "referral_route": "casewell_list",
        "start_date": "2022-10-20",
        "end_date": "",
        "outcome": "started",
        "offer_again_date": "",
        "received_date": TODAY.isoformat(),
    }


@pytest.mark.parametrize(
    ("outcome", "given"),
    [
        ("declined", "declined"),
        ("not reached", "not_reached"),
        ("not suitable", "not_suitable"),
        ("already supported", "already_supported"),
    ],
)
def test_every_other_outcome_comes_back_without_a_start(answer, publish, programme, outcome, given):
    publish()
    answer(outcome=outcome)
    (row,) = programme()
    assert (row["outcome"], row["start_date"]) == (given, "")


def test_only_the_newest_outcome_comes_back_under_a_lasting_identifier(answer, publish, programme):
    publish()
    answer(rank=1, outcome="not reached")
    answer(rank=2, outcome="declined")
    answer(rank=1, outcome="not suitable")
    assert [(row["record_id"], row["outcome"]) for row in programme()] == [
        ("worklist-1", "not_suitable"),
        ("worklist-2", "declined"),
    ]


def test_what_was_said_first_stays_known_from_its_day_though_a_note_is_added(publish, programme, data):
    from unittest import mock

    from worklist.giving_back import give_back
    from worklist.published import newest_week
    from worklist.recording import add
    from worklist.standing import Answer

    publish()
    team = newest_week(data).team_list("N1")
    for day, outcome, note in (
        (14, "declined", ""),
        (15, "not reached", ""),
        (16, "declined", ""),
        (17, "declined", "x"),
    ):
        moment = dt.datetime(2022, 10, day, 12, tzinfo=dt.UTC)
        with mock.patch("django.utils.timezone.now", return_value=moment):
            add(team, team.rows[0], Answer(outcome, None, None, "", "", note))
    give_back(data / "worklist")
    assert [row["received_date"] for row in programme()] == ["2022-10-16"]


def offered(final, *programmes):
    """Say on the published list of whose programme each place is, as lists of several programmes do."""
    path, told = final / "lists" / "N1.csv", json.loads((final / "manifest.json").read_text())
    first, *rows = path.read_text(encoding="utf-8").splitlines()
    cells = ["programme", *programmes]
    lines = [f"{line},{cell}" for line, cell in zip([first, *rows], cells, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told["settings"] = {"programmes": {"social_prescribing": {"title": "Social prescribing"}}}
    told["files"]["lists/N1.csv"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (final / "manifest.json").write_text(json.dumps(told))


def test_what_becomes_of_an_offer_comes_back_as_its_own_programmes(answer, publish, programme):
    offered(publish(3), "Social prescribing", "social_prescribing", "Case management")
    answer(rank=3, outcome="declined")
    assert "programme" not in programme()[0], "while all are of case management, the file is as it ever was"
    answer(rank=1, outcome="declined")
    answer(rank=2, outcome="agreed", start_date="2022-10-20")
    next_list = publish(3, as_of=dt.date(2022, 10, 20)) / "lists" / "N1.csv"
    said = pd.read_csv(next_list)["so_far"].tolist()
    assert [": declined" in said[0], "(social prescribing)" in said[0]] == [True, True]
    assert "declined" in said[2]
    assert "(" not in said[2]
    told = {row["nhs_number"]: row["programme"] for row in programme()}
    assert told == {
        "9990000001": "social_prescribing",
        "9990000002": "social_prescribing",
        "9990000003": "case_management",
    }


def test_a_list_that_offers_an_unknown_programme_is_not_shown(publish, client):
    offered(publish(1), "Yoga")
    assert "another version" in client.get("/2022-10-13/lists/N1/").content.decode("utf-8")


def test_nobody_without_an_nhs_number_comes_back(answer, publish, data):
    from worklist.giving_back import give_back

    publish([{"nhs_number": ""}])
    answer(outcome="declined")
    assert not (data / "worklist" / "programme.csv").exists()
    assert give_back(data / "worklist") == (0, 1)


def test_outcomes_of_simulated_people_are_stamped(answer, publish, data):
    publish(synthetic=True)
    answer(outcome="declined")
    assert (data / "worklist" / "SYNTHETIC").is_file()


def test_outcomes_of_real_people_are_not_stamped(answer, publish, data):
    publish()
    answer(outcome="declined")
    assert not (data / "worklist" / "SYNTHETIC").exists()


def test_only_their_owner_can_read_outcomes_and_key(answer, publish, data):
    publish(synthetic=True)
    answer(outcome="declined")
    assert stat.S_IMODE((data / "worklist").stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data / "worklist").iterdir()}
    assert set(files) == {"programme.csv", "work.parquet", "SYNTHETIC", "secret.key", "worklist.sqlite3"}
    assert set(files.values()) == {0o600}


def test_an_agreed_outcome_is_an_enrolment_in_the_next_run_and_a_no_is_kept_until_its_day(
    answer, publish, data, tmp_path
):
    settings = sources(tmp_path)
    before = records.build(settings, AS_OF, tmp_path / "before")
    contacts = doors.read(before.contacts, CONTACTS).sort_values("nhs_number").reset_index(drop=True)
    enrolled = doors.read(before.enrolments, ENROLMENTS)
    assert len(enrolled) == 1, "the first programme source holds one start"
    agreed, declined, supported = contacts.loc[~contacts["person_id"].isin(enrolled["person_id"])].iloc[:3].itertuples()

    publish([{"nhs_number": person.nhs_number} for person in (agreed, declined, supported)])
    answer(rank=1, outcome="agreed", start_date="2022-10-20")
    answer(rank=2, outcome="declined", offer_again="2099-03-01")
    answer(rank=3, outcome="already supported")

    # As docs/how-to/worklist.md says: a second source that follows the same contract.
    given_back = Source(
        path=data / "worklist" / "programme.csv",
        table="programme",
        lawful_basis=settings.sources["programme"].lawful_basis,
    )
    settings = settings.model_copy(update={"sources": settings.sources | {"worklist": given_back}})
    # Known from the day it was recorded, so the run of that day does not use it yet, and the next day's does.
    same_day = records.build(settings, TODAY, tmp_path / "same-day")
    assert len(doors.read(same_day.enrolments, ENROLMENTS)) == 1
    after = records.build(settings, TODAY + dt.timedelta(days=1), tmp_path / "after")
    enrolments = doors.read(after.enrolments, ENROLMENTS).set_index("person_id")
    assert len(enrolments) == 2, "both sources count, and only who started"
    new = enrolments.loc[agreed.person_id]
    assert (new["start"], new["route"], new["team_code"]) == (pd.Timestamp("2022-10-20"), "casewell_list", "N1")
    assert new["known_at"] == pd.Timestamp(TODAY)
    assert pd.isna(new["end"])
    counts = pd.read_parquet(after.source_counts).set_index(["source", "fate"])["rows"]
    assert counts["worklist", "used"] == 3
    offers = doors.read(after.offers, OFFERS)
    assert offers.loc[offers["offer_again"].notna(), "person_id"].tolist() == [declined.person_id]
    people, everybody = doors.read(after.people, PEOPLE), doors.read(after.enrolments, ENROLMENTS)
    homes = doors.read(after.residences, RESIDENCES)
    for day, waits in ((TODAY + dt.timedelta(days=8), True), (dt.date(2099, 3, 1), False)):
        routes = route(people, after.events, everybody, offers, homes, day, settings).set_index("person_id")
        assert (routes.loc[declined.person_id, "why"] == "declined: offer again later") == waits


def sources(root: Path):
    """Twelve people with a GP record each, one of them on a caseload already."""
    numbers = [number(n) for n in range(1, 13)]
    demographics = pd.DataFrame({"nhs_number": numbers}).assign(
        record_id=[f"D{n}" for n in range(12)],
        given_name="Ada",
        family_name=[f"Family{n}" for n in range(12)],
        date_of_birth=[f"19{40 + n}-02-03" for n in range(12)],
        sex="2",
        ethnic_category="A",
        postcode=[f"ZZ{n} 1AA" for n in range(12)],
        lsoa="E01000001",
        practice_code="P1",
        registration_start_date="2010-01-01",
        registration_end_date=None,
        date_of_death=None,
    )
    gp = pd.DataFrame({"nhs_number": numbers}).assign(
        record_id=[f"G{n}" for n in range(12)],
        practice_code="P1",
        event_date="2022-03-01",
        received_date=["2022-03-05"] * 11 + [TODAY.isoformat()],
        code_system="SNOMED",
        code="38341003",
    )
    history = pd.DataFrame(
        {
            "record_id": ["C0"],
            "nhs_number": numbers[:1],
            "team_code": "N1",
            "referral_date": "2022-05-01",
            "referral_route": "gp_discretion",
            "start_date": "2022-05-10",
            "end_date": None,
            "outcome": "started",
            "received_date": "2022-05-12",
        }
    )
    practices = pd.DataFrame({"practice_code": ["P1"], "practice_name": "One", "pcn_code": "N1", "pcn_name": "North"})
    tables = {"demographics": demographics, "gp_events": gp, "programme": history, "practices": practices}
    for name, table in tables.items():
        table.to_csv(root / f"{name}.csv", index=False)
    return settings_in(root, **{name: root / f"{name}.csv" for name in tables})


def number(first: int) -> str:
    """A valid number of the 999 range, which is for tests only."""
    nine = f"999{first:06d}"
    digit = (11 - sum(int(d) * w for d, w in zip(nine, range(10, 1, -1), strict=True)) % 11) % 11
    return number(first + 500_000) if digit == 10 else f"{nine}{digit}"
