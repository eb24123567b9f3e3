"""A built matrix, read a few columns at a time: a million people and hundreds of features need not fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import compute, parquet

from casewell.errors import SourceError

KEY = ("index_date", "person_id")
CELLS_AT_ONCE = 1 << 26  # 256 MB of float32


@dataclass(frozen=True)
class Matrix:
    """A feature matrix on disk.

    Attributes
    ----------
    files
        The files that follow one another, each with its footer, which is read once.
    names
        Its features, in the matrix's order.
    rows, dates
        Rows, and distinct index dates (1 where there is no row). A person has one row a date, so that `rows / dates` people stand in a snapshot.
    """

    files: tuple[tuple[Path, parquet.FileMetaData], ...]
    names: tuple[str, ...]
    rows: int
    dates: int

    @property
    def people(self) -> float:
        """People in a snapshot, on average."""
        return self.rows / self.dates

    def columns(self) -> Iterator[tuple[str, pyarrow.ChunkedArray]]:
        """Read one feature after the other."""
        step = max(1, CELLS_AT_ONCE // max(self.rows, 1))
        for first in range(0, len(self.names), step):
            table = _read(self.files, self.names[first : first + step])
            for name in table.column_names:
                yield name, table[name]

    def person_ids(self) -> np.ndarray:
        """Read whose row each is."""
        return _read(self.files, ["person_id"])["person_id"].to_numpy()


def open_matrix(path: Path) -> Matrix:
    """Open what `features.build` wrote: a folder of Parquet files that follow one another, or one such file.

    Raises
    ------
    SourceError
        There is nothing, or it is no matrix.
    """
    paths = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not paths or not paths[0].is_file():
        raise SourceError(f"there is no feature matrix at {str(path)!r}", "Build it: casewell run.")
    files = tuple((one, parquet.read_metadata(one)) for one in paths)
    names = files[0][1].schema.names
    absent = [name for name in KEY if name not in names]
    if absent:
        raise SourceError([f"{str(path)!r} is no feature matrix: missing column {name!r}" for name in absent])
    dates = max(1, len(compute.unique(_read(files, ["index_date"])["index_date"])))
    rows = sum(footer.num_rows for _, footer in files)
    return Matrix(files, tuple(name for name in names if name not in KEY), rows, dates)


def _read(files: Sequence[tuple[Path, parquet.FileMetaData]], names: Sequence[str]) -> pyarrow.Table:
    parts = []
    for path, footer in files:
        # Opened anew each time: there may be more files than a process may hold open.
        with parquet.ParquetFile(path, metadata=footer) as file:
            parts.append(file.read(columns=list(names)))
    return pyarrow.concat_tables(parts)
