"""Build the feature matrix: what was known of each person before each index date.

Training and weekly scoring are this same call, with other index dates.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow
from pyarrow import parquet

from casewell import doors
from features.catalogue import CATALOGUE
from features.checks import check_catalogue
from features.code_groups import load_code_groups
from features.feature import DERIVED, STATIC, ZERO_WHEN_NOTHING, Feature
from features.not_events import derived_column, needed_for, static_column
from features.query import code_map, compile_query, group_numbers, slot
from features.tables import POPULATION

Progress = Callable[[str], None]
BATCH_ROWS = 1_000_000
MEMORY_LIMIT = "1500MB"
THREADS = 2


def build(
    population: pd.DataFrame,
    events: Path,
    people: Path,
    out: Path,
    features: Sequence[Feature] = CATALOGUE,
    progress: Progress | None = None,
) -> Path:
    """Write one row of features for each row of the population, sorted by (index_date, person_id).

    Parameters
    ----------
    population
        `features.tables.POPULATION`: index_date (a midnight) and person_id.
    events, people
        Parquet files of `records.tables.EVENTS` and `PEOPLE`.
    out
        Parquet file to write: index_date, person_id, then one float32 column a feature.

    Raises
    ------
    SettingsError
        The catalogue or the code groups break a rule.
    SourceError
        The population breaks its contract.
    """
    say = progress or (lambda _: None)
    code_groups = load_code_groups()
    check_catalogue(features, set(code_groups["group"]))
    wanted = needed_for(features)
    rows = doors.check(population, POPULATION)
    rows = rows.sort_values(["index_date", "person_id"], kind="stable", ignore_index=True)
    dates = rows["index_date"].nunique()
    say(f"Building {len(features)} features for {rows['person_id'].nunique():,} people at {dates} index date(s)")
    matrix = _from_events(rows, events, wanted, code_groups)
    _fill_the_rest(matrix, rows, people, wanted)
    say(f"Writing {len(rows):,} rows")
    return _write(rows, {feature.name: matrix[feature.name] for feature in features}, out)


def _from_events(
    rows: pd.DataFrame, events: Path, features: Sequence[Feature], code_groups: pd.DataFrame
) -> dict[str, np.ndarray]:
    matrix = {
        feature.name: np.full(len(rows), 0 if feature.aggregation in ZERO_WHEN_NOTHING else np.nan, dtype=np.float32)
        for feature in features
        if feature.aggregation not in STATIC + DERIVED
    }
    if not matrix:
        return matrix
    asked = pd.DataFrame(
        {
            "row_number": np.arange(len(rows), dtype=np.int32),
            "person_id": rows["person_id"],
            "day": rows["index_date"].to_numpy().astype("datetime64[D]").astype(np.int32),
        }
    )
    with tempfile.TemporaryDirectory(prefix="casewell-features-") as folder, _connect(folder) as connection:
        connection.read_parquet(str(events)).create_view("events")
        codes = connection.sql("SELECT DISTINCT code FROM events WHERE code IS NOT NULL").df()["code"]
        connection.register("asked", asked)
        connection.register("code_map", code_map(features, codes, code_groups))
        for batch in connection.sql(compile_query(features)).to_arrow_reader(BATCH_ROWS):
            _scatter(batch, matrix, features)
    return matrix


def _connect(folder: str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "threads": THREADS,
            "memory_limit": MEMORY_LIMIT,
            "preserve_insertion_order": "false",
            "temp_directory": folder,
        }
    )


def _scatter(batch: pyarrow.RecordBatch, matrix: dict[str, np.ndarray], features: Sequence[Feature]) -> None:
    """Put the long result's values in their cells; each (row, feature) occurs once, so order does not matter."""
    numbers = group_numbers(features)
    key = batch["part"].to_numpy().astype(np.int64) * len(numbers) + batch["group_number"].to_numpy()
    order = np.argsort(key, kind="stable")
    ordered, row_number = key[order], batch["row_number"].to_numpy()
    columns: dict[str, np.ndarray] = {}
    for feature in features:
        place = slot(feature)
        if place is None:
            continue
        here = place.part * len(numbers) + numbers[place.group]
        chosen = order[np.searchsorted(ordered, here, "left") : np.searchsorted(ordered, here, "right")]
        if len(chosen) == 0:
            continue
        if place.column not in columns:
            columns[place.column] = batch[place.column].to_numpy(zero_copy_only=False)
        matrix[feature.name][row_number[chosen]] = columns[place.column][chosen]


def _fill_the_rest(
    matrix: dict[str, np.ndarray], rows: pd.DataFrame, people: Path, features: Sequence[Feature]
) -> None:
    static = [feature for feature in features if feature.aggregation in STATIC]
    if static:
        known = pd.read_parquet(people, columns=["person_id", "birth_month", "sex", "imd_decile"])
        persons = rows.merge(known, on="person_id", how="left", validate="many_to_one")
        for feature in static:
            matrix[feature.name] = static_column(feature, persons)
    for feature in features:
        if feature.aggregation in DERIVED:
            matrix[feature.name] = derived_column(feature, matrix)


def _write(rows: pd.DataFrame, columns: dict[str, np.ndarray], out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(
        {
            "index_date": pyarrow.array(rows["index_date"], pyarrow.timestamp("us")),
            "person_id": pyarrow.array(rows["person_id"], pyarrow.int64()),
            **{name: pyarrow.array(values, pyarrow.float32()) for name, values in columns.items()},
        }
    )
    partial = out.with_name(out.name + ".partial")
    try:
        parquet.write_table(table, partial, compression="zstd", compression_level=1)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    return out
