"""Emergency admission or death within a year: of whom, and what ranking by the true risk finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from benchmarks.simulation_measures.population import CUT_OFF, INDEX, YEAR, Measured, Population, days, in_band
from benchmarks.simulation_targets import CAPTURE, SPARRA_BY_AGE


def read_index(truth: Path, population: Population, emergency: pd.DataFrame) -> pd.DataFrame:
    """Read people as at a year before the cut-off, and what the year held.

    Left out are those who moved away within it. Columns: age, fifth, imd_decile, female, risk (true), event
    (emergency admission or death), before_1 and before_2 (emergency admissions in each of the two years before).
    """
    outcomes = pd.read_parquet(truth / "outcomes.parquet")
    outcomes = outcomes[days(outcomes["as_of"]) == INDEX]
    row = population.position(outcomes["true_person_id"])
    counted = {}
    for name, year in {"after": 0, "before_1": -1, "before_2": -2}.items():
        begins = INDEX + round(year * YEAR)
        admitted = days(emergency["admitted"])
        inside = emergency["person"][(admitted >= begins) & (admitted < begins + 365)]
        counted[name] = inside.value_counts().reindex(outcomes["true_person_id"], fill_value=0).to_numpy()
    died, leaves = population.date("died")[row], population.date("moved_away")[row]
    table = pd.DataFrame(
        {
            "age": (INDEX - population.date("date_of_birth")[row]).astype(float) / YEAR,
            "imd_decile": population.people["imd_decile"].to_numpy()[row],
            "female": (population.people["sex"] == "female").to_numpy()[row],
            "risk": outcomes["risk_without"].to_numpy(),
            "event": (counted["after"] > 0) | (died < CUT_OFF),
            "before_1": counted["before_1"],
            "before_2": counted["before_2"],
        }
    )
    return table[~(leaves < CUT_OFF)].reset_index(drop=True)


def events_by_group(at_index: pd.DataFrame) -> Measured:
    """Share with an emergency admission or death within the year, by age and deprivation."""
    by_decile = at_index.groupby("imd_decile")["event"].mean()
    return {
        **{
            f"event_{band}": at_index.loc[in_band(at_index["age"].to_numpy(), band), "event"].mean()
            for band in SPARRA_BY_AGE
        },
        "event_all": at_index["event"].mean(),
        "event_decile_ratio": by_decile.get(1, np.nan) / by_decile.get(10, np.nan),
    }


def capture(at_index: pd.DataFrame) -> Measured:
    """What ranking by the true risk finds, and how far it is above a model of age, sex and earlier admissions."""
    ranked = at_index.sort_values("risk", ascending=False, kind="stable")["event"].to_numpy()
    measured = {}
    for top in CAPTURE:
        found = ranked[: max(1, round(len(ranked) * top / 100))]
        measured[f"sensitivity_top_{top}"] = float(found.sum() / ranked.sum())
        measured[f"precision_top_{top}"] = float(found.mean())
    adults = at_index[at_index["age"] >= 18]
    simple = cross_val_predict(
        HistGradientBoostingClassifier(max_depth=3, max_iter=80, learning_rate=0.1, random_state=0),
        adults[["age", "female", "before_1", "before_2"]].astype(float),
        adults["event"],
        cv=3,
        method="predict_proba",
    )[:, 1]
    true, plain = roc_auc_score(adults["event"], adults["risk"]), roc_auc_score(adults["event"], simple)
    return measured | {"auroc_true_risk": true, "auroc_simple": plain, "auroc_above_simple": true - plain}
