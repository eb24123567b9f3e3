"""Write the matrix as a folder of Parquet files, piece by piece, so that none of it need wait for the rest in memory.

A file holds one piece of the population on one index date, and is named after both, so that the files in order of
name are the rows in order of index_date and person_id. pandas, Arrow and DuckDB read the folder as one table.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import parquet

from features.pieces import Piece

KEYS = ["index_date", "person_id"]


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """Give an empty private folder to write to; it takes the place of `out` when all went well, and goes otherwise."""
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.mkdir(mode=0o700)
    try:
        yield partial
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_piece(folder: Path, piece: Piece, columns: Mapping[str, np.ndarray]) -> None:
    """Write float32 columns of a piece, one file for each of its index dates."""
    for date, place in piece.by_date():
        _write(
            folder / f"{date.astype('datetime64[D]')}-{piece.number:05d}.parquet",
            piece.index_date[place],
            piece.person[place],
            {name: values[place] for name, values in columns.items()},
        )


def write_nobody(folder: Path, names: Sequence[str]) -> None:
    """Write the matrix of a population of nobody: the columns, and no row."""
    nothing = np.empty(0, dtype=np.float32)
    _write(
        folder / "nobody.parquet",
        nothing.astype("datetime64[us]"),
        nothing.astype(np.int64),
        dict.fromkeys(names, nothing),
    )


def _write(path: Path, index_date: np.ndarray, person: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
    fields = [pyarrow.field("index_date", pyarrow.timestamp("us")), pyarrow.field("person_id", pyarrow.int64())]
    fields += [pyarrow.field(name, pyarrow.float32(), nullable=False) for name in columns]  # missing is NaN
    arrays = [
        pyarrow.array(values, field.type)
        for values, field in zip((index_date, person, *columns.values()), fields, strict=True)
    ]
    # Neither dictionaries nor the range of every feature earn their cost; the range of the keys finds a person's file.
    parquet.write_table(
        pyarrow.table(arrays, pyarrow.schema(fields)),
        path,
        compression="lz4",
        use_dictionary=False,
        column_encoding=dict.fromkeys(columns, "BYTE_STREAM_SPLIT"),
        write_statistics=KEYS,
        store_schema=False,  # Parquet's own types say it all
    )
