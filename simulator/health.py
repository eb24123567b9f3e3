"""The course of health: monthly chances of emergency admission and death, and the exact twelve-month risk.

A person's monthly chance depends on permanent things (age, deprivation, conditions, latent frailty,
care home) and on two that change by chance: a temporary illness with four levels, raised by acute
illness or by an admission and fading over months, and a terminal phase that does not end. Both are
a small Markov chain, so the truth is a sum and needs no sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import conditions
from simulator.clock import month_start
from simulator.people import People
from simulator.randomness import logistic

ILLNESS = np.array([0.0, 0.85, 1.7, 2.55])  # log hazard ratio of admission by level of temporary illness
ILLNESS_DEATH = np.array([0.0, 0.4, 0.8, 1.1])
FADES = 0.33  # chance in a month that the illness falls by one level
ACUTE_LEVEL = 2
TERMINAL_ADMISSION = 1.1
TERMINAL_DEATH = 0.10  # monthly chance of death in the terminal phase
HORIZON = 12
STRONGEST_EFFECT = np.log(0.5)

AGES = [0, 1, 3, 6, 12, 18, 25, 40, 55, 70, 80, 90, 105]
ADMISSIONS_BY_AGE = [215, 70, 35, 17, 13, 18, 16, 13, 15, 26, 41, 57, 68]  # per 1,000 a year, no condition, no illness


@dataclass(frozen=True)
class Rates:
    """What drives one month, one entry a person, before temporary illness and the terminal phase."""

    admission: np.ndarray  # log of the monthly hazard
    death: np.ndarray
    acute: np.ndarray  # chance of an acute illness
    terminal: np.ndarray  # chance that the terminal phase begins
    deficits: np.ndarray  # 0 to 1, as an electronic frailty index
    bed_days: np.ndarray  # mean length of stay of an emergency admission


def rates(people: People, month: int) -> Rates:
    """Return what drives one month of everybody's life; meaningless before birth."""
    age = people.age(month_start(month)).clip(0)
    ill = people.conditions_from <= month
    admission_weights = np.array([condition.admission for condition in conditions.CONDITIONS])
    death_weights = np.array([condition.death for condition in conditions.CONDITIONS])
    care_home = people.care_home_from <= month
    midlife = np.exp(-(((age - 42) / 22) ** 2))
    share = conditions.deficits(age, ill, people.frailty)
    admission = (
        np.log(np.interp(age, AGES, ADMISSIONS_BY_AGE) / 12_000)
        + people.deprivation * (0.06 + 0.16 * midlife)
        + 1.15 * (ill @ admission_weights)
        + 0.62 * people.frailty
        + 0.15 * people.lives_alone * (age > 65)
        + 0.20 * people.housing_trouble
        + 0.25 * care_home
    )
    death = (
        np.log(0.00032 / 12)
        + 0.083 * np.maximum(age - 35, -10)
        + people.deprivation * (0.12 + 0.25 * midlife)
        + ill @ death_weights
        + 0.35 * people.frailty
        + 0.6 * care_home
        - 0.25 * people.female
    )
    acute = 0.035 * np.exp(0.50 * people.frailty + 0.12 * ill.sum(axis=1) + 0.10 * people.deprivation)
    return Rates(
        admission=admission,
        death=death,
        acute=np.minimum(acute, 0.4),
        terminal=np.minimum(0.85 * np.exp(death), 0.15),
        deficits=share,
        bed_days=2.2 + 3.0 * np.clip((age - 40) / 40, 0, 1.2) + 9.0 * share,
    )


def admission_chance(rate: Rates, illness: np.ndarray, terminal: np.ndarray, log_effect: np.ndarray) -> np.ndarray:
    """Chance of an emergency admission in the month; `log_effect` is case management's."""
    return 1 - np.exp(-np.exp(rate.admission + ILLNESS[illness] + TERMINAL_ADMISSION * terminal + log_effect))


def death_chance(rate: Rates, illness: np.ndarray, terminal: np.ndarray) -> np.ndarray:
    """Chance of death in the month."""
    usual = 1 - np.exp(-np.exp(rate.death + ILLNESS_DEATH[illness]))
    return np.where(terminal, np.maximum(usual, TERMINAL_DEATH), usual)


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


@dataclass(frozen=True)
class Expectation:
    """What the twelve months from a date hold, exactly, under one choice."""

    admission_or_death: np.ndarray
    admission: np.ndarray
    days_at_home: np.ndarray


def expect(
    people: People, month: int, illness: np.ndarray, terminal: np.ndarray, log_effects: np.ndarray
) -> Expectation:
    """Follow the chain for twelve months from the start of `month`.

    `log_effects` is people x 12: case management's log relative hazard of admission in each month.
    The state is the chance of each (illness, terminal) pair: once for those with no admission yet
    (the risk), once for all who are alive (days at home).
    """
    levels = np.arange(len(ILLNESS))
    start = ((illness[:, None] == levels)[:, :, None] & (terminal[:, None] == [False, True])[:, None, :]).astype(float)
    event_free, alive = start, start
    admission, home = np.zeros(len(people)), np.zeros(len(people))
    for step in range(HORIZON):
        rate = rates(people, month + step)
        admitted, died = _chances(rate, log_effects[:, step])
        admission += (event_free * admitted).sum(axis=(1, 2))
        event_free = _move(event_free * (1 - admitted) * (1 - died), rate)
        days = (month_start(month + step + 1) - month_start(month + step)).astype(float)
        bed_days = np.minimum(rate.bed_days, days)[:, None, None]
        home += (alive * (1 - died / 2) * (days - admitted * bed_days)).sum(axis=(1, 2))
        survivors = alive * (1 - died)
        stayed_out = _move(survivors * (1 - admitted), rate)
        went_in = _move(survivors * admitted, rate).sum(axis=1)
        alive = stayed_out
        alive[:, -1, :] += went_in
    return Expectation(1 - event_free.sum(axis=(1, 2)), admission, home)


def _chances(rate: Rates, log_effect: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chance of admission and of death in the month for every person and state."""
    people = len(rate.admission)
    illness = np.broadcast_to(np.arange(len(ILLNESS))[None, :, None], (people, len(ILLNESS), 2))
    terminal = np.broadcast_to(np.array([False, True])[None, None, :], illness.shape)
    wide = Rates(*(value[:, None, None] for value in vars(rate).values()))
    return (
        admission_chance(wide, illness, terminal, log_effect[:, None, None]),
        death_chance(wide, illness, terminal),
    )


def _move(state: np.ndarray, rate: Rates) -> np.ndarray:
    """Carry chances of states over to the next month, for people without an admission."""
    acute = rate.acute[:, None, None]
    faded = state * (1 - FADES)
    faded[:, :-1] += state[:, 1:] * FADES
    faded[:, 0] += state[:, 0] * FADES
    moved = faded * (1 - acute)
    below = state[:, : ACUTE_LEVEL + 1].sum(axis=1)
    moved[:, ACUTE_LEVEL] += below * rate.acute[:, None]
    moved[:, ACUTE_LEVEL + 1 :] += state[:, ACUTE_LEVEL + 1 :] * acute
    begins = moved[:, :, 0] * rate.terminal[:, None]
    moved[:, :, 0] -= begins
    moved[:, :, 1] += begins
    return moved


def amenable(people: People, month: int) -> np.ndarray:
    """How far case management could change the course of each person's conditions, 0 to 1."""
    ill = people.conditions_from <= month
    return 1 - np.prod(1 - ill * conditions.AMENABLE, axis=1)


def isolation(people: People) -> np.ndarray:
    """How cut off from help a person is, 0 to 1."""
    return np.clip(0.55 * people.lives_alone + 0.9 * people.misses + 0.25 * people.housing_trouble, 0, 1)


def log_effect(people: People, month: int, terminal: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Case management's log relative hazard of emergency admission, if it starts in `month`.

    Strongest for people cut off from help whose conditions respond to it; nothing for most; harm
    in the last year of life, in severe frailty and in care homes. `share` is the share of deficits.
    """
    works, alone = amenable(people, month), isolation(people)
    helped = np.maximum(0.03 - 0.14 * works - 0.06 * alone - 0.64 * works * alone, STRONGEST_EFFECT)
    beyond = np.maximum(logistic((share - 0.36) / 0.025), np.maximum(terminal, people.care_home_from <= month))
    return (1 - beyond) * helped + beyond * (0.12 + 0.10 * (people.frailty > 0))
