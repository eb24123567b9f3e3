"""The stages between sources and scores, each a Prefect task that takes and gives paths."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
from prefect import task

import features
import models
import records
from casewell.errors import TrainingError
from casewell.settings import Settings
from flows.progress import say
from flows.workspace import identity, stage

LINKING = ("sources", "purpose", "opt_outs", "quality", "linkage", "teams", "pseudonym_key_file")
POPULATION = (*LINKING, "eligibility")
LEARNING = (*POPULATION, "outcome", "training", "benefit", "seed")


def _passing_fault(_task: Any, _run: Any, state: Any) -> bool:
    """Retry what a second attempt can mend (a network share that blinked), never a refusal."""
    return isinstance(state.result(raise_on_failure=False), ConnectionError | TimeoutError | BlockingIOError)


@task(retries=2, retry_delay_seconds=5, retry_condition_fn=_passing_fault)
def link(settings: Settings, as_of: dt.date) -> Path:
    """Read, check and link the sources as they were known before `as_of`; return the folder of linked tables."""
    folder = settings.data_dir / "linked" / f"{as_of}-{identity(settings, as_of, *LINKING)}"
    if not folder.is_dir():
        say("Reading the sources, checking them, and linking each record to its person")
    return stage(folder, lambda out: records.build(settings, as_of, out))


@task
def build_features(settings: Settings, as_of: dt.date, linked: Path) -> Path:
    """Build the features of everybody who could be offered case management on `as_of`; return the matrix."""
    folder = settings.data_dir / "features" / f"{as_of}-{identity(settings, as_of, *POPULATION)}"

    def build(out: Path) -> None:
        say("Building features from what was known by then")
        eligible = models.population(
            linked / "people.parquet", linked / "enrolments.parquet", [pd.Timestamp(as_of)], settings.eligibility
        )
        build_features_of(settings, eligible, linked, out)

    return stage(folder, build) / "matrix.parquet"


@task
def build_history(settings: Settings, as_of: dt.date, linked: Path) -> Path:
    """Build features and outcomes for every mature index date before `as_of`; return the folder.

    Raises
    ------
    TrainingError
        The history is too short, nobody in it could have been offered case management, or a window holds nobody, or
        nobody with the outcome.
    """
    folder = settings.data_dir / "features" / f"{as_of}-history-{identity(settings, as_of, *LEARNING)}"

    def build(out: Path) -> None:
        split = split_of(settings, as_of, linked)
        say(f"Building outcomes and features for {len(split.mature)} months of the past")
        build_features_of(settings, _outcomes(settings, split, linked, out), linked, out)

    return stage(folder, build)


def _outcomes(settings: Settings, split: models.Split, linked: Path, out: Path) -> Path:
    """Write the outcomes of everybody eligible; return the file, which says too whose features are wanted on which day.

    They come first: they cost little, and say whether the features, which cost much, are worth building.
    """
    eligible = models.population(
        linked / "people.parquet", linked / "enrolments.parquet", split.mature, settings.eligibility
    )
    if eligible.empty:
        raise TrainingError(
            "nobody was eligible on any index date", "Check registrations and birth dates in the sources."
        )
    labelled = models.outcomes(eligible, linked, settings)
    models.require_outcomes(models.drawn(split, labelled))
    labelled.to_parquet(out / "outcomes.parquet")
    return out / "outcomes.parquet"


def build_features_of(settings: Settings, population: pd.DataFrame | Path, linked: Path, out: Path) -> None:
    """Write the features of `index_date` and `person_id`, a table or a file, into a folder, as `matrix.parquet`."""
    events, people, residences = (linked / f"{name}.parquet" for name in ("events", "people", "residences"))
    matrix = out / "matrix.parquet"
    features.build(population, events, people, residences, matrix, progress=say, engine=settings.features.engine)


def split_of(settings: Settings, as_of: dt.date, linked: Path) -> models.Split:
    """Return the index dates that the linked history allows."""
    return models.split(begin_of(linked), as_of, settings)


def begin_of(linked: Path) -> dt.date:
    """Return the day on which the linked data begin."""
    return dt.date.fromisoformat(json.loads((linked / "summary.json").read_text())["begin"])


def history_rows(history: Path) -> pd.DataFrame:
    """Read features joined to outcomes, one row a person and index date.

    Left out are people who moved away within the horizon: what happened to them is not known.
    """
    labels = pd.read_parquet(history / "outcomes.parquet")
    stayed = labels["stayed"].to_numpy()
    files = sorted((history / "matrix.parquet").glob("*.parquet"))
    keys = ["index_date", "person_id"]
    names = [name for name in parquet.read_schema(files[0]).names if name not in keys]
    # Filled file by file: the matrix is large, and should stand in memory once.
    values, begin, filled = np.empty((int(stayed.sum()), len(names)), dtype="float32"), 0, 0
    for file in files:
        piece = pd.read_parquet(file)
        told = labels.iloc[begin : begin + len(piece)]
        if any(not np.array_equal(piece[key].to_numpy(), told[key].to_numpy()) for key in keys):
            raise RuntimeError("features and outcomes do not list the same people in the same order")
        kept = piece.loc[stayed[begin : begin + len(piece)], names].to_numpy("float32")
        values[filled : filled + len(kept)] = kept
        begin, filled = begin + len(piece), filled + len(kept)
    if begin != len(labels):
        raise RuntimeError(f"there are features of {begin:,} rows and outcomes of {len(labels):,}")
    labels = labels[stayed].reset_index(drop=True)
    features_of_them = pd.DataFrame(values, columns=names, copy=False)
    return pd.concat([labels[keys], features_of_them, labels.drop(columns=keys)], axis=1)


def capacity_share(settings: Settings, linked: Path, eligible: int) -> float:
    """Return the places of all teams as a share of eligible people."""
    teams = sorted(set(pd.read_parquet(linked / "people.parquet", columns=["team_code"])["team_code"]) - {""})
    places = sum(settings.teams.places(team) for team in teams)
    return min(1.0, max(places, 1) / max(eligible, 1))
