"""`casewell evaluate` on the rehearsed week: the page, the same numbers as JSON and in the books, and nobody in them."""

import datetime as dt
import html
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

import features
import models
from casewell.errors import TrainingError
from casewell.settings import load
from flows import books
from flows.evaluation import PREVIOUS, evaluate_flow, with_champion_before
from flows.stages import build_history
from models import Baselines, Promotion
from models.risk.kinds import NAMES


@pytest.fixture(scope="module")
def evaluated(rehearsal):
    return evaluate_flow(str(rehearsal.settings), rehearsal.manifest["as_of"])


def test_the_page_and_the_numbers_stand_beside_each_other(evaluated):
    page = Path(evaluated["page"])
    told = json.loads((page.parent / "evaluation.json").read_text())
    auroc = next(row["value"] for row in told["measures"] if row["measure"] == "auroc")
    assert f"{auroc:.4f}" in page.read_text()
    assert "SYNTHETIC" in page.read_text()
    rules = {row["rule"] for row in told["against"]}
    assert {"last year's admissions", "age and sex"} <= rules
    # The kind of model that is used is tested against the other.
    assert rules & set(NAMES.values()) == {name for kind, name in NAMES.items() if kind != told["kind"]}
    assert told["chosen_because"] in html.unescape(page.read_text())
    assert told["absent"]["the champion before"] == "there was none"


def test_every_grouping_is_measured_and_no_small_count_is_shown(evaluated):
    assert {"imd_quintile", "ethnic_group", "sex", "age_band", "practice", "month"} <= {
        row["grouping"] for row in evaluated["groups"]
    }
    counts = [row[name] for row in evaluated["groups"] for name in ("people", "outcomes")]
    assert all(count is None or count == 0 or count >= 10 for count in counts)
    assert any(count is None for count in counts)
    assert all(count % 5 == 0 for count in counts if count is not None)


def test_the_books_hold_the_figures_of_everybody_and_of_the_simple_rules(evaluated, rehearsal):
    settings = load(rehearsal.settings)
    client = MlflowClient(tracking_uri=f"sqlite:///{settings.mlruns_dir.resolve() / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(f"{settings.name}-evaluation")
    metrics = client.search_runs([experiment.experiment_id])[0].data.metrics
    assert 0.5 < metrics["auroc"] < 1
    assert {"auroc_of_logistic_regression", "auroc_of_gradient_boosted_trees"} & set(metrics)
    assert metrics["bed_days_observed_over_expected"] > 0


def test_outcomes_beside_and_other_choices_of_attributes_are_on_the_page_and_in_the_json(evaluated):
    page = Path(evaluated["page"]).read_text()
    assert "Prediction of days in hospital after emergency admissions in the test months" in page
    assert {row["outcome"] for row in evaluated["beside"]} == {"bed_days"}
    others = {row["other"] for row in evaluated["attributes"]}
    assert others == {"without deprivation", "without sex", "with ethnic group"}
    assert all(f"Beside a model {other}" in page for other in others)
    assert all(row["people"] is None or row["people"] % 5 == 0 for row in evaluated["attributes"])


def test_no_persons_number_is_in_what_is_written(evaluated, rehearsal):
    ids = pd.read_parquet(rehearsal.published / "cohort.parquet")["person_id"].astype(str)
    text = Path(evaluated["page"]).read_text() + json.dumps(evaluated["groups"])
    assert not [one for one in ids if one in text]


def test_the_files_of_the_champion_before_may_be_gone(rehearsal, monkeypatch):
    """A newer version is promoted, so that the rehearsed one stands before it; then its files are lost."""
    settings = load(rehearsal.settings)
    champion = books.champion(settings, dt.date.fromisoformat(rehearsal.manifest["as_of"]))
    newer = replace(champion, version=str(int(champion.version) + 1))

    def lost(*_: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(books.mlflow.artifacts, "download_artifacts", lost)
    simple = Baselines(pd.DataFrame({"age and sex": [0.1]}), {})
    found = with_champion_before(simple, settings, newer, pd.DataFrame({"age": [50.0]}))
    assert f"files of model {champion.version} are missing" in found.absent[PREVIOUS]
    assert list(found.risk) == ["age and sex"]


def test_the_decision_on_a_model_is_kept_with_its_version_also_a_refusal(rehearsal):
    settings = load(rehearsal.settings)
    client = books.open_books(settings, "training")
    version = client.get_model_version(books.model_name(settings), rehearsal.manifest["model"]["version"])
    assert version.tags["decision"] == "promoted"
    assert "no champion" in version.tags["decided_because"]
    run = client.get_run(version.run_id)
    again = client.create_model_version(books.model_name(settings), version.source, run.info.run_id).version
    books.record_decision(settings, again, Promotion(False, "its calibration slope is 0.50, outside 0.8 to 1.25"))
    refused = client.get_model_version(books.model_name(settings), again).tags
    client.delete_model_version(books.model_name(settings), again)
    assert refused == {"decision": "refused", "decided_because": "its calibration slope is 0.50, outside 0.8 to 1.25"}


def test_a_window_without_outcomes_is_refused_before_any_feature_is_built(rehearsal, tmp_path, monkeypatch):
    settings = load(rehearsal.settings).model_copy(update={"data_dir": tmp_path})
    linked = next((rehearsal.folder / "data" / "linked").iterdir())
    labelled = models.outcomes

    def nobody_admitted(*told: object) -> pd.DataFrame:
        return labelled(*told).assign(outcome=False)

    monkeypatch.setattr(models, "outcomes", nobody_admitted)
    monkeypatch.setattr(features, "build", lambda *_, **__: pytest.fail("features were built"))
    with pytest.raises(TrainingError, match="nobody had the outcome after the dates to calibrate"):
        build_history.fn(settings, dt.date.fromisoformat(rehearsal.manifest["as_of"]), linked)
