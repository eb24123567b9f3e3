"""Features of events by Spark, for events that outgrow one machine; the queries are those of `features.spark_sql`.

Only the events are left to Spark. It answers in long form, a folder for each piece of the population, which is made
wide here. People and their homes are a row or a few each: DuckDB does those, as in the embedded engine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import parquet

from casewell.errors import SettingsError
from features.code_groups import map_codes
from features.coding import files_of
from features.feature import ZERO_WHEN_NOTHING, Feature
from features.pieces import Piece, Pieces
from features.plan import ALWAYS
from features.spark_sql import FAMILIES, REACH_BACK, SEEN, long_form
from records.engines import spark_session

ANSWERS_AT_ONCE = 1 << 20


def from_spark(
    pieces: Pieces, events: Path, features: Sequence[Feature], code_groups: pd.DataFrame, say: Callable[[str], None]
) -> Iterator[tuple[Piece, np.ndarray]]:
    """Give each piece with float32 (features, rows of the piece); features have a group.

    Raises
    ------
    SettingsError
        An aggregation has no query, or PySpark or Java is not there.
    SourceError
        The events lack a column.
    """
    check_covered(features)
    session = spark_session("features.engine")
    say("Leaving the events to Spark")
    return _described(session, pieces, events, features, code_groups)


def _described(
    session: Any, pieces: Pieces, events: Path, features: Sequence[Feature], code_groups: pd.DataFrame
) -> Iterator[tuple[Piece, np.ndarray]]:
    with tempfile.TemporaryDirectory(prefix="casewell-features-") as folder:
        _ask(session, pieces, events, features, code_groups, Path(folder))
        for piece in pieces:
            yield (
                piece,
                widened(read_answers(Path(folder) / "told" / f"piece={piece.number}"), features, len(piece.rows)),
            )


def check_covered(features: Sequence[Feature]) -> None:
    """Refuse aggregations that have no query.

    Raises
    ------
    SettingsError
        Each of them by name.
    """
    covered = {name for names in FAMILIES for name in names}
    left = sorted({feature.aggregation for feature in features} - covered)
    if left:
        raise SettingsError(
            [f"features.engine is 'spark', which has no aggregation {name!r}" for name in left],
            "Set features.engine to embedded, or leave out the features that need it.",
        )


def wanted_table(features: Sequence[Feature]) -> pd.DataFrame:
    """Say what is wanted: the table `wanted` of `features.spark_sql`; features are numbered in order."""
    rows = []
    for number, feature in enumerate(features):
        length = int(ALWAYS) if feature.window_days is None else feature.window_days
        reach = int(ALWAYS) if feature.aggregation in REACH_BACK else length * (1 + (feature.aggregation == "change"))
        rows.append((number, str(feature.group), feature.aggregation, length, reach))
    return pd.DataFrame(rows, columns=["feature", "code_group", "aggregation", "length", "reach"])


def write_asked(pieces: Pieces, folder: Path) -> None:
    """Write the table `asked` of `features.spark_sql`, a file a piece."""
    folder.mkdir()
    for piece in pieces:
        table = pyarrow.table(
            {
                "piece": np.full(len(piece.rows), piece.number, dtype=np.int32),
                "place": np.arange(len(piece.rows), dtype=np.int32),
                "person": piece.person,
                "day": piece.day,
            }
        )
        parquet.write_table(table, folder / f"{piece.number:05d}.parquet")


def widened(answers: Iterable[pyarrow.RecordBatch], features: Sequence[Feature], rows: int) -> np.ndarray:
    """Return float32 (features, rows) from place, feature and value; a row without an answer has what nothing gives."""
    out = np.full((len(features), rows), np.nan, dtype=np.float32)
    out[[feature.aggregation in ZERO_WHEN_NOTHING for feature in features]] = 0
    for batch in answers:
        told = batch.drop_null()
        out[told["feature"].to_numpy(), told["place"].to_numpy()] = told["value"].to_numpy()
    return out


def _ask(
    session: Any, pieces: Pieces, events: Path, features: Sequence[Feature], code_groups: pd.DataFrame, folder: Path
) -> None:
    write_asked(pieces, folder / "asked")
    told = session.read.parquet(*(str(path) for path in files_of(events))).selectExpr(
        "subject_id AS person",
        "code",
        "time AS happened",
        "known_at",
        "known_until",
        "`end` AS ended",
        "numeric_value AS value",
    )
    codes = [row.code for row in told.select("code").distinct().collect() if row.code is not None]
    members = map_codes(codes, code_groups).rename(columns={"group": "code_group"})
    tables = {
        "told": told,
        "asked": session.read.parquet(str(folder / "asked")),
        "members": _table(session, members, folder / "members.parquet"),
        "wanted": _table(session, wanted_table(features), folder / "wanted.parquet"),
    }
    for name, table in tables.items():
        table.createOrReplaceTempView(name)
    seen = session.sql(SEEN).persist()
    seen.createOrReplaceTempView("seen")
    long = session.sql(long_form({feature.aggregation for feature in features}))
    long.write.partitionBy("piece").parquet(str(folder / "told"))
    seen.unpersist()
    for name in (*tables, "seen"):
        session.catalog.dropTempView(name)


def _table(session: Any, table: pd.DataFrame, path: Path) -> Any:
    table.to_parquet(path, index=False)
    return session.read.parquet(str(path))


def read_answers(folder: Path) -> Iterator[pyarrow.RecordBatch]:
    """Read the answers of a piece some at a time: in long form they are four times as large as its cells."""
    for path in sorted(folder.glob("*.parquet")):
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(ANSWERS_AT_ONCE, columns=["place", "feature", "value"])
