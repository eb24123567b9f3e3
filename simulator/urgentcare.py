"""Calls to 111 and 999: before most arrivals by ambulance, and the many that end elsewhere."""

from __future__ import annotations

import numpy as np

from simulator import emergency, faults, hospital, identity
from simulator.clock import MONTHS, month_start
from simulator.extract import Extract, World, during_stay, events, later, make, pick, text

CALLS_BEFORE_AMBULANCE, SENT_BY_111 = 0.88, 0.22  # of arrivals
OTHER_111 = 0.15  # a year, of middle-aged people in health
OTHER_999 = 0.03
ENDS_111 = {"primary_care": 0.52, "self_care": 0.26, "emergency_department": 0.05, "ambulance": 0.04, "other": 0.13}
ENDS_999 = {"ambulance": 0.55, "primary_care": 0.12, "self_care": 0.18, "other": 0.15}


def urgent_care(world: World) -> Extract:
    """Every call, with the day, whom it reached and how it ended; the number is often missing."""
    random = world.streams("urgent care")
    person, date, nines, end = _calls(random, world)
    keep = during_stay(world, person, date)
    person, date, nines, end = person[keep], date[keep], nines[keep], end[keep]
    given, family = identity.full_name(random, world.cards, person, 0.06)
    _, postcode = identity.home(random, world.cards, world.people, person, date, 0.05)
    received = faults.backlogs(world, "urgent care", random, later(random, date, 1, 2), count=2, days=6)
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, world.people, person, 0.15, 0.01),
        "given_name": given,
        "family_name": family,
        "date_of_birth": faults.birth_date(random, world, person, date, 0.02),
        "sex": text(["1", "2"], world.people.female[person].astype(int)),
        "postcode": postcode,
        "call_date": date,
        "service": text(["111", "999"], nines.astype(int)),
        "disposition": end,
        "received_date": received,
    }
    return make("urgent_care", person, columns, received)


def _calls(random: np.random.Generator, world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """True calls: person, date, whether to 999, and how each ended."""
    visits = emergency.attendances(world, hospital.spells(world))
    draw = random.random(len(visits))
    driven = visits[visits["ambulance"].to_numpy() & (draw < CALLS_BEFORE_AMBULANCE)]
    sent = visits[~visits["ambulance"].to_numpy() & (draw < SENT_BY_111)]
    day_before = (random.random(len(sent)) < 0.25).astype(int)
    asked, _, asked_on = events(random, _other_rate(world) * OTHER_111 / 12)
    rang, _, rang_on = events(random, _other_rate(world) * OTHER_999 / 12)
    person = np.concatenate([driven["person"], sent["person"], asked, rang])
    date = np.concatenate(
        [
            driven["arrived"].to_numpy().astype("datetime64[D]"),
            sent["arrived"].to_numpy().astype("datetime64[D]") - day_before,
            asked_on,
            rang_on,
        ]
    )
    sizes = [len(driven), len(sent), len(asked), len(rang)]
    end = np.concatenate(
        [
            np.full(len(driven), "ambulance", dtype=object),
            np.full(len(sent), "emergency_department", dtype=object),
            pick(random, ENDS_111, len(asked)),
            pick(random, ENDS_999, len(rang)),
        ]
    )
    return person, date, np.repeat([True, False, False, True], sizes), end


def _other_rate(world: World) -> np.ndarray:
    """How readily people call otherwise, people x months: parents of the small, the ill, those kept from the GP."""
    people = world.people
    age = people.age(month_start(MONTHS // 2)).clip(0)
    always = np.exp(0.9 * np.exp(-age / 4) + 0.15 * people.deprivation - 0.6 * people.access - 0.4 * people.low_use)
    return always[:, None] * np.exp(0.45 * world.lives.illness[:, :MONTHS]) * world.here
