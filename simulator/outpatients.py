"""Outpatient appointments, attended and missed."""

from __future__ import annotations

import numpy as np

from simulator import faults, identity
from simulator.clock import MONTHS
from simulator.conditions import NAMES
from simulator.episodes import SPECIALTIES
from simulator.extract import Extract, World, during_stay, events, make, pick, text


def outpatients(world: World) -> Extract:
    """Appointments, oftener with conditions and fewer with less access; missed oftener by some."""
    random, people = world.streams("outpatients"), world.people
    months = np.arange(MONTHS)
    number = sum(
        (people.diagnosed_from[:, column][:, None] <= months).astype(np.float32)
        for column, name in enumerate(NAMES)
        if name not in ("hypertension", "hearing_loss")
    )
    rate = (0.075 + 0.085 * number + 0.06 * world.lives.illness[:, :MONTHS]) * np.exp(people.access)[:, None]
    person, _, date = events(random, rate * (world.here & people.registered[:, None]))
    keep = during_stay(world, person, date)
    person, date = person[keep], date[keep]
    missed = random.random(len(person)) < 0.02 + 0.38 * people.misses[person] + 0.02 * people.deprivation[person]
    attendance = np.where(missed, np.where(random.random(len(person)) < 0.1, 7, 3), random.choice([5, 6], len(person)))
    received = faults.month_end(date) + random.integers(12, 22, len(person))
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, people, person, 0.0, 0.003),
        "appointment_date": date,
        "attendance": text(["3", "5", "6", "7"], np.searchsorted([3, 5, 6, 7], attendance)),
        "treatment_function_code": pick(random, SPECIALTIES, len(person)),
        "received_date": received,
    }
    return make("outpatients", person, columns, received)
