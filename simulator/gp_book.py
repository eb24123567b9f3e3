"""The practice record while it is written, and how practices differ in writing it."""

from __future__ import annotations

import numpy as np

from simulator.extract import World


class Book:
    """Rows of the practice record as they are written, in pieces."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.pieces: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def write(self, person: np.ndarray, date: np.ndarray, code: str, value: np.ndarray | None = None) -> None:
        """Add rows of one code."""
        rows = (person.astype(np.int32), date, np.full(len(person), self.number(code), dtype=np.int16))
        self.pieces.append((*rows, np.full(len(person), np.nan) if value is None else value))

    def number(self, code: str) -> int:
        """Position of a code in the list of codes, to which it is added when it is new."""
        if code not in self.codes:
            self.codes.append(code)
        return self.codes.index(code)

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return person, date, position of the code and value of every row, and forget the pieces."""
        person, date, code, value = zip(*self.pieces, strict=True)
        self.pieces = []
        return np.concatenate(person), np.concatenate(date), np.concatenate(code), np.concatenate(value)


def habit(world: World, name: str, spread: float) -> np.ndarray:
    """How much oftener than others each person's practice writes something down; about 1, one a person."""
    practice = world.people.practice
    return np.exp(world.streams.of_part("habit of coding " + name).normal(0, spread, practice.max() + 1))[practice]
