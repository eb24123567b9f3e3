"""What a second week of linkage costs, and whose id it touches.

    python -m benchmarks.weekly_linkage [--people 100000] [--seed 5] [--rounds 3] [--sources FOLDER]

The first week lacks one record in a hundred of every source. The second has them all, and in one in a hundred of
those that describe a person the family name or the postcode is another. Every round links both weeks, one after the
other, from nothing: what the machine does besides slows both. COUNTED says what is timed. DuckDB uses every
processor, Splink's estimation one: by the clock the ratio depends on what else the machine does, and is given beside
the one in processor time.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
from rich.console import Console
from rich.table import Table

from casewell.settings import Settings, load
from records import ledger, linked, register
from records.database import working_database
from records.span import open_sources

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
WEEKS = (dt.date(2026, 9, 24), dt.date(2026, 10, 1))
TARGET = 0.2
COUNTED = (
    "counted: settling hospital stays, linkage, who keeps which id, and writing the register; not counted: reading and "
    "checking the sources and writing the tables, which cost the same in both weeks"
)


def make_weeks(sources: Path, seed: int, folder: Path) -> list[Path]:
    """Write both weeks' sources into `folder`, and return their folders."""
    weeks = [folder / "first", folder / "second"]
    for week in weeks:
        week.mkdir()
        (week / "SYNTHETIC").touch()
    with duckdb.connect() as con:
        for path in sorted(sources.glob("*.parquet")):
            names = {name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()}
            if "record_id" not in names or path.stem == "opt_outs":
                for week in weeks:
                    shutil.copy2(path, week / path.name)
                continue
            chance = f"hash(record_id, {seed}) % 200"
            changed = [name for name in ("family_name", "postcode") if name in names and "date_of_birth" in names]
            other = ", ".join(
                f"CASE WHEN {chance} IN ({2 + place}, {4 + place}) THEN lead({name}, 1, {name}) OVER (ORDER BY "
                f"hash(record_id)) ELSE {name} END AS {name}"
                for place, name in enumerate(changed)
            )
            second = f"SELECT * REPLACE ({other}) FROM '{path}'" if other else f"SELECT * FROM '{path}'"
            con.execute(f"COPY (SELECT * FROM '{path}' WHERE {chance} > 1) TO '{weeks[0] / path.name}'")
            con.execute(f"COPY ({second} ORDER BY record_id) TO '{weeks[1] / path.name}'")
    return weeks


def settings_for(sources: Path, data: Path) -> Settings:
    """Return the demonstration's settings for one week's sources."""
    told = load(DEMONSTRATION)
    named = {
        name: source.model_copy(update={"path": sources / source.path.name}) for name, source in told.sources.items()
    }
    return told.model_copy(update={"sources": named, "data_dir": data})


@dataclass(frozen=True)
class Cost:
    """What a week took: seconds of the processors, and by the clock."""

    processor: float
    clock: float

    @classmethod
    def now(cls) -> Cost:
        """Return what both stand at."""
        return cls(time.process_time(), time.perf_counter())

    def since(self, began: Cost) -> Cost:
        """Return what went by."""
        return Cost(self.processor - began.processor, self.clock - began.clock)


def link_week(settings: Settings, as_of: dt.date) -> tuple[Cost, pd.DataFrame, linked.Identified]:
    """Link a week; return what it cost, each record's `source`, `source_record` and `person_id`, and what came of it."""
    today = dt.date.today()
    with working_database() as con:
        extracts, cdms, _ = open_sources(con, settings)
        linked._read(con, extracts, cdms, settings, as_of, today, lambda words: None)
        began = Cost.now()
        identified = linked._link(con, extracts, cdms, settings, as_of)
        register.write(settings, identified.key, as_of, identified.start, identified.draft)
        cost = Cost.now().since(began)
        personal = [extract for extract in extracts if extract.contract.personal and extract.table != "opt_outs"]
        people = con.execute(" UNION ALL ".join(f"({ledger.identities_query(extract)})" for extract in personal)).df()
    return cost, people[["source", "source_record", "person_id"]], identified


def touched(first: pd.DataFrame, second: pd.DataFrame, changes: pd.DataFrame, weeks: list[Path]) -> dict[str, int]:
    """Count the records that are in both weeks, as they were, and whose person has another id in the second."""
    both = first.merge(second, on=["source", "source_record"], suffixes=("", "_now"))
    with duckdb.connect() as con:
        parts = []
        for path in sorted(weeks[0].glob("*.parquet")):
            names = [name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]
            if "record_id" in names:
                parts.append(
                    f"SELECT '{path.stem}' AS source, record_id AS source_record FROM "
                    f"(SELECT * FROM '{weeks[1] / path.name}' EXCEPT SELECT * FROM '{path}')"
                )
        altered = con.execute(" UNION ALL ".join(parts)).df()
    altered = altered.assign(altered=True)
    both = both.merge(altered, on=["source", "source_record"], how="left")
    same = both[both["altered"].isna()]
    other = same[same["person_id"] != same["person_id_now"]]
    told = set(changes["person_id"]) | set(changes["other_person_id"])
    return {
        "records in both weeks": len(both),
        "records new or changed": len(altered),
        "other records": len(same),
        "other records with another id": len(other),
        "of them, without a merge or split on record": int((~other["person_id"].isin(told)).sum()),
    }


def main() -> None:
    """Measure, and print tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=5)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--sources", type=Path, help="simulated sources that are there already")
    chosen = arguments.parse_args()
    console = Console(width=150)
    costs: list[tuple[Cost, Cost]] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sources = chosen.sources
        if sources is None:
            import simulator

            sources = folder / "sources"
            simulator.simulate(chosen.people, chosen.seed, sources, folder / "truth")
        weeks = make_weeks(sources, chosen.seed, folder)
        for place in range(chosen.rounds):
            data = folder / f"data_{place}"
            runs = [link_week(settings_for(week, data), day) for week, day in zip(weeks, WEEKS, strict=True)]
            first, second = runs[0][0], runs[1][0]
            costs.append((first, second))
            console.print(
                f"round {place + 1}: first week {first.processor:.1f} s of the processors ({first.clock:.1f} s by the "
                f"clock), second {second.processor:.1f} s ({second.clock:.1f} s)"
            )
        figures = touched(runs[0][1], runs[1][1], runs[1][2].draft.changes, weeks)
        told = {name: runs[1][2].figures.get(name, 0) for name in FIGURES}
    ratio = statistics.median(second.processor / first.processor for first, second in costs)
    by_clock = statistics.median(second.clock / first.clock for first, second in costs)
    table = Table("figure", "value", title=f"{chosen.people:,} people, seed {chosen.seed}", title_justify="left")
    for name, value in {**told, **figures}.items():
        table.add_row(name, f"{value:,}")
    console.print(table)
    untouched = figures["of them, without a merge or split on record"] == 0
    console.print(
        f"the second week costs {ratio:.3f} of the first in processor time ({'met' if ratio < TARGET else 'MISSED'}: "
        f"under {TARGET}), {by_clock:.3f} by the clock; "
        f"ids of everybody else {'stayed (met)' if untouched else 'did NOT stay (MISSED)'}"
    )
    console.print(COUNTED)


FIGURES = (
    *("descriptions_known", "descriptions_new", "pairs_remembered", "pairs_scored"),
    *("people", "people_kept", "people_new", "people_merged", "people_split", "people_moved"),
)

if __name__ == "__main__":
    main()
