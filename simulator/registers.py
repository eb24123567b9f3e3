"""Registers: the demographics spine, opt-outs and the history of case management."""

from __future__ import annotations

import numpy as np

from simulator.casemanagement import OUTCOMES, ROUTES
from simulator.clock import CUT_OFF, START, month_start
from simulator.extract import Extract, World, later, make, text
from simulator.places import Places


def demographics(world: World, places: Places) -> Extract:
    """One row for each person ever registered in the history; deaths and moves once they were known."""
    random, people, cards = world.streams("demographics"), world.people, world.cards
    person = np.flatnonzero(people.registered & ~(world.death < people.enters))
    death, leaves = world.death[person], people.leaves[person]
    leaves = np.where(leaves > death, np.datetime64("NaT"), leaves)
    death_received, end_received = later(random, death, 3, 14), later(random, leaves, 1, 10)
    starts = people.enters[person]
    known_death, known_end = death_received < CUT_OFF, end_received < CUT_OFF
    columns = {
        "nhs_number": text(cards.nhs_number, person),
        "given_name": text(cards.given, person),
        "family_name": text(cards.family, person),
        "date_of_birth": people.birth[person],
        "sex": text(["1", "2", "9", "0"], _recorded_sex(random, world, person)),
        "ethnic_category": _recorded_ethnicity(random, world, person),
        "address_line": text(cards.address, person),
        "postcode": text(cards.postcode, person),
        "lsoa": text(places.areas["lsoa21_code"].tolist(), people.area[person]),
        "practice_code": text(places.practices["practice_code"].tolist(), people.practice[person]),
        "registration_start_date": starts,
        "registration_end_date": _if(known_end, leaves),
        "registration_end_received_date": _if(known_end, end_received),
        "date_of_death": _if(known_death, death),
        "death_received_date": _if(known_death, death_received),
    }
    return make("demographics", person, columns, starts)


def _if(known: np.ndarray, date: np.ndarray) -> np.ndarray:
    return np.where(known, date, np.datetime64("NaT"))


def _recorded_sex(random: np.random.Generator, world: World, person: np.ndarray) -> np.ndarray:
    odd = random.random(len(person))
    return np.where(odd < 0.001, 2, np.where(odd < 0.002, 3, world.people.female[person].astype(int)))


def _recorded_ethnicity(random: np.random.Generator, world: World, person: np.ndarray) -> np.ndarray:
    """Category as recorded: 99 (not known) mostly for people seldom seen, and for men; Z (not stated) for a few."""
    contacts = world.lives.contacts[person].sum(axis=1)
    unknown = 0.03 + 0.42 * np.exp(-contacts / 5) + 0.02 * ~world.people.female[person]
    draw = random.random((2, len(person)))
    stated = np.where(draw[0] < 0.02, "Z", world.people.ethnic_category[person])
    return np.where(draw[1] < unknown, "99", stated).astype(object)


def opt_outs(world: World) -> Extract:
    """Type 1 and national opt-outs, independent of health."""
    random = world.streams("opt outs")
    registered = world.people.registered & ~(world.death < world.people.enters)
    kinds = [np.flatnonzero(registered & (random.random(len(registered)) < share)) for share in (0.03, 0.04)]
    person = np.concatenate(kinds)
    start = np.datetime64("2018-05-25") + random.integers(0, 3_000, len(person))
    start = np.maximum(start, world.people.enters[person])
    received = later(random, np.maximum(start, START), 1, 5)
    columns = {
        "nhs_number": text(world.cards.nhs_number, person),
        "opt_out_type": text(["type_1", "national"], np.repeat([0, 1], [len(kind) for kind in kinds])),
        "start_date": start,
        "received_date": received,
    }
    return make("opt_outs", person, columns, received)


def programme(world: World, places: Places) -> Extract:
    """Every referral to case management, with those declined or not reached."""
    random, past = world.streams("programme"), world.lives.referrals
    person = np.concatenate([one.person for one in past])
    month = np.repeat([one.month for one in past], [len(one.person) for one in past])
    route, outcome, months = (
        np.concatenate([getattr(one, name) for one in past]) for name in ("route", "outcome", "months")
    )
    referred = month_start(month) + random.integers(0, 12, len(person))
    start = later(random, referred, 2, 14)
    death, leaves = world.death[person], world.people.leaves[person]
    alive = ~(referred >= death) & ~(referred >= leaves)
    gone = (start >= death) | (start >= leaves)
    outcome = np.where((outcome == 0) & gone, OUTCOMES.index("not_reached"), outcome)
    started = outcome == 0
    end = np.fmin(np.fmin(month_start(month + months) + random.integers(0, 28, len(person)), death), leaves)
    received = later(random, start, 1, 7)
    teams = places.practices.drop_duplicates("pcn_code")["pcn_code"].sort_values().tolist()
    columns = {
        "nhs_number": text(world.cards.nhs_number, person),
        "team_code": text(teams, world.people.network[person]),
        "referral_date": referred,
        "referral_route": text(ROUTES, route),
        "start_date": _if(started, start),
        "end_date": _if(started & (end < CUT_OFF), end),
        "outcome": text(OUTCOMES, outcome),
        "received_date": received,
        "randomised_probability": np.full(len(person), np.nan),
    }
    return make("programme", person, columns, np.where(alive, received, CUT_OFF))
