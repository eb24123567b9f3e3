"""Who the people are: age, sex, ethnicity, home, circumstances and the course of their health to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import circumstances, conditions, households, scenarios
from simulator.clock import CUT_OFF, MONTHS, NEVER, START, age_at, day_in_month, month_of
from simulator.places import GROUPS, Places
from simulator.randomness import Streams, choose, choose_by_row

UNREGISTERED_SHARE = 0.03
SURVIVAL = 0.014  # standard deviations a year after 60 by which those still alive are sturdier
# Share of each 16+1 category in its group, and how much commoner it is in deprived places (log odds).
CATEGORIES = {
    "white": {"A": (0.908, 0.03), "B": (0.012, 0.05), "C": (0.080, 0.10)},
    "asian": {"H": (0.34, -0.75), "J": (0.29, 1.0), "K": (0.12, 0.60), "R": (0.08, -0.3), "L": (0.17, 0.0)},
    "black": {"M": (0.26, 0.0), "N": (0.62, 0.0), "P": (0.12, 0.0)},
    "mixed": {"D": (0.30, 0.25), "E": (0.15, 0.1), "F": (0.28, -0.3), "G": (0.27, 0.0)},
    "other": {"S": (1.0, 0.0)},
}
HOW = [0.88, 0.042, 0.078]  # here from the start, born, moves in
MOVES_HOME = 0.22  # share of households that move within their neighbourhood in the history
CHANGES_PRACTICE = 0.35  # of those who move


@dataclass(frozen=True)
class People:
    """One entry a person in every array. `conditions_from` and `diagnosed_from` are people x conditions, in months."""

    registered: np.ndarray  # False: known only to hospital, social care or housing
    practice: np.ndarray
    first_practice: np.ndarray  # before a move of home
    area: np.ndarray
    imd_decile: np.ndarray
    deprivation: np.ndarray  # -1 least to 1 most deprived
    birth: np.ndarray
    female: np.ndarray
    group: np.ndarray
    ethnic_category: np.ndarray
    enters: np.ndarray  # first day here
    leaves: np.ndarray  # day of moving away; NaT for those who stay
    household: np.ndarray  # number within the part; those who live alone have one of their own
    moves_home: np.ndarray  # day of the household's move within its neighbourhood; NaT for most
    frailty: np.ndarray  # latent, permanent; about standard normal
    low_use: np.ndarray  # 0 to 1: keeps away from the doctor
    access: np.ndarray  # log of planned care had, relative to others of equal need; below zero is less
    misses: np.ndarray  # 0 to 1: misses appointments
    stays: np.ndarray  # months that the person stays with case management, if it starts
    lives_alone: np.ndarray
    housing_trouble: np.ndarray
    carer: np.ndarray
    learning_disability: np.ndarray
    autism: np.ndarray
    inclusion: np.ndarray  # index of circumstances.INCLUSION; 0 is none
    care_home_from: np.ndarray  # month of moving to a care home
    conditions_from: np.ndarray
    diagnosed_from: np.ndarray
    scenarios: frozenset[str]

    def __len__(self) -> int:
        return len(self.birth)

    def age(self, date: np.ndarray | np.datetime64) -> np.ndarray:
        """Age in years on a date; negative before birth."""
        return age_at(self.birth, date)


def total(registered: int) -> int:
    """How many people there are with those never registered."""
    return registered + round(registered * UNREGISTERED_SHARE)


def make(streams: Streams, count: int, places: Places, network: int, planted: frozenset[str]) -> People:
    """Draw one network's `count` people who are registered at some time in the history, and a few who never are."""
    everybody = total(count)
    registered = np.arange(everybody) < count
    near = np.flatnonzero(places.network_of_area == network)
    area = near[choose(streams("area"), places.residents[near].sum(axis=1), everybody)]
    decile = places.areas["imd_decile"].to_numpy()[area]
    deprivation = (5.5 - decile) / 4.5
    group = choose_by_row(streams("ethnicity"), places.residents[area])
    enters, leaves, birth = _stays(streams, places, decile, group, registered, planted)
    age = age_at(birth, START)
    names = np.array(GROUPS)[group]
    female = streams("sex").random(everybody) < np.interp(age, [0, 20, 60, 80, 95], [0.488, 0.495, 0.51, 0.55, 0.66])
    home = households.form(streams, area, group, age, female, deprivation)
    moves = _moves_home(streams, home)[home]
    settled = ~np.isnat(moves) & (moves > enters + 90) & ~(moves > leaves - 90) & registered
    moves = np.where(settled, moves, np.datetime64("NaT"))
    first = _practices(streams("practice"), places, area)
    changed = settled & (streams("practice change").random(everybody) < CHANGES_PRACTICE)
    random = streams("traits")
    frailty = random.standard_normal(everybody) - SURVIVAL * np.maximum(age - 60, 0)
    low_use = random.beta(1.2, 4, everybody)
    misses = random.beta(1 + 0.5 * (deprivation > 0.3), 5, everybody)
    life = circumstances.draw(streams, age, deprivation, names, misses)
    onset = conditions.onset_months(streams, birth, deprivation, frailty, names, female)
    barred = scenarios.barred(names, decile) & (scenarios.UNDER_DIAGNOSIS in planted)
    diagnosed = conditions.diagnosis_months(
        streams, onset, age, female, names, deprivation, low_use, life.access, barred
    )
    return People(
        registered=registered,
        practice=np.where(changed, _practices(streams("new practice"), places, area), first),
        first_practice=first,
        area=area,
        imd_decile=decile,
        deprivation=deprivation,
        birth=birth,
        female=female,
        group=names,
        ethnic_category=_categories(streams, names, deprivation, home),
        enters=enters,
        leaves=leaves,
        household=home,
        moves_home=moves,
        frailty=frailty,
        low_use=low_use,
        access=life.access,
        misses=misses,
        stays=life.stays,
        lives_alone=households.alone(home, age),
        housing_trouble=life.housing_trouble,
        carer=life.carer,
        learning_disability=life.learning_disability,
        autism=life.autism,
        inclusion=life.inclusion,
        care_home_from=_care_home(streams, age, frailty, onset),
        conditions_from=onset,
        diagnosed_from=diagnosed,
        scenarios=planted,
    )


def _stays(
    streams: Streams,
    places: Places,
    decile: np.ndarray,
    group: np.ndarray,
    registered: np.ndarray,
    planted: frozenset[str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When each person comes, goes and was born: about 4 % are born and 8 % move in during the history."""
    random = streams("stays")
    count = len(decile)
    how = choose_by_row(random, np.tile(HOW, (count, 1)))
    how = np.where(registered, how, 0)
    month = random.integers(MONTHS, size=count)
    age = _ages(random, places.ages[decile - 1, group])
    mover_age = np.where(random.random(count) < 0.8, np.abs(random.normal(29, 13, count)), random.normal(79, 9, count))
    if scenarios.POPULATION_SHIFT in planted:
        newcomer = registered & (how == 0) & (random.random(count) < np.where(decile <= 3, 0.15, 0.01))
        how = np.where(newcomer, 2, how)
        month = np.where(newcomer, random.integers(scenarios.SHIFT_FROM, MONTHS, count), month)
        mover_age = np.where(newcomer, random.normal(31, 9, count).clip(1), mover_age)
    day = day_in_month(random, month)
    age_then = np.where(how == 2, mover_age.clip(0.1, 100), age)
    birth = np.where(how == 2, day, START) - (age_then * 365.25).astype(int)
    years_here = np.minimum(random.exponential(12, count), np.maximum(age - 0.02, 0))
    enters = np.where(how == 0, START - (years_here * 365.25).astype(int), day)
    birth = np.where(how == 1, day, np.minimum(birth, enters))
    away = np.maximum(day_in_month(random, random.integers(MONTHS, size=count)), enters + 60)
    goes = registered & (random.random(count) < np.where((age > 17) & (age < 40), 0.10, 0.04)) & (away < CUT_OFF)
    return enters, np.where(goes, away, np.datetime64("NaT")), birth


def _ages(random: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """Ages with their fraction, from single-year weights (people x ages; 90 stands for 90 and over)."""
    age = choose_by_row(random, weights) + random.random(len(weights))
    return np.where(age >= 90, 90 + random.exponential(3.0, len(age)), age).clip(0.05, 108)


def _moves_home(streams: Streams, home: np.ndarray) -> np.ndarray:
    """Day on which each household moves; NaT for most."""
    random = streams("moves of home")
    count = home.max() + 1
    day = day_in_month(random, random.integers(MONTHS, size=count))
    return np.where(random.random(count) < MOVES_HOME, day, np.datetime64("NaT"))


def _practices(random: np.random.Generator, places: Places, area: np.ndarray) -> np.ndarray:
    """A practice of the area's network for each person, oftenest the nearest."""
    network = places.network_of_area[area[0]]
    inside = np.flatnonzero(places.network_of_practice == network)
    return inside[choose_by_row(random, places.nearness[inside].T[area])]


def _categories(streams: Streams, group: np.ndarray, deprivation: np.ndarray, home: np.ndarray) -> np.ndarray:
    """Ethnic category within the group, one for a household's members of a group; some are poorer than others."""
    draw = streams("category").random(home.max() + 1)[home]
    category = np.full(len(group), "S", dtype="<U1")
    for name, listed in CATEGORIES.items():
        inside = np.flatnonzero(group == name)
        share, tilt = np.array(list(listed.values())).T
        edges = np.cumsum(share * np.exp(deprivation[inside, None] * tilt), axis=1)
        position = (draw[inside, None] * edges[:, -1:] > edges).sum(axis=1).clip(max=len(share) - 1)
        category[inside] = np.array(list(listed))[position]
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
