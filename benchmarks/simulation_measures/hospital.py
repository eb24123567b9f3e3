"""Stays and emergency departments: how many, of whom, how often again."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.simulation_measures.population import (
    CUT_OFF,
    Measured,
    Population,
    days,
    in_band,
    quotient,
    rate,
    with_person,
)
from benchmarks.simulation_targets import AGE_BANDS, DEVON, FIFTHS

TRANSFERS = ("81", "2B")
NOT_EMERGENCY = ("2B", "2C")


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
        WITH rows AS ({with_person(path, truth, "hospital_spells")}),
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
        WITH rows AS ({with_person(path, truth, "emergency_care")}),
        once AS (SELECT DISTINCT * EXCLUDE (record_id, received_date) FROM rows)
        SELECT person, arrival_date AS arrived FROM once ORDER BY person, arrived
        """
    ).df()
    return found


def admissions(population: Population, emergency: pd.DataFrame, counts: np.ndarray) -> Measured:
    """Emergency admissions: how many, and how long they last."""
    registered = emergency[population.position(emergency["person"]) >= 0].dropna(subset=["discharged"])
    length = (days(registered["discharged"]) - days(registered["admitted"])).astype(int)
    oldest = population.age >= 85
    return {
        "emergency_rate": rate(population, counts, np.ones_like(oldest)),
        "emergency_rate_85+": rate(population, counts, oldest),
        "bed_days": float(length.mean()),
        "zero_day_share": float((length == 0).mean()),
    }


def gradient(population: Population, counts: np.ndarray) -> Measured:
    """Emergency admissions by age and deprivation, brought to the total that Devon's rates would give these people."""
    fifth = population.people["fifth"].to_numpy()[:, None]
    raw, years = {}, {}
    for band in AGE_BANDS:
        for name in FIFTHS:
            where = in_band(population.age, band) & (fifth == name)
            raw[band, name], years[band, name] = rate(population, counts, where), population.exposure[where].sum()
    published = {(band, name): rate for band in AGE_BANDS for name, rate in zip(FIFTHS, DEVON[band], strict=True)}
    level = sum(years[cell] * raw[cell] for cell in raw) / sum(years[cell] * published[cell] for cell in raw)
    ratios = {band: raw[band, "most"] / raw[band, "least"] for band in AGE_BANDS}
    return {
        **{f"emergency_{band}_{name}": rate / level for (band, name), rate in raw.items()},
        **{f"emergency_ratio_{band}": ratio for band, ratio in ratios.items()},
        "emergency_ratio_fall": ratios["38-52"] - ratios["67+"],
        "emergency_ratio_standardised": quotient(
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


def departments(population: Population, attendances: pd.DataFrame, visits: np.ndarray) -> Measured:
    """Emergency department attendances: how many, by deprivation, and how soon again."""
    decile, fifth = population.people["imd_decile"].to_numpy(), population.people["fifth"].to_numpy()
    tenths = {number: rate(population, visits, decile == number) for number in range(1, 11)}
    fifths = {name: rate(population, visits, fifth == name) for name in FIFTHS}
    seen = attendances[population.position(attendances["person"]) >= 0].sort_values(["person", "arrived"])
    gap = seen.groupby("person")["arrived"].shift(-1) - seen["arrived"]
    followed = days(seen["arrived"]) < CUT_OFF - 7
    return {
        "ed_rate": rate(population, visits, np.ones(len(decile), bool)),
        **{f"ed_rate_decile_{number}": rate for number, rate in tenths.items()},
        "ed_decile_ratio": tenths[1] / tenths[10],
        "ed_most_deprived_share": fifths["most"] / sum(fifths.values()),
        "ed_again_within_7_days": float((gap <= pd.Timedelta(days=7))[followed].mean()),
    }
