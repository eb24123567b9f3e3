"""Three years of case management: who was referred and why, who accepted, and for how long.

Referral looks only at what records show (diagnoses, admissions, contacts, circumstances a GP would
know) and at chance and local habit; never at latent health, save under `hidden_confounder`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from simulator import conditions, health, scenarios
from simulator.clock import MONTHS, NEVER
from simulator.health import Effect
from simulator.people import People
from simulator.randomness import Streams, logistic

ROUTES = ("recent_admission", "gp_discretion", "risk_list", "randomised_margin")
BY_LOT = ROUTES.index("randomised_margin")
OUTCOMES = ("started", "declined", "not_reached", "not_drawn")
CAPACITY_SHARE = 0.022  # of registered adults, a team's caseload
RELUCTANT_SHARE = 0.15  # of practices, never two of one network, that refer almost nobody
RELUCTANT = -4.5  # log odds
REST_MONTHS = 9  # after a referral, before the next
CUT = -1.4  # of the old score: referred above it
MARGIN_FROM = MONTHS - 12  # month in which the lot at the margin begins
MARGIN_WIDTH = 1.0  # of the score below the cut
MARGIN_SHARE = 0.10  # of the team's caseload, drawn about each month
OFFER_CHANCE = 0.5


@dataclass(frozen=True)
class Referrals:
    """Referrals, one entry each."""

    person: np.ndarray
    month: np.ndarray
    route: np.ndarray  # index of ROUTES
    outcome: np.ndarray  # index of OUTCOMES
    until: np.ndarray  # month in which the spell ends, for those who started
    chance: np.ndarray  # of an offer, where it was drawn by lot; NaN elsewhere


@dataclass(frozen=True)
class Spells:
    """What case management did, one entry a start."""

    person: np.ndarray
    month: np.ndarray
    effect: Effect


@dataclass
class Programme:
    """One team's caseload as it stands, and every referral so far."""

    habit: np.ndarray  # log odds, one a person, of the person's practice
    capacity: int
    lots: bool  # whether the team draws lots at its margin in the last year
    until: np.ndarray  # month in which the present spell ends; -NEVER when there is none
    rest_until: np.ndarray
    started: np.ndarray  # month of the last start; -NEVER when there is none
    effect: Effect  # of the last start
    referrals: list[Referrals] = field(default_factory=list)
    spells: list[Spells] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """What records showed at the start of a month, one entry a person."""

    age: np.ndarray
    diagnosed: np.ndarray  # people x conditions
    admitted_lately: np.ndarray  # in the two months before
    admissions: np.ndarray  # in the twelve months before
    contacts: np.ndarray  # GP contacts in the two months before


@dataclass(frozen=True)
class Hidden:
    """What no record shows."""

    frailty: np.ndarray
    terminal: np.ndarray


def begin(streams: Streams, people: People, network: int) -> Programme:
    """Set up the network's team; habits of referral differ by practice, and every other team draws lots."""
    random = streams("habits")
    practices, position = np.unique(people.practice, return_inverse=True)
    habit = random.normal(0, 0.35, len(practices))
    if random.random() < RELUCTANT_SHARE * len(practices):
        habit[random.integers(len(practices))] = RELUCTANT
    adults = people.registered & (people.age(np.datetime64("2024-10-01")) >= 18)
    total = len(people)
    return Programme(
        habit=habit[position],
        capacity=max(round(adults.sum() * CAPACITY_SHARE), 3),
        lots=network % 2 == 0,
        until=np.full(total, -NEVER),
        rest_until=np.full(total, -NEVER),
        started=np.full(total, -NEVER),
        effect=health.no_effect(total),
    )


def refer(
    random: np.random.Generator,
    programme: Programme,
    people: People,
    here: np.ndarray,
    seen: Seen,
    hidden: Hidden,
    month: int,
) -> Referrals:
    """Refer, invite and start people in one month; `here` marks who is alive and registered."""
    adult = here & people.registered & (seen.age >= 18)
    score = _old_score(seen)
    if scenarios.NO_OVERLAP in people.scenarios:
        if scenarios.HIDDEN_CONFOUNDER in people.scenarios:
            score = score + 0.5 * hidden.frailty + 1.0 * hidden.terminal
        # Whoever left or came to the end of a spell begins again at once.
        person = np.flatnonzero(adult & (score > CUT) & (programme.until <= month))
        started = np.ones(len(person), dtype=bool)
        route = np.full(len(person), ROUTES.index("risk_list"))
        return _outcomes(people, person, route, month, started, ~started, np.full(len(person), np.nan))
    eligible = adult & (programme.rest_until <= month)
    worried = _gp_discretion(seen, people)
    if scenarios.HIDDEN_CONFOUNDER in people.scenarios:
        worried = worried - 1.0 + 1.1 * hidden.frailty + 1.5 * hidden.terminal
    on_list = np.where((month % 3 == 0) & (score > CUT), 0.10, 0.0)
    chances = np.column_stack([_after_admission(seen), logistic(worried), on_list])
    habit = programme.habit[:, None]
    chances = chances / (chances + (1 - chances) * np.exp(-habit))
    referred = (random.random(chances.shape) < chances) & eligible[:, None]
    by_lot = _margin(random, programme, eligible & ~referred.any(axis=1) & (score <= CUT), score, month)
    person = np.flatnonzero(referred.any(axis=1) | by_lot)
    lot = by_lot[person]
    route = np.where(lot, BY_LOT, referred[person].argmax(axis=1))
    drawn = ~lot | (random.random(len(person)) < OFFER_CHANCE)
    accepts = drawn & (random.random(len(person)) < _uptake(people, seen, person))
    missed = random.random(len(person)) < 0.12
    wants = accepts & ~missed
    # Whoever is drawn by lot has a place kept, so that the lot alone decides.
    started = wants & (lot | _has_place(random, programme, wants & ~lot, month))
    chance = np.where(lot, OFFER_CHANCE, np.nan)
    referrals = _outcomes(people, person, route, month, started, missed | accepts, chance)
    return Referrals(**{**vars(referrals), "outcome": np.where(drawn, referrals.outcome, OUTCOMES.index("not_drawn"))})


def _outcomes(
    people: People,
    person: np.ndarray,
    route: np.ndarray,
    month: int,
    started: np.ndarray,
    unreached: np.ndarray,
    chance: np.ndarray,
) -> Referrals:
    outcome = np.where(started, 0, np.where(unreached, OUTCOMES.index("not_reached"), OUTCOMES.index("declined")))
    return Referrals(
        person, np.full(len(person), month), route, outcome, month + np.minimum(people.stays[person], 9), chance
    )


def enrol(programme: Programme, referrals: Referrals, effect: Effect) -> None:
    """Put those who started on the caseload, with the effect that their present state gives."""
    programme.referrals.append(referrals)
    programme.rest_until[referrals.person] = referrals.month + REST_MONTHS
    started = referrals.outcome == 0
    person = referrals.person[started]
    programme.until[person] = referrals.until[started]
    programme.rest_until[person] = referrals.until[started] + REST_MONTHS
    programme.started[person] = referrals.month[started]
    given = Effect(*(getattr(effect, one.name)[person] for one in fields(effect)))
    for one in fields(effect):
        getattr(programme.effect, one.name)[person] = getattr(given, one.name)
    programme.spells.append(Spells(person, referrals.month[started], given))


def effect_in(programme: Programme, people: People, month: int) -> Effect:
    """What past starts still do in a month, one entry a person."""
    running = health.effect_by_month(programme.effect, people.stays, (month - programme.started)[:, None])
    return Effect(*(getattr(running, one.name)[:, 0] for one in fields(running)))


def all_referrals(programme: Programme) -> Referrals:
    """Return every referral of the history, in order of month."""
    return Referrals(
        *(np.concatenate([getattr(one, part.name) for one in programme.referrals]) for part in fields(Referrals))
    )


def all_spells(programme: Programme) -> Spells:
    """Return every start of the history, in order of month."""
    past = programme.spells
    effect = Effect(*(np.concatenate([getattr(one.effect, part.name) for one in past]) for part in fields(Effect)))
    return Spells(np.concatenate([one.person for one in past]), np.concatenate([one.month for one in past]), effect)


def _margin(
    random: np.random.Generator, programme: Programme, eligible: np.ndarray, score: np.ndarray, month: int
) -> np.ndarray:
    """Mark the people just below the old score's cut among whom this month's places are drawn by lot."""
    if not programme.lots or month < MARGIN_FROM:
        return np.zeros(len(score), dtype=bool)
    near = eligible & (score > CUT - MARGIN_WIDTH)
    wanted = programme.capacity * MARGIN_SHARE
    return near & (random.random(len(score)) < wanted / max(near.sum(), 1))


def _after_admission(seen: Seen) -> np.ndarray:
    return np.where(
        seen.admitted_lately, logistic(-2.1 + 0.5 * (seen.age > 50) + 0.12 * seen.diagnosed.sum(axis=1)), 0.0
    )


def _gp_discretion(seen: Seen, people: People) -> np.ndarray:
    """Log odds that a GP refers."""
    need = seen.diagnosed @ conditions.SCORES
    worry = (
        -6.2 + 0.25 * np.minimum(need, 4) + 0.5 * (seen.diagnosed.sum(axis=1) > 0) + 0.10 * np.minimum(seen.contacts, 6)
    )
    return worry + 0.4 * people.lives_alone + 0.015 * np.clip(seen.age - 50, -20, 25)


def _old_score(seen: Seen) -> np.ndarray:
    """The score on which lists were sent out each quarter: one in ten of those above its cut is referred."""
    return -4.2 + 0.03 * (seen.age - 40) + 1.0 * np.minimum(seen.admissions, 3) + 0.30 * seen.diagnosed.sum(axis=1)


def _uptake(people: People, seen: Seen, person: np.ndarray) -> np.ndarray:
    willing = -0.38 + 0.25 * people.lives_alone - 0.25 * people.deprivation + 0.01 * (seen.age - 60)
    return logistic(willing[person] - 0.5 * (people.inclusion[person] > 0))


def _has_place(random: np.random.Generator, programme: Programme, wants: np.ndarray, month: int) -> np.ndarray:
    """Give the team's free places to those who want one, in an order drawn by lot."""
    free = max(programme.capacity - int((programme.until > month).sum()), 0)
    order = np.lexsort((random.random(len(wants)), ~wants))
    place = np.empty(len(wants), dtype=int)
    place[order] = np.arange(len(wants))
    return wants & (place < free)
