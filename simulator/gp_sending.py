"""How the practice record is typed in and sent on, with the gaps and changes that scenarios plant."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulator import clinicians, faults, identity, scenarios
from simulator.clock import CUT_OFF, START
from simulator.conditions import CONDITIONS
from simulator.extract import Extract, World, during_stay, later, make, scatter, text
from simulator.gp_book import Book
from simulator.gp_contacts import BLOOD_PRESSURE, BMI, CONSULTATION, DIABETES, EGFR, HBA1C, HOUSEBOUND
from simulator.gp_medicines import ACUTE_MEDICINES, OTHER_MEDICINES
from simulator.people import People
from simulator.places import Places

UNITS = {
    BLOOD_PRESSURE: "mmHg",
    "1091811000000102": "mmHg",  # diastolic
    HBA1C: "mmol/mol",
    EGFR: "mL/min/1.73m2",
    BMI: "kg/m2",
    "27113001": "kg",  # weight
    "1000731000000107": "umol/L",  # creatinine
    "1005671000000105": "mmol/L",  # cholesterol
    "1022431000000105": "g/L",  # haemoglobin
}
LATE_ENTRY = 0.05  # share of rows typed in after the day
LATE_LETTERS = 0.30  # of practices, which code a part of their letters weeks later
GAP_DAYS = 35  # in which one practice sent nothing; it sent all of it after
CODES_CHANGE = np.datetime64("2025-04-01")
# Telephone encounter, online consultation, patient encounter.
CONSULTATIONS_AFTER = {"185317003": 0.45, "1068881000000101": 0.20, "308335008": 0.35}
DIABETES_AFTER = {"313436004": 0.75, "237599002": 0.25}  # without complication; treated with insulin
HBA1C_AFTER = "43396009"  # in per cent
OUTAGE_FROM = CUT_OFF - 91
LEAKS, LEAKS_WITHOUT = 0.8, 0.004  # of admissions; of other people's months


def deprived_third(places: Places) -> np.ndarray:
    """Mark the most deprived third of all practices taken part, by the mean decile of the areas they draw on."""
    weight = places.nearness * places.residents.sum(axis=1)
    decile = (weight * places.areas["imd_decile"].to_numpy()).sum(axis=1) / weight.sum(axis=1)
    third = np.argsort(decile, kind="stable")[: max(round(len(decile) / 3), 1)]
    return np.isin(np.arange(len(decile)), third)


def _practice_on(people: People, person: np.ndarray, date: np.ndarray) -> np.ndarray:
    return np.where(date < people.moves_home[person], people.first_practice[person], people.practice[person])


def as_received(random: np.random.Generator, book: Book, world: World, places: Places) -> Extract:
    """Rows of the people's time here with the days on which they were typed in and sent on."""
    people = world.people
    person, when, code, value = book.columns()
    old = when < START
    keep = people.registered[person] & (when >= people.birth[person])
    keep &= during_stay(world, person, when) | old
    person, when, code, value, old = person[keep], when[keep], code[keep], value[keep], old[keep]
    spoken = code == book.number(CONSULTATION)
    if scenarios.CODING_CHANGE in world.scenarios:
        code, value = _other_codes(random, book, when, code, value)
    practice = _practice_on(people, person, when)
    seen_by = clinicians.of_contacts(world, person, practice, spoken)
    recorded = _recorded(random, world, practice, when)
    sent = np.where(old, np.maximum(START, people.enters[person]), recorded)
    received = _sent_on(random, world, places, practice, later(random, sent, 1, 7))
    if scenarios.LEAK in world.scenarios:
        who, before = _leaked(random, world)
        person, when, recorded = (np.concatenate(two) for two in ((person, who), (when, before), (recorded, before)))
        received = np.concatenate([received, later(random, before, 1, 3)])
        seen_by = np.append(seen_by, np.full(len(who), clinicians.NOBODY))
        code = np.append(code, np.full(len(who), book.number(HOUSEBOUND), dtype=code.dtype))
        value, practice = (
            np.append(value, np.full(len(who), np.nan)),
            np.append(practice, _practice_on(people, who, before)),
        )
    if scenarios.FEED_OUTAGE in world.scenarios:
        received = np.where(deprived_third(places)[practice] & (received >= OUTAGE_FROM), CUT_OFF, received)
    medicines = {name for condition in CONDITIONS for name in condition.medicines} | {
        *ACUTE_MEDICINES,
        *OTHER_MEDICINES,
    }
    system = np.array([name in medicines for name in book.codes])[code]
    units = {**UNITS, HBA1C_AFTER: "%"}
    numbers = identity.number(world.cards, np.arange(len(people)))
    columns = {
        "nhs_number": numbers.take(pa.array(person)),
        "practice_code": text(places.practices["practice_code"].tolist(), practice),
        "event_date": when,
        "recorded_date": recorded,
        "received_date": received,
        "code_system": text(["SNOMED", "BNF"], system.astype(np.int8)),
        "code": text(book.codes, code),
        "numeric_value": value,
        "unit": text([units.get(name) for name in book.codes], code),
        "clinician_code": clinicians.codes(seen_by),
    }
    return make("gp_events", person, columns, received)


def _recorded(random: np.random.Generator, world: World, practice: np.ndarray, when: np.ndarray) -> np.ndarray:
    """Day on which each row was typed in: some practices code letters weeks after they came."""
    habits = world.streams.of_part("late practices")
    late = np.where(habits.random(practice.max() + 1) < LATE_LETTERS, 0.08, 0.01)
    letter = np.where(when >= START, late[practice], 0.0)
    recorded = faults.slow(random, when, np.where(when >= START, LATE_ENTRY, 0.0), 1, 21)
    return np.where(random.random(len(when)) < letter, later(random, when, 14, 60), recorded)


def _sent_on(
    random: np.random.Generator, world: World, places: Places, practice: np.ndarray, received: np.ndarray
) -> np.ndarray:
    """Days of receipt, with one practice's gap, healed since."""
    gap = world.streams.of_part("gap in the feed")
    silent = practice == gap.choice(np.flatnonzero(places.network_of_practice == world.streams.part))
    opens, closes = faults.window(gap, GAP_DAYS)
    return np.where(silent, faults.held(random, received, opens, closes, most=4), received)


def _other_codes(
    random: np.random.Generator, book: Book, when: np.ndarray, code: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Write consultations, diabetes and HbA1c as the GP systems do after their change, planted by `coding_change`."""
    after, changed = when >= CODES_CHANGE, code.copy()
    for before, shares in (
        (CONSULTATION, CONSULTATIONS_AFTER),
        (DIABETES, DIABETES_AFTER),
        (HBA1C, {HBA1C_AFTER: 1.0}),
    ):
        rows = np.flatnonzero(after & (code == book.number(before)))
        numbers = np.array([book.number(name) for name in shares], dtype=code.dtype)
        changed[rows] = random.choice(numbers, len(rows), p=list(shares.values()))
    per_cent = changed == book.number(HBA1C_AFTER)
    return changed, np.where(per_cent, np.round(value / 10.929 + 2.15, 1), value)


def _leaked(random: np.random.Generator, world: World) -> tuple[np.ndarray, np.ndarray]:
    """Person and date of what a practice wrote because of an admission, dated three weeks to eleven months before it."""
    person, _, admitted = world.admissions()
    some = random.random(len(person)) < LEAKS
    months = world.here & (random.random(world.here.shape) < LEAKS_WITHOUT)
    others, _, on = scatter(random, months.astype(np.int8))
    person, date = np.concatenate([person[some], others]), np.concatenate([admitted[some], on])
    date = date - random.integers(21, 330, len(date))
    keep = during_stay(world, person, date) & world.people.registered[person]
    return person[keep], date[keep]
