"""The truth, which no part of the pipeline may see: true outcomes, traits, needs and identities."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from simulator import circumstances, conditions, faults, gp_sending, health, scenarios
from simulator.casemanagement import Spells
from simulator.clock import CUT_OFF, MONTHS, NEVER, START, month_of, month_start
from simulator.expectation import Start, expect
from simulator.extract import World
from simulator.health import HORIZON, Effect
from simulator.people import People
from simulator.places import Places
from simulator.reablement import Reablement, kept_by_month, last_start
from simulator.scenarios import WORDS

AS_OF = (np.datetime64("2025-10-01"), np.datetime64("2026-10-01"))
NEED_OF_DEFICITS, NEED_OF_CIRCUMSTANCES = 3.0, 0.5
OUTCOMES = {
    "risk": "admission_or_death",
    "admission_risk": "admission",
    "death_risk": "death",
    "bed_days": "bed_days",
    "days_at_home": "days_at_home",
    "attendances": "attendances",
}

README = """The truth behind a simulated population. Nothing here may be read by the pipeline.

scenarios.json       The wrongs planted, in words; where one touches some people and not others, `wronged_by_*` in
                     people.parquet marks whom.
people.parquet       One row a person at the cut-off: identity, true groups, latent traits, conditions had and diagnosed.
                     `need` (also in outcomes, at as_of) is the true Cambridge score of all conditions had, written down or not, plus 3 x deficits,
                     plus 0.5 each for isolation (0 to 1), housing trouble, and an inclusion-health group.
identities.parquet   The true person of every row of every source.
                     One true start in two hundred is `not_reached` in the sources: the person died or left meanwhile.
case_management.parquet  Every start: month, and the person's log ratios from then on (admission, death, stay, attendance).
states.parquet       What outcomes at any date are worked out from: `casewell truth --as-of DATE`.
outcomes.parquet     For two dates, everybody alive and registered; every other date on request, as above.
                     risk_*            chance of emergency admission or death in the twelve months from as_of
                     admission_risk_*  chance of emergency admission (before any death) in them
                     death_risk_*      chance of death in them
                     bed_days_*        expected days in hospital after emergency admissions
                     days_at_home_*    expected days alive and not in such a bed
                     attendances_*     expected emergency attendances that end at home
                     *_without         if no case management starts (an earlier start keeps what is left of its effect)
                     *_with            if it starts on as_of, for as long as this person would stay with it

The chances are exact: sums over a small Markov chain (temporary illness, terminal phase) given each person's latent
health, conditions to come and circumstances at as_of; there is no Monte Carlo error. Bed days and days at home are exact
for the chain, with two simplifications: a month's emergency stay costs its mean length, at most the month; and a death
falls in mid-month. On a date within a month, what has not yet happened that month is taken to be spread evenly over the
rest of it. Later referrals are left out, so people fared slightly differently where case management began in between.
"""


README_OF_SECOND = """
reablement.parquet   Every start of reablement: month. It is lived after everything else: illness, deaths and case management
                     are what they would have been without it. In outcomes, *_with_reablement is what holds if it starts on
                     as_of and case management does not; an earlier start of either keeps what is left of its effect.
"""


def outcomes_of(world: World, as_of: np.datetime64) -> pd.DataFrame:
    """Twelve-month expectations at a date, without and with case management, for everybody alive and registered."""
    lives = world.lives
    return _outcomes(
        world.people,
        world.cards.true_id,
        lives.illness,
        lives.terminal_from,
        lives.admission_day,
        lives.death,
        lives.spells,
        as_of,
        lives.reablement,
    )


def outcomes(truth: Path, as_of: dt.date) -> pd.DataFrame:
    """Work out the truth at any date of a simulated history, from what the simulation left in its truth folder.

    Parameters
    ----------
    truth
        The folder of the truth that `simulate` wrote.
    as_of
        From 1 October 2022 to 1 October 2026.

    Returns
    -------
    DataFrame
        One row a person alive and registered: `true_person_id`, `as_of`, and without and with case management
        the columns that README.txt in the folder explains.

    Raises
    ------
    ValueError
        A date outside the history, or a folder without a simulation's truth.
    """
    date = np.datetime64(as_of, "D")
    if not START <= date <= CUT_OFF:
        raise ValueError(f"{date} is outside the simulated history, {START} to {CUT_OFF}")
    if not (truth / "states.parquet").exists():
        raise ValueError(f"{str(truth)!r} does not hold the truth of a simulation")
    planted = frozenset(json.loads((truth / "scenarios.json").read_text()))
    spells = pd.read_parquet(truth / "case_management.parquet")
    second = pd.read_parquet(truth / "reablement.parquet") if scenarios.SECOND_PROGRAMME in planted else None
    states = pq.ParquetFile(truth / "states.parquet")
    found = [
        _outcomes_of_group(states.read_row_group(group), spells, second, planted, date)
        for group in range(states.num_row_groups)
    ]
    return pd.concat(found, ignore_index=True).sort_values("true_person_id", ignore_index=True)


def _outcomes_of_group(
    table: pa.Table,
    starts: pd.DataFrame,
    second: pd.DataFrame | None,
    planted: frozenset[str],
    as_of: np.datetime64,
) -> pd.DataFrame:
    columns = {name: _array(table[name]) for name in table.column_names}
    kept = {one.name: columns[one.name] for one in fields(People) if one.name != "scenarios"}
    true_id = columns["true_person_id"]
    order = np.argsort(true_id)

    def places(table: pd.DataFrame) -> np.ndarray:
        return order[np.searchsorted(true_id[order], table["true_person_id"].to_numpy())]

    mine = starts[starts["true_person_id"].isin(true_id)]
    person = places(mine)
    effect = Effect(*(mine[f"log_{one.name}"].to_numpy() for one in fields(Effect)))
    spells = Spells(person, mine["month"].to_numpy(), effect)
    begun = None
    if second is not None:
        of_group = second[second["true_person_id"].isin(true_id)]
        begun = Reablement(places(of_group), of_group["month"].to_numpy(), np.zeros(len(of_group), dtype=int))
    return _outcomes(
        People(**kept, scenarios=planted),
        true_id,
        columns["illness"],
        columns["terminal_from"],
        columns["admission_day"],
        columns["death"],
        spells,
        as_of,
        begun,
    )


def _outcomes(
    people: People,
    true_id: np.ndarray,
    illness: np.ndarray,
    terminal_from: np.ndarray,
    admission_day: np.ndarray,
    death: np.ndarray,
    spells: Spells,
    as_of: np.datetime64,
    second: Reablement | None,
) -> pd.DataFrame:
    month = int(month_of(np.array(as_of)))
    begins, ends = month_start(month), month_start(month + 1)
    day = int((as_of - begins).astype(int))
    admitted = (admission_day[:, month] > 0) & (admission_day[:, month] <= day) if day else np.zeros(len(people), bool)
    terminal = terminal_from <= month
    start = Start(month, day / int((ends - begins).astype(int)), illness[:, month].astype(int), terminal, admitted)
    share = health.rates(people, month).deficits
    now = np.arange(HORIZON + 1)[None, :]
    left, kept = _left_of(people, spells, month + (day > 0), now + month), None
    if second is not None:
        kept = kept_by_month(people, last_start(second, month + (day > 0), len(people)), now + month)
    without = expect(people, start, left, kept)
    new = health.effect_by_month(
        health.effect_if_started(people, month, terminal, share), people.stays, np.repeat(now, len(people), axis=0)
    )
    treated = expect(people, start, new, kept)
    table = pd.DataFrame({"true_person_id": true_id, "as_of": np.full(len(people), as_of.astype("datetime64[ms]"))})
    table["need"] = needs(people, month, share)
    for name, part in OUTCOMES.items():
        table[f"{name}_without"], table[f"{name}_with"] = getattr(without, part), getattr(treated, part)
    if second is not None:
        begun_now = np.full(len(people), month)
        reabled = expect(people, start, left, kept_by_month(people, begun_now, now + month))
        table = table.assign(**{f"{name}_with_reablement": getattr(reabled, part) for name, part in OUTCOMES.items()})
    return table[_on_the_list(people, death, as_of)].sort_values("true_person_id", ignore_index=True)


def _on_the_list(people: People, death: np.ndarray, as_of: np.datetime64) -> np.ndarray:
    """Who is alive and registered at the start of a day."""
    return people.registered & (people.enters <= as_of) & ~(people.leaves <= as_of) & ~(death < as_of)


def _left_of(people: People, spells: Spells, before: int, months: np.ndarray) -> Effect:
    """What is left, month by month, of each person's last start before a month."""
    past = np.flatnonzero(spells.month < before)
    past = past[np.argsort(spells.month[past], kind="stable")]
    started = np.full(len(people), -NEVER)
    started[spells.person[past]] = spells.month[past]
    last = health.no_effect(len(people))
    for one in fields(Effect):
        getattr(last, one.name)[spells.person[past]] = getattr(spells.effect, one.name)[past]
    return health.effect_by_month(last, people.stays, months - started[:, None])


def needs(people: People, month: int, deficits: np.ndarray) -> np.ndarray:
    """True need: illness had, recorded or not, and circumstances; the README says in what units."""
    ill = people.conditions_from <= month
    circumstance = health.isolation(people) + people.housing_trouble + (people.inclusion > 0)
    return ill @ conditions.SCORES + NEED_OF_DEFICITS * deficits + NEED_OF_CIRCUMSTANCES * circumstance


def people(world: World, places: Places) -> pd.DataFrame:
    """True particulars, groups and latent traits of everyone at the cut-off, known to the list or not."""
    who, cards, lives = world.people, world.cards, world.lives
    deficits = health.rates(who, MONTHS).deficits
    terminal = lives.terminal(MONTHS)
    effect = health.effect_if_started(who, MONTHS, terminal, deficits)
    has, known = who.conditions_from <= MONTHS, who.diagnosed_from < MONTHS
    table = pd.DataFrame(
        {
            "true_person_id": cards.true_id,
            "nhs_number": cards.nhs_number.astype(str),
            "registered": who.registered,
            "date_of_birth": who.birth,
            "sex": np.where(who.female, "female", "male"),
            "ethnic_category": who.ethnic_category,
            "ethnic_group": who.group,
            "imd_decile": who.imd_decile,
            "moved_in": who.enters,
            "moved_away": np.where(who.leaves < CUT_OFF, who.leaves, np.datetime64("NaT")),
            "moved_home": who.moves_home,
            "died": lives.death,
            "household": [f"{world.streams.part}-{number}" for number in who.household],
            "frailty": who.frailty,
            "low_use": who.low_use,
            "access": who.access,
            "misses_appointments": who.misses,
            "months_with_case_management": who.stays,
            "lives_alone": who.lives_alone,
            "housing_trouble": who.housing_trouble,
            "carer": who.carer,
            "learning_disability": who.learning_disability,
            "autism": who.autism,
            "inclusion_group": np.array(circumstances.INCLUSION)[who.inclusion],
            "in_care_home": who.care_home_from <= MONTHS,
            "terminal": terminal,
            "conditions": has.sum(axis=1),
            "conditions_diagnosed": known.sum(axis=1),
            "deficits": deficits,
            "need": needs(who, MONTHS, deficits),
            "amenable": health.amenable(who, MONTHS),
            "isolation": health.isolation(who),
            **{f"log_{one.name}_effect": getattr(effect, one.name) for one in fields(Effect)},
            **{f"wronged_by_{name}": whom for name, whom in wronged(world, places).items()},
        }
    )
    marks = {f"has_{name}": has[:, column] for column, name in enumerate(conditions.NAMES)}
    marks |= {f"diagnosed_{name}": known[:, column] for column, name in enumerate(conditions.NAMES)}
    table = pd.concat([table, pd.DataFrame({name: mark.astype(np.uint8) for name, mark in marks.items()})], axis=1)
    return table.sort_values("true_person_id", ignore_index=True)


def wronged(world: World, places: Places) -> dict[str, np.ndarray]:
    """Whom each planted scenario touches, where it touches some people and not others."""
    who = world.people
    barred = scenarios.barred(who.group, who.imd_decile)
    touched = {
        scenarios.LABEL_BIAS: barred,
        scenarios.UNDER_DIAGNOSIS: barred,
        scenarios.LINKAGE_BIAS: who.group != "white",
        scenarios.MISSING_ETHNICITY: who.low_use > faults.SELDOM_SEEN,
        scenarios.FEED_OUTAGE: gp_sending.deprived_third(places)[who.practice],
        scenarios.POPULATION_SHIFT: (month_of(who.enters) >= scenarios.SHIFT_FROM) & (who.enters > who.birth),
    }
    return {name: whom for name, whom in touched.items() if name in world.scenarios}


def case_management(world: World) -> pd.DataFrame:
    """Every start of case management and what it did to the person, from its month on."""
    spells = world.lives.spells
    table = pd.DataFrame({"true_person_id": world.cards.true_id[spells.person], "month": spells.month})
    return table.assign(**{f"log_{one.name}": getattr(spells.effect, one.name) for one in fields(Effect)})


def reablement(world: World) -> pd.DataFrame:
    """Every start of reablement, by month."""
    second = world.lives.reablement
    if second is None:
        raise ValueError("there is no reablement without its scenario")
    begun = second.outcome == 0
    person = world.cards.true_id[second.person[begun]]
    return pd.DataFrame({"true_person_id": person, "month": second.month[begun]})


def states(world: World) -> pa.Table:
    """Everything that outcomes are worked out from, one row a person."""
    lives, cards = world.lives, world.cards
    columns = {one.name: getattr(world.people, one.name) for one in fields(People) if one.name != "scenarios"}
    columns |= {"illness": lives.illness, "terminal_from": lives.terminal_from, "death": lives.death}
    # A month more, in which nothing has happened yet, for outcomes at the cut-off itself.
    columns["admission_day"] = np.pad(lives.admission_day, ((0, 0), (0, 1)))
    return pa.table({"true_person_id": pa.array(cards.true_id), **{name: _column(it) for name, it in columns.items()}})


def described(planted: frozenset[str], places: Places) -> str:
    """What was planted, as JSON: of each scenario the words, and which practices fell silent from when."""
    told: dict[str, dict[str, object]] = {name: {"what": words} for name, words in WORDS.items() if name in planted}
    if scenarios.FEED_OUTAGE in told:
        silent = places.practices["practice_code"][gp_sending.deprived_third(places)]
        told[scenarios.FEED_OUTAGE] |= {"practices": silent.tolist(), "from": str(gp_sending.OUTAGE_FROM)}
    return json.dumps(told, indent=2) + "\n"


def _column(values: np.ndarray) -> pa.Array:
    if values.ndim == 2:
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.array(values.astype(str) if values.dtype.kind == "U" else values)


def _array(column: pa.ChunkedArray) -> np.ndarray:
    whole = column.combine_chunks()
    if pa.types.is_fixed_size_list(whole.type):
        return whole.flatten().to_numpy(zero_copy_only=False).reshape(-1, whole.type.list_size)
    return (
        whole.to_numpy(zero_copy_only=False).astype(str)
        if pa.types.is_string(whole.type)
        else whole.to_numpy(zero_copy_only=False)
    )
