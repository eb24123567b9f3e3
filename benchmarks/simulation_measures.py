"""What a simulated population gives: every figure of `benchmarks.simulation_targets`, from the written tables.

    python -m benchmarks.simulation_measures SOURCES TRUTH

The true person of each row comes from the truth's identities, so that linkage has no part in these figures.
Only people registered at some time are counted; all rates are over the time that they lived here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from benchmarks.simulation_targets import AGE_BANDS, CAPTURE, DEVON, FIFTHS, SPARRA_BY_AGE, TARGETS

START, CUT_OFF, INDEX = np.datetime64("2022-10-01"), np.datetime64("2026-10-01"), np.datetime64("2025-10-01")
YEAR = 365.25  # days
QUARTERS = START + np.round(np.arange(17) * YEAR / 4).astype(int)
CMS = Path(__file__).parents[1] / "data" / "reference" / "scores" / "cambridge_multimorbidity.csv"
CMS_NAMES = {"cancer_last_5y": "cancer"}  # where the simulator's name differs
MENTAL = ("alcohol_problems", "anxiety_depression", "dementia", "psychosis_bipolar")
CONSULTATION = "11429006"
TRANSFERS = ("81", "2B")
NOT_EMERGENCY = ("2B", "2C")
NOT_KNOWN = ("99", "Z", "")
ETHNIC_GROUPS = {
    **dict.fromkeys("ABC", "white"),
    **dict.fromkeys("DEFG", "mixed"),
    **dict.fromkeys("HJKLR", "asian"),
    **dict.fromkeys("MNP", "black"),
    "S": "other",
}
REGISTERS = ("demographics", "practices", "opt_outs", "programme")
# European Standard Population 2013, in thousands, by five years of age from 0 to 74.
STANDARD = np.array([5.0, 5.5, 5.5, 5.5, 6.0, 6.0, 6.5, 7.0, 7.0, 7.0, 7.0, 6.5, 6.0, 5.5, 5.0])
FRAILTY = {"mild": 0.12, "moderate": 0.24, "severe": 0.36}  # lower bounds, themselves outside

Measured = dict[str, float]


@dataclass(frozen=True)
class Population:
    """Everyone registered at some time, and their time here by quarters of a year.

    `people` is the truth's table of people with a plain index, dates as days, and added to it `fifth`
    (one of FIFTHS), `age` (years at the cut-off) and `here` (registered and alive at the cut-off).
    `exposure` (years) and `age` (years, in the middle of the quarter) are people x 16 quarters.
    """

    people: pd.DataFrame
    exposure: np.ndarray
    age: np.ndarray

    def position(self, person: Iterable[int]) -> np.ndarray:
        """Row of each true person; -1 for one who was never registered."""
        return pd.Index(self.people["true_person_id"]).get_indexer(pd.Index(person))

    def count(self, person: np.ndarray, date: np.ndarray) -> np.ndarray:
        """Count events by person and quarter; those of others or outside the four years are left out."""
        row, quarter = self.position(person), np.searchsorted(QUARTERS, days(date), side="right") - 1
        inside = (row >= 0) & (quarter >= 0) & (quarter < self.exposure.shape[1])
        cell = row[inside] * self.exposure.shape[1] + quarter[inside]
        return np.bincount(cell, minlength=self.exposure.size).reshape(self.exposure.shape)

    def date(self, column: str) -> np.ndarray:
        """Return a date of everyone, to the day."""
        return days(self.people[column])


def days(dates: pd.Series | np.ndarray) -> np.ndarray:
    """Return dates as numpy days; NaT where there is none."""
    return np.asarray(dates).astype("datetime64[D]")


def measure(sources: Path, truth: Path) -> Measured:
    """Measure one simulated population.

    Parameters
    ----------
    sources, truth
        The two folders that `simulator.simulate` writes.

    Returns
    -------
    dict
        One number a name: shares from 0 to 1, rates per 1,000 person-years, else as in the target of that name.
        Figures that these tables cannot give are missing, and some have no target: they are for pictures.
    """
    with duckdb.connect(config={"threads": 2}) as base:
        population = read_population(truth)
        stays = read_stays(base, sources, truth)
        attendances = read_attendances(base, sources, truth)
        emergency = stays[is_emergency(stays["method"])]
        counts = population.count(emergency["person"], emergency["admitted"])
        visits = population.count(attendances["person"], attendances["arrived"])
        at_index = read_index(truth, population, emergency)
        return {
            **structure(population.people),
            **morbidity(population.people),
            **use_by_multimorbid(base, sources, population, stays),
            **admissions(population, emergency, counts),
            "events_per_person": rows_of_events(sources) / len(population.people),
            **gradient(population, counts),
            **repeats(counts),
            **events_by_group(at_index),
            **capture(at_index),
            **departments(population, attendances, visits),
            **mortality(population),
            **frailty(population.people),
            **recording(base, sources, truth, population.people),
            **diagnosis(population.people),
            **programme(base, sources, truth, population, emergency),
        }


def read_population(truth: Path) -> Population:
    """Read everyone registered at some time from the truth."""
    people = pd.read_parquet(truth / "people.parquet").query("registered").reset_index(drop=True)
    people["fifth"] = np.array(FIFTHS)[(10 - people["imd_decile"].to_numpy()) // 2]
    born, died, leaves = days(people["date_of_birth"]), days(people["died"]), days(people["moved_away"])
    enters = np.maximum(days(people["moved_in"]), born)
    until = np.fmin(np.fmin(died, leaves), CUT_OFF)
    people["age"] = (CUT_OFF - born).astype(float) / YEAR
    people["here"] = (enters < CUT_OFF) & (until == CUT_OFF) & (died != CUT_OFF)
    first, last = QUARTERS[:-1][None, :], QUARTERS[1:][None, :]
    inside = np.minimum(until[:, None], last) - np.maximum(enters[:, None], first)
    middle = first + (last - first) // 2
    age = ((middle - born[:, None]).astype(float) / YEAR).clip(0)
    return Population(people, inside.astype(float).clip(0) / YEAR, age)


def read_stays(base: duckdb.DuckDBPyConnection, sources: Path, truth: Path) -> pd.DataFrame:
    """Read continuous hospital stays: person, admitted, discharged (none while unknown) and method of admission.

    Episodes and resubmissions of a spell count once, by the newest version. A spell that begins as a transfer on
    the day that the person's last one ended goes on from it.
    """
    path = sources / "hospital_spells.parquet"
    version = "coalesce(received_date, DATE '1900-01-01')"
    if "spell_id" in pq.read_schema(path).names:
        key, version = "provider_code, coalesce(spell_id, record_id)", f"row({version}, episode_order)"
    else:
        key = "provider_code, person, admission_date, admission_method"
    stays: pd.DataFrame = base.execute(
        f"""
        WITH rows AS ({_with_person(path, truth, "hospital_spells")}),
        spells AS (
            SELECT any_value(person) AS person, arg_max(admission_date, {version}) AS admitted,
                   arg_max(discharge_date, {version}) AS discharged, arg_max(admission_method, {version}) AS method
            FROM rows GROUP BY {key}
        ),
        kinds AS (SELECT *, method IN {TRANSFERS} AS transfer FROM spells),
        before AS (
            SELECT *, lag(discharged) OVER (PARTITION BY person ORDER BY admitted, transfer, discharged) AS last_end
            FROM kinds
        ),
        chains AS (
            SELECT *, sum(CASE WHEN transfer AND admitted = last_end THEN 0 ELSE 1 END)
                      OVER (PARTITION BY person ORDER BY admitted, transfer, discharged ROWS UNBOUNDED PRECEDING) AS stay
            FROM before
        )
        SELECT person, min(admitted) AS admitted, arg_min(method, row(admitted, transfer)) AS method,
               CASE WHEN count(discharged) = count(*) THEN max(discharged) END AS discharged
        FROM chains GROUP BY person, stay ORDER BY person, admitted, method
        """
    ).df()
    return stays


def is_emergency(method: pd.Series) -> pd.Series:
    """Whether each admission method is an emergency one, transfers and births left out."""
    return method.str.startswith("2") & ~method.isin(NOT_EMERGENCY)


def read_attendances(base: duckdb.DuckDBPyConnection, sources: Path, truth: Path) -> pd.DataFrame:
    """Read emergency department attendances, rows sent twice once: person and arrived."""
    path = sources / "emergency_care.parquet"
    found: pd.DataFrame = base.execute(
        f"""
        WITH rows AS ({_with_person(path, truth, "emergency_care")}),
        once AS (SELECT DISTINCT * EXCLUDE (record_id, received_date) FROM rows)
        SELECT person, arrival_date AS arrived FROM once ORDER BY person, arrived
        """
    ).df()
    return found


def _with_person(path: Path, truth: Path, source: str) -> str:
    """Query for a source's rows with `person`, the true person of each."""
    return f"""
        SELECT s.*, i.true_person_id AS person FROM read_parquet('{path}') s
        JOIN read_parquet('{truth / "identities.parquet"}') i ON i.record_id = s.record_id AND i.source = '{source}'
    """


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


def admissions(population: Population, emergency: pd.DataFrame, counts: np.ndarray) -> Measured:
    """Emergency admissions: how many, and how long they last."""
    registered = emergency[population.position(emergency["person"]) >= 0].dropna(subset=["discharged"])
    length = (days(registered["discharged"]) - days(registered["admitted"])).astype(int)
    oldest = population.age >= 85
    return {
        "emergency_rate": _rate(population, counts, np.ones_like(oldest)),
        "emergency_rate_85+": _rate(population, counts, oldest),
        "bed_days": float(length.mean()),
        "zero_day_share": float((length == 0).mean()),
    }


def _rate(population: Population, counts: np.ndarray, where: np.ndarray) -> float:
    """Events per 1,000 person-years in some cells of people x quarters."""
    years = population.exposure[where].sum()
    return float(1000 * counts[where].sum() / years) if years > 0 else float("nan")


def _in_band(age: np.ndarray, band: str) -> np.ndarray:
    """Whether each age is in a band written as 20-37 or 67+ (completed years)."""
    low, _, high = band.partition("-")
    return (age >= float(low.rstrip("+"))) & (age < (float(high) + 1 if high else np.inf))


def gradient(population: Population, counts: np.ndarray) -> Measured:
    """Emergency admissions by age and deprivation, brought to the total that Devon's rates would give these people."""
    fifth = population.people["fifth"].to_numpy()[:, None]
    raw, years = {}, {}
    for band in AGE_BANDS:
        for name in FIFTHS:
            where = _in_band(population.age, band) & (fifth == name)
            raw[band, name], years[band, name] = _rate(population, counts, where), population.exposure[where].sum()
    published = {(band, name): rate for band in AGE_BANDS for name, rate in zip(FIFTHS, DEVON[band], strict=True)}
    level = sum(years[cell] * raw[cell] for cell in raw) / sum(years[cell] * published[cell] for cell in raw)
    ratios = {band: raw[band, "most"] / raw[band, "least"] for band in AGE_BANDS}
    return {
        **{f"emergency_{band}_{name}": rate / level for (band, name), rate in raw.items()},
        **{f"emergency_ratio_{band}": ratio for band, ratio in ratios.items()},
        "emergency_ratio_fall": ratios["38-52"] - ratios["67+"],
        "emergency_ratio_standardised": _quotient(
            *(
                sum(raw[band, name] * sum(years[band, fifth] for fifth in FIFTHS) for band in AGE_BANDS)
                for name in ("most", "least")
            )
        ),
        "emergency_over_devon": level,
    }


def repeats(counts: np.ndarray) -> Measured:
    """How often those admitted within a year from October are admitted in it, over the four years."""
    yearly = counts.reshape(len(counts), 4, 4).sum(axis=2)
    admitted = yearly[yearly > 0]
    shares = {"one": admitted == 1, "two": admitted == 2, "three": admitted == 3, "four_or_more": admitted >= 4}
    return {
        **{f"admitted_{name}": float(share.mean()) for name, share in shares.items()},
        "admissions_per_admitted": float(admitted.mean()),
        "events_of_the_top_11": float(
            np.sort(admitted)[::-1][: max(1, round(0.11 * len(admitted)))].sum() / max(admitted.sum(), 1)
        ),
    }


def events_by_group(at_index: pd.DataFrame) -> Measured:
    """Share with an emergency admission or death within the year, by age and deprivation."""
    by_decile = at_index.groupby("imd_decile")["event"].mean()
    return {
        **{
            f"event_{band}": at_index.loc[_in_band(at_index["age"].to_numpy(), band), "event"].mean()
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


def departments(population: Population, attendances: pd.DataFrame, visits: np.ndarray) -> Measured:
    """Emergency department attendances: how many, by deprivation, and how soon again."""
    decile, fifth = population.people["imd_decile"].to_numpy(), population.people["fifth"].to_numpy()
    tenths = {number: _rate(population, visits, decile == number) for number in range(1, 11)}
    fifths = {name: _rate(population, visits, fifth == name) for name in FIFTHS}
    seen = attendances[population.position(attendances["person"]) >= 0].sort_values(["person", "arrived"])
    gap = seen.groupby("person")["arrived"].shift(-1) - seen["arrived"]
    followed = days(seen["arrived"]) < CUT_OFF - 7
    return {
        "ed_rate": _rate(population, visits, np.ones(len(decile), bool)),
        **{f"ed_rate_decile_{number}": rate for number, rate in tenths.items()},
        "ed_decile_ratio": tenths[1] / tenths[10],
        "ed_most_deprived_share": fifths["most"] / sum(fifths.values()),
        "ed_again_within_7_days": float((gap <= pd.Timedelta(days=7))[followed].mean()),
    }


def mortality(population: Population) -> Measured:
    """Deaths by age, and by deprivation: standardised, along the tenths, and as years of life expected."""
    died, leaves = population.date("died"), population.date("moved_away")
    counted = ~np.isnat(died) & ~(leaves < died) & (population.exposure.sum(axis=1) > 0)
    deaths = population.count(population.people["true_person_id"][counted], died[counted])
    decile, female = population.people["imd_decile"].to_numpy(), (population.people["sex"] == "female").to_numpy()
    bands = [f"{low}-{low + 4}" for low in range(0, 90, 5)] + ["90+"]
    measured = {f"mortality_{band}": _rate(population, deaths, _in_band(population.age, band)) for band in bands}
    standardised, expected = {}, {}
    for tenth in (1, 10):
        lived = population.exposure * (decile == tenth)[:, None]
        young = [
            _quotient(deaths[where].sum(), lived[where].sum())
            for where in (
                _in_band(population.age, band) & (decile == tenth)[:, None] for band in bands[: len(STANDARD)]
            )
        ]
        standardised[tenth] = float(np.average(young, weights=STANDARD))
        for sex, inside in (("women", female), ("men", ~female)):
            expected[sex, tenth] = life_expectancy(population, deaths, bands, (decile == tenth) & inside)
    men = _in_band(population.age, "40-54") & ~female[:, None]
    return {
        **measured,
        "mortality_under_75_ratio": _quotient(standardised[1], standardised[10]),
        "mortality_men_40_to_54_ratio": line_ratio(population, deaths, men, decile),
        **{f"life_expectancy_gap_{sex}": expected[sex, 10] - expected[sex, 1] for sex in ("men", "women")},
    }


def _quotient(over: float, under: float) -> float:
    return float(over / under) if under > 0 else float("nan")


def life_expectancy(population: Population, deaths: np.ndarray, bands: list[str], who: np.ndarray) -> float:
    """Years of life expected at birth by a period life table over five-year bands, the last one open."""
    alive, lived = 1.0, 0.0
    for band in bands:
        where = _in_band(population.age, band) & who[:, None]
        rate = _quotient(deaths[where].sum(), population.exposure[where].sum())
        if band.endswith("+"):
            return lived + _quotient(alive, rate)
        dies = min(5 * rate / (1 + 2.5 * rate), 1.0)
        lived += 5 * alive * (1 - dies / 2)
        alive *= 1 - dies
    raise ValueError("the last band must be open")


def line_ratio(population: Population, deaths: np.ndarray, where: np.ndarray, decile: np.ndarray) -> float:
    """Ratio of death rates at the ends of a log-linear line through the ten tenths of deprivation."""
    tenths = np.arange(1, 11)
    rows = [where & (decile == tenth)[:, None] for tenth in tenths]
    years = np.array([population.exposure[row].sum() for row in rows])
    died = np.array([deaths[row].sum() for row in rows])
    seen = years > 0
    if not died.any():
        return float("nan")
    line = PoissonRegressor(alpha=0, solver="newton-cholesky")
    line.fit(tenths[seen, None], died[seen] / years[seen], sample_weight=years[seen])
    return float(np.exp(-9 * line.coef_[0]))


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


def recording(base: duckdb.DuckDBPyConnection, sources: Path, truth: Path, people: pd.DataFrame) -> Measured:
    """Ethnicity as the GP and the hospitals know it, for those here at the cut-off."""
    here = people[people["here"]].set_index("true_person_id")
    gp = _newest_category(base, truth, {"demographics": sources}, "registration_start_date").reindex(here.index)
    with_column = {
        source: sources
        for source in ("hospital_spells", "emergency_care")
        if "ethnic_category" in pq.read_schema(sources / f"{source}.parquet").names
    }
    known = gp.notna()
    use = here["low_use"].rank(pct=True, method="first")
    measured = {
        "ethnicity_known_gp": known.mean(),
        "ethnicity_known_by_use": known[use <= 0.2].mean() - known[use > 0.8].mean(),
    }
    if with_column:
        hospital = _newest_category(base, truth, with_column, "received_date").reindex(here.index)
        both = known & hospital.notna()
        same = gp[both].map(ETHNIC_GROUPS) == hospital[both].map(ETHNIC_GROUPS)
        measured |= {
            "ethnicity_known_with_hospital": (known | hospital.notna()).mean(),
            "ethnicity_agreement": same.mean(),
        }
    return measured


def _newest_category(base: duckdb.DuckDBPyConnection, truth: Path, sources: dict[str, Path], date: str) -> pd.Series:
    """Newest stated ethnic category of each true person; nobody without one is in the answer."""
    rows = " UNION ALL ".join(
        f"SELECT person, ethnic_category AS category, {date} AS day"
        f" FROM ({_with_person(folder / f'{source}.parquet', truth, source)})"
        for source, folder in sources.items()
    )
    found = base.execute(
        f"SELECT person, arg_max(category, coalesce(day, DATE '1900-01-01')) AS category FROM ({rows})"
        f" WHERE category IS NOT NULL AND trim(category) NOT IN {NOT_KNOWN} GROUP BY person"
    ).df()
    return found.set_index("person")["category"].str.strip()


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


def programme(
    base: duckdb.DuckDBPyConnection, sources: Path, truth: Path, population: Population, emergency: pd.DataFrame
) -> Measured:
    """Uptake of case management, the fall after it as a naive evaluation sees it, and its true average effect.

    The naive evaluation takes first starts with a whole year of life here before and after.
    """
    rows = base.execute(_with_person(sources / "programme.parquet", truth, "programme")).df()
    outcomes = rows["outcome"].value_counts()
    invited = outcomes.reindex(["started", "declined", "not_reached"], fill_value=0).sum()
    starts = rows[rows["outcome"] == "started"].groupby("person", as_index=False)["start_date"].min()
    starts = starts[population.position(starts["person"]) >= 0]
    outlook = pd.read_parquet(truth / "outcomes.parquet")
    outlook = outlook[days(outlook["as_of"]) == INDEX].set_index("true_person_id")
    later = starts.loc[days(starts["start_date"]) >= INDEX, "person"]
    later = outlook.loc[outlook.index.intersection(later)]
    return {
        "uptake": _quotient(outcomes.get("started", 0), invited),
        "naive_fall": naive_fall(population, emergency, starts),
        "true_relative_effect": _quotient(later["admission_risk_with"].sum(), later["admission_risk_without"].sum()),
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
    return 1 - _quotient(after, before)


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
    return _quotient(gain[found].sum(), gain.nlargest(places).sum())


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


def rows_of_events(sources: Path) -> int:
    """Rows of every source but the registers."""
    return sum(pq.read_metadata(path).num_rows for path in sources.glob("*.parquet") if path.stem not in REGISTERS)


def main() -> None:
    """Print every measured figure beside its target, as a plain table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sources", type=Path)
    arguments.add_argument("truth", type=Path)
    chosen = arguments.parse_args()
    measured = measure(chosen.sources, chosen.truth)
    print(f"{'name':42}{'measured':>10}{'target':>10}  {'tolerance':16}ok")
    for target in TARGETS:
        value = measured.pop(target.name, float("nan"))
        tolerance = f"{target.kind} {target.tolerance:g}"
        print(
            f"{target.name:42}{value:10.4g}{target.value:10.4g}  {tolerance:16}{'ok' if target.holds(value) else 'NO'}"
        )
    for name, value in measured.items():
        print(f"{name:42}{value:10.4g}{'':10}  no target")


if __name__ == "__main__":
    main()
