"""The whole of a simulation, from a seed to two folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from simulator import communitycare, gp, hospital, identity, life, places, registers, writing
from simulator import people as population
from simulator import truth as true
from simulator.extract import Extract, World, death_dates
from simulator.randomness import Streams

FEWEST = 100


def simulate(people: int, seed: int, out: Path, truth: Path, *, progress: Callable[[str], None] | None = None) -> Path:
    """Simulate a population and write its sources to `out` and its truth to `truth`.

    Parameters
    ----------
    people
        How many are registered at some time in the four years from 1 October 2022; at least 100.
        A few more are known only to hospital, social care or housing.
    seed
        The same people and seed give the same bytes.
    out, truth
        Folders, new, empty or simulated before (they are replaced); neither inside the other.
    progress
        Told what is being done, in a few words at a time.

    Returns
    -------
    Path
        `out`, holding the twelve source tables and a file named SYNTHETIC.

    Raises
    ------
    ValueError
        Too few or too many people, a negative seed, or a folder that holds something else. Nothing is written.
    """
    if people < FEWEST:
        raise ValueError(f"{people} people are too few for practices and networks; ask for {FEWEST} or more")
    if seed < 0:
        raise ValueError("the seed must be zero or more")
    out, truth = Path(out), Path(truth)
    writing.check(out, truth)
    tell = progress or (lambda _: None)
    world, chosen = _live(people, seed, tell)
    folders = writing.Folders(out, truth)
    try:
        _write(folders, world, chosen, tell)
        stamp = f"Simulated by Casewell: {people} people, seed {seed}. Every person is invented.\n"
        for folder in folders.places:
            folders.note(folder, writing.STAMP, stamp)
        folders.publish()
    except BaseException:
        folders.discard()
        raise
    return out


def _live(count: int, seed: int, tell: Callable[[str], None]) -> tuple[World, places.Places]:
    streams = Streams(seed)
    chosen = places.choose(count)
    tell(f"{count:,} people in {len(chosen.practices)} practices")
    drawn = population.make(streams, count, chosen)
    cards = identity.issue(streams, drawn)
    lives = life.live(streams, drawn, chosen, true.AS_OF_MONTHS, tell)
    return World(streams, drawn, cards, lives, death_dates(streams, lives)), chosen


def _write(folders: writing.Folders, world: World, chosen: places.Places, tell: Callable[[str], None]) -> None:
    identities = []
    for extract in _extracts(world, chosen):
        table, who = writing.finish(world, extract)
        identities.append(who)
        rows = folders.write("sources", extract.source, table)
        tell(f"wrote {rows:,} rows of {extract.source}")
    folders.write("sources", "practices", chosen.practices)
    folders.write("truth", "people", true.people(world))
    folders.write("truth", "identities", pa.concat_tables(identities))
    folders.write("truth", "outcomes", true.outcomes(world))
    folders.note("truth", "README.txt", true.README)


def _extracts(world: World, chosen: places.Places) -> Iterator[Extract]:
    stays = hospital.spells(world)
    yield registers.demographics(world, chosen)
    yield gp.gp_events(world, chosen)
    yield hospital.hospital_spells(world, stays)
    yield hospital.emergency_care(world, stays)
    yield hospital.outpatients(world)
    yield communitycare.community(world)
    yield communitycare.mental_health(world)
    yield communitycare.social_care(world)
    yield communitycare.housing(world)
    yield registers.programme(world, chosen)
    yield registers.opt_outs(world)
