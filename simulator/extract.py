"""A source's rows before they are written, and the few tools with which every service makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from simulator import life
from simulator.clock import CUT_OFF, START, day_in_month, month_start
from simulator.identity import Cards
from simulator.life import Lives
from simulator.people import People
from simulator.randomness import Streams

Column: TypeAlias = np.ndarray | pa.Array


@dataclass(frozen=True)
class World:
    """Everything that a service needs to write its records about one network's people."""

    streams: Streams
    people: People
    cards: Cards
    lives: Lives

    @property
    def scenarios(self) -> frozenset[str]:
        """The wrongs planted."""
        return self.people.scenarios

    @property
    def death(self) -> np.ndarray:
        """Date of each death; NaT for the living."""
        return self.lives.death

    @cached_property
    def here(self) -> np.ndarray:
        """People x months: alive and living here at some time in the month."""
        return life.here(self.people, self.lives.death)

    def admissions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Person, month and date of every emergency admission, in order of person."""
        person, month = np.nonzero(self.lives.admission_day)
        return person, month, month_start(month) + (self.lives.admission_day[person, month].astype(int) - 1)


@dataclass(frozen=True)
class Extract:
    """One source: columns, the true person of each row, and the day by which its rows are in order."""

    source: str
    person: np.ndarray
    columns: dict[str, Column]
    received: np.ndarray


def events(random: np.random.Generator, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw counts from monthly rates (people x months): person, month and day of each event."""
    return scatter(random, random.poisson(rate))


def scatter(random: np.random.Generator, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Person, month and day of events counted by person and month."""
    person, month = np.nonzero(counts)
    times = counts[person, month].astype(int)
    person, month = np.repeat(person, times), np.repeat(month, times)
    return person, month, day_in_month(random, month)


def during_stay(world: World, person: np.ndarray, date: np.ndarray) -> np.ndarray:
    """Whether each event is inside the person's time here, alive."""
    leaves, death = world.people.leaves[person], world.death[person]
    inside = (date >= world.people.enters[person]) & (date < CUT_OFF) & (date >= START)
    return inside & ~(date >= leaves) & ~(date > death)


def later(random: np.random.Generator, date: np.ndarray, least: int, most: int) -> np.ndarray:
    """The day some days later, from `least` to `most` inclusive."""
    return date + random.integers(least, most + 1, len(date))


def text(values: Sequence[str | None] | np.ndarray, index: np.ndarray) -> pa.Array:
    """Pick text by position."""
    return pa.array(list(values), pa.string()).take(pa.array(index))


def pick(random: np.random.Generator, weights: Mapping[str, float], count: int) -> np.ndarray:
    """Draw codes with the given weights."""
    share = np.array(list(weights.values())) / sum(weights.values())
    return random.choice(np.array(list(weights), dtype=object), count, p=share)


def thin(columns: dict[str, Column], keep: np.ndarray) -> dict[str, Column]:
    """Keep some rows."""
    return {
        name: column.filter(pa.array(keep)) if isinstance(column, pa.Array) else column[keep]
        for name, column in columns.items()
    }


def make(source: str, person: np.ndarray, columns: dict[str, Column], received: np.ndarray) -> Extract:
    """Build an extract of what had been received by the cut-off."""
    keep = received < CUT_OFF
    return Extract(source, person[keep], thin(columns, keep), received[keep])
