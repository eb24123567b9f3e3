"""Lots of earlier lists and of the programme's own records: what was known by a day, once a person."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from casewell import doors
from casewell.errors import SourceError
from casewell.settings import Settings
from cohorts.tables import LOTS
from flows.lots import lots_over, lots_told
from records.tables import DRAWS, PEOPLE
from tests.models.test_population_and_outcomes import PERSON, table

DAY = dt.date(2026, 10, 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    told = {"name": "here", "data_dir": tmp_path, "sources": {"demographics": {"path": "none.csv"}}}
    return Settings.model_validate(told)


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """Persons 1 to 4 are on record; the programme's own records tell of a lot in which 3 was, and of one to come."""
    folder = tmp_path / "linked"
    folder.mkdir()
    doors.write(table(PEOPLE, PERSON, [{"person_id": one} for one in (1, 2, 3, 4)]), PEOPLE, folder / "people.parquet")
    draw = {
        "person_id": 3,
        "programme": "case_management",
        "drawn_on": "2025-03-03",
        "team_code": "T",
        "chance": 0.25,
        "drawn": True,
    }
    other = {"person_id": 1, "programme": "reablement"}
    draws = table(DRAWS, draw, [{}, {"person_id": 4, "drawn_on": "2026-10-01"}, other])
    doors.write(draws, DRAWS, folder / "draws.parquet")
    return folder


def publish(settings: Settings, day: str, people: dict[int, bool], name: str = "here") -> Path:
    folder = settings.data_dir / "cohorts" / day
    folder.mkdir(parents=True)
    lot = {"as_of": day, "team_code": "T", "chance": 0.5, "approval": "REC 1"}
    rows = [{"person_id": person, "drawn": drawn} for person, drawn in people.items()]
    path = folder / "lots.parquet"
    doors.write(table(LOTS, lot, rows), LOTS, path)
    told = {"name": name, "files": {"lots.parquet": hashlib.sha256(path.read_bytes()).hexdigest()}}
    (folder / "manifest.json").write_text(json.dumps(told))
    return path


def test_both_records_of_lots_are_read_and_nothing_of_the_day_or_later(settings: Settings, linked: Path) -> None:
    publish(settings, "2025-06-02", {1: True, 2: False})
    publish(settings, "2025-06-09", {2: True}, name="elsewhere")
    publish(settings, "2026-10-01", {1: True})
    told = lots_told(settings, DAY, linked)
    assert sorted(zip(told["person_id"], told["drawn"], told["chance"], strict=True)) == [
        (1, True, 0.5),
        (2, False, 0.5),
        (3, True, 0.25),
    ]
    assert lots_told(settings, DAY, linked, "reablement")["person_id"].tolist() == [1], "and of one programme only"


def test_where_nobody_was_ever_in_a_lot_there_are_none(settings: Settings, linked: Path) -> None:
    assert lots_over(settings, DAY, linked, 365, "social_prescribing").empty


def test_a_person_counts_by_the_first_lot_once_its_outcomes_are_known(settings: Settings, linked: Path) -> None:
    publish(settings, "2025-06-02", {2: False, 99: True})
    publish(settings, "2025-06-09", {2: True})
    publish(settings, "2026-08-03", {1: True})
    over = lots_over(settings, DAY, linked, 365).set_index("person_id")
    assert over["drawn"].to_dict() == {2: False, 3: True}, "99 is on record no more, and the year of 1 is not over"
    # 2 June 2025 + 365 + 60 days
    assert lots_over(settings, dt.date(2026, 8, 1), linked, 365)["person_id"].tolist() == [2, 3]
    assert lots_over(settings, dt.date(2026, 7, 31), linked, 365)["person_id"].tolist() == [3]


def test_lots_that_are_not_what_was_published_are_refused(settings: Settings, linked: Path) -> None:
    path = publish(settings, "2025-06-02", {1: True, 2: False})
    doors.write(doors.read(path, LOTS).assign(chance=0.9), LOTS, path)
    with pytest.raises(SourceError, match="not what was published"):
        lots_told(settings, DAY, linked)
