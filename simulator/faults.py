"""What goes wrong between an event and its record, shared by the services: delays, backlogs, unknown ethnicity."""

from __future__ import annotations

import numpy as np

from simulator import identity, scenarios
from simulator.clock import CUT_OFF, START
from simulator.extract import World, later

# What a clerk writes instead, when wrong: the nearest other 16+1 category, or one of another group.
RIGHT = np.array(list("ABCDEFGHJKLMNPRS"))
NEAREST = np.array(list("CAAGGGSLLLHPPNLG"))
FURTHER = np.array(list("GGSNNRASSSSDDSSL"))
MISTAKEN_FAR = 0.6
SELDOM_SEEN = 0.35  # of `low_use`, above which `missing_ethnicity` leaves most people's ethnicity unknown
LEFT_UNKNOWN = 0.8
ODDS_NOT_WHITE = 1.8  # of being unknown under `missing_ethnicity`


def slow(
    random: np.random.Generator, date: np.ndarray, chance: np.ndarray | float, least: int, most: int
) -> np.ndarray:
    """The day on which each is written down: the same day, or for some from `least` to `most` days later."""
    return np.where(random.random(len(date)) < chance, later(random, date, least, most), date)


def window(random: np.random.Generator, days: int) -> tuple[np.datetime64, np.datetime64]:
    """Draw so many days on end within the history, all over three months before the cut-off."""
    span = (CUT_OFF - START).astype(int) - days - 90
    opens = START + random.integers(span)
    return opens, opens + days


def held(
    random: np.random.Generator, received: np.ndarray, opens: np.datetime64, closes: np.datetime64, most: int
) -> np.ndarray:
    """Days of receipt when nothing came through from `opens` until `closes`, and all of it within `most` days after."""
    waits = (received >= opens) & (received < closes)
    return np.where(waits, later(random, np.full(len(received), closes), 0, most), received)


def backlogs(
    world: World, source: str, random: np.random.Generator, received: np.ndarray, count: int, days: int
) -> np.ndarray:
    """Days of receipt with so many backlogs of a source in the history, each of so many days."""
    shared = world.streams.of_part("backlogs of " + source)
    for _ in range(count):
        received = held(random, received, *window(shared, days), most=2)
    return received


def month_end(date: np.ndarray, months: int = 1) -> np.ndarray:
    """First day after the month (or the quarter, of three `months`) of each date: when its return is made up."""
    month = date.astype("datetime64[M]").astype(int)
    return ((month // months + 1) * months).astype("datetime64[M]").astype("datetime64[D]")


def birth_date(
    random: np.random.Generator, world: World, person: np.ndarray, date: np.ndarray, rate: float
) -> np.ndarray:
    """Date of birth as written on a date, sometimes wrong, but never later than that date."""
    return np.minimum(identity.birth_date(random, world.cards, world.people, person, rate), date)


def ethnicity(
    random: np.random.Generator, world: World, unknown: np.ndarray, not_stated: float, wrong: float
) -> np.ndarray:
    """Ethnic category that a service holds, one a person: 99 not known, Z not stated, some mistaken.

    `unknown` is each person's chance of 99. The scenario `missing_ethnicity` raises it.
    """
    people = world.people
    if scenarios.MISSING_ETHNICITY in world.scenarios:
        unknown = np.where(people.low_use > SELDOM_SEEN, np.maximum(unknown, LEFT_UNKNOWN), unknown).clip(0, 0.99)
        odds = unknown / (1 - unknown) * np.where(people.group == "white", 1.0, ODDS_NOT_WHITE)
        unknown = odds / (1 + odds)
    draw = random.random((4, len(people)))
    position = np.searchsorted(RIGHT, people.ethnic_category)
    other = np.where(draw[3] < MISTAKEN_FAR, FURTHER[position], NEAREST[position])
    written = np.where(draw[0] < wrong, other, people.ethnic_category)
    written = np.where(draw[1] < not_stated, "Z", written)
    return np.where(draw[2] < unknown, "99", written).astype(object)
