"""General practice: contacts, diagnoses and reviews, prescriptions, measurements and notes of circumstance."""

from __future__ import annotations

import numpy as np

from simulator.clock import MONTHS, NEVER, START, day_in_month
from simulator.conditions import CONDITIONS, NAMES
from simulator.extract import Extract, World, during_stay, later, make, scatter, text
from simulator.places import Places

CONSULTATION = "11429006"
ALZHEIMERS = "26929004"
MEASURES = {
    "271649006": "mmHg",
    "1003671000000109": "mmol/mol",
    "1011481000000105": "mL/min/1.73m2",
    "60621009": "kg/m2",
}
SMOKER, FALL, END_OF_LIFE, PALLIATIVE_REGISTER = "77176002", "161898004", "526631000000108", "414937009"
SEVERE_FRAILTY, HOUSEBOUND, LIVES_ALONE = "925861000000106", "160689007", "105529008"
CARER, INTERPRETER = "224484003", "315594003"
# Fatigue, dizziness, weight loss, breathlessness, incontinence, unsteady gait, poor memory, poor sleep.
SYMPTOMS = ("84229001", "404640003", "89362005", "267036007", "165232002", "22325002", "386807006", "193462001")
SYMPTOM = 0.02  # chance at a contact, for each symptom, of a person of average latent frailty and 60 years
ACUTE_MEDICINES = ("0501013", "0407010", "0103050", "0603020", "0501080", "1310012")
ACUTE_COURSE = 0.30  # chance at a contact
LATE_ENTRY = 0.05  # share of rows typed in after the day
REFILL = 0.70  # chance of an issue in a month, for each long-term medicine


class Book:
    """Rows of the practice record as they are written, in pieces."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.pieces: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def write(self, person: np.ndarray, date: np.ndarray, code: str, value: np.ndarray | None = None) -> None:
        """Add rows of one code."""
        if code not in self.codes:
            self.codes.append(code)
        number = np.full(len(person), self.codes.index(code), dtype=np.int16)
        self.pieces.append((person, date, number, np.full(len(person), np.nan) if value is None else value))

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return person, date, position of the code and value of every row."""
        person, date, code, value = zip(*self.pieces, strict=True)
        return np.concatenate(person), np.concatenate(date), np.concatenate(code), np.concatenate(value)


def gp_events(world: World, places: Places) -> Extract:
    """Everything the practices wrote; conditions found before the history carry their old date."""
    random, book = world.streams("gp"), Book()
    here = world.here() & world.people.registered[:, None]
    contact, month, date = scatter(random, world.lives.contacts * here)
    book.write(contact, date, CONSULTATION)
    _diagnoses(random, book, world, here)
    _prescriptions(random, book, world, here)
    _acute_prescriptions(random, book, contact, date)
    _measurements(random, book, world, contact, month, date)
    _circumstances(random, book, world, contact, month, date)
    _symptoms(random, book, world, contact, date)
    return _as_received(random, book, world, places)


def _as_received(random: np.random.Generator, book: Book, world: World, places: Places) -> Extract:
    """Rows of the people's time here with the days on which they were typed in and sent on."""
    person, when, code, value = book.columns()
    old = when < START
    keep = world.people.registered[person] & (when >= world.people.birth[person])
    keep &= during_stay(world, person, when) | old
    person, when, code, value, old = person[keep], when[keep], code[keep], value[keep], old[keep]
    recorded = np.where(random.random(len(when)) < LATE_ENTRY, later(random, when, 1, 21), when)
    sent = np.where(old, np.maximum(START, world.people.enters[person]), recorded)
    received = later(random, sent, 1, 7)
    medicines = {name for condition in CONDITIONS for name in condition.medicines} | set(ACUTE_MEDICINES)
    system = np.array([name in medicines for name in book.codes])[code]
    columns = {
        "nhs_number": text(world.cards.nhs_number, person),
        "practice_code": text(places.practices["practice_code"].tolist(), world.people.practice[person]),
        "event_date": when,
        "recorded_date": recorded,
        "received_date": received,
        "code_system": text(["SNOMED", "BNF"], system.astype(int)),
        "code": text(book.codes, code),
        "numeric_value": value,
        "unit": text([MEASURES.get(name) for name in book.codes], code),
    }
    return make("gp_events", person, columns, received)


def _diagnoses(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """The first record of each condition, and about one review a year after."""
    diagnosed = world.people.diagnosed_from
    for column, condition in enumerate(CONDITIONS):
        known = np.flatnonzero(diagnosed[:, column] < MONTHS)
        date = day_in_month(random, diagnosed[known, column])
        subtype = (condition.name == "dementia") & (random.random(len(known)) < 0.4)
        book.write(known[~subtype], date[~subtype], condition.snomed)
        book.write(known[subtype], date[subtype], ALZHEIMERS)
        reviewed = here[known] & (np.arange(MONTHS) > diagnosed[known, column][:, None])
        rate = 0.075 * (1.2 - world.people.low_use[known, None]) * reviewed
        row, _, when = scatter(random, random.poisson(rate))
        book.write(known[row], when, condition.snomed)


def _prescriptions(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Long-term medicines, each issued in about two months of three."""
    for column, condition in enumerate(CONDITIONS):
        known = np.flatnonzero(world.people.diagnosed_from[:, column] < MONTHS)
        taking = here[known] & (np.arange(MONTHS) >= world.people.diagnosed_from[known, column][:, None])
        for code in condition.medicines:
            takes = random.random(len(known)) < 0.8
            chance = REFILL * (1.1 - 0.6 * world.people.low_use[known]) * takes
            row, _, when = scatter(random, (random.random(taking.shape) < chance[:, None]) & taking)
            book.write(known[row], when, code)


def _acute_prescriptions(random: np.random.Generator, book: Book, person: np.ndarray, date: np.ndarray) -> None:
    """Short courses given at contacts."""
    kind = random.integers(len(ACUTE_MEDICINES), size=len(person))
    given = random.random(len(person)) < ACUTE_COURSE
    for position, code in enumerate(ACUTE_MEDICINES):
        some = given & (kind == position)
        book.write(person[some], date[some], code)


def _measurements(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, month: np.ndarray, date: np.ndarray
) -> None:
    """Blood pressure, HbA1c, eGFR and BMI taken at contacts, oftener where a condition calls for it."""
    people = world.people
    age = people.age(np.datetime64("2024-10-01"))
    own = world.streams("constitution").standard_normal((len(people), 4))
    ill = {name: people.conditions_from[:, NAMES.index(name)] for name in ("hypertension", "diabetes", "ckd")}
    has = {name: since[person] <= month for name, since in ill.items()}
    adult = age[person] >= 18
    trend = 0.4 * (month - MONTHS / 2) / 12
    level = {
        "271649006": 118 + 0.25 * (age[person] - 40) + 12 * has["hypertension"] + 7 * own[person, 0],
        "1003671000000109": 36 + 20 * has["diabetes"] + (2 + 6 * has["diabetes"]) * own[person, 1] + trend,
        "1011481000000105": 112 - 0.65 * age[person] - 20 * has["ckd"] + 8 * own[person, 2] - trend,
        "60621009": 27 + 1.0 * people.deprivation[person] + 4.5 * own[person, 3],
    }
    chance = {
        "271649006": 0.25 + 0.25 * has["hypertension"],
        "1003671000000109": 0.04 + 0.22 * has["diabetes"],
        "1011481000000105": 0.06 + 0.15 * (has["ckd"] | has["diabetes"]),
        "60621009": np.full(len(person), 0.08),
    }
    noise = {"271649006": 9.0, "1003671000000109": 3.0, "1011481000000105": 5.0, "60621009": 0.7}
    least = {"271649006": 70.0, "1003671000000109": 20.0, "1011481000000105": 5.0, "60621009": 14.0}
    for code in MEASURES:
        taken = adult & (random.random(len(person)) < chance[code])
        value = level[code][taken] + noise[code] * random.standard_normal(taken.sum())
        book.write(person[taken], date[taken], code, np.round(np.maximum(value, least[code]), 1))


def _circumstances(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, month: np.ndarray, date: np.ndarray
) -> None:
    """What the practice notes at a contact about a person's life, when it is so."""
    people, lives = world.people, world.lives
    age = people.age(np.datetime64("2024-10-01"))
    own = world.streams("habits of life").random((len(people), 2))
    share, terminal = lives.deficits[person, month], lives.terminal[person, month]
    copd = people.conditions_from[:, NAMES.index("copd")] != NEVER
    smokes = (own[:, 0] < 0.13 + 0.08 * people.deprivation + 0.3 * copd) & (age > 16)
    speaks_little_english = (people.group != "white") & (own[:, 1] < 0.12)
    notes = {
        LIVES_ALONE: 0.10 * people.lives_alone[person],
        CARER: 0.08 * people.carer[person],
        SMOKER: 0.08 * smokes[person],
        INTERPRETER: 0.08 * speaks_little_english[person],
        FALL: 0.10 * share * (age[person] > 60),
        HOUSEBOUND: 0.20 * (share > 0.33),
        SEVERE_FRAILTY: 0.25 * (share > 0.36),
        END_OF_LIFE: 0.15 * terminal,
        PALLIATIVE_REGISTER: 0.15 * terminal,
    }
    for code, chance in notes.items():
        noted = random.random(len(person)) < chance
        book.write(person[noted], date[noted], code)


def _symptoms(random: np.random.Generator, book: Book, world: World, person: np.ndarray, date: np.ndarray) -> None:
    """Complaints that frail people bring: how latent frailty shows in a record, to those who are seen."""
    age = world.people.age(np.datetime64("2024-10-01"))[person]
    chance = SYMPTOM * np.exp(0.75 * world.people.frailty[person] + 0.01 * (age - 60))
    for code in SYMPTOMS:
        noted = random.random(len(person)) < np.minimum(chance, 0.12)
        book.write(person[noted], date[noted], code)
