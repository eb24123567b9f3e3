"""Made-up events for `benchmarks.features`: many, fast, and of the shape of the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import parquet

from features.feature import Feature
from features.registrations import OF_AREA

GROUPS = 60
VALUED = 10  # of the groups; their events have a value
WINDOWS = (30, 90, 180, 365, 1095)
AS_OF = np.datetime64("2026-10-01", "D")
YEARS = 5
CHUNK = 10_000  # people
CODES = np.array([f"MADE_UP//{number:02d}" for number in range(GROUPS)])
SCHEMA = pyarrow.schema(
    [
        ("subject_id", pyarrow.int64()),
        ("time", pyarrow.timestamp("us")),
        ("known_at", pyarrow.timestamp("us")),
        ("known_until", pyarrow.timestamp("us")),
        ("code", pyarrow.large_string()),
        ("numeric_value", pyarrow.float64()),
        ("end", pyarrow.timestamp("us")),
        ("source", pyarrow.large_string()),
    ]
)


def code_groups() -> pd.DataFrame:
    """One group a code."""
    return pd.DataFrame({"group": CODES, "code_prefix": CODES, "match": "exact", "label": CODES, "note": ""})


def features() -> list[Feature]:
    """Counts of 60 groups in 5 windows, how long ago the latest was, and sums of 10 values in 4 windows: 400."""
    wanted: list[tuple[str, str, int | None]] = [(group, "count", window) for group in CODES for window in WINDOWS]
    wanted += [(group, "days_since_last", None) for group in CODES]
    wanted += [(group, "sum", window) for group in CODES[:VALUED] for window in WINDOWS[1:]]
    return [Feature(f"group_{g[-2:]}_{how}_{days}", "bench", str(g), how, days, "", "") for g, how, days in wanted]  # type: ignore[arg-type]


def people(number: int) -> np.ndarray:
    """Pseudonyms, sorted, spread over 63 bits as those of records are."""
    return np.sort(np.random.default_rng(number).integers(0, 2**63 - 1, number))


def write_homes(number: int, folder: Path) -> tuple[Path, Path]:
    """Write `people` and `residences` of so many people: half of them registered twice, two to an address."""
    random, ids = np.random.default_rng(number), people(number)
    born = np.datetime64("1930-01") + random.integers(0, 12 * 90, number)
    missing = np.full(number, np.datetime64("NaT"), "datetime64[us]")
    told = pd.DataFrame({"person_id": ids, "birth_month": born.astype("datetime64[us]")})
    told = told.assign(sex=random.choice(["female", "male"], number), died_on=missing, death_known_at=missing)
    first = AS_OF - random.integers(400, 4000, number)
    homes = pd.DataFrame({"person_id": ids, "start": first.astype("datetime64[us]"), "end": missing})
    homes = homes.assign(end_known_at=missing, household_id=random.permutation(number) // 2, practice_code="P1")
    for name in OF_AREA:
        homes[name] = random.integers(1, 11, number).astype(np.float64)
    moved = homes[::2].assign(
        start=homes["start"] + pd.Timedelta(days=300), household_id=lambda t: t["household_id"] + 1
    )
    paths = folder / "people.parquet", folder / "residences.parquet"
    told.to_parquet(paths[0], index=False)
    pd.concat([homes, moved]).to_parquet(paths[1], index=False)
    return paths


def write_events(number: int, path: Path, each: int = 150, first: int | None = None, seed: int = 1) -> Path:
    """Write events of so many people, sorted by person and time, `each` a person on average.

    Parameters
    ----------
    first
        If given, all of them became known in the week that begins on this day (days since 1970).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for batch in _batches(number, each, first, np.random.default_rng(seed)):
            writer.write_batch(batch)
    return path


def _batches(number: int, each: int, first: int | None, random: np.random.Generator) -> Iterator[pyarrow.RecordBatch]:
    everybody, today = people(number), AS_OF.astype(np.int64)
    for begin in range(0, number, CHUNK):
        some = everybody[begin : begin + CHUNK]
        person = np.repeat(some, random.poisson(each, len(some)))
        rows = len(person)
        delay = random.geometric(1 / 20, rows) - 1
        if first is None:
            day = today - 1 - delay - random.integers(0, YEARS * 365, rows)
        else:
            day = first + random.integers(0, 7, rows) - delay
        order = np.lexsort((day, person))
        day, known = day[order], (day + delay)[order]
        code = np.minimum(random.exponential(GROUPS / 4, rows).astype(np.int64), GROUPS - 1)
        value = np.where(code < VALUED, random.normal(100, 20, rows).round(1), np.nan)
        until = known + random.integers(1, 60, rows)
        replaced = (random.random(rows) < 0.01) & (until < today) & (first is None)
        yield pyarrow.record_batch(
            [
                pyarrow.array(person),
                _moments(day),
                _moments(known),
                _moments(until, ~replaced),
                pyarrow.DictionaryArray.from_arrays(code.astype(np.int32), CODES.astype(object)).cast(
                    pyarrow.large_string()
                ),
                pyarrow.array(value, mask=np.isnan(value)),
                _moments(day + random.integers(0, 30, rows), random.random(rows) < 0.9),
                pyarrow.array(np.full(rows, "made up", dtype=object), pyarrow.large_string()),
            ],
            schema=SCHEMA,
        )


def _moments(days: np.ndarray, missing: np.ndarray | None = None) -> pyarrow.Array:
    moments = days.astype("datetime64[D]").astype("datetime64[us]")
    return pyarrow.array(moments, pyarrow.timestamp("us"), mask=missing)
