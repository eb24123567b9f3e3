"""Who the people are: age, sex, ethnicity, home, circumstances and the course of their health to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator import conditions
from simulator.clock import CUT_OFF, MONTHS, NEVER, START, age_at, day_in_month, month_of
from simulator.places import GROUPS, REFERENCE, Places
from simulator.randomness import Streams, choose_by_row, logistic

UNREGISTERED_SHARE = 0.03
SURVIVAL = 0.014  # standard deviations a year after 60 by which those still alive are sturdier
CATEGORIES = {
    "white": {"A": 0.87, "B": 0.015, "C": 0.115},
    "asian": {"H": 0.66, "J": 0.09, "K": 0.06, "L": 0.14, "R": 0.05},
    "black": {"M": 0.20, "N": 0.68, "P": 0.12},
    "mixed": {"D": 0.36, "E": 0.12, "F": 0.34, "G": 0.18},
    "other": {"S": 1.0},
}


@dataclass(frozen=True)
class People:
    """One entry a person in every array. `conditions_from` and `diagnosed_from` are people x conditions, in months."""

    registered: np.ndarray  # False: known only to hospital, social care or housing
    practice: np.ndarray
    network: np.ndarray
    area: np.ndarray
    imd_decile: np.ndarray
    deprivation: np.ndarray  # -1 least to 1 most deprived
    birth: np.ndarray
    female: np.ndarray
    group: np.ndarray
    ethnic_category: np.ndarray
    enters: np.ndarray  # first day here
    leaves: np.ndarray  # day of moving away; NaT for those who stay
    frailty: np.ndarray  # latent, permanent; about standard normal
    low_use: np.ndarray  # 0 to 1: keeps away from the doctor
    misses: np.ndarray  # 0 to 1: misses appointments
    lives_alone: np.ndarray
    housing_trouble: np.ndarray
    carer: np.ndarray
    care_home_from: np.ndarray  # month of moving to a care home
    conditions_from: np.ndarray
    diagnosed_from: np.ndarray

    def __len__(self) -> int:
        return len(self.birth)

    def age(self, date: np.ndarray | np.datetime64) -> np.ndarray:
        """Age in years on a date; negative before birth."""
        return age_at(self.birth, date)


def make(streams: Streams, people: int, places: Places) -> People:
    """Draw `people` who are registered at some time in the history, and a few more who never are."""
    total = people + round(people * UNREGISTERED_SHARE)
    registered = np.arange(total) < people
    practice = streams("practice").integers(len(places.practices), size=total)
    area = choose_by_row(streams("area"), places.catchment[practice])
    decile = places.areas["imd_decile"].to_numpy()[area]
    deprivation = (5.5 - decile) / 4.5
    enters, leaves, birth = _stays(streams, decile, registered)
    age = age_at(birth, START)
    group = _ethnic_groups(streams, places, area, age)
    random = streams("traits")
    frailty = random.standard_normal(total) - SURVIVAL * np.maximum(age - 60, 0)
    low_use = random.beta(1.2, 4, total)
    misses = random.beta(1 + 0.5 * (deprivation > 0.3), 5, total)
    lives_alone = (age > 18) & (
        random.random(total) < logistic(-1.7 + 0.022 * np.maximum(age - 40, 0) + 0.4 * deprivation)
    )
    housing_trouble = random.random(total) < logistic(-3.6 + 1.1 * deprivation)
    carer = (age > 16) & (random.random(total) < 0.08)
    onset = conditions.onset_months(streams, birth, deprivation, frailty, group)
    return People(
        registered=registered,
        practice=practice,
        network=places.network_of_practice[practice],
        area=area,
        imd_decile=decile,
        deprivation=deprivation,
        birth=birth,
        female=streams("sex").random(total) < np.interp(age, [0, 20, 60, 80, 95], [0.488, 0.495, 0.51, 0.55, 0.70]),
        group=group,
        ethnic_category=_categories(streams, group),
        enters=enters,
        leaves=leaves,
        frailty=frailty,
        low_use=low_use,
        misses=misses,
        lives_alone=lives_alone,
        housing_trouble=housing_trouble,
        carer=carer,
        care_home_from=_care_home(streams, age, frailty, onset),
        conditions_from=onset,
        diagnosed_from=conditions.diagnosis_months(streams, onset, low_use),
    )


def _stays(streams: Streams, decile: np.ndarray, registered: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When each person comes, goes and was born: about 4 % are born and 8 % move in during the history."""
    random = streams("stays")
    total = len(decile)
    how = choose_by_row(random, np.tile([0.88, 0.042, 0.078], (total, 1)))  # here from the start, born, moves in
    how = np.where(registered, how, 0)
    month = random.integers(MONTHS, size=total)
    day = day_in_month(random, month)
    age = _ages(random, decile)
    mover_age = np.where(random.random(total) < 0.8, np.abs(random.normal(29, 13, total)), random.normal(79, 9, total))
    age_then = np.where(how == 2, mover_age, age)
    birth = np.where(how == 2, day, START) - (age_then * 365.25).astype(int)
    years_here = np.minimum(random.exponential(12, total), np.maximum(age - 0.02, 0))
    enters = np.where(how == 0, START - (years_here * 365.25).astype(int), day)
    birth = np.where(how == 1, day, np.minimum(birth, enters))
    away = np.maximum(day_in_month(random, random.integers(MONTHS, size=total)), enters + 60)
    goes = registered & (random.random(total) < np.where((age > 17) & (age < 40), 0.10, 0.04)) & (away < CUT_OFF)
    return enters, np.where(goes, away, np.datetime64("NaT")), birth


def _ages(random: np.random.Generator, decile: np.ndarray) -> np.ndarray:
    """Ages with their fraction, from England's people by age and deprivation."""
    table = pd.read_parquet(REFERENCE / "population_age_by_decile.parquet")
    counts = table.pivot_table(index="imd_decile", columns="age", values="people").sort_index().to_numpy()
    age = choose_by_row(random, counts[decile - 1]) + random.random(len(decile))
    return np.where(age >= 90, 90 + random.exponential(3.0, len(age)), age).clip(0.05, 108)


def _ethnic_groups(streams: Streams, places: Places, area: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Ethnic group by the census of the area; minority groups are younger."""
    shares = places.areas[list(GROUPS)].to_numpy()[area].copy()
    tilt = np.exp(-0.018 * (age - 38)).clip(0.35, 1.8)
    shares[:, 1:] *= tilt[:, None]
    return np.array(GROUPS)[choose_by_row(streams("ethnicity"), shares)]


def _categories(streams: Streams, group: np.ndarray) -> np.ndarray:
    random = streams("category")
    category = np.full(len(group), "S", dtype="<U1")
    for name, shares in CATEGORIES.items():
        inside = group == name
        category[inside] = random.choice(list(shares), size=inside.sum(), p=list(shares.values()))
    return category


def _care_home(streams: Streams, age: np.ndarray, frailty: np.ndarray, onset: np.ndarray) -> np.ndarray:
    """Month of moving to a care home: late in life, earlier with dementia or frailty."""
    chance = streams("care home").random(len(age)) / 0.30
    dementia = onset[:, conditions.NAMES.index("dementia")] < MONTHS
    with np.errstate(divide="ignore", invalid="ignore"):
        at = 94 + 5 * np.log(chance / (1 - chance)) - 8 * dementia - 2 * frailty
    at = np.where(chance < 0.99, np.maximum(at, 66), 999.0)
    return np.minimum(np.round((at - age) * 12), NEVER).astype(np.int32)


def present_from(people: People) -> np.ndarray:
    """Month in which each person's time here begins."""
    return month_of(people.enters)


def present_to(people: People) -> np.ndarray:
    """Month in which each person moves away; `NEVER` for those who stay."""
    gone = ~np.isnat(people.leaves)
    return np.where(gone, month_of(np.where(gone, people.leaves, CUT_OFF)), NEVER)
