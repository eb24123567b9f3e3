"""Care outside hospital: community teams, mental health, adult social care and housing."""

from __future__ import annotations

import numpy as np

from simulator import faults, identity
from simulator.clock import CUT_OFF, MONTHS, START, day_in_month
from simulator.conditions import NAMES
from simulator.extract import Extract, World, during_stay, events, later, make, pick, text

COMMUNITY_TEAMS = ("district_nursing", "therapy", "falls", "palliative")
MENTAL_HEALTH_TEAMS = ("community_mh", "crisis", "memory", "talking_therapies")
SERVICE_DAYS = {"home_support": 320, "reablement": 40, "equipment": 0}
TENANT_SHARE = 0.17
WRONG_TEAM = 0.02  # of contacts, put down to a team drawn by lot


def community(world: World) -> Extract:
    """Contacts of community teams: by frailty, temporary illness and the end of life; fewer with less access."""
    lives = world.lives
    here = world.here & world.people.registered[:, None]
    old = (lives.deficits > 0.12) * lives.deficits * np.exp(world.people.access)[:, None]
    rates = [
        1.6 * old * (1 + 0.5 * lives.illness[:, :MONTHS]),
        0.35 * old * (1 + lives.illness[:, :MONTHS]),
        0.18 * old,
        0.9 * lives.terminal(np.arange(MONTHS)),
    ]
    return _teams(world, "community", COMMUNITY_TEAMS, rates, here)


def mental_health(world: World) -> Extract:
    """Contacts of mental health teams; fewer with less access."""
    people, months = world.people, np.arange(MONTHS)
    ill = {
        name: people.diagnosed_from[:, NAMES.index(name)][:, None] <= months
        for name in ("anxiety_depression", "psychosis_bipolar", "dementia", "alcohol_problems")
    }
    rates = [
        0.45 * ill["psychosis_bipolar"] + 0.012 * ill["anxiety_depression"],
        0.020 * ill["psychosis_bipolar"] + 0.003 * (ill["anxiety_depression"] | ill["alcohol_problems"]),
        0.07 * ill["dementia"],
        0.030 * ill["anxiety_depression"] + 0.001,
    ]
    here = (world.here & people.registered[:, None]) * np.exp(people.access)[:, None]
    return _teams(world, "mental_health", MENTAL_HEALTH_TEAMS, rates, here)


def _teams(world: World, source: str, teams: tuple[str, ...], rates: list[np.ndarray], here: np.ndarray) -> Extract:
    random = world.streams(source + " contacts")
    drawn = [events(random, rate * here) for rate in rates]
    person = np.concatenate([who for who, _, _ in drawn])
    date = np.concatenate([when for _, _, when in drawn])
    team = np.repeat(np.arange(len(teams)), [len(who) for who, _, _ in drawn])
    keep = during_stay(world, person, date)
    person, date, team = person[keep], date[keep], team[keep]
    mistaken = random.random(len(person)) < WRONG_TEAM
    team = np.where(mistaken, random.integers(len(teams), size=len(person)), team)
    received = faults.month_end(date) + random.integers(28, 43, len(person))
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, world.people, person, 0.0, 0.003),
        "contact_date": date,
        "team_type": text(teams, team),
        "received_date": received,
    }
    return make(source, person, columns, received)


def social_care(world: World) -> Extract:
    """Requests, assessments and services, sent in after each quarter.

    A service that goes on is sent when it starts, without an end; when it ends it is sent again, complete.
    """
    random = world.streams("social care")
    person, kind, start, service, end = _packages(random, world)
    first = _quarterly(random, np.maximum(start, START))
    ended_early = end < first
    last = _quarterly(random, np.where(np.isnat(end), CUT_OFF, end))
    again = ~ended_early & (last < CUT_OFF) & ~np.isnat(end)
    received = np.concatenate([np.where(ended_early, last, first), last[again]])
    shown_end = np.concatenate([np.where(ended_early, end, np.datetime64("NaT")), end[again]])
    rows = np.concatenate([np.arange(len(person)), np.flatnonzero(again)])
    person, kind, start, service = person[rows], kind[rows], start[rows], service[rows]
    given, family = identity.full_name(random, world.cards, person, 0.05)
    _, postcode = identity.home(random, world.cards, world.people, person, start, 0.08)
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, world.people, person, 0.32, 0.005),
        "given_name": given,
        "family_name": family,
        "date_of_birth": faults.birth_date(random, world, person, start, 0.02),
        "sex": text(["1", "2"], world.people.female[person].astype(int)),
        "postcode": postcode,
        "event_type": kind,
        "service_type": service,
        "start_date": start,
        "end_date": shown_end,
        "received_date": received,
    }
    return make("social_care", person, columns, received)


def _quarterly(random: np.random.Generator, date: np.ndarray) -> np.ndarray:
    """The day on which the return of the date's quarter arrives: three to six weeks after the quarter."""
    return later(random, faults.month_end(date, 3), 21, 42)


def _packages(random: np.random.Generator, world: World) -> tuple[np.ndarray, ...]:
    """True requests, assessments and services: person, kind, start, service and end."""
    people, lives = world.people, world.lives
    age = people.age(np.datetime64("2024-10-01"))[:, None]
    need = np.clip(lives.deficits - 0.10, 0, None) * (age > 55) + 0.01 * (age > 18) * people.housing_trouble[:, None]
    asked, _, day = events(random, 0.22 * need * (1 + 0.5 * lives.illness[:, :MONTHS]) * world.here)
    assessed = random.random(len(asked)) < 0.6
    served = assessed & (random.random(len(asked)) < 0.6)
    service = pick(random, {"home_support": 0.35, "reablement": 0.35, "equipment": 0.30}, len(asked))
    days = np.array([SERVICE_DAYS[name] for name in service])
    length = np.ceil(random.exponential(np.maximum(days, 1))).astype(int) * (days > 0)
    starts = later(random, day, 10, 40)
    moved = np.flatnonzero((people.care_home_from < MONTHS) & (people.care_home_from > -240))
    moved = moved[world.here[moved].any(axis=1)]
    move_in = day_in_month(random, people.care_home_from[moved])
    home_kind = pick(random, {"residential": 0.6, "nursing": 0.4}, len(moved))
    person = np.concatenate([asked, asked[assessed], asked[served], moved])
    kind = np.repeat(
        np.array(["request", "assessment", "service", "service"], dtype=object),
        [len(asked), assessed.sum(), served.sum(), len(moved)],
    )
    start = np.concatenate([day, later(random, day[assessed], 5, 30), starts[served], move_in])
    wanted = np.concatenate([service, service[assessed], service[served], home_kind])
    end = np.concatenate(
        [day, later(random, day[assessed], 30, 40), starts[served] + length[served], np.full(len(moved), CUT_OFF)]
    )
    end = np.where(kind == "assessment", start, end)
    end = np.fmin(np.fmin(end, world.death[person]), people.leaves[person])
    keep = during_stay(world, person, np.maximum(start, np.maximum(START, people.enters[person]))) & (start < CUT_OFF)
    keep &= ~(start > end)
    end = np.where(end >= CUT_OFF, np.datetime64("NaT"), end)
    return person[keep], kind[keep], start[keep], wanted[keep], end[keep]


def housing(world: World) -> Extract:
    """Council and housing association records, for tenants and those in trouble; nobody's NHS number."""
    random, people = world.streams("housing"), world.people
    adult = people.age(np.datetime64("2024-10-01")) >= 18
    tenant = adult & (random.random(len(people)) < TENANT_SHARE * (1 + 0.8 * people.deprivation))
    reached = tenant | (adult & people.housing_trouble)
    here = world.here * reached[:, None]
    trouble = people.housing_trouble[:, None]
    rates = {
        "tenancy": 0.25 / 12 * tenant[:, None] * here,
        "arrears": (0.006 + 0.05 * trouble) * here,
        "damp_report": (0.004 + 0.04 * trouble) * here,
        "adaptation": 0.05 * np.clip(world.lives.deficits - 0.15, 0, None) * here,
        "temporary_accommodation": 0.02 * trouble * here,
    }
    drawn = [events(random, rate) for rate in rates.values()]
    person = np.concatenate([who for who, _, _ in drawn])
    date = np.concatenate([when for _, _, when in drawn])
    kind = np.repeat(np.arange(len(rates)), [len(who) for who, _, _ in drawn])
    keep = during_stay(world, person, date)
    person, date, kind = person[keep], date[keep], kind[keep]
    given, family = identity.full_name(random, world.cards, person, 0.07)
    address, postcode = identity.home(random, world.cards, world.people, person, date, 0.06)
    received = later(random, date, 10, 60)
    columns = {
        "given_name": given,
        "family_name": family,
        "date_of_birth": faults.birth_date(random, world, person, date, 0.03),
        "address_line": address,
        "postcode": postcode,
        "event_type": text(list(rates), kind),
        "event_date": date,
        "received_date": received,
    }
    return make("housing", person, columns, received)
