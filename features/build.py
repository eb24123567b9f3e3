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

from casewell import doors
from casewell.errors import SourceError
from features.at_home import Homes
from features.catalogue import CATALOGUE
from features.checks import check_catalogue
from features.code_groups import load_code_groups
from features.feature import DERIVED, STATIC, Feature
from features.from_events import from_store
from features.not_events import derived_column, needed_for, static_column
from features.pieces import Piece, Pieces
from features.tables import POPULATION
from features.writing import replaced, write_nobody, write_piece

Progress = Callable[[str], None]
Engine = Literal["embedded", "spark"]


def build(
    population: pd.DataFrame,
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
        `features.tables.POPULATION`: index_date (a midnight) and person_id.
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
        Nothing was known of anybody by an index date.
    """
    say = progress or (lambda _: None)
    code_groups = load_code_groups()
    check_catalogue(features, set(code_groups["group"]))
    wanted = needed_for(features)
    rows = _in_order(population)
    dates = rows["index_date"].nunique()
    say(f"Building {len(features)} features for {rows['person_id'].nunique():,} people at {dates} index date(s)")
    known = pd.read_parquet(people, columns=["person_id", "birth_month", "sex"]).sort_values("person_id")
    from_events = [feature for feature in wanted if feature.group is not None]
    told = _of_events(Pieces(rows, len(wanted)), events, from_events, code_groups, say, engine)
    with tempfile.TemporaryDirectory(prefix="casewell-features-") as scratch, replaced(out) as folder:
        homes = Homes(rows, people, residences, wanted, Path(scratch))
        for piece, values in told:
            columns = {feature.name: column for feature, column in zip(from_events, values, strict=True)}
            columns |= homes.of(piece)
            _fill_the_rest(columns, piece, known, wanted)
            write_piece(folder, piece, {feature.name: columns[feature.name] for feature in features})
        if rows.empty:
            write_nobody(folder, [feature.name for feature in features])
    say(f"Wrote {len(rows):,} rows")
    return out


def _in_order(population: pd.DataFrame) -> pd.DataFrame:
    """Check and sort date by date: all at once, the check alone would hold several copies of a large population."""
    dates = population.get("index_date", pd.Series()).drop_duplicates()
    try:
        parts = [doors.check(population[population["index_date"] == date], POPULATION) for date in dates.sort_values()]
    except SourceError:
        parts = []
    if sum(map(len, parts)) < len(population) or not parts:
        return doors.check(population, POPULATION)  # which tells every problem at once
    return pd.concat([part.sort_values("person_id", kind="stable") for part in parts], ignore_index=True)


def _of_events(
    pieces: Pieces,
    events: Path,
    features: Sequence[Feature],
    code_groups: pd.DataFrame,
    say: Progress,
    engine: Engine,
) -> Iterator[tuple[Piece, np.ndarray]]:
    if not features or pieces.rows.empty:
        return ((piece, np.empty((0, len(piece.rows)), dtype=np.float32)) for piece in pieces)
    used = code_groups[code_groups["group"].isin({feature.group for feature in features})]
    if engine == "spark":
        from features.spark_engine import from_spark  # needs PySpark, which few have

        return from_spark(pieces, events, features, used, say)
    return from_store(pieces, events, features, used, say)


def _fill_the_rest(
    columns: dict[str, np.ndarray], piece: Piece, known: pd.DataFrame, features: Sequence[Feature]
) -> None:
    """Add the columns of the person's own and those made from others; `known` is sorted by person_id."""
    static = [feature for feature in features if feature.aggregation in STATIC]
    if static:
        asked = pd.DataFrame({"index_date": piece.index_date, "person_id": piece.person})
        first, last = piece.person.min(), piece.person.max()
        here = known.iloc[known["person_id"].searchsorted(first) : known["person_id"].searchsorted(last, "right")]
        persons = asked.merge(here, on="person_id", how="left", validate="many_to_one")
        for feature in static:
            columns[feature.name] = static_column(feature, persons)
    for feature in features:
        if feature.aggregation in DERIVED:
            columns[feature.name] = derived_column(feature, columns)
