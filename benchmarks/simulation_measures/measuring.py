"""Every figure of `benchmarks.simulation_targets` that a simulated population gives."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.simulation_measures.hospital import (
    admissions,
    departments,
    gradient,
    is_emergency,
    read_attendances,
    read_stays,
    repeats,
)
from benchmarks.simulation_measures.mortality import mortality
from benchmarks.simulation_measures.people import diagnosis, frailty, morbidity, structure, use_by_multimorbid
from benchmarks.simulation_measures.population import Measured, read_population
from benchmarks.simulation_measures.programme import programme
from benchmarks.simulation_measures.recording import recording, rows_of_events
from benchmarks.simulation_measures.risk import capture, events_by_group, read_index


def measure(sources: Path, truth: Path) -> Measured:
    """Measure one simulated population.

    Parameters
    ----------
    sources, truth
        The two folders that `simulator.simulate` writes.

    Returns
    -------
    dict
        One number a name: shares from 0 to 1, rates per 1,000 person-years, else as in the target of that name.
        Figures that these tables cannot give are missing, and some have no target: they are for pictures.
    """
    with duckdb.connect(config={"threads": 2}) as base:
        population = read_population(truth)
        stays = read_stays(base, sources, truth)
        attendances = read_attendances(base, sources, truth)
        emergency = stays[is_emergency(stays["method"])]
        counts = population.count(emergency["person"], emergency["admitted"])
        visits = population.count(attendances["person"], attendances["arrived"])
        at_index = read_index(truth, population, emergency)
        return {
            **structure(population.people),
            **morbidity(population.people),
            **use_by_multimorbid(base, sources, population, stays),
            **admissions(population, emergency, counts),
            "events_per_person": rows_of_events(sources) / len(population.people),
            **gradient(population, counts),
            **repeats(counts),
            **events_by_group(at_index),
            **capture(at_index),
            **departments(population, attendances, visits),
            **mortality(population),
            **frailty(population.people),
            **recording(base, sources, truth, population.people),
            **diagnosis(population.people),
            **programme(base, sources, truth, population, emergency),
        }
