"""Which diagnoses hospitals write down, by spell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.clock import month_of
from simulator.conditions import CONDITIONS
from simulator.extract import World, pick

GENERAL_DIAGNOSES = {
    "R074": 9, "R104": 8, "J189": 8, "N390": 7, "A419": 4, "R55X": 4, "K529": 3, "L031": 4, "J22X": 5, "S720": 3, "S099": 4,
    "R296": 4, "N179": 3, "K802": 3, "J069": 3, "T509": 2, "R069": 3, "G439": 2, "N12X": 2, "E86X": 1,
}  # fmt: skip
ELECTIVE_DIAGNOSES = {"H269": 6, "K635": 4, "M171": 4, "M169": 3, "K409": 3, "C509": 2, "D125": 3, "Z080": 3, "N200": 1}
FIXED_DIAGNOSES = {"maternity": "O800", "birth": "Z380"}
UNCODED = "R69X"  # what is sent before anybody has read the notes
SECONDARY_CHANCE = 0.65
PALLIATIVE, FALL = "Z515", "W190"
SECONDARY = sorted({code for condition in CONDITIONS for code in condition.icd10} | {PALLIATIVE, FALL})


def diagnoses(random: np.random.Generator, world: World, stays: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Primary diagnosis, and which codes are secondary (spells x SECONDARY).

    The primary is a condition that the person has, by how far it drives admission, or a general one. Hospital
    codes what it finds, whether or not the GP ever wrote it down.
    """
    person, kind = stays["person"].to_numpy(), stays["kind"].to_numpy()
    month = month_of(stays["admitted"].to_numpy().astype("datetime64[D]"))
    unplanned = np.isin(kind, ["emergency", "transfer"])
    ill = world.people.conditions_from[person] <= month[:, None]
    drive = ill * np.exp([2 * condition.admission for condition in CONDITIONS]) - ill
    edges = np.cumsum(np.column_stack([np.full(len(person), 2.5), drive]), axis=1)
    choice = ((random.random(len(person)) * edges[:, -1])[:, None] > edges).sum(axis=1) - 1
    primary = np.where(
        unplanned, pick(random, GENERAL_DIAGNOSES, len(person)), pick(random, ELECTIVE_DIAGNOSES, len(person))
    )
    secondary = np.zeros((len(person), len(SECONDARY)), dtype=bool)
    for column, condition in enumerate(CONDITIONS):
        position = np.array([SECONDARY.index(code) for code in condition.icd10])[
            random.integers(len(condition.icd10), size=len(person))
        ]
        primary = np.where((choice == column) & unplanned, np.array(SECONDARY, object)[position], primary)
        written = ill[:, column] & ~((choice == column) & unplanned) & (random.random(len(person)) < SECONDARY_CHANCE)
        secondary[np.flatnonzero(written), position[written]] = True
    for fixed, code in FIXED_DIAGNOSES.items():
        primary = np.where(kind == fixed, code, primary)
    dying = (world.lives.terminal_from[person] <= month) & (random.random(len(person)) < 0.35)
    secondary[:, SECONDARY.index(PALLIATIVE)] = dying
    secondary[:, SECONDARY.index(FALL)] = np.isin(primary, ["S720", "S099"])
    return primary, secondary
