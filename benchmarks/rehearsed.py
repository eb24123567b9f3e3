"""A simulated population taken through the pipeline as far as features and outcomes, for measurements of models."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from casewell.settings import Settings, load

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
AS_OF = dt.date(2026, 10, 1)


@dataclass(frozen=True)
class Rehearsed:
    """Where things are: the settings, the linked tables, the history, and the features of the day."""

    settings: Settings
    linked: Path
    history: Path
    today: Path
    truth: Path


def rehearse(people: int, seed: int, folder: Path, **training: int | float) -> Rehearsed:
    """Simulate people unless `folder` holds them, link them, and build features and outcomes; `training` changes settings."""
    import simulator
    from flows.stages import build_features, build_history, link

    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "sources").is_dir():
        simulator.simulate(people, seed, folder / "sources", folder / "truth")
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(folder / "sources" / Path(source["path"]).name)
    told |= {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns"), "training": training}
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(told))
    settings = load(path)
    linked = link.fn(settings, AS_OF)
    history = build_history.fn(settings, AS_OF, linked)
    return Rehearsed(settings, linked, history, build_features.fn(settings, AS_OF, linked), folder / "truth")


def true_outcomes(rehearsed: Rehearsed) -> pd.DataFrame:
    """Return what is true on the day, by the pipeline's own pseudonym (`casewell truth` explains the columns)."""
    taken = pd.read_parquet(rehearsed.linked / "identities.parquet").query("source == 'demographics'")
    true = pd.read_parquet(rehearsed.truth / "identities.parquet").query("source == 'demographics'")
    people = taken.merge(true, left_on="source_record", right_on="record_id").drop_duplicates("person_id")
    outcomes = pd.read_parquet(rehearsed.truth / "outcomes.parquet")
    outcomes = outcomes[outcomes["as_of"] == outcomes["as_of"].max()]
    return people[["person_id", "true_person_id"]].merge(outcomes, on="true_person_id")
