"""What is learned of two programmes at once, held against the truth of each.

    python -m benchmarks.several_programmes [--people 40000] [--seeds 31 32] [--months 20] [--keep FOLDER]

For each seed two populations: case management alone, and with reablement beside it (`second_programme`). Each is simulated,
linked, and trained on. Printed are, for each programme, of people eligible today who have others like them among the
starters: the benefit as it was learned (whatever the grade), the true one, how the two go together over people, how the
learned one goes with the truth of the *other* programme, and what a list of as many places as the teams have would truly
gain by the learned benefit and by risk. Numbers tell whether programmes are taken for one another, not what is released:
that is for the grade.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table

from casewell.environment import prepare
from casewell.settings import Settings, load

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
AS_OF = dt.date(2026, 10, 1)
PLACES = 200
FROM_AGE = 60
DECLARED = {
    "title": "Reablement",
    "owner": "Benchmark",
    "review_date": "2999-01-01",
    "default_places": 20,
    "eligible": [{"feature": "age", "minimum": FROM_AGE}],
    "benefit": {"share": 0.1, "source": "A figure made up for measuring"},
}


def settings_of(folder: Path, months: int, second: bool) -> Settings:
    """Write and load the demonstration's settings for a population in `folder`."""
    told = yaml.safe_load(DEMONSTRATION.read_text())
    for source in told["sources"].values():
        source["path"] = str(folder / "sources" / Path(source["path"]).name)
    told |= {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns")}
    told["training"] = {**told.get("training", {}), "index_dates": months}
    told["programmes"] = {"reablement": DECLARED} if second else {}
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(told))
    return load(path)


def truth_of(folder: Path, linked: Path, people: pd.Series) -> pd.DataFrame:
    """Return, for each person, how far each programme would truly lower the risk; missing for whom the truth does not know."""
    taken = pd.read_parquet(linked / "identities.parquet").query("source == 'demographics'")
    true = pd.read_parquet(folder / "truth" / "identities.parquet").query("source == 'demographics'")
    known = taken.merge(true, left_on="source_record", right_on="record_id").drop_duplicates("person_id")
    found = pd.read_parquet(folder / "truth" / "outcomes.parquet")
    found = found[found["as_of"] == pd.Timestamp(AS_OF)].set_index("true_person_id")
    mine = found.reindex(people.map(known.set_index("person_id")["true_person_id"]))
    falls = {"case_management": mine["risk_without"] - mine["risk_with"]}
    if "risk_with_reablement" in mine:
        falls["reablement"] = mine["risk_without"] - mine["risk_with_reablement"]
    return pd.DataFrame(falls).reset_index(drop=True)


def measure(people: int, months: int, seed: int, second: bool, folder: Path) -> list[dict[str, Any]]:
    """Learn of every programme of one population; return a row for each."""
    import simulator
    from flows.other_programmes import pasts
    from flows.stages import begin_of, build_features, build_history, capacity_share, history_rows, link, split_of

    if not (folder / "sources").is_dir():
        planted = ["second_programme"] if second else []
        simulator.simulate(people, seed, folder / "sources", folder / "truth", scenario=planted)
    settings = settings_of(folder, months, second)
    linked = link.fn(settings, AS_OF)
    history, matrix = build_history.fn(settings, AS_OF, linked), build_features.fn(settings, AS_OF, linked)
    rows, split = history_rows(history), split_of(settings, AS_OF, linked)
    share = capacity_share(settings, linked, int((rows["index_date"] == split.test[-1]).sum()))
    days = (split.mature[0].date() - begin_of(linked)).days
    training = import_module("models.train")  # `models.train` by attribute is the function of that name
    spent: dict[str, float] = {}

    def timed(*given: Any) -> Any:
        began = time.process_time()
        found = learn(*given)
        spent["more"] = time.process_time() - began
        return found

    learn, began = training.learn_programmes, time.process_time()
    with mock.patch.object(training, "learn_programmes", timed):
        trained = training.train(rows, split, days, share, settings, pasts=pasts(settings, linked)).models
    seconds = time.process_time() - began
    today = pd.read_parquet(matrix)
    risk, true = trained.risk.predict(today), truth_of(folder, linked, today["person_id"])
    parts = {"case_management": (trained, seconds - spent["more"])}
    parts |= {code: (one, spent["more"]) for code, one in trained.programmes.items()}
    found = []
    for code, (one, cpu) in parts.items():
        row: dict[str, Any] = {"seed": str(seed), "beside": "reablement" if second else "nothing", "learned": code}
        row |= {"started": f"{one.evidence.treated:,}", "grade": one.evidence.grade}
        row |= _held_against(one, today, risk, true, code, trained.rules.minimum_propensity)
        found.append(row | {"CPU s": f"{cpu:.0f}"})
    return found


def _held_against(
    one: Any, today: pd.DataFrame, risk: np.ndarray, true: pd.DataFrame, code: str, least: float
) -> dict[str, str]:
    names = ("stated", "true", "goes with truth", "with the other's", "true gain by benefit", "by risk", "best")
    if one.effect is None:
        return dict.fromkeys(names, "")
    chosen = one.propensity.predict(today)
    told = one.effect.foretell(today, risk, chosen)
    rows = told.reached & (chosen >= least) & true[code].notna().to_numpy()
    if code != "case_management":
        rows &= (today["age"] >= FROM_AGE).to_numpy()
    stated, own = told.benefit[rows], true.loc[rows, code].to_numpy()
    others = [name for name in true.columns if name != code]

    def gain(order: np.ndarray) -> str:
        return f"{own[np.argsort(-order, kind='stable')[:PLACES]].sum():.1f}"

    return dict(
        zip(
            names,
            (
                f"{stated.mean():.4f}",
                f"{own.mean():.4f}",
                f"{np.corrcoef(stated, own)[0, 1]:.2f}",
                f"{np.corrcoef(stated, true.loc[rows, others[0]])[0, 1]:.2f}" if others else "",
                gain(stated),
                gain(risk[rows]),
                gain(own),
            ),
            strict=True,
        )
    )


def main() -> None:
    """Measure every seed, without and with the second programme, and print a row for each programme."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=40_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[31, 32])
    arguments.add_argument("--months", type=int, default=20, help="Index dates to learn from.")
    arguments.add_argument("--only-beside", action="store_true", help="Leave out the populations without reablement.")
    arguments.add_argument("--keep", type=Path, help="Where populations are kept, to measure them again.")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch))
        rows = []
        for seed in chosen.seeds:
            for second in (True,) if chosen.only_beside else (False, True):
                folder = (chosen.keep or Path(scratch)) / f"{chosen.people}-{seed}{'-second' if second else ''}"
                folder.mkdir(parents=True, exist_ok=True)
                rows += measure(chosen.people, chosen.months, seed, second, folder)
    title = f"{chosen.people:,} simulated people, {chosen.months} index dates, {PLACES} places of each programme"
    table = Table(*rows[0], title=title, title_justify="left")
    for row in rows:
        table.add_row(*row.values())
    Console(width=220).print(table)


if __name__ == "__main__":
    main()
