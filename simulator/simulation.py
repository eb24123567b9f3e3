"""The whole of a simulation, from a seed to two folders."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.ipc as ipc

from simulator import (
    communitycare,
    emergency,
    episodes,
    gp,
    hospital,
    outpatients,
    parts,
    places,
    registers,
    scenarios,
    urgentcare,
    writing,
)
from simulator import truth as true
from simulator.extract import Extract, World
from simulator.parts import Part
from simulator.places import Places

FEWEST = 100

Table = tuple[str, str, Path]  # folder, name and where the rows wait


def simulate(
    people: int,
    seed: int,
    out: Path,
    truth: Path,
    *,
    scenario: Iterable[str] = (),
    processes: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Simulate a population and write its sources to `out` and its truth to `truth`.

    Parameters
    ----------
    people
        How many are registered at some time in the four years from 1 October 2022; at least 100.
        A few more are known only to hospital, social care or housing.
    seed
        The same people, seed and scenarios give the same bytes, whatever the number of processes.
    out, truth
        Folders, new, empty or simulated before (they are replaced); neither inside the other.
    scenario
        Names of wrongs to plant, or of a second programme, of `simulator.SCENARIOS`.
    processes
        How many networks are simulated at once; each holds one network's people in memory.
    progress
        Told what is being done, in a few words at a time.

    Returns
    -------
    Path
        `out`, holding the thirteen source tables and a file named SYNTHETIC.

    Raises
    ------
    ValueError
        Too few people, a negative seed, no such scenario, or a folder that holds something else. Nothing is written.
    """
    if people < FEWEST:
        raise ValueError(f"{people} people are too few for practices and networks; ask for {FEWEST} or more")
    if seed < 0:
        raise ValueError("the seed must be zero or more")
    if processes < 1:
        raise ValueError("at least one process is needed")
    planted = scenarios.chosen(scenario)
    out, truth = Path(out), Path(truth)
    writing.check(out, truth)
    tell = progress or (lambda _: None)
    chosen = places.choose_places(people)
    planned = parts.plan(chosen, people, seed, planted)
    tell(f"{people:,} people in {len(chosen.practices)} practices and {len(planned)} networks")
    folders = writing.Folders(out, truth)
    waiting = Path(tempfile.mkdtemp(dir=folders.making["truth"]))
    try:
        rows = 0
        for done, tables in enumerate(_in_order(planned, chosen, waiting, processes), 1):
            rows += _add(folders, tables)
            tell(f"{done} of {len(planned)} networks, {rows:,} rows")
        shutil.rmtree(waiting)
        folders.write("sources", "practices", chosen.practices)
        second = scenarios.SECOND_PROGRAMME in planted
        folders.note("truth", "README.txt", true.README + (true.README_OF_SECOND if second else ""))
        folders.note("truth", "scenarios.json", true.described(planted, chosen))
        for folder in folders.places:
            folders.note(folder, writing.STAMP, _stamp(people, seed, planted))
        folders.publish()
    except BaseException:
        folders.discard()
        raise
    return out


def _stamp(people: int, seed: int, planted: frozenset[str]) -> str:
    wrongs = f" Planted: {', '.join(sorted(planted))}." if planted else ""
    return f"Simulated by Casewell: {people} people, seed {seed}.{wrongs} Every person is invented.\n"


def _in_order(planned: list[Part], chosen: Places, waiting: Path, processes: int) -> Iterator[list[Table]]:
    """Simulate the parts, some at once, and hand over what each left waiting, in order."""
    if processes == 1:
        yield from (simulate_part(part, chosen, waiting) for part in planned)
        return
    # Forked workers could inherit locks of other libraries' threads; and no more parts wait than are worked on.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running: list[Future[list[Table]]] = []
        remaining = iter(planned)
        try:
            for _ in planned:
                while len(running) <= processes and (following := next(remaining, None)) is not None:
                    running.append(pool.submit(simulate_part, following, chosen, waiting))
                yield running.pop(0).result()
        finally:
            pool.shutdown(cancel_futures=True)


def simulate_part(part: Part, chosen: Places, waiting: Path) -> list[Table]:
    """Simulate one part and leave its tables waiting in files of their own."""
    return [
        (folder, name, _leave(waiting / f"{part.network}-{chunk.streams.chunk}-{folder}-{name}.arrow", table))
        for chunk in parts.chunks(parts.live(part, chosen))
        for folder, name, table in _tables(chunk, chosen)
    ]


def _tables(world: World, chosen: Places) -> Iterator[tuple[str, str, pa.Table]]:
    identities = []
    for extract in _extracts(world, chosen):
        table, who = writing.finish(world, extract)
        identities.append(who)
        yield "sources", extract.source, table
    yield "truth", "people", _table(true.people(world, chosen))
    yield "truth", "identities", pa.concat_tables(identities)
    yield "truth", "outcomes", pa.concat_tables([_table(true.outcomes_of(world, as_of)) for as_of in true.AS_OF])
    yield "truth", "case_management", _table(true.case_management(world))
    if world.lives.reablement is not None:
        yield "truth", "reablement", _table(true.reablement(world))
    yield "truth", "states", true.states(world)


def _extracts(world: World, chosen: Places) -> Iterator[Extract]:
    stays = hospital.spells(world)
    yield registers.demographics(world, chosen)
    yield gp.gp_events(world, chosen)
    yield episodes.hospital_spells(world, stays)
    yield emergency.emergency_care(world, stays)
    yield urgentcare.urgent_care(world)
    yield outpatients.outpatients(world)
    yield communitycare.community(world)
    yield communitycare.mental_health(world)
    yield communitycare.social_care(world)
    yield communitycare.housing(world)
    yield registers.programme(world, chosen)
    yield registers.opt_outs(world)


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _leave(path: Path, table: pa.Table) -> Path:
    with ipc.new_file(path, table.schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return path


def _add(folders: writing.Folders, tables: list[Table]) -> int:
    """Add a part's waiting tables to the whole; return the number of source rows."""
    rows = 0
    for folder, name, path in tables:
        with ipc.open_file(path) as reader:
            written = folders.write(folder, name, reader.read_all())
        rows += written * (folder == "sources")
        path.unlink()
    return rows
