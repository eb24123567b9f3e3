"""Are planted wrongs caught by the gate, and by name? And is a clean population left in peace?

    python -m benchmarks.gate [--people 20000] [--seeds 51 52 53] [--clean-seeds 61 ... 80] [--results FOLDER]

Each scenario of the simulator and seed is simulated, trained and run for a week, learning from fewer dates than the
demonstration so that a run takes a minute or two. One line each: what the gate said, whether one of its reasons names the
wrong, and how. A wrong is named by a fail; only missing ethnicity and stopped feeds are named by a "cannot tell" too, whose
sentence says that they are there and not merely that nobody knows. On clean populations no wrong may be named and nothing may
fail. What each run said stays in the results folder and is not run again: a bench that was stopped goes on where it was.
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
SHORTER = {"step_months": 7, "index_dates": 5, "test_index_dates": 1, "maximum_rows": 20_000, "trees": 150}


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
    # The gate is judged here, which a refusal of the week's monitoring would not let it come to.
    told["monitoring"] = {"maximum_silent_people": 1.0, "maximum_shifted_features": 1.0}
    told["fairness"]["override"] = None
    # Places by assumed benefit: to learn it takes long, and the gate asks the same of either.
    told["benefit"] = {"minimum_treated": people}
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


def remembered(people: int, seed: int, scenario: str, results: Path) -> dict[str, Any]:
    """Return what `fairness.json` said in one run, from the results folder where it is there."""
    kept = results / f"{people}-{scenario}-{seed}.json"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as scratch:
            prepare(Path(scratch))
            told = verdict_of(people, seed, scenario, Path(scratch))
        kept.write_text(json.dumps(told, indent=1))
    return json.loads(kept.read_text())


def line(seed: int, scenario: str, told: dict[str, Any]) -> str:
    """Say what the gate said of one population."""
    found = named(told["reasons"])
    failed = [reason for reason in told["reasons"] if how(reason) == "fail"]
    caught = how(found[scenario]) if scenario in found else "-" if scenario == CLEAN else "no"
    others = ", ".join(f"{name} ({how(reason)})" for name, reason in found.items() if name != scenario)
    return (
        f"{scenario}, seed {seed}: verdict {told['verdict']} ({len(failed)} reasons fail); caught by name: {caught}; "
        f"also named: {others or 'none'}" + "".join(f"\n    {reason}" for reason in failed)
    )


def rates(told: dict[tuple[str, int], dict[str, Any]]) -> list[str]:
    """Say of each wrong how often it was named where it was planted, and how often clean populations were left in peace."""
    lines = []
    for scenario in dict.fromkeys(scenario for scenario, _ in told):
        runs = [said for (planted, _), said in told.items() if planted == scenario]
        if scenario == CLEAN:
            failed = sum(said["verdict"] == "fail" for said in runs)
            blamed = sum(bool(named(said["reasons"])) for said in runs)
            lines.append(f"clean: {len(runs)} populations, {failed} fail, {blamed} are given the name of a wrong")
        else:
            caught = sum(scenario in named(said["reasons"]) for said in runs)
            lines.append(f"{scenario}: named in {caught} of {len(runs)} populations with it")
    return lines


def main() -> None:
    """Run each scenario and seed that is not kept yet, and print a line for each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=20_000)
    arguments.add_argument("--seeds", type=int, nargs="*", default=[51, 52, 53])
    arguments.add_argument("--clean-seeds", type=int, nargs="*", default=list(range(61, 81)))
    arguments.add_argument("--scenarios", nargs="+", default=[*NAMES], choices=[*NAMES])
    arguments.add_argument("--results", type=Path, default=Path("data/bench-gate"))
    chosen = arguments.parse_args()
    chosen.results.mkdir(parents=True, exist_ok=True)
    runs = [(scenario, seed) for scenario in chosen.scenarios for seed in chosen.seeds]
    told = {}
    for scenario, seed in runs + [(CLEAN, seed) for seed in chosen.clean_seeds]:
        told[scenario, seed] = remembered(chosen.people, seed, scenario, chosen.results)
        print(line(seed, scenario, told[scenario, seed]), flush=True)
    print("\n".join(rates(told)))


if __name__ == "__main__":
    main()
