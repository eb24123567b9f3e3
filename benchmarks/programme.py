"""What `casewell evaluate programme` says of simulated populations, held against the truth.

    python -m benchmarks.programme [--people 100000] [--months 24] [--seeds 5 6 7] [--scenarios none null_effect harm] [--keep FOLDER]

For each seed and scenario: simulate, link, build the history, and account for the programme. The truth is the average
over the same starts of the chance of an emergency admission or death within a year with case management, less that
without, as the simulator knows them on the index date. The naive figure is the share after the start less that before.
`people to be sure of the harm` is how many it would take for the gate to be sure (three standard errors, four times
in five) of a harm as large as the true one, if the error falls with the square root of their number.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from casewell.environment import prepare
from casewell.settings import load
from models.benefit.evidence import SURE_HARM
from models.targeting import people_needed

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
AS_OF = dt.date(2026, 10, 1)
NONE = "none"


def true_difference(rows: pd.DataFrame, linked: Path, truth: Path) -> float:
    """Return what starting truly changed, on average over the starters among `models.programme.cohort.followed`."""
    import simulator

    taken = pd.read_parquet(linked / "identities.parquet").query("source == 'demographics'")
    true = pd.read_parquet(truth / "identities.parquet").query("source == 'demographics'")
    people = taken.merge(true, left_on="source_record", right_on="record_id").drop_duplicates("person_id")
    starts = rows[rows["treated"]].merge(people[["person_id", "true_person_id"]], on="person_id")
    found = [
        part.merge(simulator.outcomes(truth, date.date()), on="true_person_id")
        for date, part in starts.groupby("index_date")
    ]
    table = pd.concat(found)
    return float((table["risk_with"] - table["risk_without"]).mean())


def measure(people: int, months: int, seed: int, scenario: str, folder: Path) -> dict[str, Any]:
    """Account for the programme of one population, and for the truth of it."""
    import simulator
    from flows.programme import compare
    from flows.stages import build_history, link

    if not (folder / "sources").is_dir():
        planted = [] if scenario == NONE else [scenario]
        simulator.simulate(people, seed, folder / "sources", folder / "truth", scenario=planted)
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(folder / "sources" / Path(source["path"]).name)
    told |= {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns"), "programme": {"months": months}}
    written = folder / "settings.yaml"
    written.write_text(yaml.safe_dump(told))
    settings = load(written)
    linked = link.fn(settings, AS_OF)
    history = build_history.fn(settings, AS_OF, linked)
    began = time.process_time()
    rows, account = compare(settings, AS_OF, linked, history)
    seconds = time.process_time() - began
    row, naive = account.of("outcome"), account.naive.set_index("measure").loc["outcome"]
    truth = true_difference(rows, linked, folder / "truth")
    return {
        "seed": str(seed),
        "scenario": scenario,
        "starts": f"{account.starters:,}",
        "truth": f"{truth:+.3f}",
        "account (95 %)": f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})",
        "holds the truth": _word(row["low"] <= truth <= row["high"]),
        "naive (95 %)": f"{naive['change']:+.3f} ({naive['low']:+.3f} to {naive['high']:+.3f})",
        "naive holds it": _word(naive["low"] <= truth <= naive["high"]),
        "people to be sure of the harm": _to_be_sure(truth, account.of("outcome"), people),
        "checks failed": "; ".join(check.seen for check in account.checks if not check.passed) or "none",
        "CPU s": f"{seconds:.0f}",
    }


def _to_be_sure(harm: float, row: pd.Series, people: int) -> str:
    if not harm > 0 or math.isnan(row["low"]):
        return ""
    error = (row["high"] - row["low"]) / (2 * 1.96)
    return f"{people_needed(harm, error, people, level=float(norm.cdf(SURE_HARM))):,}"


def _word(holds: bool) -> str:
    return "yes" if holds else "no"


def main() -> None:
    """Measure every seed under every scenario and print one row for each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=100_000)
    arguments.add_argument("--months", type=int, default=24, help="Months of starts; a year of them tells too little.")
    arguments.add_argument("--seeds", type=int, nargs="+", default=[5, 6, 7])
    arguments.add_argument("--scenarios", nargs="+", default=[NONE, "null_effect", "harm"])
    arguments.add_argument("--keep", type=Path, help="Where populations are kept, to measure them again.")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch))
        rows = []
        for scenario in chosen.scenarios:
            for seed in chosen.seeds:
                folder = (chosen.keep or Path(scratch)) / f"{chosen.people}-{scenario}-{seed}"
                folder.mkdir(parents=True, exist_ok=True)
                rows.append(measure(chosen.people, chosen.months, seed, scenario, folder))
                Console(stderr=True, width=200).print(rows[-1])
    table = Table(
        *rows[0], title=f"{chosen.people:,} simulated people, {chosen.months} months of starts", title_justify="left"
    )
    for row in rows:
        table.add_row(*row.values())
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
