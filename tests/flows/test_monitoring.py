"""What follows when a feed has failed, and which earlier weeks are read."""

import datetime as dt
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import models
from casewell import doors
from casewell.errors import SourceError
from casewell.settings import Monitoring
from cohorts.tables import COHORT, TURNOVER
from flows import past_weeks as past_weeks_room
from flows.books import Registered
from flows.monitoring import Looked, _churn, _used_by, model_to_use
from flows.past_weeks import PastWeek, held_against, newest, past_weeks, predictions_come_true, scored_by
from flows.training import training_folder
from flows.without import keep_without, train_without, without_source
from flows.workspace import file_digest
from models.benefit.comparison import Estimate
from models.benefit.evidence import Evidence
from models.risk.estimator import fit_risk
from models.tables import TEST_PREDICTIONS
from monitoring import Composition, Finding
from tests.support import demonstration_settings

AS_OF = dt.date(2026, 10, 1)

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
    return Looked(empty, empty, empty, Composition(empty, 1, 1, 1), empty, empty, failed, (SILENT,) if failed else ())


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


def test_the_model_without_a_feed_is_kept_where_the_week_looks_for_it(settings, tmp_path):
    """Kept in the training's folder, fetched with the champion's files, loaded and asked for a score."""
    matrix = pd.DataFrame({"age": np.arange(400.0, dtype="float32")})
    nobody, folds = np.zeros(400, dtype=bool), np.arange(400) % 4
    risk, _ = fit_risk(matrix, matrix["age"].to_numpy() > 200, nobody, folds, settings.training, 1, kind="linear")
    evidence = Evidence("assumed", (), 0, Estimate(0.0, 0.0), None)
    tested = pd.DataFrame({"index_date": pd.to_datetime(["2025-01-01"]).as_unit("us"), "person_id": [1], "risk": [0.1]})
    test = tested.assign(outcome=[True], need=[0.0])
    trained = SimpleNamespace(
        models=models.Models(risk, risk, None, None, evidence, settings.benefit), test=test, benefit_evidence=None
    )
    folder = settings.data_dir / "runs" / "2026-09-01-training-abc"
    champion = Registered("4", dt.date(2026, 9, 1), "abc", folder / "models")
    keep_without({"gp": trained}, folder)
    found, without = model_to_use(falling_back(settings), champion, looked("gp"))
    assert np.array_equal(models.load(found).risk.predict(matrix), risk.predict(matrix))
    kept = training_folder(settings, champion, without) / "test_predictions.parquet"
    assert doors.read(kept, TEST_PREDICTIONS).equals(test)


def test_a_feed_that_no_model_does_without_refuses_all_the_same(settings, champion):
    with pytest.raises(SourceError, match="has none beside it that was trained without hospital"):
        model_to_use(falling_back(settings), champion, looked("hospital"))
    with pytest.raises(SourceError, match="without gp, hospital"):
        model_to_use(falling_back(settings), champion, looked("gp", "hospital"))


def test_the_newest_weeks_are_read_that_lie_four_weeks_apart(tmp_path):
    start = dt.date(2025, 1, 6)
    weeks = [PastWeek(start + dt.timedelta(weeks=number), tmp_path, "m") for number in range(40)]
    until = start + dt.timedelta(weeks=20)
    assert [(week.as_of - start).days // 7 for week in newest(weeks, until)] == [12, 16, 20]
    assert newest(weeks, start - dt.timedelta(days=1)) == []


def run_of(settings, day, name="demo", outcome=None, scores=True, run="r", model="abc"):
    folder = settings.data_dir / "runs" / f"{day}-{run}"
    folder.mkdir(parents=True)
    outcome = outcome or settings.model_dump(mode="json")["outcome"]
    told = {"name": name, "as_of": day, "settings": {"outcome": outcome}, "model": {"digest": model, "without": []}}
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


def test_of_one_day_the_published_run_stands_and_else_the_last_by_name(settings):
    run_of(settings, "2026-09-24", run="a")
    run_of(settings, "2026-09-24", run="b")
    run_of(settings, "2026-09-24", run="c.partial")
    assert [week.folder.name for week in past_weeks(settings, AS_OF)] == ["2026-09-24-b"]
    published = settings.data_dir / "cohorts" / "2026-09-24"
    published.mkdir(parents=True)
    (published / "manifest.json").write_text(json.dumps({"run": "2026-09-24-a"}))
    assert [week.folder.name for week in past_weeks(settings, AS_OF)] == ["2026-09-24-a"]


def test_a_week_is_another_run_when_what_it_is_held_against_is_another(settings):
    seen = [held_against(settings, AS_OF)]
    folder = run_of(settings, "2026-09-17")
    seen.append(held_against(settings, AS_OF))
    for verdict in ("pass", "fail"):
        told = {"name": settings.name, "as_of": "2026-09-17", "verdict": verdict}
        (folder / "fairness.json").write_text(json.dumps(told))
        seen.append(held_against(settings, AS_OF))
    listed_on(settings, "2026-09-24", [1, 2])
    seen.append(held_against(settings, AS_OF))
    assert len(set(seen)) == 5
    run_of(settings, str(AS_OF))
    assert held_against(settings, AS_OF) == seen[-1]


def test_only_weeks_that_the_same_model_scored_are_read_early(settings, tmp_path, monkeypatch):
    tested = pd.DataFrame({"index_date": pd.Timestamp("2025-01-01"), "person_id": [1], "risk": [0.1]})
    monkeypatch.setattr(past_weeks_room.doors, "read", lambda *_: tested)
    monkeypatch.setattr(past_weeks_room, "present", lambda _, ids: ids)
    monkeypatch.setattr(past_weeks_room.monitoring, "early_share", lambda *_: (0.0, 1.0))
    found = pd.DataFrame({"risk": [0.1] * 30, "outcome": [True] * 25 + [False] * 5})
    monkeypatch.setattr(past_weeks_room, "since", lambda *_: found)
    monkeypatch.setattr(past_weeks_room, "_predicted", lambda *_: found)
    (tmp_path / "test_predictions.parquet").touch()
    days = {"ours": dt.date(2026, 4, 2), "theirs": dt.date(2026, 3, 5)}
    weeks = [PastWeek(day, tmp_path, model) for model, day in days.items()]
    read = predictions_come_true(settings, AS_OF, tmp_path, weeks, tmp_path, "ours")
    assert read["week"].tolist() == [days["ours"]]
    assert read["reading"].tolist() == ["early"]


def listed_on(settings, day, people, model="abc"):
    """A published list and its run, in which everybody's benefit is 0.02."""
    run = run_of(settings, day, name=settings.name, model=model)
    pd.DataFrame({"person_id": people, "benefit": 0.02}).to_parquet(run / "scores.parquet")
    folder = settings.data_dir / "cohorts" / day
    folder.mkdir(parents=True)
    cohort = pd.DataFrame(
        {"person_id": people, "team_code": "T1", "status": "listed", "risk_band": "", "need_band": ""}
    )
    cohort.to_parquet(folder / "cohort.parquet")
    told = json.loads((run / "manifest.json").read_text())
    told["settings"]["teams"] = settings.teams.model_dump(mode="json")
    files = {"cohort.parquet": file_digest(folder / "cohort.parquet")}
    (folder / "manifest.json").write_text(json.dumps(told | {"run": run.name, "files": files}))


@pytest.fixture
def this_week(tmp_path):
    run = tmp_path / "this"
    run.mkdir()
    doors.write(doors.empty(COHORT), COHORT, run / "cohort.parquet")
    gone = {
        "team_code": ["T1"],
        "movement": ["left"],
        "person_id": [1],
        "cause": ["score"],
        "why": ["others gain more"],
    }
    doors.write(pd.DataFrame(gone), TURNOVER, run / "turnover.parquet")
    pd.DataFrame({"person_id": [1, 2], "benefit": [0.01, 0.02]}).to_parquet(run / "scores.parquet")
    return run


def test_who_came_and_went_is_held_against_the_list_that_the_week_itself_was(settings, this_week):
    listed_on(settings, "2026-09-24", [1, 2])
    found = _churn(settings, AS_OF, this_week, scored_by({"digest": "abc"}))
    assert (found.since, found.listed_then) == ("2026-09-24", 2)
    assert found.causes.to_numpy().tolist() == [["left", "own score fell", 1]]
    assert _churn(settings, AS_OF, this_week, "another").causes["cause"].tolist() == ["new model"]


def test_after_a_gap_nothing_is_said_of_who_came_and_went(settings, this_week):
    listed_on(settings, "2026-07-02", [1, 2])
    assert _churn(settings, AS_OF, this_week, "abc") is None


def test_a_leak_names_the_features_of_the_model_that_rest_on_it():
    leaking = pd.DataFrame({"code": ["SNOMED//160689007", "SNOMED//44054006"], "leaks": [True, False]})
    found = _used_by(leaking, ("housebound_any_ever", "age"))
    assert found == {"SNOMED//160689007": ["housebound_any_ever"]}


def test_a_model_is_trained_without_what_rests_on_each_source_named(settings, tmp_path, monkeypatch):
    events = pd.DataFrame({"code": ["SNOMED//160689007", "ADMISSION//21"], "source": ["gp", "hospital"]})
    events.to_parquet(tmp_path / "events.parquet")
    asked = {}

    def train(rows, split, history_days, share, settings, progress, without, drawn, groups, standing, pasts):
        asked["dropped"] = without
        return "trained"

    monkeypatch.setattr(models, "train", train)
    assert train_without(falling_back(settings), None, None, 700, 0.02, tmp_path, None, {}, "trees", {}) == {
        "gp": "trained"
    }
    assert "housebound_any_ever" in asked["dropped"]
    assert "emergency_admission_count_365d" not in asked["dropped"]
    assert train_without(settings, None, None, 700, 0.02, tmp_path, None, {}, "trees", {}) == {}
