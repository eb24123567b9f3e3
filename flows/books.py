"""The books: what each training and each week did, in MLflow. Aggregates only, never a row about a person."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

import models
from casewell.errors import TrainingError
from casewell.settings import Settings
from flows.workspace import digest_of, file_digest

SERVED = Path(__file__).with_name("served_model.py")


@dataclass(frozen=True)
class Registered:
    """A registered model version and the folder its files were fetched to."""

    version: str
    trained_as_of: dt.date
    digest: str
    folder: Path


def open_books(settings: Settings, kind: str) -> MlflowClient:
    """Point MLflow at its store, making it on first use, and choose the experiment `<name>-<kind>`."""
    store = settings.mlruns_dir.resolve()
    store.mkdir(mode=0o700, parents=True, exist_ok=True)  # the books hold exact counts, small ones too
    (store / "artifacts").mkdir(exist_ok=True)
    mlflow.set_tracking_uri(f"sqlite:///{store / 'mlflow.db'}")
    name = f"{settings.name}-{kind}"
    if mlflow.get_experiment_by_name(name) is None:
        mlflow.create_experiment(name, artifact_location=(store / "artifacts").as_uri())
    mlflow.set_experiment(name)
    return MlflowClient()


def model_name(settings: Settings) -> str:
    """Return the registered model's name."""
    return f"casewell-{settings.name}"


def champion(settings: Settings, as_of: dt.date) -> Registered | None:
    """Find the model that was champion on a day: the newest promoted one for this outcome that knew nothing later.

    A list made for a past week must not use a model that has seen what came after.

    Raises
    ------
    TrainingError
        Its files are gone.
    """
    known = [version for version in _promoted(settings) if version[0] <= as_of]
    return _fetched(settings, *known[-1]) if known else None


def champion_before(settings: Settings, champion: Registered) -> Registered | None:
    """Find the newest promoted model for this outcome that stood before a champion; None if there was none.

    Raises
    ------
    TrainingError
        Its files are gone.
    """
    earlier = [version for version in _promoted(settings) if version < (champion.trained_as_of, int(champion.version))]
    return _fetched(settings, *earlier[-1]) if earlier else None


def _promoted(settings: Settings) -> list[tuple[dt.date, int]]:
    """Return the day and number of every version that was ever promoted for this outcome, oldest first."""
    client = open_books(settings, "training")
    return sorted(
        (dt.date.fromisoformat(version.tags["trained_as_of"]), int(version.version))
        for version in client.search_model_versions(f"name = '{model_name(settings)}'")
        if version.tags.get("promoted") == "true" and version.tags.get("predicts") == what_it_predicts(settings)
    )


def _fetched(settings: Settings, date: dt.date, number: int) -> Registered:
    uri = f"models:/{model_name(settings)}/{number}"
    try:
        folder = Path(mlflow.artifacts.download_artifacts(uri)) / "artifacts" / "models"
        return Registered(str(number), date, model_digest(folder), folder)
    except (MlflowException, FileNotFoundError):
        raise TrainingError(
            f"the files of model {number} are missing from MLflow's store ({settings.mlruns_dir})",
            "Train a new one: casewell train.",
        ) from None


def what_it_predicts(settings: Settings) -> str:
    """Return a digest of the settings that a model was made by; under others it is no champion.

    They say what its scores mean, and which months its back-test had not seen.
    """
    told = settings.model_dump(mode="json")
    return digest_of(told["outcome"], told["eligibility"], told["training"], told["benefit"])


def model_digest(folder: Path) -> str:
    """Return the digest that stands for saved models."""
    return file_digest(folder / "digests.json")[:12]


def record_training(settings: Settings, as_of: dt.date, trained: models.Trained, folder: Path) -> str:
    """Write a training's parameters, measures and pictures, and register its models as challenger.

    `folder` holds `models/`, `training.json`, the pictures and the profile of the features. Returns the model's version.
    """
    client = open_books(settings, "training")
    told = settings.model_dump(mode="json", include={"outcome", "training", "benefit", "eligibility", "seed"})
    with mlflow.start_run(run_name=f"train {as_of}"):
        mlflow.log_params(
            _flat(told)
            | {
                "as_of": str(as_of),
                "settings": digest_of(settings.model_dump(mode="json")),
                "evidence_grade": trained.models.evidence.grade,
                "learned_by": trained.models.risk.learned.kind,
            }
            | {f"evidence_grade.{code}": one.evidence.grade for code, one in trained.models.programmes.items()}
        )
        mlflow.log_metrics(_by_name(trained.measures))
        mlflow.log_metrics(models.numbers_beside(trained.beside))
        mlflow.log_metrics(_of_profile(json.loads((folder / "profile.json").read_text(encoding="utf-8"))))
        for file in sorted(path for path in folder.iterdir() if path.suffix in {".json", ".svg", ".html"}):
            mlflow.log_artifact(str(file))
        logged = mlflow.pyfunc.log_model(
            name="models",
            python_model=str(SERVED),
            artifacts={"models": str(folder / "models")},
            pip_requirements=["casewell"],
            registered_model_name=model_name(settings),
        )
    version = str(logged.registered_model_version)
    client.set_model_version_tag(model_name(settings), version, "trained_as_of", str(as_of))
    client.set_model_version_tag(model_name(settings), version, "predicts", what_it_predicts(settings))
    client.set_registered_model_alias(model_name(settings), "challenger", version)
    return version


def record_decision(settings: Settings, version: str, decision: models.Promotion) -> None:
    """Keep with a version whether it was promoted or refused, and why."""
    client, name = MlflowClient(), model_name(settings)
    client.set_model_version_tag(name, version, "decision", "promoted" if decision.promoted else "refused")
    client.set_model_version_tag(name, version, "decided_because", decision.reason)


def promote(settings: Settings, version: str, as_of: dt.date) -> None:
    """Mark a version promoted; it takes the alias `champion` unless a model of a later date holds it."""
    client, name = MlflowClient(), model_name(settings)
    client.set_model_version_tag(name, version, "promoted", "true")
    try:
        holder = client.get_model_version_by_alias(name, "champion")
    except MlflowException:
        holder = None
    if holder is None or dt.date.fromisoformat(holder.tags["trained_as_of"]) <= as_of:
        client.set_registered_model_alias(name, "champion", version)


def record_week(settings: Settings, as_of: dt.date, manifest: dict[str, Any], files: list[Path]) -> None:
    """Write a week's counts, verdict and fairness page; nothing with a row about a person."""
    open_books(settings, "weekly")
    with mlflow.start_run(run_name=f"week {as_of}"):
        mlflow.log_params(
            {
                "as_of": str(as_of),
                "run": manifest["run"],
                "model_version": manifest["model"]["version"],
                "model_without": ", ".join(manifest["model"]["without"]),
                "evidence_grade": manifest["evidence"]["grade"],
                "fairness": manifest["fairness"]["verdict"],
                "released": manifest["fairness"]["released"],
            }
        )
        mlflow.log_metrics({f"people_{door.replace(' ', '_')}": count for door, count in manifest["doors"].items()})
        mlflow.log_metrics(_of_profile(manifest["features"]))
        mlflow.log_metrics({f"monitoring_{name}": number for name, number in manifest["monitoring"]["numbers"].items()})
        mlflow.log_metrics({f"policy_{name}": number for name, number in manifest["policy"]["numbers"].items()})
        for file in files:
            mlflow.log_artifact(str(file))


def record_evaluation(
    settings: Settings, as_of: dt.date, numbers: dict[str, float], files: list[Path], kind: str = "evaluation"
) -> None:
    """Write the figures of an evaluation, of the models or of the `programme`, by name, and its page."""
    open_books(settings, kind)
    with mlflow.start_run(run_name=f"{kind} {as_of}"):
        mlflow.log_metrics(numbers)
        for file in files:
            mlflow.log_artifact(str(file))


def record_profile(settings: Settings, as_of: dt.date, told: dict[str, Any], files: list[Path]) -> None:
    """Write what a profile found by itself, outside a week: its numbers, and the index of each feature in its files."""
    open_books(settings, "profile")
    with mlflow.start_run(run_name=f"profile {as_of}"):
        mlflow.log_metrics(_of_profile(told))
        for file in files:
            mlflow.log_artifact(str(file))


def _of_profile(told: dict[str, Any]) -> dict[str, float]:
    return {f"profile_{name}": float(number) for name, number in told["numbers"].items()}


def _by_name(measures: pd.DataFrame) -> dict[str, float]:
    named = zip(measures["measure"].astype(str), measures["value"].astype(float), strict=True)
    return {name: value for name, value in named if math.isfinite(value)}


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
