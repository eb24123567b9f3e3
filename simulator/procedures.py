"""What was done in hospital, in OPCS-4: by why the person was there, and by illness.

All of it is drawn from a stream of its own, so that nothing else that is simulated depends on it. The shares are this
project's guesses, of the right order for England.
"""

from __future__ import annotations

import numpy as np

from simulator.clock import month_of
from simulator.conditions import NAMES
from simulator.extract import World, pick

# By primary diagnosis: what is done, each with its share; the side (Z94) and the part (Z) come with it.
BY_DIAGNOSIS: dict[str, dict[str, float]] = {
    "H269": {"C712;C751;Z942": 0.50, "C712;C751;Z943": 0.48, "": 0.02},
    "M171": {"W401;Z942": 0.40, "W401;Z943": 0.40, "W421;Z943": 0.05, "": 0.15},
    "M169": {"W371;Z942": 0.30, "W381;Z943": 0.30, "W931;Z942": 0.20, "": 0.20},
    "K635": {"H221": 0.40, "H201": 0.55, "": 0.05},
    "D125": {"H201": 0.70, "H221": 0.25, "": 0.05},
    "K409": {"T202": 0.65, "T203": 0.25, "": 0.10},
    "C509": {"B283;Z942": 0.55, "B274;Z943": 0.25, "": 0.20},
    "N200": {"M094": 0.50, "M141": 0.30, "": 0.20},
    "S720": {"W461;Z942": 0.25, "W471;Z943": 0.20, "W191;Z942": 0.25, "W241;Z943": 0.20, "": 0.10},
    "R104": {"G451": 0.15, "H221": 0.05, "": 0.80},
    "K802": {"J183": 0.35, "": 0.65},
    "I251": {"K751": 0.30, "K401": 0.06, "K633": 0.20, "": 0.44},
    "I209": {"K751": 0.20, "K492": 0.04, "K401": 0.02, "K633": 0.30, "": 0.44},
    "I639": {"U212": 0.80, "": 0.20},
}
# By illness, in a stay for something else: which kinds of stay, how often, and what.
BY_CONDITION = (
    ("ckd", ("elective", "emergency"), 0.03, "X403"),
    ("diabetes", ("emergency",), 0.008, "X111"),
    ("diabetes", ("emergency",), 0.004, "X093;Z942"),
    ("cancer", ("elective",), 0.10, "X723"),
)
PLANNED_OTHERWISE = {"G451": 0.25, "H221": 0.20, "M459": 0.10, "": 0.45}  # of planned stays that nothing above explains


def of_spells(
    world: World, person: np.ndarray, kind: np.ndarray, admitted: np.ndarray, primary: np.ndarray
) -> np.ndarray:
    """Codes of each spell, separated by semicolons, the main procedure first; empty where nothing was done."""
    random = world.streams("procedures")
    done = np.full(len(person), "", dtype=object)
    for diagnosis, shares in BY_DIAGNOSIS.items():
        rows = np.flatnonzero(primary == diagnosis)
        done[rows] = pick(random, shares, len(rows))
    month = month_of(admitted)
    for condition, kinds, share, codes in BY_CONDITION:
        ill = world.people.conditions_from[person, NAMES.index(condition)] <= month
        happens = ill & np.isin(kind, kinds) & (done == "") & (random.random(len(person)) < share)
        done[happens] = codes
    others = np.flatnonzero((kind == "elective") & (done == "") & ~np.isin(primary, list(BY_DIAGNOSIS)))
    done[others] = pick(random, PLANNED_OTHERWISE, len(others))
    return done
