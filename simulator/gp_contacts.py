"""What practices write at contacts: diagnoses, measurements, symptoms, notes of circumstance."""

from __future__ import annotations

import numpy as np

from simulator import circumstances
from simulator.clock import MONTHS, NEVER, day_in_month
from simulator.conditions import CONDITIONS, NAMES
from simulator.extract import World, scatter
from simulator.gp_book import Book, habit

CONSULTATION, NOT_ATTENDED, MEDICATION_REVIEW = "11429006", "281399006", "314530002"
ALZHEIMERS, DIABETES, HBA1C = "26929004", "44054006", "1003671000000109"
BLOOD_PRESSURE, EGFR, BMI = "271649006", "1011481000000105", "60621009"
# Taken beside another measurement: mean, spread, and least and most that is written.
BESIDE = {
    BLOOD_PRESSURE: {"1091811000000102": (77.0, 9.0, 40.0, 130.0)},
    BMI: {"27113001": (78.0, 15.0, 35.0, 190.0)},
    EGFR: {
        "1000731000000107": (80.0, 16.0, 35.0, 600.0),
        "1022431000000105": (136.0, 13.0, 70.0, 190.0),
    },
    HBA1C: {"1005671000000105": (4.9, 1.0, 2.0, 10.0)},
}
SMOKER, EX_SMOKER, NEVER_SMOKED = "77176002", "8517006", "266919005"
FALL, END_OF_LIFE, PALLIATIVE_REGISTER = "161898004", "526631000000108", "414937009"
SEVERE_FRAILTY, HOUSEBOUND, LIVES_ALONE = "925861000000106", "160689007", "105529008"
CARER, INTERPRETER = "224484003", "315594003"
LEARNING_DISABILITY, AUTISM = "110359009", "408856003"
INCLUSION_CODES = {"homeless": "32911000", "drug_dependence": "191816009", "vulnerable_migrant": "446654005"}
WRITTEN_DOWN = {LEARNING_DISABILITY: 0.65, AUTISM: 0.60, "32911000": 0.50, "191816009": 0.55, "446654005": 0.45}
# Fatigue, dizziness, weight loss, breathlessness, incontinence, unsteady gait, poor memory, poor sleep.
SYMPTOMS = ("84229001", "404640003", "89362005", "267036007", "165232002", "22325002", "386807006", "193462001")
SYMPTOM = 0.02  # chance at a contact, for each symptom, of a person of average latent frailty and 60 years


def diagnoses(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
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


def measurements(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, month: np.ndarray, date: np.ndarray
) -> None:
    """Blood pressure, HbA1c, eGFR and BMI taken at contacts, oftener where a condition calls for it, and what goes along."""
    people = world.people
    age = people.age(np.datetime64("2024-10-01"))
    own = world.streams("constitution").standard_normal((len(people), 4))
    ill = {name: people.conditions_from[:, NAMES.index(name)] for name in ("hypertension", "diabetes", "ckd")}
    has = {name: since[person] <= month for name, since in ill.items()}
    adult = age[person] >= 18
    trend = 0.4 * (month - MONTHS / 2) / 12
    level = {
        BLOOD_PRESSURE: 118 + 0.25 * (age[person] - 40) + 12 * has["hypertension"] + 7 * own[person, 0],
        HBA1C: 36 + 20 * has["diabetes"] + (2 + 6 * has["diabetes"]) * own[person, 1] + trend,
        EGFR: 112 - 0.65 * age[person] - 20 * has["ckd"] + 8 * own[person, 2] - trend,
        BMI: 27 + 1.0 * people.deprivation[person] + 4.5 * own[person, 3],
    }
    chance = {
        BLOOD_PRESSURE: 0.19 + 0.20 * has["hypertension"],
        HBA1C: 0.04 + 0.22 * has["diabetes"],
        EGFR: 0.06 + 0.15 * (has["ckd"] | has["diabetes"]),
        BMI: np.full(len(person), 0.08),
    }
    noise = {BLOOD_PRESSURE: 9.0, HBA1C: 3.0, EGFR: 5.0, BMI: 0.7}
    least = {BLOOD_PRESSURE: 70.0, HBA1C: 20.0, EGFR: 5.0, BMI: 14.0}
    for code, beside in BESIDE.items():
        taken = np.flatnonzero(adult & (random.random(len(person)) < chance[code]))
        value = level[code][taken] + noise[code] * random.standard_normal(len(taken))
        book.write(person[taken], date[taken], code, np.round(np.maximum(value, least[code]), 1))
        for other, (mean, spread, lowest, highest) in beside.items():
            written = np.round((mean + spread * random.standard_normal(len(taken))).clip(lowest, highest), 1)
            book.write(person[taken], date[taken], other, written)


def notes(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, month: np.ndarray, date: np.ndarray
) -> None:
    """What the practice notes at a contact about a person's life, when it is so."""
    people, lives = world.people, world.lives
    age = people.age(np.datetime64("2024-10-01"))
    own = world.streams("habits of life").random((len(people), 2))
    share, terminal = lives.deficits[person, month], lives.terminal_from[person] <= month
    copd = people.conditions_from[:, NAMES.index("copd")] != NEVER
    smokes = (own[:, 0] < 0.13 + 0.08 * people.deprivation + 0.3 * copd) & (age > 16)
    smoked = ~smokes & (own[:, 0] < 0.50) & (age > 25)
    speaks_little_english = (people.group != "white") & (own[:, 1] < 0.12)
    frail = habit(world, "frailty", 0.5)[person]
    chances = {
        LIVES_ALONE: 0.10 * people.lives_alone[person],
        CARER: 0.08 * people.carer[person],
        SMOKER: 0.08 * smokes[person],
        EX_SMOKER: 0.05 * smoked[person],
        NEVER_SMOKED: 0.05 * (~smokes & ~smoked & (age > 16))[person],
        INTERPRETER: 0.08 * speaks_little_english[person],
        FALL: 0.10 * share * (age[person] > 60) * frail,
        HOUSEBOUND: 0.20 * (share > 0.33) * frail,
        SEVERE_FRAILTY: 0.25 * (share > 0.36) * frail,
        END_OF_LIFE: 0.15 * terminal,
        PALLIATIVE_REGISTER: 0.15 * terminal,
        **{code: 0.06 * known[person] for code, known in _written_down(world).items()},
    }
    for code, chance in chances.items():
        noted = random.random(len(person)) < chance
        book.write(person[noted], date[noted], code)


def _written_down(world: World) -> dict[str, np.ndarray]:
    """Whom practices know to have a learning disability or autism, or to be of an inclusion group: a part of them."""
    people, draw = world.people, world.streams("written down").random((len(WRITTEN_DOWN), len(world.people)))
    so = {LEARNING_DISABILITY: people.learning_disability, AUTISM: people.autism}
    so |= {code: people.inclusion == circumstances.INCLUSION.index(name) for name, code in INCLUSION_CODES.items()}
    return {code: so[code] & (draw[row] < share) for row, (code, share) in enumerate(WRITTEN_DOWN.items())}


def symptoms(random: np.random.Generator, book: Book, world: World, person: np.ndarray, date: np.ndarray) -> None:
    """Complaints that frail people bring: how latent frailty shows in a record, to those who are seen."""
    age = world.people.age(np.datetime64("2024-10-01"))[person]
    chance = SYMPTOM * np.exp(0.75 * world.people.frailty[person] + 0.01 * (age - 60))
    chance = np.minimum(chance, 0.12) * habit(world, "symptoms", 0.45)[person]
    for code in SYMPTOMS:
        noted = random.random(len(person)) < chance
        book.write(person[noted], date[noted], code)


def administration(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, month: np.ndarray, date: np.ndarray
) -> None:
    """Missed appointments, and reviews of medicines of those who have several conditions written down."""
    missed = random.random(len(person)) < 0.12 * world.people.misses[person]
    book.write(person[missed], date[missed], NOT_ATTENDED)
    several = (world.people.diagnosed_from[person] <= month[:, None]).sum(axis=1)
    reviewed = random.random(len(person)) < 0.025 * np.minimum(several, 4)
    book.write(person[reviewed], date[reviewed], MEDICATION_REVIEW)
