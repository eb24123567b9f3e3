"""What the twelve months from a date hold for each person, exactly, under one choice.

The state is the chance of each (temporary illness, terminal phase) pair: once for those with no
emergency admission yet (the risk), once for all who are alive (deaths, bed days, days at home).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import health
from simulator.clock import month_start
from simulator.health import ACUTE_LEVEL, FADES, HORIZON, ILLNESS, Effect, Rates
from simulator.people import People


@dataclass(frozen=True)
class Start:
    """Where people stand on a date, one entry a person.

    `month` and `past` place the date: `past` is the share of the month gone by, 0 on its first day.
    """

    month: int
    past: float
    illness: np.ndarray
    terminal: np.ndarray
    admitted: np.ndarray  # already this month


@dataclass(frozen=True)
class Expectation:
    """What twelve months hold."""

    admission_or_death: np.ndarray  # chance of emergency admission or death
    admission: np.ndarray  # chance of emergency admission, before any death
    death: np.ndarray  # chance of death
    bed_days: np.ndarray  # expected days in a hospital bed after emergency admissions
    days_at_home: np.ndarray  # expected days alive and not in such a bed
    attendances: np.ndarray  # expected emergency attendances that end at home


def expect(people: People, start: Start, effect: Effect, kept: np.ndarray | None = None) -> Expectation:
    """Follow the chain for twelve months from a date; `effect` is people x 13, from the date's own month on.

    `kept`, likewise, is the share of needed admissions that do not happen because of a second programme.

    A person is admitted as an emergency at most once a month, on any day of it alike; so too death. In a month
    gone by in part, what has not happened yet can happen in the rest of it.
    """
    levels = np.arange(len(ILLNESS))
    now = (
        (start.illness[:, None] == levels)[:, :, None] & (start.terminal[:, None] == [False, True])[:, None, :]
    ) * 1.0
    event_free, alive = now, now
    always = health.reach(people)
    count = len(people)
    admission, died_by, bed, home, visits = (np.zeros(count) for _ in range(5))
    for step in range(HORIZON + (start.past > 0)):
        month = start.month + step
        weight = 1.0 - start.past if step == 0 else start.past if step == HORIZON else 1.0
        rate = health.rates(people, month)
        reach = (always if kept is None else always * (1 - kept[:, step]))[:, None, None]
        needed, died, died_ill, visited = _chances(people, rate, month, effect, step)
        if step == 0 and start.past > 0:
            done = start.admitted[:, None, None]
            died_ill = _in_the_rest(died_ill, start.past)
            died = np.where(done, died_ill, _in_the_rest(died, start.past))
            needed = np.where(done, 0.0, _in_the_rest(needed, start.past))
        elif weight < 1:
            needed, died, died_ill = needed * weight, died * weight, died_ill * weight
        days = (month_start(month + 1) - month_start(month)).astype(float) * weight
        admission += (event_free * needed * reach).sum(axis=(1, 2))
        well, ill = alive * (1 - needed), alive * needed
        dying = well * died + ill * died_ill
        died_by += dying.sum(axis=(1, 2))
        stay = np.minimum(rate.bed_days * np.exp(effect.stay[:, step]), days)[:, None, None]
        in_bed = ill * reach * (1 - died_ill / 2) * stay
        bed += in_bed.sum(axis=(1, 2))
        home += ((alive - dying / 2) * days - in_bed).sum(axis=(1, 2))
        visits += ((alive - dying / 2) * visited * weight).sum(axis=(1, 2))
        still_well, still_ill = well * (1 - died), ill * (1 - died_ill)
        free_well = event_free * (1 - needed) * (1 - died)
        free_ill = event_free * needed * (1 - reach) * (1 - died_ill)  # turned away
        if step == 0 and start.past > 0:
            free_well, free_ill = np.where(done, 0.0, free_well), np.where(done, free_well, free_ill)
            still_well, still_ill = np.where(done, 0.0, still_well), np.where(done, still_well, still_ill)
        event_free = _next_month(free_well, free_ill, rate)
        alive = _next_month(still_well, still_ill, rate)
    return Expectation(1 - event_free.sum(axis=(1, 2)), admission, died_by, bed, home, visits)


def _in_the_rest(chance: np.ndarray, past: float) -> np.ndarray:
    """Chance in the rest of a month of what has not happened in its share gone by."""
    return chance * (1 - past) / (1 - chance * past)


def _chances(
    people: People, rate: Rates, month: int, effect: Effect, step: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Chance of needing admission, of death without and with that, and rate of attendance, by person and state."""
    shape = (len(people), len(ILLNESS), 2)
    illness = np.broadcast_to(np.arange(len(ILLNESS))[None, :, None], shape)
    terminal = np.broadcast_to(np.array([False, True])[None, None, :], shape)
    wide = Rates(*(value[:, None, None] for value in vars(rate).values()))
    admission, death, more = (part[:, step, None, None] for part in (effect.admission, effect.death, effect.attendance))
    visits = health.attendance_rate(people, rate, month, np.zeros(len(people), dtype=int))[:, None, None]
    return (
        health.admission_chance(wide, illness, terminal, admission),
        health.death_chance(wide, illness, terminal, death),
        health.death_chance(wide, np.full_like(illness, len(ILLNESS) - 1), terminal, death),
        visits * np.exp(health.ILLNESS_ATTENDANCE * illness + more),
    )


def _next_month(well: np.ndarray, ill: np.ndarray, rate: Rates) -> np.ndarray:
    """Carry chances of states over to the next month: needing admission leaves the highest level of illness behind."""
    moved = _move(well, rate)
    moved[:, -1, :] += _move(ill, rate).sum(axis=1)
    return moved


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
