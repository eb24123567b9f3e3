"""What follows when a feed has failed, and which earlier weeks are read."""

import datetime as dt
import json

import pandas as pd
import pytest

import models
from casewell.errors import SourceError
from casewell.settings import Monitoring
from flows.books import Registered
from flows.monitoring import Looked, _used_by, model_to_use
from flows.past_weeks import PastWeek, last_list, newest, past_weeks
from flows.without import train_without, without_source
from monitoring import Composition, Finding
from tests.support import demonstration_settings

SILENT = Finding("stopped feed", "past the limit", "gp: records have stopped.", "Ask.", "gp")


@pytest.fixture
def settings(tmp_path):
    from casewell.settings import load

    return load(demonstration_settings(tmp_path, tmp_path / "sources"))


@pytest.fixture
def champion(tmp_path):
    folder = tmp_path / "model"
    without_source(folder, "gp").mkdir(parents=True)
    return Registered("4", dt.date(2026, 9, 1), "abc", folder)


def looked(*failed):
    empty = pd.DataFrame()
    return Looked(empty, empty, empty, Composition(empty, 1, 1, 1), empty, failed, (SILENT,) if failed else ())


def falling_back(settings):
    rules = Monitoring(when_a_feed_fails="fall_back", fall_back_without=["gp"])
    return settings.model_copy(update={"monitoring": rules})


def test_a_week_whose_feeds_all_come_is_scored_by_the_champion(settings, champion):
    assert model_to_use(settings, champion, looked()) == (champion.folder, ())


def test_a_failed_feed_refuses_the_week_with_its_reason(settings, champion):
    with pytest.raises(SourceError, match="gp: records have stopped") as refused:
        model_to_use(settings, champion, looked("gp"))
    assert "monitoring.when_a_feed_fails" in refused.value.advice


def test_a_failed_feed_falls_back_to_the_model_without_it(settings, champion):
    folder, without = model_to_use(falling_back(settings), champion, looked("gp"))
    assert folder == without_source(champion.folder, "gp")
    assert without == ("gp",)


def test_a_feed_that_no_model_does_without_refuses_all_the_same(settings, champion):
    with pytest.raises(SourceError, match="has none beside it that was trained without hospital"):
        model_to_use(falling_back(settings), champion, looked("hospital"))
    with pytest.raises(SourceError, match="without gp, hospital"):
        model_to_use(falling_back(settings), champion, looked("gp", "hospital"))


def test_the_name_of_a_source_makes_one_folder_whatever_it_holds(tmp_path):
    assert without_source(tmp_path, "a/b").parent == without_source(tmp_path, "gp").parent


def test_the_newest_weeks_are_read_that_lie_four_weeks_apart(tmp_path):
    start = dt.date(2025, 1, 6)
    weeks = [PastWeek(start + dt.timedelta(weeks=number), tmp_path) for number in range(40)]
    until = start + dt.timedelta(weeks=20)
    assert [(week.as_of - start).days // 7 for week in newest(weeks, until)] == [12, 16, 20]
    assert newest(weeks, start - dt.timedelta(days=1)) == []


def run_of(settings, day, name="demo", outcome=None, scores=True):
    folder = settings.data_dir / "runs" / f"{day}-r"
    folder.mkdir(parents=True)
    outcome = outcome or settings.model_dump(mode="json")["outcome"]
    told = {"name": name, "as_of": day, "settings": {"outcome": outcome}}
    (folder / "manifest.json").write_text(json.dumps(told))
    if scores:
        (folder / "scores.parquet").touch()
    return folder


def test_runs_of_other_populations_outcomes_and_later_days_are_not_earlier_weeks(settings):
    run_of(settings, "2026-09-24")
    run_of(settings, "2026-09-17", name="elsewhere")
    run_of(settings, "2026-10-08")
    run_of(settings, "2026-09-10", scores=False)
    run_of(settings, "2026-09-03", outcome={"name": "another"})
    found = past_weeks(settings, dt.date(2026, 10, 1))
    assert [str(week.as_of) for week in found] == ["2026-09-24"]


def test_without_a_published_list_there_is_no_last_one(settings):
    assert last_list(settings, dt.date(2026, 10, 1)) is None


def test_a_leak_names_the_features_of_the_model_that_rest_on_it():
    leaking = pd.DataFrame({"code": ["SNOMED//160689007", "SNOMED//44054006"], "leaks": [True, False]})
    found = _used_by(leaking, ("housebound_any_ever", "age"))
    assert found == {"SNOMED//160689007": ["housebound_any_ever"]}


def test_a_model_is_trained_without_what_rests_on_each_source_named(settings, tmp_path, monkeypatch):
    events = pd.DataFrame({"code": ["SNOMED//160689007", "ADMISSION//21"], "source": ["gp", "hospital"]})
    events.to_parquet(tmp_path / "events.parquet")
    asked = {}

    def train(*_, without):
        asked["dropped"] = without
        return "trained"

    monkeypatch.setattr(models, "train", train)
    assert train_without(falling_back(settings), None, None, 700, 0.02, tmp_path) == {"gp": "trained"}
    assert "housebound_any_ever" in asked["dropped"]
    assert "emergency_admission_count_365d" not in asked["dropped"]
    assert train_without(settings, None, None, 700, 0.02, tmp_path) == {}
