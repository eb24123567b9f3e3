"""The truth, which no part of the pipeline may see: true outcomes, traits and identities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator import health
from simulator.clock import CUT_OFF, MONTHS, month_start
from simulator.extract import World
from simulator.life import State

AS_OF_MONTHS = (MONTHS - 12, MONTHS)

README = """The truth behind a simulated population. Nothing here may be read by the pipeline.

people.parquet      One row a person: identity, true groups, latent traits. `log_effect_at_cut_off` is case
                    management's log relative hazard of emergency admission if it started at the cut-off.
identities.parquet  The true person of every row of every source.
outcomes.parquet    For each as_of, everybody alive and registered:
                    risk_*            chance of emergency admission or death in the twelve months from as_of
                    admission_risk_*  chance of emergency admission (before any death) in them
                    days_at_home_*    expected days alive and not in a hospital bed after emergency admission
                    *_without         if no case management starts (an earlier start keeps what is left of its effect)
                    *_with            if it starts on as_of

The risks are exact: sums over a small Markov chain (temporary illness, terminal phase) given each person's latent
health, conditions to come and circumstances at as_of; there is no Monte Carlo error. Expected days at home are
exact for the chain, with two simplifications: a month's emergency stay costs its mean length, at most the month;
and a death falls in mid-month. Later referrals are left out, so people observed after the earlier as_of fared
slightly differently where case management began in between.
"""


def outcomes(world: World) -> pd.DataFrame:
    """Twelve-month expectations without and with case management, at each as_of."""
    return pd.concat([_outcomes_at(world, world.lives.states[month]) for month in AS_OF_MONTHS], ignore_index=True)


def _outcomes_at(world: World, state: State) -> pd.DataFrame:
    people = world.people
    steps = state.month + np.arange(health.HORIZON)
    earlier = np.where(state.past_effect_until[:, None] > steps, state.past_effect[:, None], 0.0)
    new = np.repeat(effect_at(world, state)[:, None], health.HORIZON, axis=1)
    without = health.expect(people, state.month, state.illness, state.terminal, earlier)
    treated = health.expect(people, state.month, state.illness, state.terminal, new)
    table = pd.DataFrame(
        {
            "true_person_id": world.cards.true_id,
            "as_of": month_start(np.full(len(people), state.month)),
            "risk_without": without.admission_or_death,
            "risk_with": treated.admission_or_death,
            "admission_risk_without": without.admission,
            "admission_risk_with": treated.admission,
            "days_at_home_without": without.days_at_home,
            "days_at_home_with": treated.days_at_home,
        }
    )
    return table[state.alive & people.registered].sort_values("true_person_id", ignore_index=True)


def effect_at(world: World, state: State) -> np.ndarray:
    """Case management's log relative hazard of admission if it starts at the state's month."""
    rate = health.rates(world.people, state.month)
    return health.log_effect(world.people, state.month, state.terminal, rate.deficits)


def people(world: World) -> pd.DataFrame:
    """True particulars, groups and latent traits of everyone, known to the list or not."""
    who, cards, last = world.people, world.cards, world.lives.states[MONTHS]
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
            "died": world.death,
            "frailty": who.frailty,
            "low_use": who.low_use,
            "misses_appointments": who.misses,
            "lives_alone": who.lives_alone,
            "housing_trouble": who.housing_trouble,
            "carer": who.carer,
            "in_care_home": who.care_home_from <= MONTHS,
            "terminal": last.terminal,
            "conditions": (who.conditions_from <= MONTHS).sum(axis=1),
            "deficits": health.rates(who, MONTHS).deficits,
            "amenable": health.amenable(who, MONTHS),
            "isolation": health.isolation(who),
            "log_effect_at_cut_off": effect_at(world, last),
        }
    )
    return table.sort_values("true_person_id", ignore_index=True)
