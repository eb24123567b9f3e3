"""Who gains: Casewell's estimator beside risk, chance and other people's learners, on histories whose truth is known.

    python -m benchmarks.benefit [--people 50000] [--seeds 1 2 3] [--shapes relative ...] [--no-peers]

The peers (econml, causalml, scikit-uplift) run in `.venv-peers`, made on first use; without a package
registry they are left out, and the page says so. docs/benefit-testbed.md states the shapes. Three of them hold
nothing to choose by; there only Casewell is run, and each seed's answer is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.benefit_measures import FRESH, FRESH_SEEDS, measures
from benchmarks.benefit_testbed import SHAPES, make
from models.benefit import BenefitEstimator
from models.benefit.effect import READINGS
from models.benefit.requirements import BenefitInputError

ROOT = Path(__file__).parents[1]
PEERS = ("econml==0.17.0", "causalml==0.18.0", "scikit-uplift==0.5.1", "lightgbm")
RANDOMISED = 3_000
# Where the right answer is to claim little, or to refuse; capture would say nothing.
WITHOUT_ANSWER = ("no effect", "no overlap", "harm")
STATED = ("RMSE", "bias", "slope")


def ours(shape: str, people: int, seed: int) -> list[dict[str, Any]]:
    """Return the measures of the estimator, of choosing by its risk, and of choosing at random."""
    history, fresh = make(shape, people, seed, randomised(shape)), make(shape, FRESH, seed + FRESH_SEEDS)
    drawn = history.randomised if history.randomised.any() else None
    began = time.process_time()
    estimator = BenefitEstimator().fit(history.features, history.treated, history.outcome, randomised=drawn)
    parts = estimator.components(fresh.features)
    cost = time.process_time() - began
    chance = np.random.default_rng(seed).random(FRESH)
    told = {"Casewell": parts["benefit"], "by risk": parts["risk_without"], "at random": chance}
    rows = [{"learner": name} | measures(np.asarray(rule), fresh.benefit, cost) for name, rule in told.items()]
    # Risk and chance state no benefit, so only the people they choose can be judged.
    return [rows[0], *({name: row[name] for name in row if "%" in name or name == "learner"} for row in rows[1:])]


def without_answer(shape: str, people: int, seed: int) -> dict[str, str]:
    """Return what the estimator says of a history with nothing to choose by: its refusal, or its weights and errors."""
    history, fresh = make(shape, people, seed), make(shape, FRESH, seed + FRESH_SEEDS)
    began = time.process_time()
    try:
        estimator = BenefitEstimator().fit(history.features, history.treated, history.outcome)
    except BenefitInputError as refusal:
        return {"seed": str(seed), "answer": f"refused: {refusal}"} | dict.fromkeys(STATED, "")
    found = measures(estimator.predict(fresh.features), fresh.benefit, time.process_time() - began)
    weights = ", ".join(
        f"{name} {weight:.2f}" for name, weight in zip(READINGS, estimator.weights_, strict=True) if weight
    )
    return {"seed": str(seed), "answer": weights} | {name: f"{found[name]:.3g}" for name in STATED}


def randomised(shape: str) -> int:
    """Return how many people of a shape are treated by lot."""
    return RANDOMISED if shape == "confounded" else 0


def peers_python() -> Path | None:
    """Return the Python that has the peers, made on first use; None, saying why, where they cannot be installed."""
    python = ROOT / ".venv-peers" / "bin" / "python"
    if python.exists():
        return python
    uv = Path(sys.executable).with_name("uv")
    for command in (
        [str(uv), "venv", "-q", "--python", sys.executable, str(python.parents[1])],
        [str(uv), "pip", "install", "-q", "--python", str(python), *PEERS],
    ):
        if subprocess.run(command, check=False).returncode:
            print("The peers could not be installed (no registry within reach?), so they are left out.")
            subprocess.run(["rm", "-rf", str(python.parents[1])], check=True)
            return None
    return python


def theirs(python: Path, shape: str, people: int, seed: int) -> list[dict[str, Any]]:
    """Return the peers' measures; a peer that failed is printed and left out."""
    told = [str(python), "-m", "benchmarks.benefit_peers", shape, str(people), str(seed), str(randomised(shape))]
    ran = subprocess.run(
        told, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    if ran.returncode:
        print(f"The peers stopped on {shape!r}: {ran.stderr.strip().splitlines()[-1]}")
    rows = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    for row in (row for row in rows if "failed" in row):
        print(f"{row['learner']} could not learn {shape!r}: {row['failed']}")
    return [row for row in rows if "failed" not in row]


def main() -> None:
    """Measure every shape over the seeds and print mean (standard deviation)."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=50_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    arguments.add_argument("--no-peers", action="store_true")
    chosen = arguments.parse_args()
    compared = set(chosen.shapes) - set(WITHOUT_ANSWER)
    python = None if chosen.no_peers or not compared else peers_python()
    for shape in chosen.shapes:
        title = f"{shape}: {chosen.people:,} people to learn from, seeds {chosen.seeds}"
        if shape in WITHOUT_ANSWER:
            show_answers([without_answer(shape, chosen.people, seed) for seed in chosen.seeds], title)
            continue
        rows = []
        for seed in chosen.seeds:
            rows += ours(shape, chosen.people, seed)
            rows += theirs(python, shape, chosen.people, seed) if python else []
        show(pd.DataFrame(rows), title)


def show_answers(answers: list[dict[str, str]], title: str) -> None:
    """Print one line a seed."""
    table = Table(*answers[0], title=title, title_justify="left")
    for answer in answers:
        table.add_row(*answer.values())
    Console(width=160).print(table)


def show(rows: pd.DataFrame, title: str) -> None:
    """Print one line a learner."""
    grouped = rows.groupby("learner", sort=False)
    mean, spread = grouped.mean(), grouped.std(ddof=1)
    table = Table("learner", *mean.columns, title=title, title_justify="left")
    for name, line in mean.iterrows():
        cells = [
            "" if np.isnan(value) else f"{value:.3g} ({spread.loc[name, column]:.2g})" for column, value in line.items()
        ]
        table.add_row(str(name), *cells)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
