"""Is illness on record before a hospital finds it, in every group alike?"""

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Fairness
from fairness.analyst import write_tables_page
from fairness.audit import audit
from fairness.gate import decide
from fairness.page import write_page
from fairness.recording import recorded_before


def finds(world, of_asian=1.0, seed=7):
    """Two conditions of everybody that a hospital found; the rarer one is more often on record, and less of Asian people's is."""
    rng = np.random.default_rng(seed)
    table = world.groups.merge(pd.DataFrame({"condition": ["dementia", "diabetes"]}), how="cross")
    chance = np.where(table["condition"] == "diabetes", 0.8, 0.5) * np.where(
        table["ethnic_group"] == "Asian", of_asian, 1
    )
    return table[["person_id", "condition"]].assign(first=rng.random(len(table)) < chance)


def audited(world, found, **settings):
    limits = Fairness(draws=100, **settings)
    return audit(*world, limits, 1, found=found), limits


def of_ethnic_group(result, group):
    rows = result.measures.query("grouping == 'ethnic_group' and measure == 'recorded_before_found'").set_index("group")
    return rows.loc[group]


@pytest.fixture(scope="module")
def world(tools):
    return tools["make_world"](6_000)


def test_a_group_whose_illness_is_written_down_less_fails_and_is_named(world):
    result, limits = audited(world, finds(world, of_asian=0.5))
    verdict = decide(result, limits)
    assert verdict.verdict == "fail"
    named = [reason for reason in verdict.reasons if "under-diagnosis" in reason]
    assert len(named) == 1
    assert named[0].startswith("Ethnic group, Asian: conditions on record before a hospital found them")
    # 0.5 of the usual, over a usual that Asian people, 15 in 100, are part of.
    assert of_ethnic_group(result, "Asian")["value"] == pytest.approx(0.5 / 0.925, abs=0.05)


def test_where_illness_is_written_down_alike_nobody_is_named(world):
    result, limits = audited(world, finds(world))
    assert not [reason for reason in decide(result, limits).reasons if "on record before" in reason]
    assert of_ethnic_group(result, "Asian")["value"] == pytest.approx(1, abs=0.06)


def test_other_illness_at_other_ages_is_not_taken_for_less_recording(world):
    # Asian people have dementia found in them only, which is on record less often of everybody.
    found = finds(world)
    asian = found["person_id"].isin(world.groups.loc[world.groups["ethnic_group"] == "Asian", "person_id"])
    result, _ = audited(world, found[~asian | (found["condition"] == "dementia")])
    assert of_ethnic_group(result, "Asian")["value"] == pytest.approx(1, abs=0.08)


def test_the_share_expected_is_that_of_the_same_condition_at_the_same_age():
    people = pd.DataFrame({"person_id": [1, 2, 3], "age_band": ["45-64", "45-64", "85+"]})
    found = pd.DataFrame({"person_id": [1, 2, 3, 9], "condition": ["copd"] * 4, "first": [True, False, False, True]})
    table = recorded_before(found, people)
    assert table.set_index("person_id")["risk"].to_dict() == {1: 0.5, 2: 0.5, 3: 0.0}
    assert table["outcome"].tolist() == [1, 0, 0]


def test_those_whose_group_is_not_recorded_are_left_out_and_few_cannot_be_told(world):
    result, _ = audited(world, finds(world))
    rows = result.measures.query("grouping == 'ethnic_group' and measure == 'recorded_before_found'")
    assert set(rows["group"]) == {"Asian", "Black", "White"}
    few = finds(world).groupby("condition").head(120)
    result, limits = audited(world, few)
    assert "too few to judge conditions on record before a hospital found them" in " ".join(
        decide(result, limits).reasons
    )


def test_without_hospitals_nobody_looked_and_the_pages_say_so(world, tmp_path):
    about = {"title": "Northshire", "as_of": pd.Timestamp("2026-10-01").date(), "synthetic": True}
    for found, looked in ((None, False), (finds(world), True)):
        result, limits = audited(world, found)
        verdict = decide(result, limits)
        assert any("Nobody looked at whether illness" in finding for finding in verdict.findings) != looked
        board = write_page(result, verdict, tmp_path / "board.html", **about, evidence_grade="assumed").read_text()
        tables = write_tables_page(result, verdict, tmp_path / "tables.html", **about).read_text()
        assert ("Too few conditions were found by hospitals" in board) != looked
        assert ("Of them on record before" in tables) == looked
