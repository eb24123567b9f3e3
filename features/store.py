"""The coded event store: what `records` tells of people, as whole numbers in the order the kernel reads them.

A store is a folder: one Arrow file a part, and `store.json`, which says what each part was made from. The parts
are those of the events: one for a file `events.parquet`, or one for each file of a folder of `YYYY-MM.parquet`
(what became known in that month). A part whose file is what it was is kept, so that a week costs what is new in it.

Each part holds the same ranges of pseudonyms, a record batch a range, sorted by person, day, known, code, value, end
and until. There are as many ranges as it takes for one of them to fit in little memory, so that memory is the same
however many people there are, and equal events give equal bytes.

In a month's file an event that was known before the month is a retirement: it says from when on that event, told
in an earlier file, no longer holds.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import ipc, parquet

from features.coding import Events, NotSortedError, files_of, read_coded, read_sorted, used_codes
from features.order import ordered, settled

VERSION = 2
PSEUDONYM_BITS = 63  # over which pseudonyms are spread evenly
FEWEST_SHARDS = 64
MOST_EVENTS = 1 << 18  # in a range, of all the parts together: 9 MiB of them, and some copies
BEFORE_ALL = np.iinfo(np.int32).min
SCHEMA = pyarrow.schema(
    [(name, pyarrow.int64() if name in ("person", "value") else pyarrow.int32()) for name in Events._fields]
)
FORMAT = ipc.IpcWriteOptions(compression="lz4", use_threads=False)


@dataclass(frozen=True)
class Part:
    """A file of the store: what it was made from, its codes by number, its rows, and the first day known in it."""

    name: str
    made_from: str
    codes: list[str]
    rows: int
    first_known: int


@dataclass(frozen=True)
class Store:
    """A folder with its parts."""

    folder: Path
    parts: tuple[Part, ...]
    shards: int

    @property
    def codes(self) -> list[str]:
        """Every code of the store, sorted; the numbers that `read` gives."""
        return sorted({code for part in self.parts for code in part.codes})


def refresh(events: Path, folder: Path, code_groups: pd.DataFrame) -> Store:
    """Bring the store up to date with the events: make the parts whose file or codes have changed, keep the others.

    Parameters
    ----------
    events
        A file of `records.tables.EVENTS`, or a folder of such files, one a month: `YYYY-MM.parquet`.
    folder
        The store's own folder; it may not exist yet.
    code_groups
        The groups whose codes are kept, as `features.code_groups.load_code_groups` gives them.

    Raises
    ------
    SourceError
        The folder holds no month, or a file lacks a column.
    """
    paths = files_of(events)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    shards = shards_for(sum(parquet.read_metadata(path).num_rows for path in paths))
    rule = _fingerprint_of_rule(code_groups, shards)
    wanted = {path.stem: f"{rule} {_fingerprint(path)}" for path in paths}
    kept = {
        part.name: part
        for part in _parts(folder)
        if part.made_from == wanted.get(part.name) and _file(folder, part.name).exists()
    }
    _tell(folder, list(kept.values()))  # no entry may outlive the file it tells of, if this is killed midway
    parts = [
        kept.get(path.stem)
        or _write_part(
            path, folder, wanted[path.stem], _first_known(path) if events.is_dir() else BEFORE_ALL, code_groups, shards
        )
        for path in paths
    ]
    _tell(folder, parts)
    for path in set(folder.glob("*.arrow")) - {_file(folder, part.name) for part in parts}:
        path.unlink()
    return Store(folder, tuple(parts), shards)


def shards_for(events: int) -> int:
    """Say into how many ranges of pseudonyms so many events are cut: a power of two, so that it seldom changes."""
    return max(FEWEST_SHARDS, 1 << (max(events - 1, 0) // MOST_EVENTS).bit_length())


def _parts(folder: Path) -> list[Part]:
    path = folder / "store.json"
    return [Part(**told) for told in json.loads(path.read_text())] if path.exists() else []


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.arrow"


def _first_known(path: Path) -> int:
    return int(np.datetime64(path.stem, "D").astype(np.int64))


def _fingerprint(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fingerprint_of_rule(code_groups: pd.DataFrame, shards: int) -> str:
    rows = sorted(set(zip(code_groups["match"], code_groups["code_prefix"], strict=True)))
    return hashlib.sha256(json.dumps([VERSION, shards, rows]).encode()).hexdigest()


def _write_part(
    path: Path, folder: Path, made_from: str, first_known: int, code_groups: pd.DataFrame, shards: int
) -> Part:
    target = _file(folder, path.stem)
    partial = target.with_suffix(".partial")
    codes = used_codes(path, code_groups)
    try:
        try:
            rows = _write_shards(read_coded(path, codes), partial, shards)
        except NotSortedError:
            rows = _write_shards(read_sorted(path, codes), partial, shards)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return Part(path.stem, made_from, codes, rows, first_known)


def _write_shards(batches: Iterator[Events], target: Path, shards: int) -> int:
    rows = 0
    target.touch(mode=0o600)
    with ipc.new_file(str(target), SCHEMA, options=FORMAT) as writer:
        for shard in _shards(batches, shards):
            columns = [pyarrow.array(column) for column in ordered(shard)]
            writer.write_batch(pyarrow.record_batch(columns, schema=SCHEMA))
            rows += len(columns[0])
    return rows


def _shards(batches: Iterator[Events], shards: int) -> Iterator[Events]:
    """Cut sorted batches anew, at the edges of the ranges of pseudonyms; every range comes once, if empty too."""
    held: list[Events] = []
    shard = 0
    for batch in batches:
        edges = np.searchsorted(shard_of(batch.person, shards), np.arange(shards), side="right")
        first = 0
        while shard < shards - 1 and edges[shard] < len(batch.person):
            yield _joined([*held, Events(*(column[first : edges[shard]] for column in batch))])
            held, first, shard = [], edges[shard], shard + 1
        held.append(Events(*(column[first:].copy() for column in batch)))
    for _ in range(shard, shards):
        yield _joined(held)
        held = []


def shard_of(person: np.ndarray, shards: int) -> np.ndarray:
    """Say in which of so many ranges (a power of two) each pseudonym lies; those below zero are in the first."""
    return np.maximum(person, 0) >> (PSEUDONYM_BITS + 1 - shards.bit_length())


def _joined(parts: list[Events]) -> Events:
    empty = Events(*(np.empty(0, dtype=field.type.to_pandas_dtype()) for field in SCHEMA))
    return Events(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


def read(store: Store, shard: int) -> Events:
    """Read one range of pseudonyms: its events, sorted by person and day, codes numbered as in `store.codes`.

    Raises
    ------
    SourceError
        A month retires an event that no earlier month tells.
    """
    numbers = {code: number for number, code in enumerate(store.codes)}
    found = [_read_part(store.folder, part, shard, numbers) for part in store.parts]
    if len(found) == 1:
        return found[0]
    retires = [events.known < part.first_known for events, part in zip(found, store.parts, strict=True)]
    return settled(_joined(found), np.concatenate(retires))


def _read_part(folder: Path, part: Part, shard: int, numbers: dict[str, int]) -> Events:
    with pyarrow.memory_map(str(_file(folder, part.name))) as file:
        batch = ipc.open_file(file).get_batch(shard)
    events = Events(*(batch[name].to_numpy() for name in Events._fields))
    renumbered = np.array([numbers[code] for code in part.codes], dtype=np.int32)
    return events._replace(code=renumbered[events.code])


def _tell(folder: Path, parts: list[Part]) -> None:
    path = folder / "store.json"
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps([asdict(part) for part in parts], indent=1))
    os.replace(partial, path)
