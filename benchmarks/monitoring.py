"""Are planted wrongs named by the week's monitoring, and is a clean population left in peace?

    python -m benchmarks.monitoring [--people 10000] [--seeds 41 42 43] [--clean 51 52 ... 60] [--scenarios leak ...]

Each scenario of the simulator and seed is simulated, linked and looked at, as a weekly run does before anybody is scored: feeds,
coding, leaks, people and ethnicity. What is held against a champion (shifts of features and scores, calibration) is not part of
it. One line each, then a table: scenario, the check that named it, seeds caught, and how often that check spoke on a clean
population.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import tempfile
from pathlib import Path

import yaml

from casewell.environment import prepare

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
NAMES = {
    "leak": "leak",
    "coding_change": "coding change",
    "feed_outage": "stopped feed",
    "population_shift": "population shift",
    "missing_ethnicity": "missing ethnicity",
}
"""The check that must name each scenario."""
CLEAN = "clean"
AS_OF = dt.date(2026, 10, 1)


def found(people: int, seed: int, scenario: str, folder: Path) -> list[str]:
    """Simulate a population, link it, and return the check and the sentence of each finding."""
    import records
    import simulator
    from casewell.settings import load
    from flows.monitoring import look_at

    planted = [] if scenario == CLEAN else [scenario]
    simulator.simulate(people, seed, folder / "sources", folder / "truth", scenario=planted)
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(folder / "sources" / Path(source["path"]).name)
    told |= {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns")}
    settings = folder / "settings.yaml"
    settings.write_text(yaml.safe_dump(told))
    linked = folder / "linked"
    linked.mkdir()
    records.build(load(settings), AS_OF, linked)
    return [f"{finding.check}: {finding.sentence}" for finding in look_at(load(settings), AS_OF, linked).findings]


def names(sentences: list[str], check: str) -> bool:
    """Say whether a check is among those that spoke."""
    return any(sentence.startswith(f"{check}: ") for sentence in sentences)


def table(every: dict[str, list[list[str]]]) -> list[str]:
    """Return the lines of the table: a Markdown one."""
    clean = every.get(CLEAN, [])
    lines = [
        "| scenario | check that must name it | caught | the same check on clean populations |",
        "|---|---|---|---|",
    ]
    for scenario, runs in every.items():
        if scenario != CLEAN:
            check = NAMES[scenario]
            caught = f"{sum(names(run, check) for run in runs)} of {len(runs)}"
            lines.append(
                f"| {scenario} | {check} | {caught} | {sum(names(run, check) for run in clean)} of {len(clean)} |"
            )
    return [*lines, f"Clean populations with any finding: {sum(bool(run) for run in clean)} of {len(clean)}."]


def main() -> None:
    """Run each scenario and seed, and print a line for each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=10_000)
    arguments.add_argument("--seeds", type=int, nargs="*", default=[41, 42, 43])
    arguments.add_argument("--clean", type=int, nargs="*", default=list(range(51, 61)))
    arguments.add_argument("--scenarios", nargs="*", default=list(NAMES), choices=list(NAMES))
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch))
        every: dict[str, list[list[str]]] = {}
        runs = [(scenario, seed) for scenario in chosen.scenarios for seed in chosen.seeds]
        for scenario, seed in [*runs, *((CLEAN, seed) for seed in chosen.clean)]:
            folder = Path(scratch) / f"{scenario}-{seed}"
            folder.mkdir()
            sentences = found(chosen.people, seed, scenario, folder)
            every.setdefault(scenario, []).append(sentences)
            print(f"{scenario}, seed {seed}: {' | '.join(sentences) or 'nothing'}", flush=True)
            shutil.rmtree(folder)
    print("\n".join(table(every)))


if __name__ == "__main__":
    main()
