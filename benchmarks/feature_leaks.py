"""What was known later must change no feature: shown on simulated people, beside engines that leak on purpose.

    python -m benchmarks.feature_leaks [--people 20000] [--seed 505] [--as-of 2025-10-01] [--folder FOLDER]

The whole catalogue is built for everybody from all that is linked, which holds a year and more of what became known
after the day. The files must be the same, byte for byte, from records cut at the day, and with rows added that became
known later: one in ten events again, dated in the last month before the day, and as many events replaced by another
version. Then each half of the rule is broken by telling the engine of other days of knowledge, and cells must move: a
comparison that could not see a leak would show nothing either. Ends with exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.feature_people import everybody, linked_people
from casewell.environment import prepare
from features import CATALOGUE, build

# Of each table, by what is done to it; {day} is the index date.
CUT = {
    "events": """SELECT * REPLACE (CASE WHEN known_until < {day} THEN known_until END AS known_until)
        FROM told WHERE known_at < {day}""",
    "people": """SELECT * REPLACE (CASE WHEN death_known_at < {day} THEN died_on END AS died_on,
        CASE WHEN death_known_at < {day} THEN death_known_at END AS death_known_at) FROM told""",
    "residences": """SELECT * REPLACE (CASE WHEN end_known_at < {day} THEN "end" END AS "end",
        CASE WHEN end_known_at < {day} THEN end_known_at END AS end_known_at)
        FROM told WHERE start IS NULL OR start < {day}""",
}
ADDED = {
    "events": """SELECT * REPLACE (CASE WHEN known_until IS NULL AND known_at < {day} AND row % 10 = 1 THEN {day} + INTERVAL 3 DAY
            ELSE known_until END AS known_until) FROM numbered
        UNION ALL SELECT * REPLACE ({day} - INTERVAL (1 + row % 28) DAY AS time, {day} + INTERVAL (row % 60) DAY AS known_at,
            NULL AS known_until, 1.0 AS numeric_value) FROM numbered WHERE row % 10 < 2"""
}
BLIND = {
    "the day an event became known": {"events": "SELECT * REPLACE (time AS known_at) FROM told"},
    "the day it was replaced": {"events": """SELECT * REPLACE (NULL::TIMESTAMP AS known_until) FROM told"""},
    "what an event said before it was replaced": {"events": "SELECT * FROM told WHERE known_until IS NULL"},
}


def changed(linked: Path, queries: dict[str, str], day: dt.date, folder: Path) -> Path:
    """Write the linked tables to a folder, each as its query makes it of `told` (or `numbered`: with `row`), or as it is."""
    folder.mkdir(parents=True)
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": 2}) as con:
        con.execute("SET enable_progress_bar = false")
        for name in ("events", "people", "residences"):
            path = linked / f"{name}.parquet"
            con.execute(f"CREATE OR REPLACE VIEW told AS SELECT * FROM read_parquet('{path}')")
            con.execute(
                f"""CREATE OR REPLACE VIEW numbered AS SELECT *, row_number() OVER () AS row
                FROM read_parquet('{path}')"""
            )
            query = queries.get(name, "SELECT * FROM told").format(day=f"TIMESTAMP '{day}'")
            drop = "* EXCLUDE (row)" if "numbered" in query else "*"
            order = "ORDER BY subject_id, time" if name == "events" else ""
            con.execute(f"COPY (SELECT {drop} FROM ({query}) {order}) TO '{folder / path.name}' (FORMAT parquet)")
    return folder


def matrix_of(tables: Path, population: pd.DataFrame) -> Path:
    """Build the whole catalogue from a folder of tables."""
    events, people, residences = (tables / f"{name}.parquet" for name in ("events", "people", "residences"))
    return build(population, events, people, residences, tables / "matrix")


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two matrices are the same files."""
    left, right = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in (one, other))
    return left == right


def moved(matrix: Path, honest: Path) -> tuple[int, float]:
    """Count the cells that differ from the honest ones, and say by what share the sum of all 30-day counts does."""
    names = [feature.name for feature in CATALOGUE if feature.aggregation == "count" and feature.window_days == 30]
    leaked, true = (pd.read_parquet(path) for path in (matrix, honest))
    cells = int((leaked.ne(true) & ~(leaked.isna() & true.isna())).to_numpy().sum())
    sums = [float(table[names].to_numpy("float64").sum()) for table in (leaked, true)]
    return cells, sums[0] / sums[1] - 1


def main() -> None:
    """Simulate, link, build from each folder of tables, compare, print."""
    parser = argparse.ArgumentParser(description="Does anything known later change a feature?")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=505)
    parser.add_argument("--as-of", type=dt.date.fromisoformat, default=dt.date(2025, 10, 1))
    parser.add_argument("--folder", type=Path, help="a folder of benchmarks.feature_equality, whose people are taken")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="casewell-leaks-") as name:
        scratch = Path(name)
        linked = linked_people(told.people, told.seed, told.folder or scratch)
        population = everybody(linked, [told.as_of])

        def built(title: str, queries: dict[str, str]) -> Path:
            return matrix_of(changed(linked, queries, told.as_of, scratch / title), population)

        full = built("full", {})
        held = {
            "records cut at the day": same_bytes(full, built("cut", CUT)),
            "rows known later added": same_bytes(full, built("added", ADDED)),
        }
        blind = {
            f"an engine that ignores {what}": moved(built(f"blind {number}", queries), full)
            for number, (what, queries) in enumerate(BLIND.items())
        }
    table = Table("held against all that is linked", "found", "as it must be")
    for what, same in held.items():
        table.add_row(what, "same bytes" if same else "other bytes", "yes" if same else "NO")
    for what, (cells, share) in blind.items():
        table.add_row(what, f"{cells:,} other cells; 30-day counts {share:+.1%}", "yes" if cells else "NO")
    table.title = f"{len(population):,} people, {len(CATALOGUE)} features, {told.as_of}"
    Console(width=120).print(table)
    sys.exit(not (all(held.values()) and all(cells for cells, _ in blind.values())))


if __name__ == "__main__":
    prepare(Path.cwd())
    main()
