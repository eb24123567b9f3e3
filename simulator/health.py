"""The course of health: monthly chances of emergency admission and death, and the twelve months to come.

A person's monthly chance depends on permanent things (age, deprivation, conditions, latent frailty,
care home) and on two that change by chance: a temporary illness with four levels, raised by acute
illness or by an admission and fading over months, and a terminal phase that does not end. Both are
a small Markov chain, so what the months to come hold is a sum and needs no sampling.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from simulator import circumstances, conditions, scenarios
from simulator.clock import month_start
from simulator.people import People
from simulator.randomness import logistic

ILLNESS = np.array([0.0, 0.85, 1.7, 2.55])  # log hazard ratio of admission by level of temporary illness
ILLNESS_DEATH = np.array([0.0, 0.8, 1.7, 2.6])  # of death; an admission is illness at its highest from its month on
FADES = 0.27  # chance in a month that the illness falls by one level
ACUTE_LEVEL = 2
TERMINAL_ADMISSION = 1.4
TERMINAL_DEATH = 0.07  # monthly chance of death in the terminal phase
HORIZON = 12
STRONGEST_EFFECT = np.log(0.5)
EFFECT_MONTHS = 12
SURGE_MONTHS = 6  # after a start, in which needs long unmet come to light
ILLNESS_ATTENDANCE = 0.6  # log rate ratio of attendance by level of temporary illness
TURNED_AWAY = 0.4  # share of needed admissions that do not happen, under the scenario `label_bias`
SHIFT = np.log(1.25)  # of admission, under `population_shift`
HARM = np.log(1.2)

AGES = [0, 1, 3, 6, 12, 18, 25, 40, 55, 70, 80, 90, 105]
ADMISSIONS_BY_AGE = [108, 39, 20, 9, 7, 12, 12, 11, 11, 17, 28, 48, 62]  # per 1,000 a year, no condition, no illness
DEPRIVED_AT = [0, 28, 45, 60, 75, 95]  # ages at which deprivation counts as follows, from the middle to the most
DEPRIVED_ADMISSION = [0.18, 0.16, 0.18, 0.18, 0.05, 0.0]  # log hazard ratio, beside what conditions bring
DEPRIVED_DEATH = [0.34, 0.40, 0.44, 0.43, 0.23, 0.04]
DEATHS_AT_35 = 0.00027  # a year, without conditions
AGEING, AGEING_LATE = 0.069, 0.066  # log hazard of death a year after 35, and besides after 77


@dataclass(frozen=True)
class Rates:
    """What drives one month, one entry a person, before temporary illness and the terminal phase."""

    admission: np.ndarray  # log of the monthly hazard
    death: np.ndarray
    acute: np.ndarray  # chance of an acute illness
    terminal: np.ndarray  # chance that the terminal phase begins
    deficits: np.ndarray  # 0 to 1, as an electronic frailty index
    bed_days: np.ndarray  # mean length of stay of an emergency admission


@dataclass(frozen=True)
class Effect:
    """Case management's log ratios, one entry a person (or people x months)."""

    admission: np.ndarray  # hazard of emergency admission
    death: np.ndarray  # hazard of death
    stay: np.ndarray  # mean length of an emergency stay
    attendance: np.ndarray  # rate of emergency attendances that end at home

    def where(self, holds: np.ndarray) -> Effect:
        """Return the effect where it holds and none elsewhere."""
        return Effect(*(np.where(holds, getattr(self, one.name), 0.0) for one in fields(self)))


def no_effect(shape: int | tuple[int, ...]) -> Effect:
    """Return no effect on anything."""
    return Effect(*(np.zeros(shape) for _ in fields(Effect)))


def rates(people: People, month: int) -> Rates:
    """Return what drives one month of everybody's life; meaningless before birth."""
    age = people.age(month_start(month)).clip(0)
    ill = people.conditions_from <= month
    admission_weights = np.array([condition.admission for condition in conditions.CONDITIONS])
    death_weights = np.array([condition.death for condition in conditions.CONDITIONS])
    care_home = people.care_home_from <= month
    share = conditions.deficits(age, ill, people.frailty)
    admission = (
        np.log(np.interp(age, AGES, ADMISSIONS_BY_AGE) / 12_000)
        + people.deprivation * np.interp(age, DEPRIVED_AT, DEPRIVED_ADMISSION)
        + 1.15 * (ill @ admission_weights)
        + 0.76 * people.frailty
        + 0.15 * people.lives_alone * (age > 65)
        + 0.20 * people.housing_trouble
        + 0.25 * care_home
        + 0.35 * people.learning_disability
        + circumstances.INCLUSION_ADMISSION[people.inclusion]
    )
    if scenarios.POPULATION_SHIFT in people.scenarios and month >= scenarios.SHIFT_FROM:
        admission = admission + SHIFT
    death = (
        np.log(DEATHS_AT_35 / 12)
        + AGEING * np.maximum(age - 35, -10)
        + AGEING_LATE * np.maximum(age - 77, 0)
        + people.deprivation * np.interp(age, DEPRIVED_AT, DEPRIVED_DEATH)
        + ill @ death_weights
        + 0.35 * people.frailty
        + 0.6 * care_home
        - 0.35 * people.female
        + 0.7 * people.learning_disability
        + circumstances.INCLUSION_DEATH[people.inclusion]
    )
    acute = 0.040 * np.exp(0.50 * people.frailty + 0.12 * ill.sum(axis=1) + 0.10 * people.deprivation)
    return Rates(
        admission=admission,
        death=death,
        acute=np.minimum(acute, 0.4),
        terminal=np.minimum(0.70 * np.exp(death), 0.15),
        deficits=share,
        bed_days=2.2 + 3.0 * np.clip((age - 40) / 40, 0, 1.2) + 9.0 * share,
    )


def admission_chance(
    rate: Rates, illness: np.ndarray, terminal: np.ndarray, log_effect: np.ndarray | float
) -> np.ndarray:
    """Chance in the month that an emergency admission is needed; `log_effect` is case management's."""
    return 1 - np.exp(-np.exp(rate.admission + ILLNESS[illness] + TERMINAL_ADMISSION * terminal + log_effect))


def reach(people: People) -> np.ndarray:
    """Chance that an emergency admission happens when it is needed: one, save where `label_bias` turns people away."""
    if scenarios.LABEL_BIAS not in people.scenarios:
        return np.ones(len(people))
    return 1 - TURNED_AWAY * scenarios.barred(people.group, people.imd_decile)


def death_chance(rate: Rates, illness: np.ndarray, terminal: np.ndarray, log_effect: np.ndarray | float) -> np.ndarray:
    """Chance of death in the month; case management changes nothing in the terminal phase."""
    hazard = np.exp(rate.death + ILLNESS_DEATH[illness] + log_effect)
    dying = np.maximum(hazard, TERMINAL_DEATH * np.exp(0.35 * ILLNESS_DEATH[illness]))
    return 1 - np.exp(-np.where(terminal, dying, hazard))


def attendance_rate(people: People, rate: Rates, month: int, illness: np.ndarray) -> np.ndarray:
    """Emergency attendances a month that end at home; steeper with deprivation than admissions are."""
    young = np.exp(-people.age(month_start(month)).clip(0) / 4)
    drive = 0.30 * people.deprivation + 0.45 * people.frailty + 0.8 * young + 1.2 * rate.deficits
    drive = drive + 0.8 * circumstances.INCLUSION_ADMISSION[people.inclusion]
    return 0.0135 * np.exp(drive + ILLNESS_ATTENDANCE * illness)


def next_illness(
    random: np.random.Generator, illness: np.ndarray, acute: np.ndarray, admitted: np.ndarray
) -> np.ndarray:
    """Level of temporary illness at the start of the next month."""
    draw = random.random((2, len(illness)))
    faded = np.maximum(illness - (draw[0] < FADES), 0)
    fell_ill = np.where(draw[1] < acute, np.maximum(illness, ACUTE_LEVEL), faded)
    return np.where(admitted, len(ILLNESS) - 1, fell_ill)


def settled_terminal(rate: Rates) -> np.ndarray:
    """Chance of being in the terminal phase already, when the history begins."""
    return np.minimum(rate.terminal / TERMINAL_DEATH, 0.5)


def amenable(people: People, month: int) -> np.ndarray:
    """How far case management could change the course of each person's conditions, 0 to 1."""
    ill = people.conditions_from <= month
    return 1 - np.prod(1 - ill * conditions.AMENABLE, axis=1)


def isolation(people: People) -> np.ndarray:
    """How cut off from help a person is, 0 to 1."""
    return np.clip(0.55 * people.lives_alone + 0.9 * people.misses + 0.25 * people.housing_trouble, 0, 1)


def unmet(people: People) -> np.ndarray:
    """How much need has gone without care, 0 to 1: in those who keep away, or are kept away."""
    return np.clip(0.8 * people.low_use - 0.4 * people.access, 0, 1)


def effect_if_started(people: People, month: int, terminal: np.ndarray, share: np.ndarray) -> Effect:
    """What case management does to each person, if it starts in `month`.

    Emergency admission: fewest for people cut off from help whose conditions respond to it; nothing for most;
    harm in the last year of life, in severe frailty and in care homes. Death and length of stay follow the
    benefit, not the harm. Attendances rise where need was unmet. `share` is the share of deficits.
    """
    if scenarios.NULL_EFFECT in people.scenarios:
        return no_effect(len(people))
    works, alone = amenable(people, month), isolation(people)
    helped = np.maximum(0.085 - 0.14 * works - 0.06 * alone - 0.64 * works * alone, STRONGEST_EFFECT)
    beyond = np.maximum(logistic((share - 0.36) / 0.025), np.maximum(terminal, people.care_home_from <= month))
    admission = (1 - beyond) * helped + beyond * (0.14 + 0.10 * (people.frailty > 0))
    if scenarios.HARM in people.scenarios:
        admission = np.full(len(people), HARM)
    benefit = np.minimum(admission, 0.0)
    return Effect(admission, 0.5 * benefit, 0.35 * benefit, 0.35 * unmet(people))


def effect_by_month(effect: Effect, stays: np.ndarray, elapsed: np.ndarray) -> Effect:
    """Return what is left of an effect so many months after its start.

    `elapsed` is people x months (0 in the month of the start, negative before). It lasts twelve months, or until
    the person leaves (`stays` months); the rise in attendances is over after six.
    """
    wide = Effect(*(getattr(effect, one.name)[:, None] for one in fields(effect)))
    holds = (elapsed >= 0) & (elapsed < np.minimum(stays, EFFECT_MONTHS)[:, None])
    running = wide.where(holds)
    return Effect(
        running.admission, running.death, running.stay, wide.where(holds & (elapsed < SURGE_MONTHS)).attendance
    )
