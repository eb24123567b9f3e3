"""Write the sources and the truth: whole or not at all, the same bytes for the same seed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulator.extract import Extract, World

STAMP = "SYNTHETIC"
DUPLICATES = 0.003
TRUTH = ("people", "identities", "outcomes", "case_management", "reablement", "states")
NEVER_TWICE = ("demographics", "programme", "opt_outs")
PREFIX = {
    "demographics": "DEM",
    "gp_events": "GPE",
    "hospital_spells": "APC",
    "emergency_care": "ECD",
    "urgent_care": "URG",
    "outpatients": "OPA",
    "community": "CSD",
    "mental_health": "MHS",
    "social_care": "CLD",
    "housing": "HOU",
    "programme": "PRG",
    "opt_outs": "OPT",
}


def check(out: Path, truth: Path) -> None:
    """Refuse to write over anything that a simulation did not make, or over the truth about other sources.

    Raises
    ------
    ValueError
        A folder holds other content, the truth is of other sources, or one of the two lies within the other.
    """
    out, truth = out.resolve(), truth.resolve()
    if out == truth or out in truth.parents or truth in out.parents:
        raise ValueError("the truth must have a folder of its own, neither inside the sources nor around them")
    for folder in (out, truth):
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{str(folder)!r} is a file; give a folder")
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
        foreign = sorted(name for name in names if not _is_ours(name))
        if foreign or (names and STAMP not in names):
            which = f", {foreign[0]!r} for one" if foreign else ""
            raise ValueError(
                f"{str(folder)!r} holds files that no simulation made{which}; give an empty or a new folder"
            )
    if truth.exists() and any(truth.iterdir()) and _stamp_of(truth) != _stamp_of(out):
        raise ValueError(
            f"{str(truth)!r} holds the truth about other sources than those in {str(out)!r}; "
            "put the new ones into a folder of another parent"
        )


def _is_ours(name: str) -> bool:
    tables = {f"{table}.parquet" for table in (*PREFIX, "practices", *TRUTH)}
    return name in tables | {STAMP, "README.txt", "scenarios.json"} or name.startswith("outcomes-")


def _stamp_of(folder: Path) -> str:
    stamp = folder / STAMP
    return stamp.read_text(encoding="utf-8") if stamp.exists() else ""


def finish(world: World, extract: Extract) -> tuple[pa.Table, pa.Table]:
    """Put a part's extract in order of receipt, repeat a few rows, number them; with it, who each row is."""
    random = world.streams("duplicates " + extract.source)
    rows = np.arange(len(extract.person))
    if extract.source not in NEVER_TWICE:
        rows = np.concatenate([rows, np.flatnonzero(random.random(len(rows)) < DUPLICATES)])
    rows = rows[np.lexsort((random.random(len(rows)), extract.received[rows].astype(np.int64)))]
    number = pc.utf8_lpad(pc.cast(pa.array(np.arange(1, len(rows) + 1)), pa.string()), 8, "0")
    record = pc.binary_join_element_wise(
        f"{PREFIX[extract.source]}{world.streams.part:02d}{world.streams.chunk:02d}", number, ""
    )
    take = pa.array(rows)
    columns = {name: _array(column).take(take) for name, column in extract.columns.items()}
    identities = {
        "source": pa.repeat(pa.scalar(extract.source), len(rows)),
        "record_id": record,
        "true_person_id": pa.array(world.cards.true_id[extract.person[rows]]),
    }
    return pa.table({"record_id": record, **columns}), pa.table(identities)


def _array(column: np.ndarray | pa.Array) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    if column.dtype == object:
        return pa.array(column, pa.string(), from_pandas=True)
    return pa.array(column, from_pandas=True)


class Folders:
    """Two folders filled beside their places, part by part, and put there together at the end."""

    def __init__(self, out: Path, truth: Path):
        self.places = {"sources": out, "truth": truth}
        self.making = {name: place.with_name(f".{place.name}.part") for name, place in self.places.items()}
        self.writers: dict[tuple[str, str], pq.ParquetWriter] = {}
        for folder in self.making.values():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def write(self, folder: str, name: str, table: pa.Table | pd.DataFrame) -> int:
        """Add rows to one table; return their number."""
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
        key = (folder, name)
        if key not in self.writers:
            path = self.making[folder] / f"{name}.parquet"
            self.writers[key] = pq.ParquetWriter(path, table.schema, compression="zstd")
        self.writers[key].write_table(table, row_group_size=max(len(table), 1))
        return table.num_rows

    def note(self, folder: str, name: str, words: str) -> None:
        """Write a text file."""
        (self.making[folder] / name).write_text(words, encoding="utf-8")

    def publish(self) -> None:
        """Move both folders to their places; what was simulated there before is removed."""
        self._close()
        for name, place in self.places.items():
            old = place.with_name(f".{place.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            if place.exists():
                place.rename(old)
            self.making[name].rename(place)
            shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was made so far."""
        self._close()
        for folder in self.making.values():
            shutil.rmtree(folder, ignore_errors=True)

    def _close(self) -> None:
        for writer in self.writers.values():
            writer.close()
