"""The truth: exact, for any day, and out of the pipeline's reach."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import simulator
from simulator import hospital, parts, places
from simulator import truth as true
from simulator.extract import World
from tests.simulator.conftest import YEAR_BEFORE, Simulated

CUT_OFF = pd.Timestamp("2026-10-01")
HAPPENS = ("risk", "admission_risk", "death_risk")
PAIRS = ("risk", "admission_risk", "death_risk", "bed_days", "days_at_home", "attendances")


@pytest.fixture(scope="module")
def untouched() -> list[World]:
    """People whom case management does nothing to, so that later starts do not blur what was expected."""
    chosen = places.choose_places(9_000)
    return [parts.live(part, chosen) for part in parts.plan(chosen, 9_000, 31, frozenset({"null_effect"}))]


@pytest.mark.parametrize("day", ["2023-10-01", "2024-04-17", "2025-09-29"])
def test_what_happens_is_what_the_truth_expects_at_the_first_of_a_month_and_within_one(
    untouched: list[World], day: str
) -> None:
    as_of = np.datetime64(day)
    until = as_of + 365
    found = []
    for world in untouched:
        person, _, date = world.admissions()
        inside = person[(date >= as_of) & (date < until)]
        died = (world.death >= as_of) & (world.death < until)
        admitted = np.isin(np.arange(len(died)), inside)
        stayed = ~((world.people.leaves >= as_of) & (world.people.leaves < until))
        happened = pd.DataFrame(
            {"risk": admitted | died, "admission_risk": admitted, "death_risk": died, "stayed": stayed},
            index=world.cards.true_id,
        )
        expected = true.outcomes_of(world, as_of).set_index("true_person_id")
        found.append(happened.join(expected, how="inner").query("stayed"))
    people = pd.concat(found)
    assert len(people) > 7_000
    for name in ("risk", "admission_risk", "death_risk"):
        chance = people[f"{name}_without"]
        spread = np.sqrt((chance * (1 - chance)).sum())
        assert abs(people[name].sum() - chance.sum()) < 3.5 * spread, name


def test_the_truth_at_a_day_is_the_same_from_the_folder_as_from_the_simulation(simulated: Simulated) -> None:
    for day in (YEAR_BEFORE, CUT_OFF):
        again = simulator.outcomes(simulated.truth, day.date()).set_index("true_person_id")
        pd.testing.assert_frame_equal(again, simulated.outcomes(day).sort_index())


def test_within_a_month_the_truth_moves_little_from_day_to_day(simulated: Simulated) -> None:
    days = [simulator.outcomes(simulated.truth, dt.date(2025, 3, day)).set_index("true_person_id") for day in (14, 15)]
    both = days[0].join(days[1], rsuffix="_next", how="inner")
    for name in PAIRS:
        column = both[f"{name}_without"]
        assert both[f"{name}_without_next"].sum() == pytest.approx(column.sum(), rel=0.02), name


def test_everyone_with_an_outcome_is_alive_and_registered_that_day(simulated: Simulated) -> None:
    people = simulated.people.set_index("true_person_id")
    for day in (pd.Timestamp("2023-02-19"), YEAR_BEFORE, CUT_OFF):
        known = set(simulator.outcomes(simulated.truth, day.date())["true_person_id"])
        here = people[people["registered"] & (people["moved_in"] <= day)]
        here = here[~(here["moved_away"] <= day) & ~(here["died"] < day)]
        assert known == set(here.index)


def test_days_outside_the_history_and_other_folders_are_refused(simulated: Simulated, tmp_path: Path) -> None:
    for day in (dt.date(2022, 9, 30), dt.date(2026, 10, 2)):
        with pytest.raises(ValueError, match="outside the simulated history"):
            simulator.outcomes(simulated.truth, day)
    with pytest.raises(ValueError, match="does not hold the truth"):
        simulator.outcomes(tmp_path, dt.date(2025, 1, 1))


def test_nobody_is_at_home_longer_than_alive_and_chances_are_chances(simulated: Simulated) -> None:
    truth = simulated.outcomes(YEAR_BEFORE)
    for choice in ("without", "with"):
        for name in ("risk", "admission_risk", "death_risk"):
            assert truth[f"{name}_{choice}"].between(0, 1).all()
        assert (truth[f"risk_{choice}"] >= truth[f"admission_risk_{choice}"] - 1e-12).all()
        assert (truth[f"bed_days_{choice}"] + truth[f"days_at_home_{choice}"] <= 365 + 1e-9).all()


def test_the_true_risk_discriminates_as_published_tools_do_and_easy_rules_do_worse(simulated: Simulated) -> None:
    truth = simulated.outcomes(YEAR_BEFORE)
    people = simulated.people.set_index("true_person_id").loc[truth.index]
    age = (YEAR_BEFORE - people["date_of_birth"]).dt.days / 365.25
    after = simulated.emergencies.query("admission_date >= @YEAR_BEFORE")["true_person_id"]
    before = simulated.emergencies.query("admission_date < @YEAR_BEFORE")["true_person_id"].value_counts()
    happened = truth.index.isin(after) | (people["died"] >= YEAR_BEFORE).to_numpy()
    adults = (age >= 18).to_numpy()
    area = roc_auc_score(happened[adults], truth.loc[adults, "risk_without"])
    easy = truth.index.map(before).fillna(0).to_numpy() + 0.01 * age.to_numpy()
    assert 0.77 < area < 0.88
    assert roc_auc_score(happened[adults], easy[adults]) < area - 0.03


def test_need_is_of_all_conditions_had_and_not_of_those_written_down(simulated: Simulated) -> None:
    people = simulated.registered
    assert (people["conditions"] >= people["conditions_diagnosed"]).all()
    unknown = people["conditions"] > people["conditions_diagnosed"]
    assert unknown.mean() > 0.1
    hidden = people[(people["conditions_diagnosed"] == 0) & (people["conditions"] > 0)]
    well = people[people["conditions"] == 0]
    assert hidden["need"].mean() > well["need"].mean() + 0.2


def test_need_grows_with_time_and_is_known_at_any_day(simulated: Simulated) -> None:
    then, now = simulated.outcomes(YEAR_BEFORE)["need"], simulated.outcomes(CUT_OFF)["need"]
    both = then.index.intersection(now.index)
    assert (now[both] >= then[both] - 1e-9).all()
    assert now[both].mean() > then[both].mean()
    at_the_end = simulated.people.set_index("true_person_id")["need"]
    assert now.to_numpy() == pytest.approx(at_the_end[now.index].to_numpy())


def test_the_truth_marks_whom_a_scenario_touches(planted: Callable[..., Simulated]) -> None:
    people = planted("null_effect", "linkage_bias").people
    assert (people["wronged_by_linkage_bias"] == (people["ethnic_group"] != "white")).all()
    assert not [name for name in people if name.startswith("wronged_by_") and "linkage" not in name]


def test_the_truth_names_what_was_planted_and_nothing_else(
    simulated: Simulated, planted: Callable[..., Simulated]
) -> None:
    assert json.loads((simulated.truth / "scenarios.json").read_text()) == {}
    told = json.loads((planted("null_effect", "linkage_bias").truth / "scenarios.json").read_text())
    assert told == {name: {"what": simulator.SCENARIOS[name]} for name in ("null_effect", "linkage_bias")}
    assert "null_effect" in (planted("null_effect", "linkage_bias").sources / "SYNTHETIC").read_text()


def test_attendances_and_bed_days_come_as_the_truth_expects(untouched: list[World]) -> None:
    as_of = np.datetime64("2024-10-01")
    until, months = np.datetime64("2025-10-01"), slice(24, 36)
    visits = bed = expected_visits = expected_bed = 0.0
    for world in untouched:
        expected = true.outcomes_of(world, as_of).set_index("true_person_id")
        expected = expected[expected.index.isin(world.cards.true_id[~(world.people.leaves < until)])]
        here = np.isin(world.cards.true_id, expected.index)
        visits += world.lives.emergency[here, months].sum()
        expected_visits += expected["attendances_without"].sum()
        spells = hospital.spells(world)
        spells = spells[spells["kind"].isin(["emergency", "transfer"]) & here[spells["person"]]]
        spells = spells[(spells["admitted"] >= pd.Timestamp(as_of)) & (spells["admitted"] < pd.Timestamp(until))]
        bed += (spells["discharged"] - spells["admitted"]).dt.days.sum()
        expected_bed += expected["bed_days_without"].sum()
    assert visits == pytest.approx(expected_visits, rel=0.08)
    assert bed == pytest.approx(expected_bed, rel=0.12)


def test_equal_need_yields_less_planned_care_where_access_is_worse(untouched: list[World]) -> None:
    kept_away, well_served = [], []
    for world in untouched:
        planned = hospital.spells(world).query("kind == 'elective'")["person"]
        table = pd.DataFrame(
            {
                "ill": (world.people.conditions_from <= 24).sum(axis=1).clip(max=4),
                "contacts": world.lives.contacts.sum(axis=1),
                "planned": np.bincount(planned, minlength=len(world.people)),
                "access": world.people.access,
            }
        )[world.here.all(axis=1) & world.people.registered]
        kept_away.append(table[table["access"] < -0.25])
        well_served.append(table[table["access"] > 0.15])
    low, high = (pd.concat(part).groupby("ill")[["contacts", "planned"]].mean() for part in (kept_away, well_served))
    for use in ("contacts", "planned"):
        assert (low[use] < 0.85 * high[use]).mean() >= 0.8, use
