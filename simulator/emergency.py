"""Emergency departments: attendances that end at home, and those through which people are admitted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator import faults, hospital, identity
from simulator.extract import Extract, World, during_stay, later, make, pick, scatter, text

THROUGH_EMERGENCY_DEPARTMENT = ("21", "2A")
BEGETS_ANOTHER = 0.073  # of attendances that end at home, within a week
COMPLAINTS = {
    "29857009": 12, "267036007": 10, "21522001": 12, "417746004": 26, "161898004": 8, "48694002": 3, "213257006": 14,
    "25064002": 5, "386661006": 8,
}  # fmt: skip


def attendances(world: World, stays: pd.DataFrame) -> pd.DataFrame:
    """Every attendance as it truly was: person, day of arrival, whether admitted, whether by ambulance."""
    random = world.streams("attendances")
    home, _, arrived = scatter(random, world.lives.emergency * world.here)
    # Fewer first visits, so that those begotten leave the number as it was.
    first = random.random(len(home)) < 1 - BEGETS_ANOTHER
    home, arrived = home[first], arrived[first]
    again = np.flatnonzero(random.random(len(home)) < BEGETS_ANOTHER / (1 - BEGETS_ANOTHER))
    inside = stays[stays["method"].isin(THROUGH_EMERGENCY_DEPARTMENT)]
    person = np.concatenate([home, home[again], inside["person"].to_numpy()])
    back = later(random, arrived[again], 1, 7)
    arrived = np.concatenate([arrived, back, inside["admitted"].to_numpy().astype("datetime64[D]")])
    admitted = np.arange(len(person)) >= len(home) + len(again)
    keep = during_stay(world, person, arrived)
    person, arrived, admitted = person[keep], arrived[keep], admitted[keep]
    age = (arrived - world.people.birth[person]).astype(int) / 365.25
    chance = np.where(admitted, 0.50, 0.08) + 0.003 * np.clip(age - 30, 0, 60)
    return pd.DataFrame(
        {
            "person": person,
            "arrived": arrived,
            "admitted": admitted,
            "ambulance": random.random(len(person)) < chance,
        }
    )


def emergency_care(world: World, stays: pd.DataFrame) -> Extract:
    """Attendances as the departments record them."""
    random, visits = world.streams("emergency care"), attendances(world, stays)
    person, admitted, ambulance = (visits[name].to_numpy() for name in ("person", "admitted", "ambulance"))
    arrived = visits["arrived"].to_numpy().astype("datetime64[D]")
    sick = np.where(admitted, 1.2, -0.16 * world.people.deprivation[person]) + 0.4 * ambulance
    acuity = 5 - np.digitize(sick + random.normal(0, 0.8, len(person)), [-0.6, 0.4, 1.6, 3.0])
    received = faults.backlogs(world, "emergency care", random, later(random, arrived, 1, 3), count=3, days=9)
    _, postcode = identity.home(random, world.cards, world.people, person, arrived, 0.03)
    other = random.random(len(person)) < 0.06
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, world.people, person, 0.022, 0.008),
        "date_of_birth": faults.birth_date(random, world, person, arrived, 0.008),
        "sex": text(["1", "2"], world.people.female[person].astype(int)),
        "postcode": postcode,
        "arrival_date": arrived,
        "arrival_mode": text(["walk_in", "ambulance"], ambulance.astype(int)),
        "acuity": acuity.astype(np.int64),
        "chief_complaint": pick(random, COMPLAINTS, len(person)),
        "discharge_destination": text(["home", "admitted", "other"], np.where(admitted, 1, np.where(other, 2, 0))),
        "ethnic_category": hospital.ethnicity(world, person, random),
        "received_date": received,
    }
    return make("emergency_care", person, columns, received)
