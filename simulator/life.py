"""Everybody's life, month by month: illness, contacts, admissions, case management and death."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator import casemanagement, health
from simulator.clock import BURN_IN, MONTHS, NEVER, PROGRAMME_START, month_start
from simulator.people import People, present_from, present_to
from simulator.places import Places
from simulator.randomness import Streams


@dataclass(frozen=True)
class State:
    """Where everybody stands at the start of a month."""

    month: int
    alive: np.ndarray
    illness: np.ndarray
    terminal: np.ndarray
    past_effect: np.ndarray  # log relative hazard of earlier case management
    past_effect_until: np.ndarray  # month


@dataclass(frozen=True)
class Lives:
    """What happened, people x months, and where everybody stood at the months asked for."""

    illness: np.ndarray
    terminal: np.ndarray
    admitted: np.ndarray
    emergency: np.ndarray  # emergency attendances that did not end in admission
    contacts: np.ndarray  # GP contacts
    deficits: np.ndarray
    bed_days: np.ndarray  # mean length of stay if admitted
    death_month: np.ndarray  # `NEVER` for the living
    referrals: list[casemanagement.Referrals]
    states: dict[int, State]


def live(
    streams: Streams, people: People, places: Places, keep: tuple[int, ...], progress: Callable[[str], None]
) -> Lives:
    """Live the history, keeping the state at the start of each month in `keep` (up to the cut-off's)."""
    random = streams("life")
    total = len(people)
    first, last = present_from(people), present_to(people)
    programme = casemanagement.begin(streams, people, places)
    illness = np.zeros(total, dtype=np.int8)
    terminal = np.zeros(total, dtype=bool)
    death_month = np.full(total, NEVER)
    shape = (total, MONTHS)
    lives = Lives(
        illness=np.zeros(shape, np.int8),
        terminal=np.zeros(shape, bool),
        admitted=np.zeros(shape, bool),
        emergency=np.zeros(shape, np.int8),
        contacts=np.zeros(shape, np.int8),
        deficits=np.zeros(shape, np.float32),
        bed_days=np.zeros(shape, np.float32),
        death_month=death_month,
        referrals=programme.past,
        states={},
    )
    for month in range(-BURN_IN, MONTHS):
        rate = health.rates(people, month)
        if month == 0:
            terminal = random.random(total) < health.settled_terminal(rate)
        here = (first <= month) & (month <= last) & (death_month == NEVER)
        if month in keep:
            lives.states[month] = _state(month, here, illness, terminal, programme)
        if month >= PROGRAMME_START:
            seen = _seen(people, lives, month)
            referrals = casemanagement.refer(random, programme, people, here & (month < last), seen, month)
            effect = health.log_effect(people, month, terminal, rate.deficits)
            casemanagement.enrol(programme, referrals, effect)
        effect_now = casemanagement.effect_in(programme, month)
        born = people.birth < month_start(month + 1)
        admitted = born & (random.random(total) < health.admission_chance(rate, illness, terminal, effect_now))
        if month >= 0:
            admitted &= here
            dies = here & (random.random(total) < health.death_chance(rate, illness, terminal))
            death_month[dies] = month
            lives.illness[:, month] = illness
            lives.terminal[:, month] = terminal
            lives.admitted[:, month] = admitted
            lives.emergency[:, month] = random.poisson(np.where(here, _emergency_rate(people, rate, illness), 0))
            lives.contacts[:, month] = random.poisson(np.where(here, _contact_rate(people, rate, illness), 0))
            lives.deficits[:, month] = rate.deficits
            lives.bed_days[:, month] = rate.bed_days
            terminal = terminal | (random.random(total) < rate.terminal)
        illness = health.next_illness(random, illness, rate.acute, admitted).astype(np.int8)
        if month % 12 == 11 and month > 0:
            progress(f"lived {(month + 1) // 12} of {MONTHS // 12} years")
    if MONTHS in keep:
        here = (first <= MONTHS) & (last >= MONTHS) & (death_month == NEVER)
        lives.states[MONTHS] = _state(MONTHS, here, illness, terminal, programme)
    return lives


def _state(
    month: int, here: np.ndarray, illness: np.ndarray, terminal: np.ndarray, programme: casemanagement.Programme
) -> State:
    effect = casemanagement.effect_in(programme, month)
    return State(month, here, illness.copy(), terminal.copy(), effect, programme.effect_until.copy())


def _seen(people: People, lives: Lives, month: int) -> casemanagement.Seen:
    return casemanagement.Seen(
        age=people.age(month_start(month)),
        diagnosed=people.diagnosed_from < month,
        admitted_lately=lives.admitted[:, month - 2 : month].max(axis=1),
        admissions=lives.admitted[:, month - 12 : month].sum(axis=1),
        contacts=lives.contacts[:, month - 2 : month].sum(axis=1),
    )


def _contact_rate(people: People, rate: health.Rates, illness: np.ndarray) -> np.ndarray:
    """GP contacts a month: more with deficits and present illness, fewer for those who keep away."""
    drive = 0.55 * people.frailty + 3.0 * rate.deficits + 0.55 * illness - 1.8 * (people.low_use - 0.2)
    return 0.36 * np.exp(drive).clip(max=30)


def _emergency_rate(people: People, rate: health.Rates, illness: np.ndarray) -> np.ndarray:
    """Emergency attendances a month that end at home; steeper with deprivation than admissions are."""
    young = np.exp(-people.age(np.datetime64("2024-10-01")).clip(0) / 4)
    return 0.016 * np.exp(
        0.30 * people.deprivation + 0.45 * people.frailty + 0.6 * illness + 0.8 * young + 1.2 * rate.deficits
    )
