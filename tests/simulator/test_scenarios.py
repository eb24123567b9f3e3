"""Each wrong that is planted in people and their care; those of single sources are in test_services."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator import health, parts, places, scenarios
from simulator.clock import MONTHS
from simulator.extract import World


def lived(*planted: str) -> World:
    chosen = places.choose_places(12_000)
    return parts.live(parts.plan(chosen, 12_000, 29, frozenset(planted))[0], chosen)


@pytest.fixture(scope="module")
def usual() -> World:
    return lived()


def barred(world: World) -> np.ndarray:
    return scenarios.barred(world.people.group, world.people.imd_decile)


def test_an_unknown_scenario_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no scenario 'leek'; there are null_effect, .* leak"):
        simulator.simulate(200, 1, tmp_path / "sources", tmp_path / "truth", scenario=["harm", "leek"])
    assert not list(tmp_path.iterdir())


def test_label_bias_keeps_people_out_of_hospital_at_equal_need(usual: World) -> None:
    biased = lived("label_bias")
    wronged = barred(usual)
    assert health.reach(biased.people)[wronged] == pytest.approx(0.6)
    assert (health.reach(biased.people)[~wronged] == 1).all()
    assert (health.reach(usual.people) == 1).all()

    def each(world: World, of: np.ndarray) -> tuple[float, float]:
        return float((world.lives.admission_day[of] > 0).mean()), float((world.lives.illness[of] == 3).mean())

    admitted, ill = each(biased, wronged)
    admitted_before, ill_before = each(usual, wronged)
    assert 0.5 < admitted / admitted_before < 0.75
    assert ill / ill_before == pytest.approx(1, abs=0.1)


def test_under_diagnosis_leaves_the_same_conditions_unwritten(usual: World) -> None:
    hidden = lived("under_diagnosis")
    assert (hidden.people.conditions_from == usual.people.conditions_from).all()
    wronged = barred(usual)

    def known(world: World, who: np.ndarray) -> float:
        return float(
            (world.people.diagnosed_from[who] < MONTHS).sum() / (world.people.conditions_from[who] < MONTHS).sum()
        )

    assert known(hidden, wronged) < 0.6 * known(usual, wronged)
    assert known(hidden, ~wronged) == pytest.approx(known(usual, ~wronged), rel=0.03)


def test_linkage_bias_writes_those_not_white_wrong(usual: World) -> None:
    wrong = lived("linkage_bias")
    white = usual.people.group == "white"
    assert (wrong.cards.noise[white] == usual.cards.noise[white]).all()
    assert wrong.cards.noise[~white] == pytest.approx(6 * usual.cards.noise[~white])


def test_a_population_shift_brings_young_people_to_deprived_places_in_the_last_year(usual: World) -> None:
    shifted = lived("population_shift")

    def newcomers(world: World) -> pd.DataFrame:
        people = world.people
        late = (people.enters >= np.datetime64("2025-10-01")) & (people.age(people.enters) > 1)
        return pd.DataFrame({"age": people.age(people.enters)[late], "decile": people.imd_decile[late]})

    assert len(newcomers(shifted)) > 1.5 * len(newcomers(usual))
    assert (newcomers(shifted)["decile"] <= 3).mean() > (newcomers(usual)["decile"] <= 3).mean()
    as_usual = replace(shifted.people, scenarios=frozenset())
    for month, more in ((35, 1.0), (36, 1.25)):
        change = health.rates(shifted.people, month).admission - health.rates(as_usual, month).admission
        assert np.exp(change) == pytest.approx(more)


def test_scenarios_combine() -> None:
    with pytest.raises(ValueError, match="contradict each other"):
        scenarios.chosen(["harm", "null_effect"])
    assert scenarios.chosen(set(scenarios.WORDS) - {"null_effect"})
    both = lived("harm", "label_bias")
    effect = health.effect_if_started(both.people, 40, both.lives.terminal(40), both.lives.deficits[:, 40])
    assert np.exp(effect.admission) == pytest.approx(1.2)
    assert both.scenarios == {"harm", "label_bias"}
