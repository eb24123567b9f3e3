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
from features import store
from features.catalogue import CATALOGUE
from features.checks import check_catalogue
from features.code_groups import load_code_groups
from features.feature import DERIVED, LIVING, STATIC, Feature
from features.from_events import blocks
from features.households import living
from features.not_events import derived_column, needed_for, static_column
from features.tables import POPULATION

Progress = Callable[[str], None]
MEMORY_LIMIT = "1500MB"
THREADS = 2


def build(
    population: pd.DataFrame,
    events: Path,
    people: Path,
    residences: Path,
    out: Path,
    features: Sequence[Feature] = CATALOGUE,
    progress: Progress | None = None,
) -> Path:
    """Write one row of features for each row of the population, sorted by (index_date, person_id).

    Parameters
    ----------
    population
        `features.tables.POPULATION`: index_date (a midnight) and person_id.
    events, people, residences
        Parquet files of `records.tables.EVENTS`, `PEOPLE` and `RESIDENCES`. The coded store is kept beside the
        events, in the folder `coded_events`; two calls with features of other groups must not run at once.
    out
        Parquet file to write: index_date, person_id, then one float32 column a feature.

    Raises
    ------
    SettingsError
        The catalogue or the code groups break a rule.
    SourceError
        The population breaks its contract, or the events lack a column.
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
    _fill_the_rest(matrix, rows, people, residences, wanted)
    say(f"Writing {len(rows):,} rows")
    return _write(rows, {feature.name: matrix[feature.name] for feature in features}, out)


def _from_events(
    rows: pd.DataFrame, events: Path, features: Sequence[Feature], code_groups: pd.DataFrame
) -> dict[str, np.ndarray]:
    declared = [feature for feature in features if feature.group is not None]
    matrix = {feature.name: np.empty(len(rows), dtype=np.float32) for feature in declared}
    if not declared:
        return matrix
    used = code_groups[code_groups["group"].isin({feature.group for feature in declared})]
    # Beside the events, so that the next call, for other dates or features of the same groups, finds it.
    coded = store.refresh(events, events.with_name("coded_events"), used)
    for block in blocks(rows, coded, declared, used):
        for feature, values in zip(declared, block.values, strict=True):
            matrix[feature.name][block.rows] = values
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


def _fill_the_rest(
    matrix: dict[str, np.ndarray], rows: pd.DataFrame, people: Path, residences: Path, features: Sequence[Feature]
) -> None:
    static = [feature for feature in features if feature.aggregation in STATIC]
    if static:
        known = pd.read_parquet(people, columns=["person_id", "birth_month", "sex"])
        persons = rows.merge(known, on="person_id", how="left", validate="many_to_one")
        for feature in static:
            matrix[feature.name] = static_column(feature, persons)
    of_homes = [feature for feature in features if feature.aggregation in LIVING]
    if of_homes:
        with tempfile.TemporaryDirectory(prefix="casewell-features-") as folder, _connect(folder) as connection:
            columns = living(connection, rows, residences, people)
        for feature in of_homes:
            matrix[feature.name] = columns[feature.aggregation]
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
