"""Predicted risk beside true risk: how well it ranks, how well it is calibrated, for whom, and how long training takes.

    python -m benchmarks.risk [--people 100000] [--seeds 3 4 5] [--folder DIR]

Nothing here rests on which outcomes happened: every figure is the expectation over them, given
everybody's true chance. A folder given is kept, and what lies in it is not simulated again.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.against_truth import expected_auroc
from benchmarks.rehearsed import AS_OF, Rehearsed, rehearse, true_outcomes
from casewell.environment import prepare
from casewell.settings import Kind
from models.risk.calibration import CalibratedRisk, log_odds
from models.risk.estimator import fit_risk, person_folds
from models.risk.flexible import calibrated, fit_logistic, knots_of
from models.risk.trees import parameters

TOP = 0.02
FEWEST = 2_000


def expected_calibration(risk: np.ndarray, chance: np.ndarray, knots: np.ndarray) -> tuple[float, float]:
    """Return the calibration slope and the integrated calibration index that the true chances lead one to expect."""
    odds, ones = log_odds(risk), np.ones(len(risk))
    slope = fit_logistic(np.column_stack([ones, odds]), ones, chance)[1]
    return float(slope), float(np.abs(risk - calibrated(odds, ones, chance, knots)).mean())


def figures(known: pd.DataFrame) -> dict[str, float]:
    """Compare `risk` with `chance`, one row a person."""
    risk, chance = known["risk"].to_numpy(), known["chance"].to_numpy()
    slope, ici = expected_calibration(risk, chance, knots_of(log_odds(risk)))
    best, noise = expected_auroc(chance, chance), float((chance * (1 - chance)).mean())
    number = max(1, round(TOP * len(known)))
    ours, ideal = chance[np.argsort(-risk)[:number]].sum(), np.sort(chance)[-number:].sum()
    return {
        "true AUROC": best,
        "gap": best - expected_auroc(risk, chance),
        "Brier / true": 1 + float(((risk - chance) ** 2).mean()) / noise,
        "slope": slope,
        "ICI": ici,
        "mean / true": float(risk.mean() / chance.mean()),
        "found in top 2 % / best": float(ours / ideal),
    }


def ceiling(matrix: pd.DataFrame, chance: np.ndarray, person: pd.Series, features: tuple[str, ...]) -> float:
    """Return about the best AUROC that the features allow: trees learn the true chances of two thirds of the people.

    Whatever lies between this and the true risk's own AUROC is not in the features; what lies
    between this and the model's was lost in learning from outcomes instead of chances. With infinitely many people it would be a
    little higher.
    """
    held = person_folds(person, 3, 0) == 0
    told = parameters(0.1, 15, 60, 0) | {"objective": "cross_entropy", "lambda_l2": 1.0}
    table = matrix[list(features)]
    trees = lightgbm.train(told, lightgbm.Dataset(table[~held], chance[~held], params=told), 200)
    return expected_auroc(np.asarray(trees.predict(table[held])), chance[held])


def worst_group(known: pd.DataFrame, groups: pd.DataFrame, groupings: Sequence[str]) -> tuple[str, float]:
    """Return the group of at least `FEWEST` people with the largest ICI, and that."""
    knots = knots_of(log_odds(known["risk"].to_numpy()))
    labelled = known.merge(groups, on="person_id")
    found = {
        f"{grouping} {group}": expected_calibration(rows["risk"].to_numpy(), rows["chance"].to_numpy(), knots)[1]
        for grouping in groupings
        for group, rows in labelled.groupby(grouping)
        if len(rows) >= FEWEST
    }
    return max(found.items(), key=lambda item: item[1])


def fitted(rehearsed: Rehearsed, rows: pd.DataFrame, kind: Kind) -> tuple[CalibratedRisk, float]:
    """Fit the model that scores, as `casewell train` does; return it and the seconds."""
    from features import CATALOGUE
    from flows.stages import begin_of, split_of
    from models.backtest import case_management_could_act
    from models.risk.rising import rising
    from models.train import columns_with_history

    settings = rehearsed.settings
    split = split_of(settings, AS_OF, rehearsed.linked)
    columns = columns_with_history((split.mature[0].date() - begin_of(rehearsed.linked)).days)
    began = time.perf_counter()
    model, _ = fit_risk(
        rows[columns],
        rows["outcome"].to_numpy(),
        case_management_could_act(rows).to_numpy(),
        person_folds(rows["person_id"], settings.benefit.folds, settings.seed),
        settings.training,
        settings.seed,
        rows["index_date"].to_numpy(),
        rising(CATALOGUE),
        kind=kind,
    )
    return model, time.perf_counter() - began


def measure(people: int, seed: int, folder: Path) -> list[dict[str, float | str]]:
    """Rehearse one population and compare the risk predicted for the day, by each kind of model, with the true one."""
    from flows.stages import history_rows
    from models.risk.kinds import NAMES

    rehearsed = rehearse(people, seed, folder)
    rows = history_rows(rehearsed.history)
    return [{"seed": f"{seed}, {kind}", **compared(rehearsed, rows, kind)} for kind in NAMES]


def compared(rehearsed: Rehearsed, rows: pd.DataFrame, kind: Kind) -> dict[str, float | str]:
    """Fit one kind of model and compare its risk with the true one."""
    import fairness
    from casewell import doors
    from records.tables import PEOPLE

    quarter = fitted(rehearsed, rows[person_folds(rows["person_id"], 4, 0) == 0], kind)[1]
    model, seconds = fitted(rehearsed, rows, kind)
    matrix = pd.read_parquet(rehearsed.today)
    began = time.perf_counter()
    predicted = matrix[["person_id", *model.features]].assign(risk=model.predict(matrix))
    scoring = time.perf_counter() - began
    truth = true_outcomes(rehearsed).rename(columns={"risk_without": "chance"})[["person_id", "chance"]]
    known = predicted.merge(truth, on="person_id")
    groups = fairness.group_table(doors.read(rehearsed.linked / "people.parquet", PEOPLE), AS_OF)
    group, ici = worst_group(known, groups, ("imd_quintile", "ethnic_group"))
    band, ici_of_band = worst_group(known, groups, ("age_band", "sex"))
    features = known.drop(columns=["risk", "chance"])
    return {
        **figures(known),
        "AUROC the features allow": ceiling(features, known["chance"].to_numpy(), known["person_id"], model.features),
        "worst ICI, deprivation and ethnic group": ici,
        "which": group,
        "worst ICI, age and sex": ici_of_band,
        "of these": band,
        "groups mended": str(len(model.mended)),
        "trees or coefficients": model.learned.size,
        "rows": float(len(rows)),
        "features": float(len(model.features)),
        "fit s": seconds,
        "fit, growth exponent from a quarter of the people": float(np.log(seconds / quarter) / np.log(4)),
        "score a million s": scoring / len(matrix) * 1e6,
        "peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> None:
    """Measure each seed and print a column for each kind of model."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=100_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[3, 4, 5])
    arguments.add_argument("--folder", type=Path, help="keep what is made here; default: a folder that is removed")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = chosen.folder or Path(scratch)
        prepare(home)
        found = [row for seed in chosen.seeds for row in measure(chosen.people, seed, home / f"{chosen.people}-{seed}")]
    table = Table("figure", *(str(row["seed"]) for row in found), title=f"{chosen.people:,} people, by seed")
    for name in [name for name in found[0] if name != "seed"]:
        values = (row[name] for row in found)
        table.add_row(name, *(value if isinstance(value, str) else f"{value:.4g}" for value in values))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
