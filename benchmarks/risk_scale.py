"""What training and scoring cost: seconds and memory, beside plain LightGBM on the same rows.

    python -m benchmarks.risk_scale [--people 25000 100000] [--scored 250000 1000000] [--dates 12]

People are made up: the real names of the catalogue's features, sparse counts, days with gaps, and an outcome that rests on
a few of them; that is enough for time and memory, and for nothing else. *Training* is all of `casewell train` after
features and outcomes stand in memory: both back-tests, the choice between them, baselines, risk, benefit and their figures.
*Scoring* is all of `models.score`, risk by either kind of model. *Plain LightGBM* is its defaults (100 trees of 31
leaves) on all rows and features, once, without choosing, calibrating or testing anything. Each line runs in a process
of its own; memory is the highest that it held, the table itself included. Exponents say how CPU-seconds, which a busy
machine blurs less, grow from the line before of the same kind: 1 is in proportion to people.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.rehearsed import AS_OF
from casewell.environment import prepare
from casewell.settings import Benefit, Settings
from features import CATALOGUE, model_columns
from models.benefit.comparison import Estimate
from models.benefit.evidence import Evidence
from models.index_dates import Split, split
from models.risk.calibration import CalibratedRisk
from models.risk.estimator import fit_risk, person_folds
from models.score import score
from models.train import Models, columns_with_history, train

SHARE, HISTORY_DAYS = 0.01, 365
LEARNED_FROM = 20_000


def made_up(people: int, dates: list[pd.Timestamp], seed: int) -> pd.DataFrame:
    """Return the features and outcomes of people on each date, as `flows.stages.history_rows` gives them."""
    random = np.random.default_rng(seed)
    names = model_columns(CATALOGUE)
    rows = people * len(dates)
    values = np.empty((rows, len(names)), dtype="float32")
    for place, name in enumerate(names):
        if "_days_since_" in name:
            values[:, place] = np.where(random.random(rows) < 0.8, np.nan, random.integers(0, 1_500, rows))
        else:
            values[:, place] = random.poisson(random.choice([0.02, 0.2, 1.0]), rows)
    table = pd.DataFrame(values, columns=names, copy=False)
    table["age"] = random.integers(18, 100, rows).astype("float32")
    odds = -5 + 0.04 * table["age"] + table[names[1:20]].fillna(0).clip(upper=3).sum(axis=1) * 0.1
    outcome = random.random(rows) < 1 / (1 + np.exp(-odds.to_numpy()))
    told = {
        "index_date": np.repeat(np.array(dates, dtype="datetime64[us]"), people),
        "person_id": np.tile(np.arange(people), len(dates)),
        "treated": random.random(rows) < 0.002,
        "outcome": outcome,
        "early": outcome & (random.random(rows) < 0.1),
        "offerable": random.random(rows) < 0.97,
        "negative_control": random.random(rows) < 0.1,
        "died": outcome & (random.random(rows) < 0.1),
    }
    return pd.concat([table, pd.DataFrame(told)], axis=1)


def laid_out(dates: int) -> tuple[Settings, Split]:
    """Return the default settings with so many index dates, and their use."""
    sources = {"demographics": {"path": "nowhere"}}
    # A quarter apart, so that twelve of them span the year in which outcomes are waited for.
    training = {"index_dates": dates, "step_months": 3}
    settings = Settings.model_validate({"name": "scale", "sources": sources, "training": training})
    return settings, split(AS_OF.replace(year=AS_OF.year - 5), AS_OF, settings)


def training(people: int, dates: int) -> Callable[[], object]:
    """Return a training, to be timed."""
    settings, cut = laid_out(dates)
    rows = made_up(people, list(cut.mature), 1)
    return lambda: train(rows, cut, HISTORY_DAYS, SHARE, settings)


def plain_training(people: int, dates: int) -> Callable[[], object]:
    """Return LightGBM's defaults on the same rows, to be timed."""
    rows = made_up(people, list(laid_out(dates)[1].mature), 1)
    return lambda: _plain(rows, columns_with_history(HISTORY_DAYS))


def _plain(rows: pd.DataFrame, columns: list[str]) -> lightgbm.Booster:
    data = lightgbm.Dataset(rows[columns], rows["outcome"].to_numpy())
    return lightgbm.train({"objective": "binary", "verbose": -1}, data)


def scoring(people: int, kind: str) -> Callable[[], object]:
    """Return a scoring of people of one date, to be timed; `kind` is `trees`, `linear`, or `plain` for LightGBM alone."""
    settings, cut = laid_out(12)
    columns = columns_with_history(HISTORY_DAYS)
    learn = made_up(LEARNED_FROM, [cut.mature[-1]], 2)
    rows = made_up(people, [cut.mature[-1]], 3)
    if kind == "plain":
        booster = _plain(learn, columns)
        return lambda: booster.predict(rows[columns])
    models = _models(learn, columns, settings, "linear" if kind == "linear" else "trees")
    return lambda: score(models, rows)


def _models(learn: pd.DataFrame, columns: list[str], settings: Settings, kind: str) -> Models:
    nobody, folds = np.zeros(len(learn), dtype=bool), person_folds(learn["person_id"], 4, 1)
    risk: CalibratedRisk = fit_risk(
        learn[columns],
        learn["outcome"].to_numpy(),
        nobody,
        folds,
        settings.training,
        1,
        kind="linear" if kind == "linear" else "trees",
    )[0]
    return Models(risk, risk, None, None, Evidence("assumed", (), 0, Estimate(0.0, 0.0), None), Benefit())


MEASURED: dict[str, Callable[[int, int], Callable[[], object]]] = {
    "training": training,
    "plain LightGBM, training": plain_training,
    "scoring, trees": lambda people, _: scoring(people, "trees"),
    "scoring, linear": lambda people, _: scoring(people, "linear"),
    "plain LightGBM, scoring": lambda people, _: scoring(people, "plain"),
}


def alone(what: str, people: int, dates: int) -> dict[str, float]:
    """Measure one thing in a process of its own: `seconds`, `cpu` (seconds of all its threads), `gib`."""
    asked = [sys.executable, "-m", "benchmarks.risk_scale", "--one", what, str(people), "--dates", str(dates)]
    done = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print one line for each thing measured and number of people."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, nargs="+", default=[25_000, 100_000])
    arguments.add_argument("--scored", type=int, nargs="+", default=[250_000, 1_000_000])
    arguments.add_argument("--dates", type=int, default=12, help="index dates to learn from")
    arguments.add_argument("--one", nargs=2, metavar=("WHAT", "PEOPLE"), help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    prepare(Path.cwd())
    if chosen.one:
        what, people = chosen.one[0], int(chosen.one[1])
        timed = MEASURED[what](people, chosen.dates)
        began, worked = time.perf_counter(), time.process_time()
        timed()
        found = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked}
        gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps(found | {"gib": gib}))
        return
    table = Table("what", "people", "seconds", "CPU-seconds", "grows as people to the power", "peak memory, GiB")
    for what in MEASURED:
        before: tuple[int, float] | None = None
        for people in chosen.scored if "scoring" in what else chosen.people:
            found = alone(what, people, chosen.dates)
            power = f"{math.log(found['cpu'] / before[1]) / math.log(people / before[0]):.2f}" if before else ""
            table.add_row(
                what, f"{people:,}", f"{found['seconds']:.1f}", f"{found['cpu']:.1f}", power, f"{found['gib']:.1f}"
            )
            before = (people, found["cpu"])
    Console(width=120).print(table)
    names, used = model_columns(CATALOGUE), columns_with_history(HISTORY_DAYS)
    Console(width=120).print(f"{len(names)} features, of which the risk uses {len(used)}; {chosen.dates} index dates")


if __name__ == "__main__":
    main()
