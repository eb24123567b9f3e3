"""What is known of people's homes, one index date after the other, laid on the disk until a piece of people needs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from features.feature import LIVING, Feature
from features.households import living, prepare, turn_to
from features.pieces import Piece
from features.population import Population
from features.scratch import connect


class Homes:
    """The features of homes of every row of a population, in a file of `folder`, which should be private."""

    def __init__(
        self, population: Population, people: Path, residences: Path, features: Sequence[Feature], folder: Path
    ) -> None:
        self._of_homes = [feature for feature in features if feature.aggregation in LIVING]
        self._path = folder / "homes"
        if not self._of_homes:
            return
        with connect(folder, "homes.duckdb") as connection, self._path.open("wb") as file:
            connection.execute("SET preserve_insertion_order = false")
            prepare(connection, residences, people)
            for day, asked in population.by_date():
                turn_to(connection, day)
                for person in asked:
                    found = living(connection, day, person)
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
