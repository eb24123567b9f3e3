"""Case management: uptake, what a naive evaluation would see, and what is true."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.simulation_measures.population import (
    CUT_OFF,
    INDEX,
    START,
    YEAR,
    Measured,
    Population,
    days,
    quotient,
    with_person,
)


def programme(
    base: duckdb.DuckDBPyConnection, sources: Path, truth: Path, population: Population, emergency: pd.DataFrame
) -> Measured:
    """Uptake of case management, the fall after it as a naive evaluation sees it, and its true average effect.

    The naive evaluation takes first starts with a whole year of life here before and after.
    """
    rows = base.execute(with_person(sources / "programme.parquet", truth, "programme")).df()
    outcomes = rows["outcome"].value_counts()
    invited = outcomes.reindex(["started", "declined", "not_reached"], fill_value=0).sum()
    starts = rows[rows["outcome"] == "started"].groupby("person", as_index=False)["start_date"].min()
    starts = starts[population.position(starts["person"]) >= 0]
    outlook = pd.read_parquet(truth / "outcomes.parquet")
    outlook = outlook[days(outlook["as_of"]) == INDEX].set_index("true_person_id")
    later = starts.loc[days(starts["start_date"]) >= INDEX, "person"]
    later = outlook.loc[outlook.index.intersection(later)]
    return {
        "uptake": quotient(outcomes.get("started", 0), invited),
        "naive_fall": naive_fall(population, emergency, starts),
        "true_relative_effect": quotient(later["admission_risk_with"].sum(), later["admission_risk_without"].sum()),
        "naive_uplift_gain": naive_uplift_gain(population, emergency, starts, outlook),
    }


def naive_fall(population: Population, emergency: pd.DataFrame, starts: pd.DataFrame) -> float:
    """Fall in emergency admissions, as a share, from the 365 days before each person's start to the 365 from it."""
    row, start = population.position(starts["person"]), days(starts["start_date"])
    born, enters = population.date("date_of_birth")[row], population.date("moved_in")[row]
    until = np.fmin(np.fmin(population.date("died")[row], population.date("moved_away")[row]), CUT_OFF)
    whole = (start - 365 >= np.maximum(np.maximum(enters, born), START)) & (start + 365 <= until)
    near = emergency.merge(starts[whole], on="person")
    since = (days(near["admitted"]) - days(near["start_date"])).astype(int)
    before, after = ((since >= -365) & (since < 0)).sum(), ((since >= 0) & (since < 365)).sum()
    return 1 - quotient(after, before)


def naive_uplift_gain(
    population: Population, emergency: pd.DataFrame, starts: pd.DataFrame, outlook: pd.DataFrame
) -> float:
    """Share of the possible gain that a naive uplift model finds in the top two per cent of adults.

    The model is two: one of those who started within half a year of a date, one of everybody else, by age, sex,
    deprivation and earlier admissions; their difference is the uplift. It learns from one year and ranks the next;
    the gain is the true fall in the risk of admission or death.
    """
    then, now = (_seen_at(population, emergency, date) for date in (INDEX - 365, INDEX))
    died, admitted = population.date("died"), days(emergency["admitted"])
    inside = emergency["person"][(admitted >= INDEX - 365) & (admitted < INDEX)]
    event = population.people["true_person_id"].isin(inside).to_numpy() | ((died >= INDEX - 365) & (died < INDEX))
    began = days(starts["start_date"])
    treated = starts["person"][(began >= INDEX - 365) & (began < INDEX - 183)]
    treated = population.people["true_person_id"].isin(treated).to_numpy()
    here = (population.date("moved_in") <= INDEX - 365) & ~(died < INDEX - 365)
    here &= ~(population.date("moved_away") < INDEX) & (then["age"].to_numpy() >= 18)
    if len(np.unique(event[here & treated])) < 2:
        return np.nan
    chance = [
        HistGradientBoostingClassifier(max_depth=3, max_iter=60, random_state=0)
        .fit(then[here & arm], event[here & arm])
        .predict_proba(now)[:, 1]
        for arm in (~treated, treated)
    ]
    uplift = pd.Series(chance[0] - chance[1], index=population.people["true_person_id"])
    adults = outlook[(now["age"] >= 18).to_numpy()[population.position(outlook.index)]]
    gain = adults["risk_without"] - adults["risk_with"]
    places = max(1, round(0.02 * len(adults)))
    found = uplift.reindex(adults.index).nlargest(places).index
    return quotient(gain[found].sum(), gain.nlargest(places).sum())


def _seen_at(population: Population, emergency: pd.DataFrame, date: np.datetime64) -> pd.DataFrame:
    """What the plainest records show of everyone on a date."""
    people, admitted = population.people, days(emergency["admitted"])
    table = {
        "age": (date - population.date("date_of_birth")).astype(float) / YEAR,
        "female": (people["sex"] == "female").astype(float),
        "imd_decile": people["imd_decile"].astype(float),
    }
    for years in (1, 2):
        inside = emergency["person"][(admitted >= date - years * 365) & (admitted < date - (years - 1) * 365)]
        table[f"before_{years}"] = inside.value_counts().reindex(people["true_person_id"], fill_value=0).to_numpy()
    return pd.DataFrame(table).astype(float)
