"""Hospitals: spells, emergency department attendances and outpatient appointments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from simulator import identity
from simulator.clock import CUT_OFF, MONTHS, START, month_start
from simulator.conditions import CONDITIONS, NAMES
from simulator.extract import Extract, World, during_stay, events, later, make, pick, scatter, text

PROVIDERS = ("RWEAA", "RWEAE", "RNS01", "RX1RA")
PROVIDER_SHARES = (0.62, 0.26, 0.07, 0.05)
EMERGENCY_METHODS = {"21": 0.74, "22": 0.10, "23": 0.02, "24": 0.05, "25": 0.01, "2A": 0.05, "2D": 0.02, "28": 0.01}
THROUGH_EMERGENCY_DEPARTMENT = ("21", "2A")
ELECTIVE_METHODS = {"11": 0.55, "12": 0.40, "13": 0.05}
GENERAL_DIAGNOSES = {
    "R074": 9, "R104": 8, "J189": 8, "N390": 7, "A419": 4, "R55X": 4, "K529": 3, "L031": 4, "J22X": 5, "S720": 3, "S099": 4,
    "R296": 4, "N179": 3, "K802": 3, "J069": 3, "T509": 2, "R069": 3, "G439": 2, "N12X": 2, "E86X": 1,
}  # fmt: skip
ELECTIVE_DIAGNOSES = {"H269": 6, "K635": 4, "M171": 4, "M169": 3, "K409": 3, "C509": 2, "D125": 3, "Z080": 3, "N200": 1}
SECONDARY_CHANCE = 0.65
PALLIATIVE = "Z515"
COMPLAINTS = {
    "29857009": 12, "267036007": 10, "21522001": 12, "417746004": 26, "161898004": 8, "48694002": 3, "213257006": 14,
    "25064002": 5, "386661006": 8,
}  # fmt: skip
SPECIALTIES = {
    "100": 8,
    "110": 12,
    "130": 9,
    "120": 7,
    "300": 8,
    "301": 7,
    "320": 9,
    "340": 7,
    "307": 4,
    "410": 5,
    "502": 7,
}


def spells(world: World) -> pd.DataFrame:
    """Every hospital stay as it truly was, for the services that share it: one row a spell, in order of person."""
    random, lives = world.streams("spells"), world.lives
    person, month, admitted = scatter(random, lives.admitted & world.here())
    method = pick(random, EMERGENCY_METHODS, len(person))
    length = _lengths(random, lives.bed_days[person, month])
    frames = [
        pd.DataFrame({"person": person, "admitted": admitted, "days": length, "method": method, "emergency": True})
    ]
    for name, rate in (("elective", _elective_rate(world)), ("maternity", _maternity_rate(world))):
        person, month, admitted = events(random, rate * world.here())
        methods = ELECTIVE_METHODS if name == "elective" else {"31": 0.9, "32": 0.1}
        days = np.where(random.random(len(person)) < 0.75, 0, random.integers(1, 5, len(person)))
        method = pick(random, methods, len(person))
        frames.append(
            pd.DataFrame({"person": person, "admitted": admitted, "days": days, "method": method, "emergency": False})
        )
    born = np.flatnonzero((world.people.birth >= START) & (world.people.birth == world.people.enters))
    frames.append(
        pd.DataFrame(
            {"person": born, "admitted": world.people.birth[born], "days": 1, "method": "82", "emergency": False}
        )
    )
    stays = pd.concat(frames, ignore_index=True)
    stays = _around_death(random, world, stays)
    stays = stays[during_stay(world, stays["person"].to_numpy(), stays["admitted"].to_numpy().astype("datetime64[D]"))]
    stays = stays.sort_values(["person", "admitted", "emergency", "method"], kind="stable", ignore_index=True)
    return _discharges(world, stays)


def _discharges(world: World, stays: pd.DataFrame) -> pd.DataFrame:
    """Day of discharge: no later than the person's next admission, or death."""
    person, admitted = stays["person"].to_numpy(), stays["admitted"].to_numpy().astype("datetime64[D]")
    following = np.full(len(stays), np.datetime64("NaT"), dtype="datetime64[D]")
    same = person[:-1] == person[1:]
    following[:-1][same] = admitted[1:][same]
    death = world.death[person]
    discharged = np.fmin(np.fmin(admitted + stays["days"].to_numpy(), following), death)
    return stays.assign(discharged=discharged, died=discharged == death)


def _lengths(random: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """A third go home the same day; the rest stay so that the mean is as given."""
    stay = 1 + np.floor(random.exponential(np.maximum(mean / 0.67 - 0.5, 0.3)))
    return np.where(random.random(len(mean)) < 0.33, 0, stay).astype(int)


def _elective_rate(world: World) -> np.ndarray:
    age = world.people.age(np.datetime64("2024-10-01"))
    yearly = 0.03 + 0.16 * np.clip((age - 20) / 60, 0, 1)
    return (yearly / 12 * (1.15 - 0.15 * world.people.deprivation))[:, None] * np.ones(MONTHS)


def _maternity_rate(world: World) -> np.ndarray:
    age = world.people.age(np.datetime64("2024-10-01"))
    return (0.085 / 12 * (world.people.female & (age > 19) & (age < 40)))[:, None] * np.ones(MONTHS)


def _around_death(random: np.random.Generator, world: World, stays: pd.DataFrame) -> pd.DataFrame:
    """Bring an admission of the month of death before the death; six in ten of those die in hospital."""
    person = stays["person"].to_numpy()
    admitted, death = stays["admitted"].to_numpy().astype("datetime64[D]"), world.death[person]
    last = stays["emergency"].to_numpy() & (admitted.astype("datetime64[M]") == death.astype("datetime64[M]"))
    first = death.astype("datetime64[M]").astype("datetime64[D]")
    span = np.where(last, (death - first).astype(int) + 1, 1)
    moved = first + (random.random(len(person)) * span).astype(int)
    admitted = np.where(last, moved, admitted)
    stays["admitted"] = admitted
    until_death = np.where(last, (death - admitted).astype(int), 0)
    dies = last & (random.random(len(person)) < 0.6)
    stays["days"] = np.where(dies, until_death, stays["days"])
    return stays


def hospital_spells(world: World, stays: pd.DataFrame) -> Extract:
    """Admissions as they were received, and the coded spell once it was completed and received."""
    random = world.streams("hospital records")
    person = stays["person"].to_numpy()
    admitted = stays["admitted"].to_numpy().astype("datetime64[D]")
    discharged = stays["discharged"].to_numpy().astype("datetime64[D]")
    admission_received = later(random, admitted, 1, 2)
    completed = np.maximum(later(random, discharged, 15, 45), admission_received)
    known = completed < CUT_OFF
    primary, secondary = _diagnoses(random, world, stays)
    _, postcode = identity.home(random, world.cards, person, 0.03)
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, world.people, person, 0.022, 0.008),
        "date_of_birth": identity.birth_date(random, world.cards, world.people, person, 0.006),
        "sex": _sex(world, person),
        "postcode": postcode,
        "provider_code": random.choice(np.array(PROVIDERS, dtype=object), len(person), p=PROVIDER_SHARES),
        "admission_date": admitted,
        "admission_method": stays["method"].to_numpy(dtype=object),
        "admission_received_date": admission_received,
        "discharge_date": _when(known, discharged),
        "discharge_destination": _blank(~known, _destination(random, world, stays)),
        "primary_diagnosis": _blank(~known, primary),
        "secondary_diagnoses": _blank(~known | (secondary == ""), secondary),
        "received_date": _when(known, completed),
    }
    return make("hospital_spells", person, columns, admission_received)


def _when(known: np.ndarray, date: np.ndarray) -> np.ndarray:
    return np.where(known, date, np.datetime64("NaT"))


def _blank(where: np.ndarray, values: np.ndarray) -> np.ndarray:
    filled = values.astype(object)
    filled[where] = None
    return filled


def _sex(world: World, person: np.ndarray) -> pa.Array:
    return text(["1", "2"], world.people.female[person].astype(int))


def _destination(random: np.random.Generator, world: World, stays: pd.DataFrame) -> np.ndarray:
    person = stays["person"].to_numpy()
    month = stays["discharged"].to_numpy().astype("datetime64[D]")
    care_home = month_start(world.people.care_home_from[person].clip(-600, 600)) <= month
    kind = random.choice(
        np.array(["54", "55", "56", "65", "85"], dtype=object), len(person), p=[0.3, 0.25, 0.25, 0.1, 0.1]
    )
    return np.where(stays["died"].to_numpy(), "79", np.where(care_home, kind, "19"))


def _diagnoses(random: np.random.Generator, world: World, stays: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Primary diagnosis: a condition that the person has, by how far it drives admission, or a general one."""
    person = stays["person"].to_numpy()
    month = (stays["admitted"].to_numpy().astype("datetime64[M]") - START.astype("datetime64[M]")).astype(int)
    ill = world.people.conditions_from[person] <= month[:, None]
    drive = ill * np.exp([2 * condition.admission for condition in CONDITIONS]) - ill
    chance = np.column_stack([np.full(len(person), 2.5), drive])
    edges = np.cumsum(chance, axis=1)
    choice = ((random.random(len(person)) * edges[:, -1])[:, None] > edges).sum(axis=1) - 1
    primary = np.where(
        stays["emergency"], pick(random, GENERAL_DIAGNOSES, len(person)), pick(random, ELECTIVE_DIAGNOSES, len(person))
    )
    secondary = np.full(len(person), "", dtype=object)
    for column, condition in enumerate(CONDITIONS):
        code = random.choice(np.array(condition.icd10, dtype=object), len(person))
        primary = np.where((choice == column) & stays["emergency"].to_numpy(), code, primary)
        written = ill[:, column] & (choice != column) & (random.random(len(person)) < SECONDARY_CHANCE)
        secondary = np.where(written, secondary + ";" + code, secondary)
    maternity = stays["method"].isin(["31", "32"]).to_numpy()
    primary = np.where(maternity, "O800", np.where((stays["method"] == "82").to_numpy(), "Z380", primary))
    dying = world.lives.terminal[person, month.clip(0)] & (random.random(len(person)) < 0.35)
    secondary = np.where(dying, secondary + ";" + PALLIATIVE, secondary)
    return primary, pd.Series(secondary).str.slice(1).to_numpy(dtype=object)


def emergency_care(world: World, stays: pd.DataFrame) -> Extract:
    """Attendances that ended at home, and those through which people were admitted."""
    random = world.streams("emergency care")
    home, _, arrived = scatter(random, world.lives.emergency * world.here())
    inside = stays[stays["method"].isin(THROUGH_EMERGENCY_DEPARTMENT)]
    person = np.concatenate([home, inside["person"].to_numpy()])
    arrived = np.concatenate([arrived, inside["admitted"].to_numpy().astype("datetime64[D]")])
    admitted = np.arange(len(person)) >= len(home)
    keep = during_stay(world, person, arrived)
    person, arrived, admitted = person[keep], arrived[keep], admitted[keep]
    age = world.people.age(np.datetime64("2024-10-01"))[person]
    ambulance = random.random(len(person)) < np.where(admitted, 0.55, 0.12) + 0.003 * np.clip(age - 30, 0, 60)
    sick = np.where(admitted, 1.2, 0.0) + 0.4 * ambulance + random.normal(0, 0.8, len(person))
    acuity = 5 - np.digitize(sick, [-0.6, 0.4, 1.6, 3.0])
    received = later(random, arrived, 1, 3)
    _, postcode = identity.home(random, world.cards, person, 0.03)
    other = random.random(len(person)) < 0.06
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, world.people, person, 0.022, 0.008),
        "date_of_birth": identity.birth_date(random, world.cards, world.people, person, 0.008),
        "sex": _sex(world, person),
        "postcode": postcode,
        "arrival_date": arrived,
        "arrival_mode": text(["walk_in", "ambulance"], ambulance.astype(int)),
        "acuity": acuity.astype(np.int64),
        "chief_complaint": pick(random, COMPLAINTS, len(person)),
        "discharge_destination": text(["home", "admitted", "other"], np.where(admitted, 1, np.where(other, 2, 0))),
        "received_date": received,
    }
    return make("emergency_care", person, columns, received)


def outpatients(world: World) -> Extract:
    """Appointments, oftener with conditions, missed oftener by some."""
    random, people = world.streams("outpatients"), world.people
    months = np.arange(MONTHS)
    number = sum(
        (people.diagnosed_from[:, column][:, None] <= months).astype(np.float32)
        for column, name in enumerate(NAMES)
        if name not in ("hypertension", "hearing_loss")
    )
    rate = 0.055 + 0.075 * number + 0.06 * world.lives.illness
    person, _, date = events(random, rate * (world.here() & people.registered[:, None]))
    keep = during_stay(world, person, date)
    person, date = person[keep], date[keep]
    missed = random.random(len(person)) < 0.02 + 0.45 * people.misses[person]
    attendance = np.where(missed, np.where(random.random(len(person)) < 0.1, 7, 3), random.choice([5, 6], len(person)))
    received = later(random, date, 15, 40)
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, people, person, 0.0, 0.003),
        "appointment_date": date,
        "attendance": text(["3", "5", "6", "7"], np.searchsorted([3, 5, 6, 7], attendance)),
        "treatment_function_code": pick(random, SPECIALTIES, len(person)),
        "received_date": received,
    }
    return make("outpatients", person, columns, received)
