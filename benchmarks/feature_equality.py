"""The feature engines held against each other, cell by cell, on simulated people and the whole catalogue.

    python -m benchmarks.feature_equality [--people 20000] [--seed 505] [--as-of 2026-10-01]
        [--engines embedded spark] [--folder FOLDER]

What the reference engine says of everybody who is linked, on every date, is held against what `features.build` writes
with each engine. `cells` are all cells, `filled` those that are neither missing nor 0; a cell differs unless both are
missing or both the same float32. Ends with exit code 1 if one differs.

The reference takes a few people at a time, with all who were ever registered at an address of theirs: some minutes for
20,000 people and a date. In a FOLDER all is kept as soon as it is known, so that a run that was stopped goes on there;
delete it after the code has changed. `make bench-feature-equality` runs it where PySpark is.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow
from rich.console import Console
from rich.table import Table

from benchmarks.feature_people import CUT_OFF, everybody, linked_people
from casewell.doors import to_pandas
from casewell.environment import prepare
from features import CATALOGUE, Feature, build
from features.matrix import open_matrix
from features.reference_engine import build_in_memory

AT_ONCE = 500  # people
AROUND = """SELECT * FROM read_parquet($path) WHERE person_id IN (
    SELECT person_id FROM asked UNION SELECT person_id FROM read_parquet($residences) WHERE household_id IN (
        SELECT household_id FROM read_parquet($residences) JOIN asked USING (person_id)))
ORDER BY ALL"""


def reference(population: pd.DataFrame, linked: Path, folder: Path) -> Path:
    """Write what the reference engine says: a file for some people on all dates, unless it is there."""
    folder.mkdir(exist_ok=True)
    people = np.unique(population["person_id"])
    for first in range(0, len(people), AT_ONCE):
        path = folder / f"{first // AT_ONCE:05d}.parquet"
        if path.exists():
            continue
        some = population[population["person_id"].isin(people[first : first + AT_ONCE])].reset_index(drop=True)
        events, around, homes = _records_of(some, linked)
        partial = path.with_suffix(".partial")
        build_in_memory(some, events, around, homes, CATALOGUE).to_parquet(partial, index=False)
        partial.rename(path)
    return folder


def _records_of(some: pd.DataFrame, linked: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read the events of some people, and `people` and `residences` of them and of whoever shared an address."""
    events, people, residences = (str(linked / f"{name}.parquet") for name in ("events", "people", "residences"))
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": 2}) as con:
        con.register("asked", some[["person_id"]].drop_duplicates())

        def read(query: str, **told: str) -> pd.DataFrame:
            return to_pandas(con.sql(query, params=told).to_arrow_table())

        own = "SELECT e.* FROM read_parquet($path) AS e JOIN asked AS a ON a.person_id = e.subject_id"
        return (
            read(own, path=events),
            read(AROUND, path=people, residences=residences),
            read(AROUND, path=residences, residences=residences),
        )


def compare(matrix: Path, wanted: Path, features: Sequence[Feature] = CATALOGUE) -> pd.DataFrame:
    """Return one row a feature: `cells`, `filled` (of the reference), `differ`, and the `largest` difference.

    Raises
    ------
    RuntimeError
        The two do not describe the same people on the same dates.
    """
    keys = ["index_date", "person_id"]
    asked = pd.concat([pd.read_parquet(path, columns=keys) for path in sorted(wanted.glob("*.parquet"))])
    order = asked.reset_index(drop=True).sort_values(keys).index.to_numpy()
    built = pd.read_parquet(matrix, columns=keys)
    if not built.reset_index(drop=True).equals(asked.reset_index(drop=True).iloc[order].reset_index(drop=True)):
        raise RuntimeError("the engines do not describe the same people on the same dates")
    by_name = {feature.name: feature.aggregation for feature in features}
    rows = [
        (name, by_name[name], *held_against(one, other[order]))
        for (name, one), (_, other) in zip(_columns(matrix), _columns(wanted), strict=True)
    ]
    return pd.DataFrame(rows, columns=["feature", "aggregation", "cells", "filled", "differ", "largest"])


def _columns(matrix: Path) -> Iterator[tuple[str, np.ndarray]]:
    for name, column in open_matrix(matrix).columns():
        yield name, column.to_numpy().astype(np.float32, copy=False)


def held_against(one: np.ndarray, other: np.ndarray) -> tuple[int, int, int, float]:
    """Count cells, those of `other` that are neither missing nor 0, those that differ, and the largest difference."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    apart = np.abs(one[~same].astype(np.float64) - other[~same])
    largest = np.inf if np.isnan(apart).any() else float(apart.max(initial=0))  # one of the two is missing
    return len(one), int((~np.isnan(other) & (other != 0)).sum()), int((~same).sum()), largest


def show(console: Console, engine: str, found: pd.DataFrame, people: int) -> None:
    """Print a row an aggregation."""
    table = Table(
        "aggregation",
        *(("features", "cells", "filled", "differ", "largest difference")),
        title=f"Reference and {engine} engine, {people:,} people",
    )
    by_kind = found.groupby("aggregation", sort=False).agg(
        {"feature": "size", "cells": "sum", "filled": "sum", "differ": "sum", "largest": "max"}
    )
    for kind, row in by_kind.iterrows():
        table.add_row(str(kind), *(f"{int(value):,}" for value in row.iloc[:4]), f"{row['largest']:g}")
    table.add_section()
    total = found[["cells", "filled", "differ"]].sum()
    table.add_row("all", f"{len(found):,}", *(f"{value:,}" for value in total), f"{found['largest'].max():g}")
    console.print(table)
    empty = found.loc[found["filled"] == 0, "feature"]
    if len(empty):
        console.print(f"Missing or 0 for everybody, in all engines: {', '.join(empty)}", soft_wrap=True)
    wrong = found.loc[found["differ"] > 0, "feature"]
    if len(wrong):
        console.print(f"[bold red]Different:[/] {', '.join(wrong)}", soft_wrap=True)


def main() -> None:
    """Simulate, link, build with each engine, compare, print."""
    parser = argparse.ArgumentParser(description="Are the feature engines equal?")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=505)
    parser.add_argument("--as-of", nargs="+", type=dt.date.fromisoformat, default=[CUT_OFF])
    parser.add_argument("--engines", nargs="+", choices=["embedded", "spark"], default=["embedded", "spark"])
    parser.add_argument("--folder", type=Path, help="where to work and to keep what was found")
    told, console = parser.parse_args(), Console(width=100)
    with tempfile.TemporaryDirectory(prefix="casewell-equality-") as scratch:
        folder = told.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        linked = linked_people(told.people, told.seed, folder)
        population = everybody(linked, told.as_of)
        events, people, residences = (linked / f"{name}.parquet" for name in ("events", "people", "residences"))
        for engine in told.engines:
            if not (folder / engine).is_dir():
                build(population, events, people, residences, folder / engine, engine=engine)
        pyarrow.default_memory_pool().release_unused()
        wanted = reference(population, linked, folder / "reference")
        found = {engine: compare(folder / engine, wanted) for engine in told.engines}
        for engine, table in found.items():
            show(console, engine, table, population["person_id"].nunique())
    sys.exit(any(table["differ"].any() for table in found.values()))


if __name__ == "__main__":
    prepare(Path.cwd())
    main()
