"""`casewell evaluate` on the rehearsed week: the page, the same numbers as JSON and in the books, and nobody in them."""

import json
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from casewell.settings import load
from flows.evaluation import evaluate_flow


@pytest.fixture(scope="module")
def evaluated(rehearsal):
    return evaluate_flow(str(rehearsal.settings), rehearsal.manifest["as_of"])


def test_the_page_and_the_numbers_stand_beside_each_other(evaluated):
    page = Path(evaluated["page"])
    told = json.loads((page.parent / "evaluation.json").read_text())
    auroc = next(row["value"] for row in told["measures"] if row["measure"] == "auroc")
    assert f"{auroc:.4f}" in page.read_text()
    assert "SYNTHETIC" in page.read_text()
    assert {"last year's admissions", "age and sex", "logistic regression"} <= {row["rule"] for row in told["against"]}
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
    assert "auroc_of_logistic_regression" in metrics


def test_no_persons_number_is_in_what_is_written(evaluated, rehearsal):
    ids = pd.read_parquet(rehearsal.published / "cohort.parquet")["person_id"].astype(str)
    text = Path(evaluated["page"]).read_text() + json.dumps(evaluated["groups"])
    assert not [one for one in ids if one in text]
