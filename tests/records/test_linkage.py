"""Records without a number find their person, and no link joins two trusted numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from records.resolving import resolve


def nodes(*numbers):
    return pd.DataFrame({"who": [f"{'n' if n else 't'}|{i}" for i, n in enumerate(numbers)], "number": list(numbers)})


def pairs(*rows):
    return pd.DataFrame(rows, columns=["left", "right", "weight"]).assign(probability=0.99)


def test_the_best_numbered_person_wins():
    got = resolve(nodes("1", "2", None), pairs((0, 2, 10.0), (1, 2, 12.0)))
    assert got["anchor"].tolist() == ["n|1"]


def test_a_tie_between_two_numbered_people_links_to_neither():
    assert resolve(nodes("1", "2", None), pairs((0, 2, 12.0), (1, 2, 12.0))).empty


def test_a_chain_never_joins_two_numbers():
    got = resolve(nodes("1", "2", None, None), pairs((0, 2, 10.0), (2, 3, 10.0), (1, 3, 10.0)))
    assert got.set_index("who")["anchor"].to_dict() == {"t|2": "n|0", "t|3": "n|1"}


def test_a_record_is_adopted_through_one_that_found_its_number():
    got = resolve(nodes("1", None, None), pairs((0, 1, 10.0), (1, 2, 10.0)))
    assert got["anchor"].tolist() == ["n|0", "n|0"]


def test_records_that_match_only_each_other_become_one_person():
    got = resolve(nodes(None, None, None, "1"), pairs((0, 1, 10.0), (1, 2, 10.0)))
    assert got["anchor"].tolist() == ["t|0", "t|0", "t|0"]


@pytest.fixture(scope="module")
def simulated(rehearsal):
    """Every linked record of the rehearsed week with its true person."""
    linked = min((rehearsal.folder / "data" / "linked").glob("*/identities.parquet"))
    truth = pd.read_parquet(rehearsal.truth / "identities.parquet").rename(columns={"record_id": "source_record"})
    return pd.read_parquet(linked).merge(truth, on=["source", "source_record"], validate="one_to_one")


def couples(sizes):
    return int((sizes * (sizes - 1) // 2).sum())


def test_linkage_agrees_with_the_truth(simulated):
    unnumbered = simulated[simulated["source"].isin(["demographics", "social_care", "housing", "urgent_care"])]
    together = couples(unnumbered.groupby(["person_id", "true_person_id"]).size())
    precision = together / couples(unnumbered.groupby("person_id").size())
    recall = together / couples(unnumbered.groupby("true_person_id").size())
    assert precision >= 0.99
    assert recall >= 0.97


def test_splink_finds_most_people_without_a_number(simulated):
    who = ["true_person_id", "person_id"]
    spine = pd.MultiIndex.from_frame(simulated.loc[simulated["source"] == "demographics", who])
    named = simulated[
        simulated["source"].isin(["social_care", "housing", "urgent_care"]) & (simulated["method"] != "nhs_number")
    ]
    named = named[named["true_person_id"].isin(spine.get_level_values("true_person_id"))]
    right = pd.MultiIndex.from_frame(named[who]).isin(spine)
    assert right.mean() >= 0.9
    assert right[named["method"] == "splink"].mean() >= 0.99
