"""Are planted wrongs caught by the gate, and by name? And is a clean population left in peace?

    python -m benchmarks.gate [--people 20000] [--seeds 31 32 33] [--scenarios label_bias ... clean]

Each scenario of the simulator and seed is simulated, trained and run for a week, with fewer months of history than the
demonstration so that a run takes minutes. One line each: what the gate said, whether one of its reasons names the wrong, and
how. A wrong is named by a fail; only missing ethnicity and stopped feeds are named by a "cannot tell" too, whose sentence says
that they are there and not merely that nobody knows. The last lines hold each wrong's rate against how often clean
populations of the same seeds are given its name; on those none of these reasons may fail.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from casewell.environment import prepare

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
NAMES = {
    "label_bias": "(label bias)",
    "under_diagnosis": "(under-diagnosis)",
    "linkage_bias": "lost before any model (a record that found no person)",
    "missing_ethnicity": "missing ethnicity",
    "feed_outage": "records have stopped coming",
}
NAMED_WHEN_UNSURE = ("missing_ethnicity", "feed_outage")
CLEAN = "clean"
SHORTER = {"index_dates": 6, "maximum_rows": 40_000}


def verdict_of(people: int, seed: int, scenario: str, folder: Path) -> dict[str, Any]:
    """Simulate a population with a wrong planted, run its week, and return what `fairness.json` says."""
    import simulator
    from flows.weekly import weekly_flow

    planted = [] if scenario == CLEAN else [scenario]
    simulator.simulate(people, seed, folder / "sources", folder / "truth", scenario=planted)
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(folder / "sources" / Path(source["path"]).name)
    told |= {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns"), "training": SHORTER}
    told["fairness"]["override"] = None
    settings = folder / "settings.yaml"
    settings.write_text(yaml.safe_dump(told))
    manifest = weekly_flow(str(settings), "2026-10-01")
    return json.loads((Path(manifest["folder"]) / "fairness.json").read_text())


def named(reasons: list[str]) -> dict[str, str]:
    """Return which wrongs the reasons name, each with the first reason that does."""
    found = {}
    for scenario, words in NAMES.items():
        by_name = [
            reason for reason in reasons if words in reason and (how(reason) == "fail" or scenario in NAMED_WHEN_UNSURE)
        ]
        if by_name:
            found[scenario] = by_name[0]
    return found


def how(reason: str) -> str:
    """Say whether a reason is of a fail, by the gate's own words."""
    failing = ("more than chance", "more are tolerated", "more than is tolerated")
    return "fail" if any(words in reason for words in failing) else "cannot tell"


def rates(found: dict[str, list[dict[str, str]]]) -> list[str]:
    """Say of each wrong how often it was named where it was planted and, beside that, on clean populations."""

    def rate(scenario: str, wrong: str) -> str:
        runs = found.get(scenario, [])
        return f"{sum(wrong in named_here for named_here in runs)} of {len(runs)}"

    return [
        f"{wrong}: named in {rate(wrong, wrong)} populations with it, and in {rate(CLEAN, wrong)} clean ones"
        for wrong in found
        if wrong != CLEAN
    ]


def main() -> None:
    """Run each scenario and seed, and print a line for each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=20_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[31, 32, 33])
    arguments.add_argument("--scenarios", nargs="+", default=[*NAMES, CLEAN], choices=[*NAMES, CLEAN])
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch))
        every: dict[str, list[dict[str, str]]] = {scenario: [] for scenario in chosen.scenarios}
        for scenario in chosen.scenarios:
            for seed in chosen.seeds:
                folder = Path(scratch) / f"{scenario}-{seed}"
                folder.mkdir()
                told = verdict_of(chosen.people, seed, scenario, folder)
                found = named(told["reasons"])
                every[scenario].append(found)
                caught = how(found[scenario]) if scenario in found else "no"
                others = ", ".join(f"{name} ({how(reason)})" for name, reason in found.items() if name != scenario)
                print(
                    f"{scenario}, seed {seed}: verdict {told['verdict']}; caught by name: "
                    f"{'-' if scenario == CLEAN else caught}; also named: {others or 'none'}",
                    flush=True,
                )
    print("\n".join(rates(every)))


if __name__ == "__main__":
    main()
