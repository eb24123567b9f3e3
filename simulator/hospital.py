"""Hospital spells as they truly were: who was in which hospital from when to when, and why admitted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator import faults
from simulator.clock import MONTHS, START
from simulator.extract import World, during_stay, events, pick

PROVIDERS = ("RWEAA", "RWEAE", "RNS01", "RX1RA")
PROVIDER_SHARES = (0.62, 0.26, 0.07, 0.05)
ELSEWHERE = 0.10  # of spells, at a hospital drawn afresh rather than the person's own
OLD_SYSTEM = PROVIDERS.index("RNS01")  # the trust that still writes the retired method 28
EMERGENCY_METHODS = {"21": 0.74, "22": 0.10, "23": 0.02, "24": 0.05, "25": 0.01, "2A": 0.05, "2D": 0.03}
RETIRED_METHOD = 0.08
ELECTIVE_METHODS = {"11": 0.55, "12": 0.40, "13": 0.05}
MATERNITY_METHODS = {"31": 0.90, "32": 0.10}
BIRTH_METHODS = {"82": 0.95, "2C": 0.025, "83": 0.025}
DAY_CASES = 0.80
DIES_THERE = 0.6
MOVED_ON = 0.030  # of emergency stays of two days or more, finished at another trust
UNKNOWN_TO_ALL, UNKNOWN_THIS_TIME = 0.02, 0.085  # ethnicity, of people and of their records
NOT_STATED, WRONG_ETHNICITY = 0.012, 0.048


def ethnicity(world: World, person: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Ethnic category on each of hospital's records: sometimes not asked, and not always the one the GP holds."""
    unknown = np.full(len(world.people), UNKNOWN_TO_ALL)
    held = faults.ethnicity(world.streams("hospital ethnicity"), world, unknown, NOT_STATED, WRONG_ETHNICITY)[person]
    return np.where(random.random(len(person)) < UNKNOWN_THIS_TIME, "99", held)


def own_provider(world: World) -> np.ndarray:
    """Index of the hospital that each person usually goes to, one for a neighbourhood."""
    area = world.people.area
    drawn = world.streams.of_part("own hospital").choice(len(PROVIDERS), area.max() + 1, p=PROVIDER_SHARES)
    return drawn[area]


def spells(world: World) -> pd.DataFrame:
    """Every hospital spell as it truly was, for the services that share it: one row a spell, in order of person.

    A stay finished at another trust is two spells: the first ends, and the second begins, on the day of transfer.
    `kind` is emergency, elective, maternity, birth or transfer; `moved_on` marks the first spell of two.
    """
    random = world.streams("spells")
    stays = pd.concat([_emergencies(random, world), *_planned(random, world)], ignore_index=True)
    admitted = stays["admitted"].to_numpy().astype("datetime64[D]")
    stays = stays[during_stay(world, stays["person"].to_numpy(), admitted)]
    stays = stays.sort_values(["person", "admitted", "kind", "method"], kind="stable", ignore_index=True)
    stays = stays[~_in_bed_already(stays)].reset_index(drop=True)
    return _numbered(_transfers(random, _discharges(world, stays)))


def _emergencies(random: np.random.Generator, world: World) -> pd.DataFrame:
    person, month, admitted = world.admissions()
    provider = _provider(random, world, person)
    method = pick(random, EMERGENCY_METHODS, len(person))
    retired = (provider == OLD_SYSTEM) & (random.random(len(person)) < RETIRED_METHOD)
    days = _lengths(random, world.lives.bed_days[person, month], world.people.age(START)[person])
    death = world.death[person]
    last = admitted.astype("datetime64[M]") == death.astype("datetime64[M]")
    dies = last & (random.random(len(person)) < DIES_THERE)
    days = np.where(dies, np.where(last, (death - admitted).astype(int), 0), days)
    return _stays("emergency", person, admitted, days, np.where(retired, "28", method), provider)


def _planned(random: np.random.Generator, world: World) -> list[pd.DataFrame]:
    frames = []
    for kind, rate, methods in (
        ("elective", _elective_rate(world), ELECTIVE_METHODS),
        ("maternity", _maternity_rate(world), MATERNITY_METHODS),
    ):
        person, _, admitted = events(random, rate[:, None] * world.here)
        share = DAY_CASES if kind == "elective" else 0.3
        days = np.where(random.random(len(person)) < share, 0, random.integers(1, 5, len(person)))
        method = pick(random, methods, len(person))
        frames.append(_stays(kind, person, admitted, days, method, _provider(random, world, person)))
    people = world.people
    born = np.flatnonzero((people.birth >= START) & (people.birth == people.enters))
    method, days = pick(random, BIRTH_METHODS, len(born)), random.integers(0, 3, len(born))
    return [*frames, _stays("birth", born, people.birth[born], days, method, _provider(random, world, born))]


def _stays(
    kind: str, person: np.ndarray, admitted: np.ndarray, days: np.ndarray, method: np.ndarray, provider: np.ndarray
) -> pd.DataFrame:
    columns = {"person": person, "admitted": admitted, "days": days, "method": method.astype(object)}
    return pd.DataFrame({**columns, "provider": provider, "kind": kind})


def _provider(random: np.random.Generator, world: World, person: np.ndarray) -> np.ndarray:
    afresh = random.choice(len(PROVIDERS), len(person), p=PROVIDER_SHARES)
    return np.where(random.random(len(person)) < ELSEWHERE, afresh, own_provider(world)[person])


def _lengths(random: np.random.Generator, mean: np.ndarray, age: np.ndarray) -> np.ndarray:
    """About a third go home the same day, fewer of the old; the rest stay so that the mean is as given."""
    none = np.clip(0.50 - 0.0032 * age, 0.15, 0.50)
    stay = 1 + np.floor(random.exponential(np.maximum(mean / (1 - none) - 0.5, 0.3)))
    return np.where(random.random(len(mean)) < none, 0, stay).astype(int)


def _elective_rate(world: World) -> np.ndarray:
    """Planned admissions a month: by age and illness, fewer for those with less access at equal need."""
    people = world.people
    age = people.age(np.datetime64("2024-10-01"))
    ill = (people.conditions_from <= MONTHS // 2).sum(axis=1)
    yearly = (0.04 + 0.20 * np.clip((age - 20) / 60, 0, 1)) * (0.85 + 0.25 * ill)
    return yearly / 12 * np.exp(people.access)


def _maternity_rate(world: World) -> np.ndarray:
    age = world.people.age(np.datetime64("2024-10-01"))
    return 0.085 / 12 * (world.people.female & (age > 19) & (age < 40))


def _in_bed_already(stays: pd.DataFrame) -> np.ndarray:
    """Mark planned stays that would begin while the person is in an emergency bed, or on the day it begins."""
    person = stays["person"].to_numpy()
    emergency = (stays["kind"] == "emergency").to_numpy()
    day = (stays["admitted"].to_numpy().astype("datetime64[D]") - START).astype(int)
    span = MONTHS * 100  # more days than any stay can reach from the start
    until = np.maximum.accumulate(person * span + np.where(emergency, day + stays["days"].to_numpy(), -1))
    return ~emergency & (until >= person * span + day)


def _discharges(world: World, stays: pd.DataFrame) -> pd.DataFrame:
    """Day of discharge: no later than the person's next admission, or death."""
    person, admitted = stays["person"].to_numpy(), stays["admitted"].to_numpy().astype("datetime64[D]")
    following = np.full(len(stays), np.datetime64("NaT"), dtype="datetime64[D]")
    same = person[:-1] == person[1:]
    following[:-1][same] = admitted[1:][same]
    death = world.death[person]
    discharged = np.fmin(np.fmin(admitted + stays["days"].to_numpy(), following), death)
    return stays.assign(discharged=discharged, died=(discharged == death) & ~(discharged == following))


def _transfers(random: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    """Finish some emergency stays at another trust."""
    admitted, discharged = (stays[name].to_numpy().astype("datetime64[D]") for name in ("admitted", "discharged"))
    days = (discharged - admitted).astype(int)
    moved = (stays["kind"] == "emergency").to_numpy() & (days >= 2) & (random.random(len(stays)) < MOVED_ON)
    after = 1 + (random.random(len(stays)) * (days - 1)).astype(int)
    at = admitted + np.where(moved, after, days)
    other = (stays["provider"].to_numpy() + 1 + random.integers(len(PROVIDERS) - 1, size=len(stays))) % len(PROVIDERS)
    urgent = random.random(len(stays)) < np.where(after <= 3, 0.6, 0.2)
    second = stays.assign(
        admitted=at, provider=other, kind="transfer", method=np.where(urgent, "2B", "81"), moved_on=False
    )[moved]
    first = stays.assign(discharged=at, died=stays["died"].to_numpy() & ~moved, moved_on=moved)
    both = pd.concat([first, second], ignore_index=True)
    return both.sort_values(["person", "admitted", "discharged", "moved_on"], kind="stable", ignore_index=True)


def _numbered(stays: pd.DataFrame) -> pd.DataFrame:
    """Number the spells in order of admission."""
    order = np.argsort(stays["admitted"].to_numpy(), kind="stable")
    number = np.empty(len(stays), dtype=np.int64)
    number[order] = np.arange(1, len(stays) + 1)
    return stays.assign(number=number)
