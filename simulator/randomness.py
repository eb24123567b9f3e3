"""Random numbers: one independent stream for each thing drawn, all from one seed."""

from __future__ import annotations

from zlib import crc32

import numpy as np


class Streams:
    """Named random streams of one part of the population, or of one chunk of its people.

    A change to what one stream draws leaves the others as they were, and no part's streams depend on
    which other parts are simulated, in what order, or by which process.
    """

    def __init__(self, seed: int, part: int, chunk: int | None = None):
        self.seed, self.part, self.chunk = seed, part, chunk

    @property
    def of_part(self) -> Streams:
        """The streams that all chunks of the part share."""
        return Streams(self.seed, self.part)

    def __call__(self, name: str) -> np.random.Generator:
        """Return the stream of that name, from its start."""
        chunk = [] if self.chunk is None else [self.chunk]
        return np.random.default_rng([self.seed, self.part, crc32(name.encode()), *chunk])


def choose_by_row(random: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """Draw one column for each row of a table of chances."""
    edges = np.cumsum(chances, axis=1)
    draw = random.random(len(chances)) * edges[:, -1]
    return (draw[:, None] > edges).sum(axis=1).clip(max=chances.shape[1] - 1)


def choose(random: np.random.Generator, weights: np.ndarray, count: int) -> np.ndarray:
    """Draw positions in proportion to weights."""
    edges = np.cumsum(weights)
    return np.searchsorted(edges, random.random(count) * edges[-1], side="right").clip(max=len(weights) - 1)


def logistic(value: np.ndarray) -> np.ndarray:
    """Map any number to a probability."""
    return 1.0 / (1.0 + np.exp(-value))
