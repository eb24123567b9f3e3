"""What besides illness bears on people's health and on the care they get."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.randomness import Streams, choose_by_row, logistic

INCLUSION = ("none", "homeless", "drug_dependence", "vulnerable_migrant", "traveller")
INCLUSION_ADMISSION = np.array([0.0, 0.9, 0.7, 0.0, 0.3])  # log hazard ratios
INCLUSION_DEATH = np.array([0.0, 1.1, 1.0, 0.0, 0.4])
LESS_ACCESS = {"white": 0.0, "asian": 0.10, "black": 0.16, "mixed": 0.05, "other": 0.14}
INCLUSION_ACCESS = np.array([0.0, 0.7, 0.5, 0.6, 0.5])
FULL_COURSE = 12  # months


@dataclass(frozen=True)
class Circumstances:
    """One entry a person in every array."""

    housing_trouble: np.ndarray
    carer: np.ndarray
    learning_disability: np.ndarray
    autism: np.ndarray
    inclusion: np.ndarray  # index of INCLUSION
    access: np.ndarray  # log of planned care had, relative to others of equal need
    stays: np.ndarray  # months that the person stays with case management, if it starts


def draw(
    streams: Streams, age: np.ndarray, deprivation: np.ndarray, group: np.ndarray, misses: np.ndarray
) -> Circumstances:
    """Draw everybody's circumstances, which gather where deprivation does."""
    random = streams("circumstances")
    count = len(age)
    trouble = random.random(count) < logistic(-3.6 + 1.1 * deprivation)
    carer = (age > 16) & (random.random(count) < 0.08)
    learning = random.random(count) < 0.011 * np.exp(0.35 * deprivation) * (age < 80)
    autism = random.random(count) < np.interp(age, [0, 5, 18, 30, 60], [0.0, 0.018, 0.02, 0.010, 0.006])
    inclusion = _inclusion(random, age, deprivation, group)
    less = np.array([LESS_ACCESS[name] for name in LESS_ACCESS])
    position = np.argmax(group[:, None] == np.array(list(LESS_ACCESS)), axis=1)
    access = -0.14 * deprivation - less[position] - INCLUSION_ACCESS[inclusion] - 0.2 * learning
    access += random.normal(0, 0.2, count)
    leaving = logistic(-3.0 + 0.6 * deprivation + 2.5 * misses + 0.8 * (inclusion > 0))  # chance in a month
    stays = np.ceil(np.log(1 - random.random(count)) / np.log(1 - leaving))
    return Circumstances(
        housing_trouble=trouble | (inclusion == INCLUSION.index("homeless")),
        carer=carer,
        learning_disability=learning,
        autism=autism,
        inclusion=inclusion,
        access=access,
        stays=stays.clip(1, FULL_COURSE).astype(np.int64),
    )


def _inclusion(random: np.random.Generator, age: np.ndarray, deprivation: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Groups that services often miss: none for most people, and one at most."""
    grown = (age >= 18) & (age < 70)
    chances = np.column_stack(
        [
            np.ones(len(age)),
            0.0035 * np.exp(1.2 * deprivation) * grown,
            0.0045 * np.exp(1.2 * deprivation) * grown,
            np.where(group == "white", 0.0008, 0.012) * np.exp(0.6 * deprivation) * (age < 60),
            0.0012 * (group == "white") * np.exp(0.5 * deprivation),
        ]
    )
    return choose_by_row(random, chances)
