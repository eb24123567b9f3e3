"""Everybody's life, month by month: illness, contacts, admissions, case management and death."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import casemanagement, health
from simulator.casemanagement import Referrals, Spells
from simulator.clock import BURN_IN, CUT_OFF, MONTHS, NEVER, PROGRAMME_START, day_in_month, month_of, month_start
from simulator.people import People, present_from, present_to
from simulator.randomness import Streams
from simulator.reablement import Reablement


@dataclass(frozen=True)
class Lives:
    """What happened to one network's people; arrays are people x months unless said otherwise."""

    illness: np.ndarray  # people x (months + 1): at the start of each month, and at the cut-off
    terminal_from: np.ndarray  # month from whose start the terminal phase holds, one a person; `NEVER` for most
    admission_day: np.ndarray  # day of the month of the emergency admission, 0 for none
    emergency: np.ndarray  # emergency attendances that did not end in admission
    contacts: np.ndarray  # GP contacts
    deficits: np.ndarray
    bed_days: np.ndarray  # mean length of stay if admitted
    death: np.ndarray  # date, one a person; NaT for the living
    referrals: Referrals
    spells: Spells
    reablement: Reablement | None = None

    def terminal(self, month: np.ndarray | int) -> np.ndarray:
        """Whether each person is in the terminal phase in a month (or in each of `month`, as a row)."""
        return self.terminal_from[:, None] <= month if isinstance(month, np.ndarray) else self.terminal_from <= month


def live(streams: Streams, people: People, network: int) -> Lives:
    """Live the history."""
    random = streams("life")
    total = len(people)
    first, last = present_from(people), present_to(people)
    programme = casemanagement.begin(streams, people, network)
    illness = np.zeros(total, dtype=np.int8)
    terminal = np.zeros(total, dtype=bool)
    terminal_from = np.full(total, NEVER, dtype=np.int16)
    death_month = np.full(total, NEVER)
    shape = (total, MONTHS)
    levels = np.zeros((total, MONTHS + 1), np.int8)
    admitted_in, emergency, contacts = (np.zeros(shape, np.int8) for _ in range(3))
    deficits, bed_days = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    reach = health.reach(people)
    for month in range(-BURN_IN, MONTHS):
        rate = health.rates(people, month)
        if month == 0:
            terminal = (first <= 0) & (random.random(total) < health.settled_terminal(rate))
        here = (first <= month) & (month <= last) & (death_month == NEVER)
        if month > 0:
            arrives = (first == month) & (people.birth < people.enters)
            terminal = terminal | (arrives & (random.random(total) < health.settled_terminal(rate)))
        if month >= PROGRAMME_START:
            seen = _seen(people, admitted_in, contacts, month)
            hidden = casemanagement.Hidden(people.frailty, terminal)
            referrals = casemanagement.refer(random, programme, people, here & (month < last), seen, hidden, month)
            casemanagement.enrol(programme, referrals, health.effect_if_started(people, month, terminal, rate.deficits))
        effect = casemanagement.effect_in(programme, people, month)
        born = people.birth < month_start(month + 1)
        chance = health.admission_chance(rate, illness, terminal, effect.admission)
        needed = born & (random.random(total) < chance)
        admitted = needed & (random.random(total) < reach)
        if month >= 0:
            needed &= here
            admitted &= here
            sick = np.where(needed, len(health.ILLNESS) - 1, illness)
            dies = here & (random.random(total) < health.death_chance(rate, sick, terminal, effect.death))
            death_month[dies] = month
            terminal_from[terminal & (terminal_from == NEVER)] = month
            levels[:, month], admitted_in[:, month] = illness, admitted
            visits = health.attendance_rate(people, rate, month, illness) * np.exp(effect.attendance)
            emergency[:, month] = random.poisson(np.where(here, visits, 0))
            seen_rate = _contact_rate(people, rate, month, illness) * np.exp(effect.attendance)
            contacts[:, month] = random.poisson(np.where(here, seen_rate, 0))
            deficits[:, month] = rate.deficits
            bed_days[:, month] = rate.bed_days * np.exp(effect.stay)
            terminal = terminal | (here & (random.random(total) < rate.terminal))
        illness = health.next_illness(random, illness, rate.acute, needed).astype(np.int8)
    levels[:, MONTHS] = illness
    terminal_from[terminal & (terminal_from == NEVER)] = MONTHS
    death = _death_dates(streams, death_month)
    return Lives(
        illness=levels,
        terminal_from=terminal_from,
        admission_day=_admission_days(streams, people, admitted_in, death),
        emergency=emergency,
        contacts=contacts,
        deficits=deficits,
        bed_days=bed_days,
        death=death,
        referrals=casemanagement.all_referrals(programme),
        spells=casemanagement.all_spells(programme),
    )


def _seen(people: People, admitted: np.ndarray, contacts: np.ndarray, month: int) -> casemanagement.Seen:
    return casemanagement.Seen(
        age=people.age(month_start(month)),
        diagnosed=people.diagnosed_from < month,
        admitted_lately=admitted[:, month - 2 : month].max(axis=1),
        admissions=admitted[:, month - 12 : month].sum(axis=1),
        contacts=contacts[:, month - 2 : month].sum(axis=1),
    )


def _death_dates(streams: Streams, month: np.ndarray) -> np.ndarray:
    """Draw the day of each death."""
    died = month != NEVER
    dates = np.full(len(month), np.datetime64("NaT"), dtype="datetime64[D]")
    dates[died] = day_in_month(streams("day of death"), month[died])
    return dates


def _admission_days(streams: Streams, people: People, admitted: np.ndarray, death: np.ndarray) -> np.ndarray:
    """Day of the month of each emergency admission, while the person is here and alive; 0 for none."""
    person, month = np.nonzero(admitted)
    first = month_start(month)
    opens = np.maximum(first, people.enters[person])
    closes = np.fmin(np.fmin(month_start(month + 1), people.leaves[person]), death[person] + 1)
    span = (closes - opens).astype(int)
    day = opens + (streams("day of admission").random(len(person)) * span).astype(int)
    days = np.zeros(admitted.shape, dtype=np.int8)
    days[person, month] = np.where((span > 0) & (month_of(day) == month), (day - first).astype(int) + 1, 0)
    return days


def written_down(people: People, lives: Lives) -> np.ndarray:
    """Month in which each condition is written down: the first with a contact, from when it could be found.

    People x conditions, as `People.diagnosed_from`; what was known before the history stays as it was.
    """
    seen = np.where(lives.contacts > 0, np.arange(MONTHS, dtype=np.int32), NEVER)
    following = np.minimum.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    found = people.diagnosed_from
    within = (found >= 0) & (found < MONTHS)
    at_contact = np.take_along_axis(following, found.clip(0, MONTHS - 1), axis=1)
    return np.where(within, at_contact, found).astype(np.int32)


def here(people: People, death: np.ndarray) -> np.ndarray:
    """People x months: alive and living here at some time in the month."""
    months = np.arange(MONTHS)
    starts = month_start(months + 1)[None, :] > people.enters[:, None]
    leaves = np.where(np.isnat(people.leaves), CUT_OFF, people.leaves)
    dies = np.where(np.isnat(death), NEVER, month_of(np.where(np.isnat(death), CUT_OFF, death)))
    return starts & (month_start(months)[None, :] < leaves[:, None]) & (months <= dies[:, None])


def _contact_rate(people: People, rate: health.Rates, month: int, illness: np.ndarray) -> np.ndarray:
    """GP contacts a month: more with deficits and present illness, fewer for those who keep, or are kept, away."""
    drive = 0.55 * people.frailty + 5.0 * rate.deficits + 0.55 * illness - 1.8 * (people.low_use - 0.2) + people.access
    drive = drive + 0.16 * np.minimum((people.diagnosed_from <= month).sum(axis=1), 4)
    return 0.23 * np.exp(drive).clip(max=30)
