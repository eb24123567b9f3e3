"""The population in parts: one network's people each, who live together; their records are written in chunks.

Parts can be simulated in any order and by any process. Chunks bound what is in memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from simulator import identity, life, reablement
from simulator import people as population
from simulator.casemanagement import Referrals, Spells
from simulator.extract import World
from simulator.health import Effect
from simulator.places import Places
from simulator.randomness import Streams
from simulator.reablement import Reablement

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


CHUNK = 20_000  # people

Arrays = TypeVar("Arrays", bound="DataclassInstance")
Entries = TypeVar("Entries", Referrals, Spells, Reablement)


@dataclass(frozen=True)
class Part:
    """One network's share of the population."""

    seed: int
    network: int
    people: int  # registered at some time
    first: int  # how many people, registered or not, come in earlier parts
    everybody: int  # people in all parts, registered or not
    scenarios: frozenset[str]


def plan(places: Places, people: int, seed: int, scenarios: frozenset[str]) -> list[Part]:
    """Share `people` out among the networks."""
    sizes = [int(size) for size in places.sizes(people)]
    totals = [population.total(size) for size in sizes]
    return [
        Part(seed, network, size, sum(totals[:network]), sum(totals), scenarios) for network, size in enumerate(sizes)
    ]


def live(part: Part, places: Places) -> World:
    """Make a part's people and live their history."""
    streams = Streams(part.seed, part.network)
    people = population.make(streams, part.people, places, part.network, part.scenarios)
    mine = slice(part.first, part.first + len(people))
    true_id = identity.true_ids(part.seed, part.everybody)[mine]
    number = identity.nhs_numbers(part.seed, part.everybody)[mine]
    lives = life.live(streams, people, part.network)
    people = replace(people, diagnosed_from=life.written_down(people, lives))
    second, left = reablement.live(streams, people, people.diagnosed_from, lives.admission_day, lives.death)
    lives = replace(lives, reablement=second, admission_day=left)
    return World(streams, people, identity.issue(streams, people, true_id, number), lives)


def chunks(world: World) -> Iterator[World]:
    """Cut a part's people into chunks of about equal size."""
    total = len(world.people)
    edges = np.linspace(0, total, -(-total // CHUNK) + 1).astype(int)
    for number, (begin, end) in enumerate(pairwise(edges)):
        lives = _some(world.lives, slice(begin, end))
        yield World(
            streams=Streams(world.streams.seed, world.streams.part, number),
            people=_some(world.people, slice(begin, end)),
            cards=_some(world.cards, slice(begin, end)),
            lives=replace(
                lives,
                referrals=_about(world.lives.referrals, begin, end),
                spells=_about(world.lives.spells, begin, end),
                reablement=world.lives.reablement and _about(world.lives.reablement, begin, end),
            ),
        )


def _some(whole: Arrays, which: slice | np.ndarray) -> Arrays:
    """Take some entries of a dataclass of arrays, effects included; leave its other fields alone."""
    taken: dict[str, object] = {}
    for one in fields(whole):
        value = getattr(whole, one.name)
        if isinstance(value, np.ndarray):
            taken[one.name] = value[which]
        elif isinstance(value, Effect):
            taken[one.name] = _some(value, which)
    return replace(whole, **taken)


def _about(whole: Entries, begin: int, end: int) -> Entries:
    """Take the entries about some people, numbered among them from 0."""
    inside = np.flatnonzero((whole.person >= begin) & (whole.person < end))
    some = _some(whole, inside)
    return replace(some, person=some.person - begin)
