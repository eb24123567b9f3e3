"""Is expected need nearer the true need than recorded need is, for people whose illness is seldom written down?

    python -m benchmarks.need [--people 10000] [--seeds 61 62 63] [--scenarios under_diagnosis clean]

Each population is simulated and linked, the features of one day are built, and recorded need (the Cambridge score) and expected
need are held against the truth: the rank correlation with true need (illness had, recorded or not, deficits and circumstances),
and recorded and expected over the true score of the conditions had, for everybody, for those whose illness is written down far
less often, and for the others. The wronged are the same people in a clean population, where nobody is wronged.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.against_truth import DEMONSTRATION
from casewell.environment import prepare

AS_OF = dt.date(2026, 10, 1)
CLEAN = "clean"


def scored(people: int, seed: int, scenario: str, folder: Path) -> pd.DataFrame:
    """Simulate a population; return `need`, `need_expected`, true `need_true` and `score_true`, and `wronged`, a row a person."""
    import features
    import models
    import records
    import simulator
    from casewell.settings import load

    planted = [] if scenario == CLEAN else [scenario]
    simulator.simulate(people, seed, folder / "sources", folder / "truth", scenario=planted)
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(folder / "sources" / Path(source["path"]).name)
    told |= {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns")}
    path, linked = folder / "settings.yaml", folder / "linked"
    path.write_text(yaml.safe_dump(told))
    settings = load(path)
    linked.mkdir()
    records.build(settings, AS_OF, linked)
    tables = {name: linked / f"{name}.parquet" for name in ("people", "enrolments", "events", "residences")}
    day = [pd.Timestamp(AS_OF).as_unit("us")]
    here = models.population(tables["people"], tables["enrolments"], day, settings.eligibility)
    features.build(here, tables["events"], tables["people"], tables["residences"], folder / "matrix.parquet")
    matrix = pd.read_parquet(folder / "matrix.parquet")
    practice = matrix["person_id"].map(pd.read_parquet(tables["people"]).set_index("person_id")["practice_code"])
    known = models.completeness(models.second_looks(tables["events"], AS_OF), matrix, practice)
    expected = models.expected_need(matrix, known)
    table = matrix[["person_id"]].assign(need=matrix["cms_score"], need_expected=expected)
    return table.merge(true_need(folder, linked), on="person_id")


def true_need(folder: Path, linked: Path) -> pd.DataFrame:
    """Return each person's true need and true score by the pipeline's own pseudonym, and whether `under_diagnosis` would wrong them."""
    from simulator import conditions, scenarios

    taken = pd.read_parquet(linked / "identities.parquet").query("source == 'demographics'")
    true = pd.read_parquet(folder / "truth" / "identities.parquet").query("source == 'demographics'")
    whose = taken.merge(true, left_on="source_record", right_on="record_id").drop_duplicates("person_id")
    people = pd.read_parquet(folder / "truth" / "people.parquet")
    had = people[[f"has_{name}" for name in conditions.NAMES]].to_numpy() @ conditions.SCORES
    people = people.assign(
        need_true=people["need"],
        score_true=had,
        wronged=scenarios.barred(people["ethnic_group"].to_numpy(), people["imd_decile"].to_numpy()),
        ethnic=people["ethnic_group"].isin(["asian", "black"]) & (people["imd_decile"] > scenarios.BARRED_FROM),
    )
    columns = ["true_person_id", "need_true", "score_true", "wronged", "ethnic"]
    return whose[["person_id", "true_person_id"]].merge(people[columns], on="true_person_id")


def measured(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the figures of everybody, the wronged, the wronged outside deprived areas, and the others."""
    whom = {
        "everybody": np.ones(len(table), dtype=bool),
        "wronged": table["wronged"],
        "of them not in deprived areas": table["ethnic"],
        "others": ~table["wronged"],
    }
    return {
        name: {
            "people": float(np.sum(mask)),
            "rank recorded": table.loc[mask, "need"].corr(table.loc[mask, "need_true"], method="spearman"),
            "rank expected": table.loc[mask, "need_expected"].corr(table.loc[mask, "need_true"], method="spearman"),
            "recorded / true": table.loc[mask, "need"].sum() / table.loc[mask, "score_true"].sum(),
            "expected / true": table.loc[mask, "need_expected"].sum() / table.loc[mask, "score_true"].sum(),
        }
        for name, mask in whom.items()
    }


def main() -> None:
    """Measure each population and print four lines for it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=10_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[61, 62, 63])
    arguments.add_argument("--scenarios", nargs="+", default=["under_diagnosis", CLEAN])
    chosen = arguments.parse_args()
    for scenario in chosen.scenarios:
        for seed in chosen.seeds:
            with tempfile.TemporaryDirectory() as scratch:
                prepare(Path(scratch))
                found = measured(scored(chosen.people, seed, scenario, Path(scratch)))
            for name, figures in found.items():
                told = ", ".join(f"{what} {value:.3f}" for what, value in figures.items() if what != "people")
                print(f"{scenario}, seed {seed}, {name} ({figures['people']:.0f}): {told}", flush=True)


if __name__ == "__main__":
    main()
