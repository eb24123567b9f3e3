"""The risk estimator on real people: readmission within 30 days, 130 hospitals of the United States.

    python -m benchmarks.diabetes PATH [--seed 20260928]

PATH is the data set "Diabetes 130-US hospitals 1999-2008" (Strack and others 2014; UCI 296, CC BY 4.0),
as Parquet or CSV. Stays that ended in death or a hospice are left out: those people cannot be readmitted. The
data have no dates, but encounters are numbered in the order of time. Two splits, neither of which lets a person stand
on both sides: by person, and by person and time (learn from the earlier seven tenths of the stays, test on the later).

The same `fit_risk` that learns from NHS records is given the foreign table with the settings' defaults, except
that leaves may be smaller, for there are fewer rows. Race is not among its features; it is what the
audit goes by, with the fairness room's own measures, limits and verdicts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from casewell.settings import Fairness, Training
from fairness.intervals import proportion
from fairness.levels import judge, levels_for
from fairness.outcomes import outcome_rows
from models.evaluation.by_group import FEWEST_OUTCOMES, measure_by
from models.evaluation.page_risk import TOO_FEW
from models.risk.estimator import fit_risk, person_folds

DIED_OR_HOSPICE = {"11", "13", "14", "19", "20", "21"}
NUMBERS = (
    "time_in_hospital",
    "num_lab_procedures",
    "num_procedures",
    "num_medications",
    "number_outpatient",
    "number_emergency",
    "number_inpatient",
    "number_diagnoses",
)
NAMED = ("admission_type_id", "discharge_disposition_id", "admission_source_id", "medical_specialty", "payer_code")
CHANGED = {"No": 0.0, "Down": 1.0, "Steady": 2.0, "Up": 3.0}
# Chapters of ICD-9 by the first three figures of a code.
CHAPTERS = [
    0,
    140,
    240,
    250,
    251,
    280,
    290,
    320,
    390,
    410,
    428,
    429,
    460,
    520,
    580,
    630,
    680,
    710,
    740,
    760,
    780,
    800,
    1000,
]
SMALLEST_CATEGORY = 300
# The risk from which the published tree acts.
ACT_FROM = 0.1
PUBLISHED = """Published on the same data, for comparison (other splits, no calibration given):
  fairlearn, SciPy 2021 tutorial, logistic regression on a balanced resample: AUROC 0.625;
  false negatives: African American 0.43, Caucasian 0.44, Other 0.52, Unknown 0.67.
  fairlearn, quick start, a tree of depth 4, acting from a risk of 0.1: accuracy 0.514, false negatives 0.309."""


def read(path: Path) -> pd.DataFrame:
    """Read the encounters in the order of time, without those that ended in death or a hospice."""
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str, keep_default_na=False)
    table = table.astype(str)
    table = table[~table["discharge_disposition_id"].isin(DIED_OR_HOSPICE)]
    order = table["encounter_id"].astype("int64").sort_values().index
    return table.loc[order].reset_index(drop=True)


def features(table: pd.DataFrame) -> pd.DataFrame:
    """Return numbers only: what was known when the person went home; race is left out."""
    columns: dict[str, pd.Series | np.ndarray] = {name: table[name].astype("float64") for name in NUMBERS}
    columns["age"] = table["age"].str.extract(r"\[(\d+)-")[0].astype("float64") + 5
    columns["female"] = table["gender"].map({"Female": 1.0, "Male": 0.0})
    columns["glucose"] = table["max_glu_serum"].map({"Norm": 0.0, ">200": 1.0, ">300": 2.0})
    columns["hba1c"] = table["A1Cresult"].map({"Norm": 0.0, ">7": 1.0, ">8": 2.0})
    columns["medicine_changed"] = (table["change"] == "Ch").astype("float64")
    columns["diabetes_medicine"] = (table["diabetesMed"] == "Yes").astype("float64")
    medicines = table.columns[table.isin(list(CHANGED)).all()]
    columns |= {name: table[name].map(CHANGED) for name in medicines}
    for name in NAMED:
        columns |= _categories(name, table[name])
    for name in ("diag_1", "diag_2", "diag_3"):
        columns |= _categories(f"{name}_code", table[name].str.split(".").str[0])
        chapter = pd.cut(pd.to_numeric(table[name], errors="coerce"), CHAPTERS, right=False, labels=CHAPTERS[:-1])
        columns |= _categories(f"{name}_chapter", chapter.astype("object").where(chapter.notna(), table[name].str[0]))
    # Earlier stays of the same person in these data are known on the day.
    columns["earlier_stays"] = table.groupby("patient_nbr").cumcount().astype("float64")
    return pd.DataFrame(columns).astype("float32")


def _categories(name: str, values: pd.Series) -> dict[str, np.ndarray]:
    counts = values.value_counts()
    return {
        f"{name}_{value}": (values == value).to_numpy("float64")
        for value in sorted(counts[counts >= SMALLEST_CATEGORY].index, key=str)
    }


def sides(split: str, table: pd.DataFrame, person: pd.Series, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows to learn from and which to test on; no person is among both."""
    held_out = person_folds(person, 4, seed + 1) == 0
    if split == "by person":
        return ~held_out, held_out
    early = np.arange(len(table)) < 0.7 * len(table)
    return early & ~held_out, ~early & held_out


def missed(predicted: pd.DataFrame) -> pd.DataFrame:
    """Return, by race, the share of those readmitted whose risk was below `ACT_FROM`: measure `false_negative_rate`."""
    happened = predicted[predicted["outcome"]]
    below = (happened["risk"] < ACT_FROM).groupby(happened["race"]).agg(["sum", "size"])
    low, high = proportion(below["sum"].to_numpy("float64"), below["size"].to_numpy("float64"), Fairness().confidence)
    people = predicted.groupby("race")["person_id"].nunique().reindex(below.index)
    found = pd.DataFrame({"group": below.index, "measure": "false_negative_rate", "people": people.to_numpy()})
    limits = {"value": (below["sum"] / below["size"]).to_numpy(), "low": low, "high": high}
    enough = (below["size"] >= FEWEST_OUTCOMES).to_numpy()
    return found.assign(**{name: np.where(enough, limit, np.nan) for name, limit in limits.items()}, verdict="reported")


def measure(
    table: pd.DataFrame, matrix: pd.DataFrame, split: str, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Fit on one side of a split; return the figures on the other, the audit by race, and logistic regression's AUROC."""
    person = table["patient_nbr"].astype("int64")
    outcome = (table["readmitted"] == "<30").to_numpy()
    learn, test = sides(split, table, person, seed)
    # Twelve stretches of time stand for index dates.
    when = np.floor(np.arange(len(table)) * 12 / len(table))[learn]
    nobody = np.zeros(int(learn.sum()), dtype=bool)
    folds = person_folds(person[learn], 4, seed)
    rules = Training(minimum_leaf=100)
    model, _ = fit_risk(matrix[learn], outcome[learn], nobody, folds, rules, seed, when)
    predicted = pd.DataFrame(
        {
            "person_id": person[test].to_numpy(),
            "risk": model.predict(matrix[test]),
            "outcome": outcome[test],
            "race": table.loc[test, "race"].replace("?", "not recorded").to_numpy(),
        }
    )
    linear, _ = fit_risk(matrix[learn], outcome[learn], nobody, folds, rules, seed, when, kind="linear")
    logistic = measure_by(predicted.assign(risk=linear.predict(matrix[test])), None, 0.1, seed, 0)
    settings = Fairness()
    groups = pd.Index(sorted(predicted["race"].unique()), name="race")
    audit = outcome_rows(predicted, "race", groups, levels_for(settings.confidence, len(groups)))
    audit = pd.concat([audit.assign(verdict=judge(audit, settings)), missed(predicted)], ignore_index=True)
    return measure_by(predicted, None, 0.1, seed), audit, float(logistic["value"].iloc[0])


def main() -> None:
    """Print the figures of both splits, and the audit by race."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--seed", type=int, default=20260928)
    chosen = arguments.parse_args()
    console = Console(width=120)
    table = read(chosen.path)
    matrix = features(table)
    console.print(
        f"{len(table):,} stays of {table['patient_nbr'].nunique():,} people, {matrix.shape[1]} features, "
        f"{(table['readmitted'] == '<30').mean():.2%} readmitted within 30 days"
    )
    for split in ("by person", "by person and time"):
        figures, audit, logistic = measure(table, matrix, split, chosen.seed)
        shown = Table("measure", "value", "95 % interval", title=f"Split {split}", title_justify="left")
        for row in figures.itertuples():
            shown.add_row(row.measure, f"{row.value:.3f}", f"{row.low:.3f} to {row.high:.3f}")
        shown.add_row("auroc of logistic regression", f"{logistic:.3f}", "")
        console.print(shown)
        races = Table(
            "race", "measure", "people", "value", "95 % interval", "verdict", title="By race", title_justify="left"
        )
        for row in audit.itertuples():
            told = (f"{row.value:.3f}", f"{row.low:.3f} to {row.high:.3f}") if pd.notna(row.value) else (TOO_FEW, "")
            races.add_row(row.group, row.measure, f"{row.people:,.0f}", *told, row.verdict)
        console.print(races)
    console.print(PUBLISHED)


if __name__ == "__main__":
    main()
