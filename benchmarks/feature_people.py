"""Simulated people, linked, for measurements of whole catalogues of features."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

import records
import simulator
from casewell.settings import load
from features.feature import TRAVEL

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
CUT_OFF = dt.date(2026, 10, 1)


def linked_people(people: int, seed: int, folder: Path) -> Path:
    """Simulate and link so many people unless `folder` holds them (`casewell simulate --out FOLDER/sources`).

    Simulated areas lie nowhere: their minutes to services are drawn, so that features of travel have values too.
    """
    linked, sources = folder / "linked", folder / "sources"
    if linked.is_dir():
        return linked
    if not sources.is_dir():
        simulator.simulate(people, seed, sources, folder / "truth")
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(sources / Path(source["path"]).name)
    basis = told["sources"]["demographics"]["lawful_basis"]
    told["sources"]["travel_times"] = {"path": str(_draw_minutes(sources, seed)), "lawful_basis": basis}
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(told | {"data_dir": str(folder / "data")}))
    partial = folder / "linked.partial"
    records.build(load(path), CUT_OFF, partial)
    return partial.rename(linked)


def _draw_minutes(sources: Path, seed: int) -> Path:
    areas = pd.read_parquet(sources / "demographics.parquet", columns=["lsoa"])["lsoa"].dropna()
    random, table = np.random.default_rng(seed), pd.DataFrame({"lsoa": sorted(set(areas) - {""})})
    for name in TRAVEL:
        table[name] = random.integers(3, 60, len(table))
    table.to_parquet(sources / "travel_times.parquet", index=False)
    return sources / "travel_times.parquet"


def everybody(linked: Path, dates: Sequence[dt.date]) -> pd.DataFrame:
    """Return all linked people on each date, as `features.tables.POPULATION`."""
    people = np.sort(pd.read_parquet(linked / "people.parquet", columns=["person_id"])["person_id"].to_numpy())
    days = np.array(sorted(dates), dtype="datetime64[us]")
    return pd.DataFrame({"index_date": np.repeat(days, len(people)), "person_id": np.tile(people, len(days))})
