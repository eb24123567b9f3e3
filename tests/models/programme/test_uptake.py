"""Who says yes to an offer, on offers whose chances are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.programme.uptake import first_offers, uptake


def offers(number: int, seed: int, gap: float) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The most deprived start less often by `gap`; men and women alike, but more of the men are deprived."""
    random = np.random.default_rng(seed)
    deprived = random.random(number) < 0.5
    male = random.random(number) < np.where(deprived, 0.8, 0.2)
    started = random.random(number) < 0.6 - gap * deprived
    outcome = np.where(started, "started", random.choice(["declined", "not_reached"], number))
    table = pd.DataFrame({"person_id": np.arange(number), "offered": pd.Timestamp("2025-01-01"), "outcome": outcome})
    return table, {"imd_quintile": np.where(deprived, "1", "5"), "sex": np.where(male, "male", "female")}


def test_each_groups_share_is_told_with_an_interval_and_beside_people_alike_elsewhere() -> None:
    told = uptake(*offers(4000, 1, 0.3), 0)
    table = told.groups.set_index(["grouping", "group"])
    assert table.loc[("imd_quintile", "1"), "low"] < 0.3 < table.loc[("imd_quintile", "1"), "high"]
    men = table.loc[("sex", "male")]
    assert men["share"] < 0.42, "men start less often"
    assert men["alike"] == pytest.approx(men["share"], abs=0.03), (
        "because more of them are deprived, and for no other reason"
    )
    assert table.loc[("imd_quintile", "1"), "alike"] > table.loc[("imd_quintile", "1"), "high"], "not so deprivation"
    assert told.outcomes["people"].sum() == 4000


def test_people_alike_are_people_outside_the_group() -> None:
    table, groups = offers(2000, 8, 0.0)
    women = groups["sex"] == "female"
    # Nobody can be told apart by deprivation, so men are to be expected to start as the women do, whatever men do.
    table["outcome"] = np.where(women, np.where(np.arange(2000) % 10 == 0, "started", "declined"), table["outcome"])
    told = uptake(table, {"sex": groups["sex"], "imd_quintile": np.full(2000, "1")}, 0)
    alike = told.groups.set_index(["grouping", "group"]).loc[("sex", "male"), "alike"]
    assert alike == pytest.approx(0.1, abs=0.03)


def test_chances_foretold_for_people_not_seen_are_right_where_groups_matter_and_say_nothing_where_they_do_not() -> None:
    assert uptake(*offers(4000, 2, 0.3), 0).slope == pytest.approx(1, abs=0.2)
    assert abs(uptake(*offers(4000, 3, 0.0), 0).slope) < 1


def test_small_groups_and_few_offers_give_no_figure() -> None:
    table, groups = offers(400, 4, 0.2)
    groups["sex"][:20] = "other"
    told = uptake(table, groups, 0).groups.set_index(["grouping", "group"])
    assert np.isnan(told.loc[("sex", "other"), "share"])
    assert told.loc[("sex", "other"), "offers"] == 20
    assert uptake(table.head(49), {name: label[:49] for name, label in groups.items()}, 0) is None


def test_everybody_who_started_is_no_error() -> None:
    table, groups = offers(200, 5, 0.0)
    told = uptake(table.assign(outcome="started"), groups, 0)
    assert np.isnan(told.slope)
    assert told.groups["share"].isna().all()


def test_the_first_offer_of_each_person_in_the_months_counts() -> None:
    days = ["2024-12-31", "2025-01-05", "2025-03-01", "2025-02-01"]
    table = pd.DataFrame(
        {
            "person_id": [1, 1, 1, 2],
            "offered": pd.to_datetime(days),
            "outcome": ["started", "declined", "started", "not_reached"],
        }
    )
    told = first_offers(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2025-03-01"))
    assert told["outcome"].tolist() == ["declined", "not_reached"]
