"""A second programme beside case management, where the scenario `second_programme` asks for it: reablement at home.

It is lived after everything else, from a stream of its own: illness, deaths, contacts and case management are what they
would have been without it. What it does is keep people at home: of the emergency admissions that they need, a share does
not happen, most for people who live alone. They are as ill as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator import scenarios
from simulator.clock import CUT_OFF, MONTHS, NEVER, PROGRAMME_START, month_start
from simulator.people import People, present_from, present_to
from simulator.randomness import Streams, logistic

CODE = "reablement"
FROM_AGE = 60
LASTS = 12  # months in which it keeps people at home
REST_MONTHS = 6  # after a referral that came to nothing
ACCEPTS = 0.7
KEPT, KEPT_ALONE = 0.10, 0.45  # share of needed admissions that do not happen; and where the person lives alone
OUTCOMES = ("started", "declined")


@dataclass(frozen=True)
class Reablement:
    """Referrals, one entry each."""

    person: np.ndarray
    month: np.ndarray
    outcome: np.ndarray  # index of OUTCOMES


def live(
    streams: Streams, people: People, diagnosed_from: np.ndarray, admission_day: np.ndarray, death: np.ndarray
) -> tuple[Reablement | None, np.ndarray]:
    """Refer people month by month, by what records show, and take from their admissions those that do not happen.

    Parameters
    ----------
    diagnosed_from : people x conditions, month in which each is written down
    admission_day : people x months, day of the month of the emergency admission, 0 for none
    death : of each person, NaT for the living

    Returns
    -------
    The referrals (None without the scenario), and the admissions that are left.
    """
    if scenarios.SECOND_PROGRAMME not in people.scenarios:
        return None, admission_day
    random, total = streams("reablement"), len(people)
    first, last = present_from(people), present_to(people)
    rest_until, started = np.full(total, -NEVER), np.full(total, -NEVER)
    left, found = admission_day.copy(), []
    for month in range(PROGRAMME_START, MONTHS):
        today = month_start(month)
        here = people.registered & (first <= month) & (month < last) & ~(death < today)
        age = people.age(today)
        lately = (left[:, month - 2 : month] > 0).any(axis=1)
        ill = (diagnosed_from < month).sum(axis=1)
        wanted = -5.3 + 1.2 * lately + 0.03 * (age - 75) + 0.5 * people.lives_alone + 0.15 * np.minimum(ill, 6)
        free = here & (age >= FROM_AGE) & (rest_until <= month)
        draw = random.random((3, total))
        referred = free & (draw[0] < logistic(wanted))
        begins = referred & (draw[1] < ACCEPTS)
        started[begins] = month
        rest_until[referred] = month + REST_MONTHS
        rest_until[begins] = month + LASTS
        running = draw[2] < kept_by_month(people, started, np.full((total, 1), month))[:, 0]
        left[running, month] = 0
        person = np.flatnonzero(referred)
        found.append(Reablement(person, np.full(len(person), month), np.where(begins[person], 0, 1)))
    whole = Reablement(*(np.concatenate([getattr(one, name) for one in found]) for name in vars(found[0])))
    return whole, left


def kept_by_month(people: People, begun: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Share of needed emergency admissions that do not happen, of people whose last start was in the month `begun`.

    Returns it for each of `months` (people x months): nothing before the start, after a year, or in a care home.
    """
    elapsed = months - begun[:, None]
    running = (elapsed >= 0) & (elapsed < LASTS) & ~(people.care_home_from[:, None] <= months)
    return np.where(running, np.where(people.lives_alone, KEPT_ALONE, KEPT)[:, None], 0.0)


def last_start(reablement: Reablement, before: int, total: int) -> np.ndarray:
    """Return the month of each person's last start before a month; -NEVER where there is none."""
    begun = np.full(total, -NEVER)
    past = (reablement.outcome == 0) & (reablement.month < before)
    np.maximum.at(begun, reablement.person[past], reablement.month[past])
    return begun


def referral_columns(
    random: np.random.Generator, reablement: Reablement, death: np.ndarray, leaves: np.ndarray
) -> Mapping[str, np.ndarray]:
    """Return the dates of each referral: `referred`, `start` and `end` (NaT where there is none), `received`; and `begun`."""
    person = reablement.person
    referred = month_start(reablement.month) + random.integers(0, 12, len(person))
    start = referred + random.integers(2, 15, len(person))
    died, left = death[person], leaves[person]
    begun = (reablement.outcome == 0) & ~(start >= died) & ~(start >= left)
    end = np.fmin(np.fmin(month_start(reablement.month + LASTS), died), left)
    nat = np.datetime64("NaT")
    return {
        "referred": referred,
        "start": np.where(begun, start, nat),
        "end": np.where(begun & (end < CUT_OFF), np.maximum(end, start), nat),
        "received": start + random.integers(1, 8, len(person)),
        "begun": begun,
        "here": ~(referred >= died) & ~(referred >= left),
    }
