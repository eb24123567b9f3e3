"""Everybody registered at some time, their time here, and what the other measures share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.simulation_targets import FIFTHS

START, CUT_OFF, INDEX = np.datetime64("2022-10-01"), np.datetime64("2026-10-01"), np.datetime64("2025-10-01")
YEAR = 365.25  # days
QUARTERS = START + np.round(np.arange(17) * YEAR / 4).astype(int)
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


def with_person(path: Path, truth: Path, source: str) -> str:
    """Query for a source's rows with `person`, the true person of each."""
    return f"""
        SELECT s.*, i.true_person_id AS person FROM read_parquet('{path}') s
        JOIN read_parquet('{truth / "identities.parquet"}') i ON i.record_id = s.record_id AND i.source = '{source}'
    """


def rate(population: Population, counts: np.ndarray, where: np.ndarray) -> float:
    """Events per 1,000 person-years in some cells of people x quarters."""
    years = population.exposure[where].sum()
    return float(1000 * counts[where].sum() / years) if years > 0 else float("nan")


def in_band(age: np.ndarray, band: str) -> np.ndarray:
    """Whether each age is in a band written as 20-37 or 67+ (completed years)."""
    low, _, high = band.partition("-")
    return (age >= float(low.rstrip("+"))) & (age < (float(high) + 1 if high else np.inf))


def quotient(over: float, under: float) -> float:
    """Divide; NaN where there is nothing to divide by."""
    return float(over / under) if under > 0 else float("nan")
