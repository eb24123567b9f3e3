"""What training and scoring cost: seconds and memory, beside plain LightGBM on the same rows.

    python -m benchmarks.risk_scale [--people 25000 100000] [--scored 250000 1000000] [--dates 12] [--folder DIR]

*Training* is all of `casewell train` after features and outcomes stand in memory: both back-tests, the choice between
them, baselines, risk, benefit and their figures, learned from simulated people, whom nothing is tuned on. *Scoring* is
all of `models.score`, risk by either kind of model, of people who are made up: the real names of the catalogue's
features, sparse counts, days with gaps, and an outcome that rests on a few of them, which is enough for time and
memory. *Plain LightGBM* is its defaults (100 trees of 31 leaves) on the same rows and features, once, without
choosing, calibrating or testing anything. Each line runs in a process of its own; memory is the highest that it held,
the table itself included. Exponents say how CPU-seconds, which a busy machine blurs less, grow from the line before of
the same kind: 1 is in proportion to people. What lies in a folder given is not simulated again.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.rehearsed import AS_OF, rehearse
from casewell.environment import prepare
from casewell.settings import Benefit, Kind, Settings, Training, load
from features import CATALOGUE, model_columns
from flows.stages import begin_of, history_rows, split_of
from models.benefit.comparison import Estimate
from models.benefit.evidence import Evidence
from models.index_dates import Split
from models.risk.calibration import CalibratedRisk
from models.risk.estimator import fit_risk, person_folds
from models.score import score
from models.train import Models, columns_with_history, train

SEED, SHARE, HISTORY_DAYS = 6, 0.01, 365
LEARNED_FROM = 20_000
PLACES = "places.json"


def made_up(people: int, seed: int) -> pd.DataFrame:
    """Return features of people, their `person_id`, and an `outcome`."""
    random = np.random.default_rng(seed)
    names = model_columns(CATALOGUE)
    values = np.empty((people, len(names)), dtype="float32")
    for place, name in enumerate(names):
        if "_days_since_" in name:
            values[:, place] = np.where(random.random(people) < 0.8, np.nan, random.integers(0, 1_500, people))
        else:
            values[:, place] = random.poisson(random.choice([0.02, 0.2, 1.0]), people)
    table = pd.DataFrame(values, columns=names, copy=False)
    table["age"] = random.integers(18, 100, people).astype("float32")
    odds = -5 + 0.04 * table["age"] + table[names[1:20]].fillna(0).clip(upper=3).sum(axis=1) * 0.1
    outcome = random.random(people) < 1 / (1 + np.exp(-odds.to_numpy()))
    return table.assign(person_id=np.arange(people), outcome=outcome)


def simulate(people: int, dates: int, folder: Path) -> None:
    """Leave simulated people's history in a folder, in a process of its own: what linking takes is not what training takes."""
    made = rehearse(people, SEED, folder, index_dates=dates, step_months=2)
    (folder / PLACES).write_text(json.dumps({"linked": str(made.linked), "history": str(made.history)}))


def simulated(folder: Path) -> tuple[pd.DataFrame, Split, int, Settings]:
    """Return features joined to outcomes of what `simulate` left, the use of the dates, days of data before them, and settings."""
    settings, places = load(folder / "settings.yaml"), json.loads((folder / PLACES).read_text())
    cut = split_of(settings, AS_OF, Path(places["linked"]))
    days = (cut.mature[0].date() - begin_of(Path(places["linked"]))).days
    return history_rows(Path(places["history"])), cut, days, settings


def training(folder: Path) -> Callable[[], object]:
    """Return a training, to be timed."""
    rows, cut, days, settings = simulated(folder)
    return lambda: train(rows, cut, days, SHARE, settings)


def plain_training(folder: Path) -> Callable[[], object]:
    """Return LightGBM's defaults on the same rows, to be timed."""
    rows, _, days, _ = simulated(folder)
    return lambda: _plain(rows, columns_with_history(days))


def _plain(rows: pd.DataFrame, columns: list[str]) -> lightgbm.Booster:
    data = lightgbm.Dataset(rows[columns], rows["outcome"].to_numpy())
    return lightgbm.train({"objective": "binary", "verbose": -1}, data)


def scoring(people: int, kind: str) -> Callable[[], object]:
    """Return a scoring of people of one date, to be timed; `kind` is `trees`, `linear`, or `plain` for LightGBM alone."""
    columns = columns_with_history(HISTORY_DAYS)
    learn, rows = made_up(LEARNED_FROM, 2), made_up(people, 3)
    if kind == "plain":
        booster = _plain(learn, columns)
        return lambda: booster.predict(rows[columns])
    models = _models(learn, columns, "linear" if kind == "linear" else "trees")
    return lambda: score(models, rows)


def _models(learn: pd.DataFrame, columns: list[str], kind: Kind) -> Models:
    nobody, folds = np.zeros(len(learn), dtype=bool), person_folds(learn["person_id"], 4, 1)
    risk: CalibratedRisk = fit_risk(
        learn[columns],
        learn["outcome"].to_numpy(),
        nobody,
        folds,
        Training(),
        1,
        kind=kind,
    )[0]
    return Models(risk, risk, None, None, Evidence("assumed", (), 0, Estimate(0.0, 0.0), None), Benefit())


MEASURED: dict[str, Callable[[int, Path], Callable[[], object]]] = {
    "training": lambda _, folder: training(folder),
    "plain LightGBM, training": lambda _, folder: plain_training(folder),
    "scoring, trees": lambda people, _: scoring(people, "trees"),
    "scoring, linear": lambda people, _: scoring(people, "linear"),
    "plain LightGBM, scoring": lambda people, _: scoring(people, "plain"),
}


def alone(what: str, people: int, dates: int, home: Path) -> dict[str, float]:
    """Do one thing in a process of its own: `seconds`, `cpu` (seconds of all its threads), `gib`; nothing of a simulation."""
    asked = [sys.executable, "-m", "benchmarks.risk_scale", "--one", what, str(people), "--dates", str(dates)]
    done = subprocess.run([*asked, "--folder", str(home)], check=True, stdout=subprocess.PIPE, text=True)
    return {} if what == "simulate" else json.loads(done.stdout.splitlines()[-1])


def one(what: str, people: int, dates: int, folder: Path) -> None:
    """Do what `alone` asked for, and print the figures."""
    if what == "simulate":
        simulate(people, dates, folder)
        return
    timed = MEASURED[what](people, folder)
    began, worked = time.perf_counter(), time.process_time()
    timed()
    found = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked}
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(found | {"gib": gib}))


def table_of(people: Sequence[int], scored: Sequence[int], dates: int, home: Path) -> Table:
    """Measure each thing at each size."""
    table = Table("what", "people", "seconds", "CPU-seconds", "grows as people to the power", "peak memory, GiB")
    for number in people:
        alone("simulate", number, dates, home)
    for what in MEASURED:
        before: tuple[int, float] | None = None
        for number in scored if "scoring" in what else people:
            found = alone(what, number, dates, home)
            power = f"{math.log(found['cpu'] / before[1]) / math.log(number / before[0]):.2f}" if before else ""
            table.add_row(
                what, f"{number:,}", f"{found['seconds']:.1f}", f"{found['cpu']:.1f}", power, f"{found['gib']:.1f}"
            )
            before = (number, found["cpu"])
    return table


def main() -> None:
    """Print one line for each thing measured and number of people."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, nargs="+", default=[25_000, 100_000])
    arguments.add_argument("--scored", type=int, nargs="+", default=[250_000, 1_000_000])
    arguments.add_argument("--dates", type=int, default=12, help="index dates to learn from")
    arguments.add_argument("--folder", type=Path, help="keep what is made here; default: a folder that is removed")
    arguments.add_argument("--one", nargs=2, metavar=("WHAT", "PEOPLE"), help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = chosen.folder or Path(scratch)
        prepare(home)
        if chosen.one:
            what, people = chosen.one[0], int(chosen.one[1])
            one(what, people, chosen.dates, home / f"{people}-{SEED}")
            return
        Console(width=120).print(table_of(chosen.people, chosen.scored, chosen.dates, home))
    names = len(model_columns(CATALOGUE))
    Console(width=120).print(
        f"{names} features, {len(columns_with_history(HISTORY_DAYS))} in the risk; {chosen.dates} index dates"
    )


if __name__ == "__main__":
    main()
