"""Vaccinations, screening and health checks."""

from __future__ import annotations

import numpy as np

from simulator.clock import MONTHS, START, day_in_month
from simulator.extract import World
from simulator.gp_book import Book
from simulator.randomness import logistic

INFLUENZA, COVID, PNEUMOCOCCAL, SHINGLES = "822851000000102", "1362591000000103", "12866006", "722215002"
CERVIX, BREAST, BOWEL, HEALTH_CHECK = "171149006", "24623002", "275978004", "523221000000100"
# Months between invitations, sex (None for both), ages from and to, and the share who come.
SCREENING = {
    CERVIX: (48, True, 25, 65, 0.70),
    BREAST: (36, True, 50, 71, 0.66),
    BOWEL: (24, None, 54, 75, 0.66),
    HEALTH_CHECK: (60, None, 40, 75, 0.42),
}


def vaccinations(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Influenza and COVID-19 each autumn (COVID-19 in spring too for the oldest), pneumonia and shingles once."""
    people = world.people
    willing = _comes(world, random.normal(0, 0.6, len(people)))
    at_risk = (people.diagnosed_from <= 0).sum(axis=1) > 1
    for autumn in range(0, MONTHS, 12):
        age = people.age(START) + autumn / 12
        offered = (age >= 65) | (at_risk & (age >= 18)) | ((age >= 2) & (age < 16))
        chance = offered * np.where(age >= 65, 0.78, 0.42) * willing
        _once(random, book, here, chance, INFLUENZA, autumn + random.integers(0, 3, len(people)))
        older = (age >= 65) * 0.65 * willing
        _once(random, book, here, older, COVID, autumn + random.integers(0, 3, len(people)))
        _once(random, book, here, (age >= 75) * 0.60 * willing, COVID, autumn + random.integers(6, 9, len(people)))
    month = random.integers(0, MONTHS, len(people))
    age = people.age(START) + month / 12
    _once(random, book, here, ((age >= 65) & (age < 69)) * 0.7 * willing, PNEUMOCOCCAL, month)
    _once(random, book, here, ((age >= 65) & (age < 75)) * 0.5 * willing, SHINGLES, random.permutation(month))


def screening(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Screening for cancers and health checks, at each invitation that is followed."""
    people = world.people
    for code, (every, women, youngest, oldest, share) in SCREENING.items():
        first = random.integers(0, every, len(people))
        asked = np.ones(len(people), dtype=bool) if women is None else people.female == women
        for month in (first + turn for turn in range(0, MONTHS, every)):
            age = people.age(START) + month / 12
            chance = asked * (age >= youngest) * (age < oldest) * share * _comes(world, np.zeros(len(people)))
            _once(random, book, here, chance, code, month)


def _comes(world: World, own: np.ndarray) -> np.ndarray:
    """How readily people follow an invitation (about 1): less, if they keep away, are kept away, or are deprived."""
    people = world.people
    return 1.2 * logistic(1.6 - 3.0 * (people.low_use - 0.2) + people.access - 0.35 * people.deprivation + own)


def _once(
    random: np.random.Generator, book: Book, here: np.ndarray, chance: np.ndarray, code: str, month: np.ndarray
) -> None:
    """Write a code in each person's `month` with the chance given, if the person is here then."""
    inside = month < MONTHS
    done = inside & here[np.arange(len(month)), np.where(inside, month, 0)] & (random.random(len(month)) < chance)
    person = np.flatnonzero(done)
    book.write(person, day_in_month(random, month[person]), code)
