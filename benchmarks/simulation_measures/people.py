"""Who lives here, with which long-term conditions, diagnosed or not, and how frail."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks.simulation_measures.population import INDEX, Measured, Population, days
from benchmarks.simulation_targets import FIFTHS

CMS = Path(__file__).parents[2] / "data" / "reference" / "scores" / "cambridge_multimorbidity.csv"
CMS_NAMES = {"cancer_last_5y": "cancer"}  # where the simulator's name differs
MENTAL = ("alcohol_problems", "anxiety_depression", "dementia", "psychosis_bipolar")
CONSULTATION = "11429006"
FRAILTY = {"mild": 0.12, "moderate": 0.24, "severe": 0.36}  # lower bounds, themselves outside


def structure(people: pd.DataFrame) -> Measured:
    """Age, sex, ethnicity and deprivation of those here at the cut-off."""
    here = people[people["here"]]
    # As if every tenth of deprivation held as many people, as it does in England.
    weight = 1 / here["imd_decile"].map(here["imd_decile"].value_counts())
    deprived = {
        name: weight[is_one & (here["imd_decile"] == 1)].sum() / weight[is_one].sum()
        for name, is_one in (
            ("pakistani", here["ethnic_category"] == "J"),
            ("white_british", here["ethnic_category"] == "A"),
        )
        if is_one.any()
    }
    measured = {
        "aged_0_to_14": (here["age"] < 15).mean(),
        "aged_65_and_over": (here["age"] >= 65).mean(),
        "aged_85_and_over": (here["age"] >= 85).mean(),
        "female": (here["sex"] == "female").mean(),
        **{
            name: (here["ethnic_group"] == group).mean()
            for group, name in {
                "white": "white",
                "asian": "asian",
                "black": "black",
                "mixed": "mixed",
                "other": "other_group",
            }.items()
        },
        **{f"{name}_in_most_deprived_tenth": share for name, share in deprived.items()},
    }
    if deprived.get("white_british") and "pakistani" in deprived:
        measured["pakistani_over_white_british"] = deprived["pakistani"] / deprived["white_british"]
    return measured


def recorded(people: pd.DataFrame) -> pd.DataFrame:
    """Return the recorded conditions of each person, one column (0 or 1) a condition; no columns if the truth is silent."""
    columns = people.filter(regex="^diagnosed_")
    return columns.rename(columns=lambda name: name.removeprefix("diagnosed_"))


def multimorbid(people: pd.DataFrame) -> pd.Series:
    """Whether each person has two recorded conditions or more; of all conditions where the truth does not tell which."""
    written = recorded(people)
    return (people["conditions"] if written.empty else written.sum(axis=1)) >= 2


def morbidity(people: pd.DataFrame) -> Measured:
    """Recorded long-term conditions of those here at the cut-off."""
    here = people[people["here"]].assign(many=lambda table: multimorbid(table))
    adults = here[here["age"] >= 18]
    by_sex, by_fifth = adults.groupby("sex")["many"].mean(), adults.groupby("fifth")["many"].mean()
    measured = {
        "multimorbid_adults": adults["many"].mean(),
        "multimorbid_adults_true": (adults["conditions"] >= 2).mean(),
        "multimorbid_all_ages": here["many"].mean(),
        "any_condition_all_ages": recorded(here).any(axis=1).mean(),
        "multimorbid_women": by_sex["female"],
        "multimorbid_men": by_sex["male"],
        **{f"multimorbid_{fifth}": by_fifth[fifth] for fifth in FIFTHS},
        "multimorbid_ratio": by_fifth["most"] / by_fifth["least"],
        "multimorbid_75+": here.loc[here["age"] >= 75, "many"].mean(),
        **{
            f"multimorbid_{low}-{low + 9}": here.loc[
                here["age"].between(low, low + 10, inclusive="left"), "many"
            ].mean()
            for low in (5, 15, 25, 35, 45, 55, 65)
        },
    }
    return measured | _by_condition(here)


def _by_condition(here: pd.DataFrame) -> Measured:
    written = recorded(here)
    if written.empty:
        return {}
    adult, working = here["age"] >= 18, here["age"].between(20, 70, inclusive="left")
    both = written[list(MENTAL)].any(axis=1) & written.drop(columns=list(MENTAL)).any(axis=1)
    points = pd.read_csv(CMS).set_index("group")["points"]
    weights = points.rename(index=lambda group: group.removeprefix("cms_")).rename(CMS_NAMES)
    ill = (written[weights.index] @ weights) > 1.5
    extremes = {"most": here["imd_decile"] == 1, "least": here["imd_decile"] == 10}
    measured = {
        f"recorded_{name}": written.loc[adult, name].mean()
        for name in ("hypertension", "anxiety_depression", "painful_condition")
    }
    for end, inside in extremes.items():
        measured[f"physical_and_mental_{end}"] = both[inside].mean()
        measured[f"major_illness_{end}"] = ill[inside & working].mean()
    for name in ("physical_and_mental", "major_illness"):
        measured[f"{name}_ratio"] = measured[f"{name}_most"] / measured[f"{name}_least"]
    return measured


def use_by_multimorbid(
    base: duckdb.DuckDBPyConnection, sources: Path, population: Population, stays: pd.DataFrame
) -> Measured:
    """Share of adults' consultations, prescriptions and admissions in the last year that are of the multimorbid."""
    used = base.execute(
        f"""
        SELECT nhs_number, count(*) FILTER (code = '{CONSULTATION}') AS consultations,
               count(*) FILTER (code_system = 'BNF') AS prescriptions
        FROM read_parquet('{sources / "gp_events.parquet"}')
        WHERE event_date >= DATE '{INDEX}' GROUP BY nhs_number
        """
    ).df()
    admitted = stays.loc[days(stays["admitted"]) >= INDEX, "person"].value_counts().rename("admissions")
    people = population.people.assign(many=multimorbid(population.people)).query("age >= 18")
    people = people.merge(used, on="nhs_number", how="left").join(admitted, on="true_person_id")
    kinds = ["consultations", "prescriptions", "admissions"]
    total, of_many = people[kinds].sum(), people.loc[people["many"], kinds].sum()
    return {f"{kind}_of_multimorbid": of_many[kind] / total[kind] for kind in kinds if total[kind] > 0}


def frailty(people: pd.DataFrame) -> Measured:
    """Bands of the true deficits of those here at the cut-off."""
    here = people[people["here"]]
    younger = here.loc[here["age"].between(50, 65, inclusive="left"), "deficits"]
    older = here.loc[here["age"] >= 65, "deficits"]
    edges = [*FRAILTY.values(), np.inf]
    bands = {
        name: ((older > low) & (older <= high)).mean()
        for name, low, high in zip(FRAILTY, edges, edges[1:], strict=False)
    }
    return {
        "frail_50_to_64": (younger > FRAILTY["mild"]).mean(),
        "frail_65_and_over": (older > FRAILTY["mild"]).mean(),
        "fit": (older <= FRAILTY["mild"]).mean(),
        **bands,
    }


def diagnosis(people: pd.DataFrame) -> Measured:
    """Who has a condition and who was told so, among adults here at the cut-off; nothing if the truth is silent."""
    if not {"has_diabetes", "diagnosed_diabetes"} <= set(people.columns):
        return {}
    adults = people[people["here"] & (people["age"] >= 18)]

    def undiagnosed(rows: pd.DataFrame, name: str) -> pd.Series:
        return (rows[f"has_{name}"] > 0) & ~(rows[f"diagnosed_{name}"] > 0)

    measured: Measured = {}
    groups = {"": adults, **{f"_{group}": adults[adults["ethnic_group"] == group] for group in ("asian", "black")}}
    for suffix, rows in groups.items():
        measured[f"diabetes_diagnosed{suffix}"] = (rows["diagnosed_diabetes"] > 0).mean()
        measured[f"diabetes_undiagnosed{suffix}"] = undiagnosed(rows, "diabetes").mean()
    for name in ("copd", "hypertension", "coronary_heart_disease"):
        measured[f"{name}_share_diagnosed"] = 1 - undiagnosed(adults[adults[f"has_{name}"] > 0], name).mean()
    for key, name in (("hypertension", "hypertension"), ("depression", "anxiety_depression")):
        ill = adults[adults[f"has_{name}"] > 0]
        by_fifth = undiagnosed(ill, name).groupby(ill["fifth"]).mean()
        measured[f"{key}_undiagnosed_gradient"] = by_fifth.get("most", np.nan) - by_fifth.get("least", np.nan)
    return measured
