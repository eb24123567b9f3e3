"""What practices prescribe."""

from __future__ import annotations

import numpy as np

from simulator.clock import MONTHS, START
from simulator.conditions import CONDITIONS
from simulator.extract import World, scatter
from simulator.gp_book import Book

ACUTE_MEDICINES = ("0501013", "0407010", "0103050", "0603020", "0501080", "1310012")
ACUTE_COURSE = 0.18  # chance at a contact
# Long-term medicines that no one condition calls for: share who take it by ages 0, 40, 60 and 80.
OTHER_MEDICINES = {
    "0212000": (0.0, 0.02, 0.20, 0.33),  # lipid-regulating
    "0103050": (0.0, 0.04, 0.11, 0.20),  # proton pump inhibitors
    "0602010": (0.0, 0.025, 0.05, 0.08),  # thyroid hormones
    "0906040": (0.02, 0.02, 0.05, 0.15),  # vitamin D
    "1302010": (0.06, 0.03, 0.04, 0.06),  # emollients
    "0304010": (0.03, 0.03, 0.02, 0.02),  # antihistamines
}
OFTENER_WITH_CONDITIONS = [0.05, 0.3, 2.6, 4.0]  # for people with none, one, two and four or more
REFILL = 0.67  # chance of an issue in a month, for each long-term medicine


def prescriptions(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Long-term medicines, each issued in about two months of three."""
    for column, condition in enumerate(CONDITIONS):
        known = np.flatnonzero(world.people.diagnosed_from[:, column] < MONTHS)
        taking = here[known] & (np.arange(MONTHS) >= world.people.diagnosed_from[known, column][:, None])
        for code in condition.medicines:
            takes = random.random(len(known)) < 0.8
            _issue(random, book, world, known[takes], taking[takes], code)


def other_prescriptions(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Long-term medicines by age and illness, from some month on for those who are not yet taking them."""
    age = world.people.age(START)
    for code, shares in OTHER_MEDICINES.items():
        since = random.integers(-3 * MONTHS, MONTHS, len(age))
        known = (world.people.diagnosed_from <= since[:, None]).sum(axis=1)
        oftener = np.interp(known, [0, 1, 2, 4], OFTENER_WITH_CONDITIONS)
        takes = np.flatnonzero(random.random(len(age)) < np.interp(age, [0, 40, 60, 80], shares) * oftener)
        since = since[takes]
        _issue(random, book, world, takes, here[takes] & (np.arange(MONTHS) >= since[:, None]), code)


def _issue(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, taking: np.ndarray, code: str
) -> None:
    """Issue a medicine in most of the months (rows of `taking`) in which each person takes it."""
    chance = REFILL * (1.1 - 0.6 * world.people.low_use[person])
    row, _, when = scatter(random, (random.random(taking.shape, dtype=np.float32) < chance[:, None]) & taking)
    book.write(person[row], when, code)


def acute_prescriptions(random: np.random.Generator, book: Book, person: np.ndarray, date: np.ndarray) -> None:
    """Short courses given at contacts."""
    kind = random.integers(len(ACUTE_MEDICINES), size=len(person))
    given = random.random(len(person)) < ACUTE_COURSE
    for position, code in enumerate(ACUTE_MEDICINES):
        some = given & (kind == position)
        book.write(person[some], date[some], code)
