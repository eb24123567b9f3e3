"""Three years of case management: who was referred and why, who accepted, and for how long.

Referral looks only at what records show (diagnoses, admissions, contacts, circumstances a GP would
know) and at chance and local habit; never at latent health.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator import conditions
from simulator.clock import NEVER
from simulator.people import People
from simulator.places import Places
from simulator.randomness import Streams, logistic

ROUTES = ("recent_admission", "gp_discretion", "risk_list")
OUTCOMES = ("started", "declined", "not_reached")
EFFECT_MONTHS = 12
CAPACITY_SHARE = 0.022  # of registered adults, a team's caseload
RELUCTANT_SHARE = 0.15  # of practices, never two of one network, that refer almost nobody
RELUCTANT = -4.5  # log odds
REST_MONTHS = 9  # after a referral, before the next


@dataclass
class Referrals:
    """Referrals of one month: positions of the people, and one entry each."""

    month: int
    person: np.ndarray
    route: np.ndarray
    outcome: np.ndarray
    months: np.ndarray  # length of the spell, for those who started


@dataclass
class Programme:
    """The caseload as it stands, and every referral so far."""

    habit: np.ndarray  # log odds by practice
    capacity: np.ndarray  # by network
    until: np.ndarray  # month in which the present spell ends; -NEVER when there is none
    rest_until: np.ndarray
    effect_until: np.ndarray
    log_effect: np.ndarray
    past: list[Referrals] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """What records showed at the start of a month, one entry a person."""

    age: np.ndarray
    diagnosed: np.ndarray  # people x conditions
    admitted_lately: np.ndarray  # in the two months before
    admissions: np.ndarray  # in the twelve months before
    contacts: np.ndarray  # GP contacts in the two months before


def begin(streams: Streams, people: People, places: Places) -> Programme:
    """Set up teams, one a network, with habits of referral that differ by practice."""
    random = streams("habits")
    practices = len(places.practices)
    habit = random.normal(0, 0.35, practices)
    order = random.permutation(practices)
    one_a_network = np.sort(np.unique(places.network_of_practice[order], return_index=True)[1])
    habit[order[one_a_network[: max(1, round(practices * RELUCTANT_SHARE))]]] = RELUCTANT
    adults = people.registered & (people.age(np.datetime64("2024-10-01")) >= 18)
    size = np.bincount(people.network[adults], minlength=people.network.max() + 1)
    total = len(people)
    return Programme(
        habit=habit,
        capacity=np.maximum(np.round(size * CAPACITY_SHARE).astype(int), 3),
        until=np.full(total, -NEVER),
        rest_until=np.full(total, -NEVER),
        effect_until=np.full(total, -NEVER),
        log_effect=np.zeros(total),
    )


def refer(
    random: np.random.Generator, programme: Programme, people: People, here: np.ndarray, seen: Seen, month: int
) -> Referrals:
    """Refer, invite and start people in one month; `here` marks who is alive and registered."""
    eligible = here & people.registered & (seen.age >= 18) & (programme.rest_until <= month)
    chances = np.column_stack([_after_admission(seen), _gp_discretion(seen, people), _risk_list(seen, month)])
    habit = programme.habit[people.practice][:, None]
    chances = chances / (chances + (1 - chances) * np.exp(-habit))
    referred = (random.random(chances.shape) < chances) & eligible[:, None]
    person = np.flatnonzero(referred.any(axis=1))
    route = referred[person].argmax(axis=1)
    accepts = random.random(len(person)) < _uptake(people, seen, person)
    missed = random.random(len(person)) < 0.12
    started = accepts & ~missed & _has_place(random, programme, people, person, accepts & ~missed, month)
    outcome = np.where(started, 0, np.where(missed | accepts, 2, 1))
    return Referrals(month, person, route, outcome, 3 + random.binomial(6, 0.4, len(person)))


def enrol(programme: Programme, referrals: Referrals, log_effect: np.ndarray) -> None:
    """Put those who started on the caseload, with the effect that their present state gives."""
    programme.past.append(referrals)
    programme.rest_until[referrals.person] = referrals.month + REST_MONTHS
    started = referrals.outcome == 0
    person = referrals.person[started]
    programme.until[person] = referrals.month + referrals.months[started]
    programme.rest_until[person] = referrals.month + referrals.months[started] + REST_MONTHS
    programme.effect_until[person] = referrals.month + EFFECT_MONTHS
    programme.log_effect[person] = log_effect[person]


def effect_in(programme: Programme, month: int) -> np.ndarray:
    """Log relative hazard of admission that past starts still have in a month."""
    return np.where(programme.effect_until > month, programme.log_effect, 0.0)


def _after_admission(seen: Seen) -> np.ndarray:
    return np.where(
        seen.admitted_lately, logistic(-2.6 + 0.5 * (seen.age > 50) + 0.12 * seen.diagnosed.sum(axis=1)), 0.0
    )


def _gp_discretion(seen: Seen, people: People) -> np.ndarray:
    need = seen.diagnosed @ conditions.SCORES
    worry = (
        -6.2 + 0.25 * np.minimum(need, 4) + 0.5 * (seen.diagnosed.sum(axis=1) > 0) + 0.20 * np.minimum(seen.contacts, 6)
    )
    return logistic(worry + 0.4 * people.lives_alone + 0.015 * np.clip(seen.age - 50, -20, 25))


def _risk_list(seen: Seen, month: int) -> np.ndarray:
    """An old score, sent out each quarter: one in ten of those above its threshold is referred."""
    score = -4.2 + 0.03 * (seen.age - 40) + 1.0 * np.minimum(seen.admissions, 3) + 0.30 * seen.diagnosed.sum(axis=1)
    return np.where((month % 3 == 0) & (score > -1.4), 0.10, 0.0)


def _uptake(people: People, seen: Seen, person: np.ndarray) -> np.ndarray:
    willing = -0.35 + 0.25 * people.lives_alone - 0.25 * people.deprivation + 0.01 * (seen.age - 60)
    return logistic(willing[person])


def _has_place(
    random: np.random.Generator, programme: Programme, people: People, person: np.ndarray, wants: np.ndarray, month: int
) -> np.ndarray:
    """Give each team's free places to those who want one, in an order drawn by lot."""
    on_caseload = np.bincount(people.network[programme.until > month], minlength=len(programme.capacity))
    free = np.maximum(programme.capacity - on_caseload, 0)
    network = np.where(wants, people.network[person], len(free))
    order = np.lexsort((random.random(len(person)), network))
    first = np.searchsorted(network[order], network[order])
    place = np.empty(len(person), dtype=int)
    place[order] = np.arange(len(person)) - first
    return wants & (place < np.append(free, 0)[network])
