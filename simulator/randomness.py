"""Random numbers: one independent stream for each thing drawn, all from one seed."""

from __future__ import annotations

from zlib import crc32

import numpy as np


class Streams:
    """Named random streams; a change to what one stream draws leaves the others as they were."""

    def __init__(self, seed: int):
        self.seed = seed

    def __call__(self, name: str) -> np.random.Generator:
        """Return the stream of that name, from its start."""
        return np.random.default_rng([self.seed, crc32(name.encode())])


def choose_by_row(random: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """Draw one column for each row of a table of chances."""
    edges = np.cumsum(chances, axis=1)
    draw = random.random(len(chances)) * edges[:, -1]
    return (draw[:, None] > edges).sum(axis=1).clip(max=chances.shape[1] - 1)


def logistic(value: np.ndarray) -> np.ndarray:
    """Map any number to a probability."""
    return 1.0 / (1.0 + np.exp(-value))
