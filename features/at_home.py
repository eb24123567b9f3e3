"""What is known of people's homes, one index date after the other, laid on the disk until a piece of people needs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from features.feature import LIVING, Feature
from features.households import living, prepare
from features.pieces import Piece

MEMORY_LIMIT = "800MB"
THREADS = 2


class Homes:
    """The features of homes of every row of a population, in a file of `folder`, which should be empty and private.

    Parameters
    ----------
    rows
        Sorted by index_date and person_id.
    """

    def __init__(
        self, rows: pd.DataFrame, people: Path, residences: Path, features: Sequence[Feature], folder: Path
    ) -> None:
        self._of_homes = [feature for feature in features if feature.aggregation in LIVING]
        self._path = folder / "homes"
        if not self._of_homes:
            return
        with _connect(folder) as connection, self._path.open("wb") as file:
            prepare(connection, residences, people)
            for day, asked in rows.groupby("index_date", sort=True)["person_id"]:
                found = living(connection, day, asked.to_numpy())
                np.column_stack([found[feature.aggregation] for feature in self._of_homes]).tofile(file)

    def of(self, piece: Piece) -> dict[str, np.ndarray]:
        """Read the columns of a piece: float32 by name of feature."""
        if not self._of_homes:
            return {}
        width = len(self._of_homes)
        row = width * np.dtype(np.float32).itemsize
        parts = [
            np.fromfile(
                self._path, np.float32, (place.stop - place.start) * width, offset=int(piece.rows[place.start]) * row
            )
            for _, place in piece.by_date()
        ]
        columns = np.concatenate(parts).reshape(-1, width)
        return {feature.name: columns[:, number].copy() for number, feature in enumerate(self._of_homes)}


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "threads": THREADS,
            "memory_limit": MEMORY_LIMIT,
            "preserve_insertion_order": "false",
            "temp_directory": str(folder),
        }
    )
    connection.execute("SET enable_progress_bar = false")
    return connection
