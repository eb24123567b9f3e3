"""Build the feature matrix: what was known of each person before each index date.

Training and weekly scoring are this same call, with other index dates.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from features.at_home import Homes
from features.catalogue import CATALOGUE
from features.checks import check_build
from features.code_groups import events_have, load_code_groups
from features.coding import known_between
from features.feature import DERIVED, Feature
from features.from_events import from_store
from features.not_events import derived_column, needed_for
from features.persons import of_persons
from features.pieces import Piece, Pieces
from features.population import lay_out
from features.scratch import connect
from features.writing import replaced, write_nobody, write_piece

Progress = Callable[[str], None]
Engine = Literal["embedded", "spark"]


def build(
    population: pd.DataFrame | Path,
    events: Path,
    people: Path,
    residences: Path,
    out: Path,
    features: Sequence[Feature] = CATALOGUE,
    progress: Progress | None = None,
    engine: Engine = "embedded",
) -> Path:
    """Write one row of features for each row of the population, sorted by (index_date, person_id).

    Parameters
    ----------
    population
        `features.tables.POPULATION` in any order: index_date (a midnight) and person_id. As a table or, if it is large,
        as a Parquet file that may have other columns too: then memory is the same however many rows it has.
    events, people, residences
        Parquet files of `records.tables.EVENTS`, `PEOPLE` and `RESIDENCES`. The coded store is kept beside the
        events, in the folder `coded_events`; two calls with features of other groups must not run at once.
    out
        Folder to write, of Parquet files which in order of name are one table (`pandas.read_parquet` reads it so):
        index_date, person_id, then one float32 column a feature.
    engine
        `embedded` walks through the coded events in this process; `spark` leaves the events to Spark. Same bytes.

    Raises
    ------
    SettingsError
        The catalogue or the code groups break a rule, or Spark is asked for and not there.
    SourceError
        The population breaks its contract, or the events lack a column.
    AsOfError
        Nothing was known of anybody by an index date, or nothing new for a year.
    """
    say = progress or (lambda _: None)
    code_groups = load_code_groups()
    wanted = needed_for(features)
    from_events = [feature for feature in wanted if feature.group is not None]
    with tempfile.TemporaryDirectory(prefix="casewell-features-") as scratch, replaced(out) as folder:
        asked = lay_out(population, Path(scratch))
        dates = asked.dates if from_events else asked.dates[:0]
        check_build(features, events_have(code_groups), dates, known_between(events) if len(dates) else None)
        say(f"Building {len(features)} features for {asked.people:,} people at {len(asked.dates)} index date(s)")
        told = _of_events(Pieces(asked, len(wanted)), events, from_events, code_groups, say, engine)
        homes = Homes(asked, people, residences, wanted, Path(scratch))
        with connect(Path(scratch)) as connection:
            for piece, values in told:
                columns = {feature.name: column for feature, column in zip(from_events, values, strict=True)}
                columns |= homes.of(piece) | of_persons(connection, people, piece, wanted)
                _derive(columns, wanted)
                write_piece(folder, piece, {feature.name: columns[feature.name] for feature in features})
        if not asked.rows:
            write_nobody(folder, [feature.name for feature in features])
    say(f"Wrote {asked.rows:,} rows")
    return out


def _of_events(
    pieces: Pieces,
    events: Path,
    features: Sequence[Feature],
    code_groups: pd.DataFrame,
    say: Progress,
    engine: Engine,
) -> Iterator[tuple[Piece, np.ndarray]]:
    if not features or not pieces.population.rows:
        return ((piece, np.empty((0, len(piece.rows)), dtype=np.float32)) for piece in pieces)
    used = code_groups[code_groups["group"].isin({feature.group for feature in features})]
    if engine == "spark":
        from features.spark_engine import from_spark  # needs PySpark, which few have

        return from_spark(pieces, events, features, used, say)
    return from_store(pieces, events, features, used, say)


def _derive(columns: dict[str, np.ndarray], features: Sequence[Feature]) -> None:
    """Add the columns that are made from others."""
    for feature in features:
        if feature.aggregation in DERIVED:
            columns[feature.name] = derived_column(feature, columns)
