"""The demonstration on three seeds, held against the simulator's truth.

    python -m benchmarks.against_truth [--people 20000] [--seeds 2 3 4]

For each seed: simulate, train, run the week, and compare. Seconds are those of the weekly flow
after training; the ratio is to reading every source file with pandas in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from casewell.environment import prepare

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"


def expected_auroc(score: np.ndarray, chance: np.ndarray) -> float:
    """Return the AUROC averaged over what might happen, given everyone's true chance."""
    happened = np.repeat([1, 0], len(score))
    weight = np.concatenate([chance, 1 - chance])
    return float(roc_auc_score(happened, np.concatenate([score, score]), sample_weight=weight))


def truth_of(folder: Path, linked: Path) -> pd.DataFrame:
    """Return the newest true outcomes by the pipeline's own pseudonym."""
    taken = pd.read_parquet(linked / "identities.parquet").query("source == 'demographics'")
    true = pd.read_parquet(folder / "truth" / "identities.parquet").query("source == 'demographics'")
    people = taken.merge(true, left_on="source_record", right_on="record_id").drop_duplicates("person_id")
    outcomes = pd.read_parquet(folder / "truth" / "outcomes.parquet")
    outcomes = outcomes[outcomes["as_of"] == outcomes["as_of"].max()]
    return people[["person_id", "true_person_id"]].merge(outcomes, on="true_person_id")


def measure(people: int, seed: int, folder: Path) -> dict[str, float | str]:
    """Simulate one population, run its week twice (the first time trains), and compare with the truth."""
    import simulator
    from flows.weekly import weekly_flow

    simulator.simulate(people, seed, folder / "sources", folder / "truth")
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(folder / "sources" / Path(source["path"]).name)
    told |= {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns")}
    settings = folder / "settings.yaml"
    settings.write_text(yaml.safe_dump(told))

    began = time.perf_counter()
    manifest = weekly_flow(str(settings), "2026-10-01")
    trained = time.perf_counter() - began
    for path in (folder / "data").glob("[lf]*/2026-10-01-*"):
        if "history" not in path.name:
            path.rename(path.with_name(f"set-aside-{path.name}"))
    began = time.perf_counter()
    manifest = weekly_flow(str(settings), "2026-10-01")
    weekly = time.perf_counter() - began
    began = time.perf_counter()
    for path in sorted((folder / "sources").glob("*.parquet")):
        pd.read_parquet(path)
    reading = time.perf_counter() - began

    scores = pd.read_parquet(Path(manifest["folder"]) / "scores.parquet")
    linked = next((folder / "data" / "linked").glob("2026-10-01-*"))
    known = scores.merge(truth_of(folder, linked), on="person_id")
    cohort = pd.read_parquet(Path(manifest["published_to"]) / "cohort.parquet")
    ledger = pd.read_parquet(Path(manifest["folder"]) / "ledger.parquet")
    competing = ledger.loc[ledger["door"].isin(["listed", "reserve", "not selected"]), "person_id"]
    pool = known[known["person_id"].isin(competing)].assign(gain=lambda t: t["risk_without"] - t["risk_with"])
    listed = cohort.loc[cohort["status"] == "listed", "person_id"]
    chance = known["risk_without"].to_numpy()
    best, ours = expected_auroc(chance, chance), expected_auroc(known["risk"].to_numpy(), chance)
    return {
        "seed": seed,
        "true AUROC": best,
        "AUROC": ours,
        "gap": best - ours,
        "mean risk / truth": known["risk"].mean() / chance.mean(),
        "grade": manifest["evidence"]["grade"],
        "gain of the list": pool.set_index("person_id")["gain"].reindex(listed).sum(),
        "of a risk list": pool.nlargest(len(listed), "risk")["gain"].sum(),
        "best possible": pool.nlargest(len(listed), "gain")["gain"].sum(),
        "first run s": trained,
        "weekly s": weekly,
        "/ reading": weekly / reading,
    }


def main() -> None:
    """Measure each seed and print one row for it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=20_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 4])
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch))
        rows = []
        for seed in chosen.seeds:
            folder = Path(scratch) / str(seed)
            folder.mkdir()
            rows.append(measure(chosen.people, seed, folder))
    table = Table(*rows[0], title=f"{chosen.people:,} simulated people, as of 2026-10-01", title_justify="left")
    for row in rows:
        table.add_row(*(value if isinstance(value, str) else f"{value:.4g}" for value in row.values()))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
