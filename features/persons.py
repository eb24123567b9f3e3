"""The features that the table of people tells, age and sex, read for the people of a piece alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from features.feature import STATIC, Feature
from features.not_events import static_column
from features.pieces import Piece

# `records` sorts people by pseudonym, so that little else of the file is read.
QUERY = """SELECT person_id, birth_month, sex FROM read_parquet($people) WHERE person_id BETWEEN $first AND $last"""


def of_persons(
    connection: duckdb.DuckDBPyConnection, people: Path, piece: Piece, features: Sequence[Feature]
) -> dict[str, np.ndarray]:
    """Return the columns of a piece (float32) by name, of those features that people tell; `people` is `records.tables.PEOPLE`."""
    static = [feature for feature in features if feature.aggregation in STATIC]
    if not static:
        return {}
    told = {"people": str(people), "first": int(piece.person.min()), "last": int(piece.person.max())}
    known = connection.execute(QUERY, told).df()
    asked = pd.DataFrame({"index_date": piece.index_date, "person_id": piece.person})
    persons = asked.merge(known, on="person_id", how="left", validate="many_to_one")
    return {feature.name: static_column(feature, persons) for feature in static}
