"""Deaths by age and deprivation, and years of life expected."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import PoissonRegressor

from benchmarks.simulation_measures.population import Measured, Population, in_band, quotient, rate

# European Standard Population 2013, in thousands, by five years of age from 0 to 74.
STANDARD = np.array([5.0, 5.5, 5.5, 5.5, 6.0, 6.0, 6.5, 7.0, 7.0, 7.0, 7.0, 6.5, 6.0, 5.5, 5.0])


def mortality(population: Population) -> Measured:
    """Deaths by age, and by deprivation: standardised, along the tenths, and as years of life expected."""
    died, leaves = population.date("died"), population.date("moved_away")
    counted = ~np.isnat(died) & ~(leaves < died) & (population.exposure.sum(axis=1) > 0)
    deaths = population.count(population.people["true_person_id"][counted], died[counted])
    decile, female = population.people["imd_decile"].to_numpy(), (population.people["sex"] == "female").to_numpy()
    bands = [f"{low}-{low + 4}" for low in range(0, 90, 5)] + ["90+"]
    measured = {f"mortality_{band}": rate(population, deaths, in_band(population.age, band)) for band in bands}
    standardised, expected = {}, {}
    for tenth in (1, 10):
        lived = population.exposure * (decile == tenth)[:, None]
        young = [
            quotient(deaths[where].sum(), lived[where].sum())
            for where in (in_band(population.age, band) & (decile == tenth)[:, None] for band in bands[: len(STANDARD)])
        ]
        standardised[tenth] = float(np.average(young, weights=STANDARD))
        for sex, inside in (("women", female), ("men", ~female)):
            expected[sex, tenth] = life_expectancy(population, deaths, bands, (decile == tenth) & inside)
    men = in_band(population.age, "40-54") & ~female[:, None]
    return {
        **measured,
        "mortality_under_75_ratio": quotient(standardised[1], standardised[10]),
        "mortality_men_40_to_54_ratio": line_ratio(population, deaths, men, decile),
        **{f"life_expectancy_gap_{sex}": expected[sex, 10] - expected[sex, 1] for sex in ("men", "women")},
    }


def life_expectancy(population: Population, deaths: np.ndarray, bands: list[str], who: np.ndarray) -> float:
    """Years of life expected at birth by a period life table over five-year bands, the last one open."""
    alive, lived = 1.0, 0.0
    for band in bands:
        where = in_band(population.age, band) & who[:, None]
        rate = quotient(deaths[where].sum(), population.exposure[where].sum())
        if band.endswith("+"):
            return lived + quotient(alive, rate)
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
