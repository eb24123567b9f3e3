"""Whom people see at their practice: mostly the clinician they usually see, in some practices less often.

All of it is drawn from streams of its own, so that nothing else that is simulated depends on it; and nothing that
happens to people does either: continuity of care changes nobody's risk here.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulator.extract import World, text

FEWEST, MOST = 3, 14  # clinicians in a practice
NOBODY = MOST
UNNAMED = 0.04  # of contacts, those whose clinician was not written down
LOYAL = (3.4, 2.0)  # share of contacts with the usual clinician: a beta distribution over people
LESS_OF_MANY = 0.02  # of that share, for each clinician of the practice beyond the fewest


def of_contacts(world: World, person: np.ndarray, practice: np.ndarray, spoken: np.ndarray) -> np.ndarray:
    """Number of the clinician within the practice for each row on which somebody was spoken to; NOBODY for the others."""
    random = world.streams("clinicians")
    practices = max(world.people.practice.max(), world.people.first_practice.max()) + 1
    number = world.streams.of_part("clinicians of practices").integers(FEWEST, MOST + 1, practices)
    loyal, usual = random.beta(*LOYAL, len(world.people)), random.random(len(world.people))
    rows = np.flatnonzero(spoken)
    who, many = person[rows], number[practice[rows]]
    keeps = random.random(len(rows)) < loyal[who] - LESS_OF_MANY * (many - FEWEST)
    place = np.where(keeps, usual[who], random.random(len(rows)))
    seen = np.where(random.random(len(rows)) < UNNAMED, NOBODY, (place * many).astype(int))
    answer = np.full(len(person), NOBODY)
    answer[rows] = seen
    return answer


def codes(number: np.ndarray) -> pa.Array:
    """Pseudonyms within a practice; nothing for NOBODY."""
    return text([*(f"C{place + 1:02d}" for place in range(MOST)), None], number)
