"""The audit on real people: what fairlearn's tutorial publishes of a model by race, and what else there is to see.

    python -m benchmarks.diabetes_fairness PATH [--pages FOLDER]

PATH is the data set "Diabetes 130-US hospitals 1999-2008" (Strack and others 2014; UCI 296, CC BY 4.0). fairlearn's tutorial
(SciPy 2021) fits a logistic regression to a balanced resample of half of the stays and publishes, on the other half, the share
of those readmitted within 30 days whom the model misses (false negatives) by race. The same is done here. Then Casewell's own
audit looks at the same model as if whom it picks had a place: who is picked against who is ill, whether predictions
mean the same in each group, illness at the same risk, and what the gate would say. Illness is the number of diagnoses that a
stay is given; these data have no deprivation, and no measure of need that does not come from the stay itself.
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_negative_rate
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.diabetes import read
from casewell.doors import empty
from casewell.settings import Fairness
from fairness import audit, decide, write_page, write_tables_page
from fairness.audit import Audit
from fairness.groups import GROUPINGS
from fairness.intervals import proportion
from records.tables import LINKAGE, NOT_RECORDED

PUBLISHED = {"AfricanAmerican": 0.43, "Caucasian": 0.44, "Other": 0.52, "Unknown": 0.67}
"""False negatives by race, and below the area under the curve and balanced accuracy, as the tutorial publishes them."""
PUBLISHED_AUC, PUBLISHED_ACCURACY = 0.625, 0.594
RACES = {"AfricanAmerican": "AfricanAmerican", "Caucasian": "Caucasian", "?": "Unknown"}
AGE_BANDS = {"0": "0-30", "1": "0-30", "2": "0-30", "3": "30-60", "4": "30-60", "5": "30-60"}
SPECIALTIES = ("InternalMedicine", "Emergency/Trauma", "Family/GeneralPractice", "Cardiology", "?")
NUMBERS = ("time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications", "number_diagnoses")
CHAPTERS = {"Diabetes": (250, 251), "Circulatory": (390, 460), "Respiratory": (460, 520), "Musculoskeletal": (710, 740)}
SHOWN = (
    "share_of_people",
    "share_of_places",
    "share_ratio",
    "false_negative_rate",
    "calibration_ratio",
    "auroc",
    "need_at_same_score",
)


def described(stays: pd.DataFrame) -> pd.DataFrame:
    """Return the tutorial's features, one row a stay: numbers as they are, everything else as one column a value."""
    first = pd.to_numeric(stays["diag_1"].str.split(".").str[0], errors="coerce")
    chapter = pd.Series("Other", index=stays.index)
    for name, (low, high) in CHAPTERS.items():
        chapter = chapter.mask((first >= low) & (first < high), name)
    specialty = stays["medical_specialty"]
    named = pd.DataFrame(
        {
            "gender": stays["gender"],
            "age": stays["age"].str.extract(r"\[(\d)")[0].map(AGE_BANDS).fillna("over 60"),
            "admission_source": stays["admission_source_id"].where(
                stays["admission_source_id"].isin(["1", "7"]), "Other"
            ),
            "specialty": specialty.where(specialty.isin(SPECIALTIES), "Other"),
            "diagnosis": chapter,
            "medicare": stays["payer_code"] == "MC",
            "medicaid": stays["payer_code"] == "MD",
            **{
                f"had_{kind}": stays[f"number_{kind}"].astype(int) > 0
                for kind in ("emergency", "inpatient", "outpatient")
            },
            **{name: stays[name] for name in ("max_glu_serum", "A1Cresult", "insulin", "change", "diabetesMed")},
        }
    )
    return pd.concat(
        [stays[list(NUMBERS)].astype("float64"), pd.get_dummies(named.astype(str), dtype="float64")], axis=1
    )


def predict(stays: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Fit as the tutorial does, and return the stays of the other half with `risk` (of the balanced world) and `outcome`."""
    outcome = stays["readmitted"] == "<30"
    features = described(stays)
    learn, test = train_test_split(stays.index, test_size=0.5, random_state=seed, stratify=outcome)
    rng = np.random.default_rng(seed)
    with_outcome, without = learn[outcome[learn]], learn[~outcome[learn]]
    balanced = np.concatenate([with_outcome, rng.choice(without, len(with_outcome), replace=False)])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
        features.loc[balanced], outcome[balanced]
    )
    risk = model.predict_proba(features.loc[test])[:, 1]
    return stays.loc[test].assign(
        risk=risk, outcome=outcome[test], race=stays.loc[test, "race"].map(RACES).fillna("Other"), order=test
    )


def as_it_happens(risk: np.ndarray, outcome: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return risks put back to how often the outcome happens: the balanced resample made it look four times as common."""
    odds = np.log(risk / (1 - risk)).reshape(-1, 1)
    fold = np.random.default_rng(seed).integers(0, folds, len(risk))
    mended = np.empty(len(risk))
    for number in range(folds):
        here = fold == number
        mended[here] = LogisticRegression().fit(odds[~here], outcome[~here]).predict_proba(odds[here])[:, 1]
    return mended


def audited(stays: pd.DataFrame, seed: int) -> Audit:
    """Audit the model as if whom it picks (a risk of a half or more in the balanced world) had a place."""
    person = stays["patient_nbr"].astype("int64")
    table = pd.DataFrame(
        {
            "person_id": person,
            "risk": as_it_happens(stays["risk"].to_numpy(), stays["outcome"].to_numpy(), 5, seed),
            "need": stays["number_diagnoses"].astype("float64"),
            "outcome": stays["outcome"],
            "picked": stays["risk"] >= 0.5,
            "index_date": pd.Timestamp(2000, 1, 1) + pd.to_timedelta(stays["order"].rank(method="first"), unit="min"),
            "ethnic_group": stays["race"].replace("Unknown", NOT_RECORDED),
            "sex": stays["gender"].str.lower(),
            "age_band": stays["age"].str.strip("[)"),
        }
    ).sort_values("index_date")
    newest = table.drop_duplicates("person_id", keep="last")
    groups = newest[["person_id", "ethnic_group", "sex", "age_band"]].reindex(
        columns=["person_id", *GROUPINGS], fill_value=NOT_RECORDED
    )
    return audit(
        groups,
        newest[["person_id", "risk", "need"]].reset_index(drop=True),
        newest.loc[newest["picked"], "person_id"].to_numpy(),
        table[["index_date", "person_id", "risk", "need", "outcome"]].reset_index(drop=True),
        empty(LINKAGE),
        Fairness(gate_on=["ethnic_group", "sex"], need_share=0.1),
        seed,
    )


def main() -> None:
    """Print what is published beside what is found here, and the audit; write its two pages where a folder is given."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--seed", type=int, default=445)
    arguments.add_argument("--pages", type=Path)
    chosen = arguments.parse_args()
    console = Console(width=140)
    stays = predict(read(chosen.path), chosen.seed)
    missed = MetricFrame(
        metrics=false_negative_rate,
        y_true=stays["outcome"],
        y_pred=stays["risk"] >= 0.5,
        sensitive_features=stays["race"],
    ).by_group
    readmitted = stays.groupby("race")["outcome"].sum().to_numpy("float64")
    low, high = proportion(missed.to_numpy() * readmitted, readmitted, 0.95)
    first = Table(
        "Race", "Readmitted", "Missed, published", "Missed, here", "95 % interval", title="False negatives by race"
    )
    for row in zip(missed.index, readmitted, missed, low, high, strict=True):
        first.add_row(
            row[0], f"{row[1]:,.0f}", f"{PUBLISHED[row[0]]:.2f}", f"{row[2]:.2f}", f"{row[3]:.2f} to {row[4]:.2f}"
        )
    console.print(first)
    auc = roc_auc_score(stays["outcome"], stays["risk"])
    accuracy = balanced_accuracy_score(stays["outcome"], stays["risk"] >= 0.5)
    console.print(
        f"AUROC: published {PUBLISHED_AUC}, here {auc:.3f}; balanced accuracy: published {PUBLISHED_ACCURACY}, here {accuracy:.3f}"
    )
    found = audited(stays, chosen.seed)
    verdict = decide(found, found.settings)
    second = Table("Race", "Measure", "Value", "95 % interval", "Verdict", title="The audit, by race")
    rows = found.measures[(found.measures["grouping"] == "ethnic_group") & found.measures["measure"].isin(SHOWN)]
    for row in rows.itertuples():
        limits = "" if pd.isna(row.low) else f"{row.low:.2f} to {row.high:.2f}"
        second.add_row(row.group, row.measure, f"{row.value:.2f}", limits, row.verdict)
    console.print(second)
    console.print(f"The gate: {verdict.verdict}", *(f"- {reason}" for reason in verdict.reasons), sep="\n")
    if chosen.pages:
        chosen.pages.mkdir(parents=True, exist_ok=True)
        about: Any = {
            "title": "Readmission after a stay with diabetes, 130 US hospitals",
            "as_of": dt.date(2008, 12, 31),
            "synthetic": False,
        }
        write_page(found, verdict, chosen.pages / "fairness.html", evidence_grade="assumed", **about)
        write_tables_page(found, verdict, chosen.pages / "fairness_tables.html", **about)


if __name__ == "__main__":
    main()
