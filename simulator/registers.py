"""Registers: the demographics spine, opt-outs and the history of case management."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulator import faults, identity
from simulator.casemanagement import OUTCOMES, ROUTES
from simulator.clock import CUT_OFF, START, month_start
from simulator.extract import Column, Extract, World, later, make, text
from simulator.places import Places
from simulator.reablement import CODE, Reablement, referral_columns

NEVER_TOLD = 0.12  # of those who move away: their registration stays open
TOLD_LATE = 0.06  # of deaths
STALE_ADDRESS = 0.02
NOT_STATED, WRONG_ETHNICITY = 0.025, 0.02
OPTS_OUT = {"type_1": 0.024, "national": 0.040}  # at middle age, of people who are White
OPTS_OUT_BY_GROUP = {"asian": 0.10, "black": 0.60, "mixed": 0.40, "other": 0.10}  # log odds


def demographics(world: World, places: Places) -> Extract:
    """One row a registration: two for people who change practice; ends and deaths once they were known."""
    random, people, cards = world.streams("demographics"), world.people, world.cards
    category = _ethnicity(world)
    person = np.flatnonzero(people.registered & ~(world.death < people.enters))
    moves, death, leaves = people.moves_home, world.death, people.leaves
    changes = (people.practice != people.first_practice) & ~(death < moves) & ~(leaves <= moves)
    second = person[changes[person]]
    person = np.concatenate([person, second])
    again = np.arange(len(person)) >= len(person) - len(second)
    first = ~again & changes[person]
    death, leaves = world.death[person], people.leaves[person]
    starts = np.where(again, later(random, moves[person], 0, 6), people.enters[person])
    starts = np.where(again, np.fmin(np.fmin(starts, death), leaves), starts)
    ends = np.where(first, moves[person], np.where(leaves > death, np.datetime64("NaT"), leaves))
    ends = np.where(~first & (random.random(len(person)) < NEVER_TOLD), np.datetime64("NaT"), ends)
    death = np.where(first, np.datetime64("NaT"), death)
    death_received = later(random, faults.slow(random, death, TOLD_LATE, 30, 150), 3, 14)
    end_received = later(random, ends, 1, 10)
    known_death, known_end = death_received < CUT_OFF, end_received < CUT_OFF
    lived = np.where(first, moves[person] - 1, CUT_OFF)
    address, postcode = identity.home(random, cards, people, person, lived, STALE_ADDRESS)
    practice = np.where(first, people.first_practice[person], people.practice[person])
    columns = {
        "nhs_number": identity.number(cards, person),
        "given_name": text(cards.given, person),
        "family_name": text(cards.family, person),
        "date_of_birth": people.birth[person],
        "sex": text(["1", "2", "9", "0"], _recorded_sex(random, world, person)),
        "ethnic_category": category[person],
        "address_line": address,
        "postcode": postcode,
        "lsoa": text(places.areas["lsoa21_code"].tolist(), people.area[person]),
        "practice_code": text(places.practices["practice_code"].tolist(), practice),
        "registration_start_date": starts,
        "registration_end_date": _if(known_end, ends),
        "registration_end_received_date": _if(known_end, end_received),
        "date_of_death": _if(known_death, death),
        "death_received_date": _if(known_death, death_received),
    }
    return make("demographics", person, columns, starts)


def _if(known: np.ndarray, date: np.ndarray) -> np.ndarray:
    return np.where(known, date, np.datetime64("NaT"))


def _recorded_sex(random: np.random.Generator, world: World, person: np.ndarray) -> np.ndarray:
    odd = random.random(len(world.people))[person]
    return np.where(odd < 0.001, 2, np.where(odd < 0.002, 3, world.people.female[person].astype(int)))


def _ethnicity(world: World) -> np.ndarray:
    """Category in the GP record: unknown mostly for people seldom seen, for men, and without long-term conditions."""
    people = world.people
    contacts = world.lives.contacts.sum(axis=1)
    ill = (people.conditions_from <= 0).any(axis=1)
    unknown = 0.025 + 0.40 * np.exp(-contacts / 14) + 0.50 * (people.low_use - 0.2).clip(0)
    unknown = unknown + 0.035 * ~people.female - 0.035 * ill
    return faults.ethnicity(world.streams("gp ethnicity"), world, unknown, NOT_STATED, WRONG_ETHNICITY)


def opt_outs(world: World) -> Extract:
    """Type 1 and national opt-outs, commoner among the young and in some groups."""
    random, people = world.streams("opt outs"), world.people
    registered = people.registered & ~(world.death < people.enters)
    lean = -0.012 * (people.age(CUT_OFF).clip(18, 80) - 45)
    for group, more in OPTS_OUT_BY_GROUP.items():
        lean = lean + more * (people.group == group)
    kinds = [
        np.flatnonzero(registered & (random.random(len(people)) < share * np.exp(lean))) for share in OPTS_OUT.values()
    ]
    person = np.concatenate(kinds)
    start = np.datetime64("2018-05-25") + random.integers(0, 3_000, len(person))
    start = np.maximum(start, people.enters[person])
    received = later(random, np.maximum(start, START), 1, 5)
    columns = {
        "nhs_number": identity.number(world.cards, person),
        "opt_out_type": text(list(OPTS_OUT), np.repeat([0, 1], [len(kind) for kind in kinds])),
        "start_date": start,
        "received_date": received,
    }
    return make("opt_outs", person, columns, received)


def programme(world: World, places: Places) -> Extract:
    """Every referral to case management, with those declined, not reached, or not drawn in the lot at the margin.

    Where there is reablement, its referrals too, and a column that tells the two apart.
    """
    random, past = world.streams("programme"), world.lives.referrals
    person = past.person
    referred = month_start(past.month) + random.integers(0, 12, len(person))
    start = later(random, referred, 2, 14)
    death, leaves = world.death[person], world.people.leaves[person]
    alive = ~(referred >= death) & ~(referred >= leaves)
    gone = (start >= death) | (start >= leaves)
    outcome = np.where((past.outcome == 0) & gone, OUTCOMES.index("not_reached"), past.outcome)
    started = outcome == 0
    end = np.fmin(np.fmin(month_start(past.until) + random.integers(0, 28, len(person)), death), leaves)
    received = later(random, start, 1, 7)
    columns = {
        "nhs_number": identity.number(world.cards, person),
        "team_code": text(places.practices["pcn_code"].tolist(), world.people.practice[person]),
        "referral_date": referred,
        "referral_route": text(ROUTES, past.route),
        "start_date": _if(started, start),
        "end_date": _if(started & (end < CUT_OFF), np.maximum(end, start)),
        "outcome": text(OUTCOMES, outcome),
        "received_date": received,
        "randomised_probability": past.chance,
    }
    of_one = make("programme", person, columns, np.where(alive, received, CUT_OFF))
    return of_one if world.lives.reablement is None else _with_reablement(of_one, world, places, world.lives.reablement)


def _with_reablement(of_one: Extract, world: World, places: Places, second: Reablement) -> Extract:
    found = referral_columns(world.streams("reablement records"), second, world.death, world.people.leaves)
    person, one = second.person, np.zeros(len(second.person), dtype=int)
    columns = {
        "nhs_number": identity.number(world.cards, person),
        "team_code": text(places.practices["pcn_code"].tolist(), world.people.practice[person]),
        "referral_date": found["referred"],
        "referral_route": text(["gp_discretion"], one),
        "start_date": found["start"],
        "end_date": found["end"],
        "outcome": text(
            ["started", "declined", "not_reached"], np.where(found["begun"], 0, np.where(second.outcome == 0, 2, 1))
        ),
        "received_date": found["received"],
        "randomised_probability": np.full(len(person), np.nan),
    }
    other = make("programme", person, columns, np.where(found["here"], found["received"], CUT_OFF))
    both = {name: _end_to_end(of_one.columns[name], other.columns[name]) for name in columns}
    codes = np.repeat([0, 1], [len(of_one.person), len(other.person)])
    return Extract(
        "programme",
        np.concatenate([of_one.person, other.person]),
        both | {"programme": text(["case_management", CODE], codes)},
        np.concatenate([of_one.received, other.received]),
    )


def _end_to_end(first: Column, second: Column) -> Column:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.concatenate([first, second])
    return pa.concat_arrays([pa.array(first), pa.array(second)])
