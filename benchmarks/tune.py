"""Compare the default trees of the risk model with others, on simulated people that no reported figure rests on.

    python -m benchmarks.tune [--people 30000] [--seeds 101 102] [--folder DIR]

Each choice of settings is fitted on the dates whose outcomes were known before the test (the back-test of `casewell
train`) and judged on the test months by log loss over people whom it could not have known: the outcomes that
happened, as on real people, so that the same can be done where there is no truth. The defaults of
`casewell.settings.Training` are among the choices and are marked; a better one goes there by hand.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.metrics import log_loss, roc_auc_score

from benchmarks.rehearsed import AS_OF, rehearse
from casewell.environment import prepare
from casewell.settings import Training

OTHERS: dict[str, tuple[float, ...]] = {
    "learning_rate": (0.05, 0.15),
    "leaves": (5, 9, 17),
    "minimum_leaf": (150, 500),
}
DEFAULTS = {name: getattr(Training(), name) for name in OTHERS}


def choices() -> list[dict[str, float]]:
    """Return every choice of settings that is compared, the defaults first."""
    grid = [dict(zip(OTHERS, values, strict=True)) for values in itertools.product(*OTHERS.values())]
    return [DEFAULTS, *(told for told in grid if told != DEFAULTS)]


def measure(people: int, seed: int, folder: Path) -> pd.DataFrame:
    """Fit and judge every choice on one population: its settings, `log_loss`, `auroc`, `trees`, `seconds`."""
    from features import CATALOGUE
    from flows.stages import begin_of, history_rows, split_of
    from models.backtest import case_management_could_act, known_before_test, tested
    from models.risk.estimator import fit_risk, person_folds
    from models.risk.rising import rising
    from models.train import columns_with_history

    rehearsed = rehearse(people, seed, folder)
    settings, rows = rehearsed.settings, history_rows(rehearsed.history)
    split = split_of(settings, AS_OF, rehearsed.linked)
    columns = columns_with_history((split.mature[0].date() - begin_of(rehearsed.linked)).days)
    learn, test = rows[known_before_test(rows, split)], tested(rows, split)
    # A fifth of the people is never learned from, so that nobody is tested who was.
    learn = learn[person_folds(learn["person_id"], 5, seed) != 0]
    test = test[person_folds(test["person_id"], 5, seed) == 0]
    found = []
    for told in choices():
        began = time.perf_counter()
        model, _ = fit_risk(
            learn[columns],
            learn["outcome"].to_numpy(),
            case_management_could_act(learn).to_numpy(),
            person_folds(learn["person_id"], settings.benefit.folds, settings.seed),
            Training.model_validate(told),
            settings.seed,
            learn["index_date"].to_numpy(),
            rising(CATALOGUE),
            crossed=False,
        )
        risk = model.predict(test)
        found.append(
            told
            | {
                "log_loss": log_loss(test["outcome"], risk),
                "auroc": roc_auc_score(test["outcome"], risk),
                "trees": model.learned.size,
                "seconds": time.perf_counter() - began,
            }
        )
    return pd.DataFrame(found)


def main() -> None:
    """Print the choices, averaged over the seeds, best first."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=30_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[101, 102])
    arguments.add_argument("--folder", type=Path, help="keep what is made here; default: a folder that is removed")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = chosen.folder or Path(scratch)
        prepare(home)
        every = pd.concat(measure(chosen.people, seed, home / f"{chosen.people}-{seed}") for seed in chosen.seeds)
    mean = every.groupby(list(OTHERS), as_index=False).mean(numeric_only=True).sort_values("log_loss")
    table = Table(
        *mean.columns, "", title=f"{chosen.people:,} people, seeds {chosen.seeds}, best first", title_justify="left"
    )
    for row in mean.itertuples(index=False):
        told = [f"{value:.5g}" for value in np.asarray(row, dtype="float64")]
        table.add_row(*told, "default" if row[: len(DEFAULTS)] == tuple(DEFAULTS.values()) else "")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
