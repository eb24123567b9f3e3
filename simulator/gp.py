"""General practice: contacts, diagnoses, prescriptions, tests, vaccinations, screening and notes of circumstance."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulator import circumstances, clinicians, faults, identity, scenarios
from simulator.clock import CUT_OFF, MONTHS, NEVER, START, day_in_month
from simulator.conditions import CONDITIONS, NAMES
from simulator.extract import Extract, World, during_stay, later, make, scatter, text
from simulator.people import People
from simulator.places import Places
from simulator.randomness import logistic

CONSULTATION, NOT_ATTENDED, MEDICATION_REVIEW = "11429006", "281399006", "314530002"
ALZHEIMERS, DIABETES, HBA1C = "26929004", "44054006", "1003671000000109"
BLOOD_PRESSURE, EGFR, BMI = "271649006", "1011481000000105", "60621009"
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
INFLUENZA, COVID, PNEUMOCOCCAL, SHINGLES = "822851000000102", "1362591000000103", "12866006", "722215002"
CERVIX, BREAST, BOWEL, HEALTH_CHECK = "171149006", "24623002", "275978004", "523221000000100"
# Months between invitations, sex (None for both), ages from and to, and the share who come.
SCREENING = {
    CERVIX: (48, True, 25, 65, 0.70),
    BREAST: (36, True, 50, 71, 0.66),
    BOWEL: (24, None, 54, 75, 0.66),
    HEALTH_CHECK: (60, None, 40, 75, 0.42),
}
ACUTE_MEDICINES = ("0501013", "0407010", "0103050", "0603020", "0501080", "1310012")
ACUTE_COURSE = 0.18  # chance at a contact
# Long-term medicines that no one condition calls for: share who take it by ages 0, 40, 60 and 80.
OTHER_MEDICINES = {
    "0212000": (0.0, 0.02, 0.20, 0.33),  # lipid-regulating
    "0103050": (0.0, 0.04, 0.11, 0.20),  # proton pump inhibitors
    "0602010": (0.0, 0.025, 0.05, 0.08),  # thyroid hormones
    "0906040": (0.02, 0.02, 0.05, 0.15),  # vitamin D
    "1302010": (0.06, 0.03, 0.04, 0.06),  # emollients
    "0304010": (0.03, 0.03, 0.02, 0.02),  # antihistamines
}
OFTENER_WITH_CONDITIONS = [0.05, 0.3, 2.6, 4.0]  # for people with none, one, two and four or more
REFILL = 0.67  # chance of an issue in a month, for each long-term medicine
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


class Book:
    """Rows of the practice record as they are written, in pieces."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.pieces: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def write(self, person: np.ndarray, date: np.ndarray, code: str, value: np.ndarray | None = None) -> None:
        """Add rows of one code."""
        rows = (person.astype(np.int32), date, np.full(len(person), self.number(code), dtype=np.int16))
        self.pieces.append((*rows, np.full(len(person), np.nan) if value is None else value))

    def number(self, code: str) -> int:
        """Position of a code in the list of codes, to which it is added when it is new."""
        if code not in self.codes:
            self.codes.append(code)
        return self.codes.index(code)

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return person, date, position of the code and value of every row, and forget the pieces."""
        person, date, code, value = zip(*self.pieces, strict=True)
        self.pieces = []
        return np.concatenate(person), np.concatenate(date), np.concatenate(code), np.concatenate(value)


def gp_events(world: World, places: Places) -> Extract:
    """Everything the practices wrote; conditions found before the history carry their old date."""
    random, book = world.streams("gp"), Book()
    here = world.here & world.people.registered[:, None]
    contact, month, date = scatter(random, world.lives.contacts * here)
    book.write(contact, date, CONSULTATION)
    _diagnoses(random, book, world, here)
    _prescriptions(random, book, world, here)
    _other_prescriptions(random, book, world, here)
    _acute_prescriptions(random, book, contact, date)
    _measurements(random, book, world, contact, month, date)
    _circumstances(random, book, world, contact, month, date)
    _symptoms(random, book, world, contact, date)
    _administration(random, book, world, contact, month, date)
    _vaccinations(random, book, world, here)
    _screening(random, book, world, here)
    return _as_received(random, book, world, places)


def habit(world: World, name: str, spread: float) -> np.ndarray:
    """How much oftener than others each person's practice writes something down; about 1, one a person."""
    practice = world.people.practice
    return np.exp(world.streams.of_part("habit of coding " + name).normal(0, spread, practice.max() + 1))[practice]


def deprived_third(places: Places) -> np.ndarray:
    """Mark the most deprived third of all practices taken part, by the mean decile of the areas they draw on."""
    weight = places.nearness * places.residents.sum(axis=1)
    decile = (weight * places.areas["imd_decile"].to_numpy()).sum(axis=1) / weight.sum(axis=1)
    third = np.argsort(decile, kind="stable")[: max(round(len(decile) / 3), 1)]
    return np.isin(np.arange(len(decile)), third)


def _practice_on(people: People, person: np.ndarray, date: np.ndarray) -> np.ndarray:
    return np.where(date < people.moves_home[person], people.first_practice[person], people.practice[person])


def _as_received(random: np.random.Generator, book: Book, world: World, places: Places) -> Extract:
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
            _issue(random, book, world, known[takes], taking[takes], code)


def _other_prescriptions(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Long-term medicines by age and illness, from some month on for those who are not yet taking them."""
    age = world.people.age(START)
    for code, shares in OTHER_MEDICINES.items():
        since = random.integers(-3 * MONTHS, MONTHS, len(age))
        known = (world.people.diagnosed_from <= since[:, None]).sum(axis=1)
        oftener = np.interp(known, [0, 1, 2, 4], OFTENER_WITH_CONDITIONS)
        takes = np.flatnonzero(random.random(len(age)) < np.interp(age, [0, 40, 60, 80], shares) * oftener)
        since = since[takes]
        _issue(random, book, world, takes, here[takes] & (np.arange(MONTHS) >= since[:, None]), code)


def _issue(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, taking: np.ndarray, code: str
) -> None:
    """Issue a medicine in most of the months (rows of `taking`) in which each person takes it."""
    chance = REFILL * (1.1 - 0.6 * world.people.low_use[person])
    row, _, when = scatter(random, (random.random(taking.shape, dtype=np.float32) < chance[:, None]) & taking)
    book.write(person[row], when, code)


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


def _circumstances(
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
    notes = {
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
    for code, chance in notes.items():
        noted = random.random(len(person)) < chance
        book.write(person[noted], date[noted], code)


def _written_down(world: World) -> dict[str, np.ndarray]:
    """Whom practices know to have a learning disability or autism, or to be of an inclusion group: a part of them."""
    people, draw = world.people, world.streams("written down").random((len(WRITTEN_DOWN), len(world.people)))
    so = {LEARNING_DISABILITY: people.learning_disability, AUTISM: people.autism}
    so |= {code: people.inclusion == circumstances.INCLUSION.index(name) for name, code in INCLUSION_CODES.items()}
    return {code: so[code] & (draw[row] < share) for row, (code, share) in enumerate(WRITTEN_DOWN.items())}


def _symptoms(random: np.random.Generator, book: Book, world: World, person: np.ndarray, date: np.ndarray) -> None:
    """Complaints that frail people bring: how latent frailty shows in a record, to those who are seen."""
    age = world.people.age(np.datetime64("2024-10-01"))[person]
    chance = SYMPTOM * np.exp(0.75 * world.people.frailty[person] + 0.01 * (age - 60))
    chance = np.minimum(chance, 0.12) * habit(world, "symptoms", 0.45)[person]
    for code in SYMPTOMS:
        noted = random.random(len(person)) < chance
        book.write(person[noted], date[noted], code)


def _administration(
    random: np.random.Generator, book: Book, world: World, person: np.ndarray, month: np.ndarray, date: np.ndarray
) -> None:
    """Missed appointments, and reviews of medicines of those who have several conditions written down."""
    missed = random.random(len(person)) < 0.12 * world.people.misses[person]
    book.write(person[missed], date[missed], NOT_ATTENDED)
    several = (world.people.diagnosed_from[person] <= month[:, None]).sum(axis=1)
    reviewed = random.random(len(person)) < 0.025 * np.minimum(several, 4)
    book.write(person[reviewed], date[reviewed], MEDICATION_REVIEW)


def _vaccinations(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Influenza and COVID-19 each autumn (COVID-19 in spring too for the oldest), pneumonia and shingles once."""
    people = world.people
    willing = _comes(world, random.normal(0, 0.6, len(people)))
    at_risk = (people.diagnosed_from <= 0).sum(axis=1) > 1
    for autumn in range(0, MONTHS, 12):
        age = people.age(START) + autumn / 12
        offered = (age >= 65) | (at_risk & (age >= 18)) | ((age >= 2) & (age < 16))
        chance = offered * np.where(age >= 65, 0.78, 0.42) * willing
        _once(random, book, here, chance, INFLUENZA, autumn + random.integers(0, 3, len(people)))
        older = (age >= 65) * 0.65 * willing
        _once(random, book, here, older, COVID, autumn + random.integers(0, 3, len(people)))
        _once(random, book, here, (age >= 75) * 0.60 * willing, COVID, autumn + random.integers(6, 9, len(people)))
    month = random.integers(0, MONTHS, len(people))
    age = people.age(START) + month / 12
    _once(random, book, here, ((age >= 65) & (age < 69)) * 0.7 * willing, PNEUMOCOCCAL, month)
    _once(random, book, here, ((age >= 65) & (age < 75)) * 0.5 * willing, SHINGLES, random.permutation(month))


def _screening(random: np.random.Generator, book: Book, world: World, here: np.ndarray) -> None:
    """Screening for cancers and health checks, at each invitation that is followed."""
    people = world.people
    for code, (every, women, youngest, oldest, share) in SCREENING.items():
        first = random.integers(0, every, len(people))
        asked = np.ones(len(people), dtype=bool) if women is None else people.female == women
        for month in (first + turn for turn in range(0, MONTHS, every)):
            age = people.age(START) + month / 12
            chance = asked * (age >= youngest) * (age < oldest) * share * _comes(world, np.zeros(len(people)))
            _once(random, book, here, chance, code, month)


def _comes(world: World, own: np.ndarray) -> np.ndarray:
    """How readily people follow an invitation (about 1): less, if they keep away, are kept away, or are deprived."""
    people = world.people
    return 1.2 * logistic(1.6 - 3.0 * (people.low_use - 0.2) + people.access - 0.35 * people.deprivation + own)


def _once(
    random: np.random.Generator, book: Book, here: np.ndarray, chance: np.ndarray, code: str, month: np.ndarray
) -> None:
    """Write a code in each person's `month` with the chance given, if the person is here then."""
    inside = month < MONTHS
    done = inside & here[np.arange(len(month)), np.where(inside, month, 0)] & (random.random(len(month)) < chance)
    person = np.flatnonzero(done)
    book.write(person, day_in_month(random, month[person]), code)
