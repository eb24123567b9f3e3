"""The last published list is found, proved to be what was published, and its people known under today's pseudonyms."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pandas as pd
import pytest

from casewell.errors import SourceError
from casewell.settings import Settings
from flows import last_list
from records.tables import CHANGES

DAY = dt.date(2026, 9, 28)


@pytest.fixture
def settings(tmp_path):
    told = {"name": "here", "data_dir": tmp_path, "sources": {"demographics": {"path": "none.csv"}}}
    return Settings.model_validate(told)


@pytest.fixture
def publish(tmp_path, settings):
    def put(day: str, person: int = 1, name: str = "here"):
        folder = tmp_path / "cohorts" / day
        folder.mkdir(parents=True)
        cohort = pd.DataFrame({"person_id": [person], "team_code": "T1", "status": "listed"})
        cohort.assign(risk_band="", need_band="").to_parquet(folder / "cohort.parquet")
        digest = hashlib.sha256((folder / "cohort.parquet").read_bytes()).hexdigest()
        teams = {"teams": settings.teams.model_dump(mode="json") | {"capacity": {"T1": 7}}}
        manifest = {"name": name, "run": f"{day}-run", "settings": teams, "files": {"cohort.parquet": digest}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    return put


def test_the_newest_before_the_day_of_the_same_population_is_taken(settings, publish):
    for day, name in (("2026-09-14", "here"), ("2026-09-21", "here"), ("2026-09-28", "here"), ("2026-09-25", "there")):
        publish(day, name=name)
    found = last_list.last_list(settings, DAY)
    assert found is not None
    assert (found.as_of, found.places) == (dt.date(2026, 9, 21), {"T1": 7})
    assert found.doors.empty
    assert last_list.last_list_digest(settings, DAY).startswith("2026-09-21 ")


@pytest.mark.parametrize("days", [[], ["2026-09-28"], ["2026-08-23"]], ids=["none", "this week's own", "too old"])
def test_a_first_week_has_none(days, settings, publish):
    for day in days:
        publish(day)
    assert last_list.last_list(settings, DAY) is None
    assert last_list.last_list_digest(settings, DAY) == ""


def test_a_list_that_was_changed_since_is_refused(settings, publish):
    folder = publish("2026-09-21")
    (folder / "cohort.parquet").write_bytes(b"other")
    with pytest.raises(SourceError, match="not what was published"):
        last_list.last_list(settings, DAY)


def test_the_ledger_of_that_week_is_read_where_it_is_kept(settings, publish, tmp_path):
    publish("2026-09-21")
    run = tmp_path / "runs" / "2026-09-21-run"
    run.mkdir(parents=True)
    pd.DataFrame({"person_id": [4], "door": ["reserve"], "why": ["next"]}).to_parquet(run / "ledger.parquet")
    assert last_list.last_list(settings, DAY).doors.values.tolist() == [[4, "reserve", "next"]]


def test_people_are_known_by_the_ids_they_have_now(settings, publish, monkeypatch):
    """Person 1 got the id 11 with a new key, and turned out to be the same as 20 in the week of the list, then as 30."""
    publish("2026-09-21", person=1)
    rows = [("2026-09-14", 99, 1), ("2026-09-28", 20, 1), ("2026-10-05", 30, 20)]
    changes = pd.DataFrame(rows, columns=["as_of", "person_id", "other_person_id"])
    changes = changes.assign(as_of=pd.to_datetime(changes["as_of"]), kind="merged", reason="", records=1)
    monkeypatch.setattr(last_list.register, "changes", lambda _: changes[list(CHANGES.columns)])
    monkeypatch.setattr(last_list, "present", lambda _, ids: ids.map({1: 11}).fillna(ids).astype("int64"))
    assert last_list.last_list(settings, DAY).cohort["person_id"].tolist() == [30]
