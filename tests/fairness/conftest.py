"""A population in which need, places and outcomes are known, and unfairness can be planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from casewell.doors import check
from casewell.settings import Fairness
from fairness.audit import Audit, audit
from fairness.lost import differences, in_order
from records.gaps import wilson
from records.lost import GROUPINGS
from records.tables import LINKAGE, LOSSES

PRACTICES = 12
CATEGORIES = {"White": "White: ", "Asian": "Asian: ", "Black": "Black: "}
QUINTILES = ["1 most deprived", "3", "5 least deprived"]


class World(NamedTuple):
    groups: pd.DataFrame
    scores: pd.DataFrame
    selected: np.ndarray
    test: pd.DataFrame
    lost: pd.DataFrame


def lost_table(groups: pd.DataFrame, lost: dict[tuple[str, str], float] | None = None) -> pd.DataFrame:
    """The table `linkage`: by each way of being lost every group loses 2 %, save where `lost` (group, measure) says otherwise."""
    rows = [
        {
            "grouping": grouping,
            "group": group,
            "measure": measure,
            "base": people,
            "share": (lost or {}).get((group, measure), 0.02),
        }
        for grouping in GROUPINGS
        for group, people in groups[grouping].value_counts().sort_index().items()
        for measure in LOSSES
    ]
    table = pd.DataFrame(rows)
    table["count"] = (table["base"] * table["share"]).round()
    low, high = wilson(table["count"].to_numpy(), table["base"].to_numpy(), 0.95)
    return check(table.assign(share=table["count"] / table["base"], low=low, high=high), LINKAGE)


def make_world(
    people: int, seed: int = 0, places: float = 0.05, penalty: float = 0.0, risk_factor: float = 1.0
) -> World:
    """Give `places` of people a place by need; `penalty` holds back Asian people, `risk_factor` multiplies
    the outcomes of Black people without the risk knowing."""
    rng = np.random.default_rng(seed)
    groups = pd.DataFrame(
        {
            "person_id": rng.permutation(people) + 1_000,
            "imd_quintile": rng.choice(QUINTILES, people),
            "ethnic_group": rng.choice(["White", "Asian", "Black", "not recorded"], people, p=[0.6, 0.15, 0.15, 0.1]),
            "sex": rng.choice(["female", "male"], people),
            "age_band": rng.choice(["45-64", "65-74", "75-84", "85+"], people),
        }
    )
    # As in any population, ethnicity goes with age; another source of chance leaves all other draws as they are.
    younger = (groups["ethnic_group"] == "Asian") & (np.random.default_rng(seed + 1).random(people) < 0.5)
    groups["age_band"] = groups["age_band"].mask(younger, "45-64")
    groups["imd_by_ethnicity"] = groups["imd_quintile"] + ", " + groups["ethnic_group"]
    groups["imd_by_ethnicity_by_sex"] = groups["imd_by_ethnicity"] + ", " + groups["sex"]
    groups["core20"] = groups["imd_quintile"].map(lambda fifth: "Core20" if fifth == QUINTILES[0] else "others")
    groups["learning_disability_or_autism"] = groups["severe_mental_illness"] = "no code"
    groups["inclusion_health"] = "no code"
    more = np.random.default_rng(seed + 2)
    groups["practice"] = more.choice([f"P{number:02d}" for number in range(PRACTICES)], people)
    part = groups["ethnic_group"].map(CATEGORIES) + np.where(more.random(people) < 0.5, "one", "another")
    groups["ethnic_category"] = part.fillna("not known")
    frailty = rng.normal(size=people)
    risk = 1 / (1 + np.exp(2.5 - frailty))
    need = np.maximum(0, frailty + 0.5 * rng.normal(size=people)).round(2)
    scores = pd.DataFrame({"person_id": groups["person_id"], "risk": risk, "need": need})
    merit = need + 0.3 * rng.normal(size=people) - penalty * (groups["ethnic_group"] == "Asian")
    selected = groups["person_id"].to_numpy()[np.argsort(-merit)[: int(places * people)]]
    truth = risk * np.where(groups["ethnic_group"] == "Black", risk_factor, 1)
    outcome = rng.random(people) < truth
    months = [scores.assign(outcome=outcome, index_date=pd.Timestamp(2024, month, 1)) for month in (1, 2, 3)]
    return World(groups, scores, selected, pd.concat(months, ignore_index=True), lost_table(groups))


def run(world: World, settings: Fairness | None = None, seed: int = 1) -> Audit:
    return audit(world.groups, world.scores, world.selected, world.test, world.lost, settings or Fairness(), seed)


def with_lost(found: Audit, lost: pd.DataFrame, settings: Fairness | None = None) -> Audit:
    """The same audit with another table `linkage`, without measuring anew what does not rest on it."""
    settings, lost = settings or found.settings, in_order(lost)
    return replace(found, lost=lost, lost_differences=differences(lost, settings, found.levels), settings=settings)


def row(found: Audit, grouping: str, group: str, measure: str) -> pd.Series:
    table = found.measures.set_index(["grouping", "group", "measure"])
    return table.loc[(grouping, group, measure)]


@pytest.fixture(scope="session")
def fair() -> Audit:
    return run(make_world(200_000))


@pytest.fixture(scope="session")
def unfair() -> Audit:
    return run(make_world(50_000, penalty=0.5))


@pytest.fixture(scope="session")
def small() -> Audit:
    return run(make_world(3_000, places=0.02))


@pytest.fixture(scope="session")
def tools() -> dict[str, Callable]:
    return {"make_world": make_world, "run": run, "row": row, "lost_table": lost_table, "with_lost": with_lost}
