"""What a person decides goes before the machine, from its day on, and can be undone."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.records.conftest import WEEKS
from tests.records.weeks import changes_in_words, merged_by_a_correction


def test_a_decision_undoes_a_merge_and_gives_the_id_back(week, system, decide):
    first, _ = merged_by_a_correction(week, system)
    told = decide(("demographics", "D3", "housing", "U3", "different", "2022-10-05"))
    third, changes = week(2, system, **told)
    assert third["housing", "U3"] == first["housing", "U3"]
    assert third["demographics", "D3"] == first["demographics", "D3"]
    assert changes_in_words(changes) == [("split", "a person's decision")]
    fourth, changes = week(3, system, **told)
    assert fourth[third.index].equals(third)
    assert changes.empty


def test_a_decision_of_the_day_itself_does_not_count_yet(week, system, decide):
    told = decide(("demographics", "D3", "housing", "U3", "different", str(WEEKS[0])))
    people, _ = week(0, system, **told)
    assert people["demographics", "D3"] == people["housing", "U3"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("demographics", "D3"), ("gp_events", "G3")),  # one number
        (("demographics", "D3"), ("hospital_spells", "H3")),  # one number, and a birth date
        (("demographics", "D0"), ("hospital_spells", "H0")),  # birth date, sex and postcode
        (("demographics", "D3"), ("housing", "U3")),  # names
        (("housing", "U3"), ("demographics", "D3")),
    ],
)
def test_different_holds_whatever_links_the_two(week, system, decide, one, two):
    first, _ = week(0, system)
    assert first[one] == first[two]
    second, changes = week(1, system, **decide((*one, *two, "different", "2022-09-23")))
    assert second[one] != second[two]
    others = second.drop([one, two])
    assert (others == first[others.index]).all()
    assert [kind for kind, _ in changes_in_words(changes)] == ["split"]
    assert set(changes["reason"]) == {"a person's decision"}


def test_a_row_that_nothing_keeps_apart_any_more_is_on_record_as_merged(week, system, decide):
    """An event of a GP says nothing but its number, so that nothing else of it could be recognised."""
    one, two = ("demographics", "D3"), ("gp_events", "G3")
    first, _ = week(0, system)
    parted, _ = week(1, system, **decide((*one, *two, "different", "2022-09-23")))
    assert parted[two] != first[two]
    undone = decide((*one, *two, "different", "2022-09-23"), (*one, *two, "same", "2022-10-03"))
    third, changes = week(2, system, **undone)
    assert third.equals(first)
    assert changes[["kind", "person_id", "other_person_id", "records"]].values.tolist() == [
        ["merged", first[one], parted[two], 1]
    ]
    assert changes["reason"].tolist() == ["what kept them apart no longer holds"]


def test_same_joins_two_people_whom_numbers_keep_apart(week, system, decide):
    first, _ = week(0, system)
    second, changes = week(1, system, **decide(("demographics", "D3", "demographics", "D8", "same", "2022-09-23")))
    assert second["demographics", "D3"] == second["demographics", "D8"] == second["gp_events", "G8"]
    assert second["demographics", "D3"] in {first["demographics", "D3"], first["demographics", "D8"]}
    assert changes_in_words(changes) == [("merged", "a person's decision")]
    third, changes = week(2, system)
    assert third.equals(first)
    assert [kind for kind, _ in changes_in_words(changes)] == ["split"]


def test_a_record_that_a_decision_joins_to_another_person_leaves_its_own_by_that_decision(week, system, decide):
    first, _ = week(0, system)
    assert first["housing", "U3"] == first["demographics", "D3"]
    second, changes = week(1, system, **decide(("demographics", "D8", "housing", "U3", "same", "2022-09-23")))
    assert second["housing", "U3"] == first["demographics", "D8"]
    assert second.drop([("housing", "U3")]).equals(first.drop([("housing", "U3")]))
    assert changes_in_words(changes) == [("moved", "a person's decision")]


def test_same_and_different_hold_together(week, system, decide):
    told = decide(
        ("demographics", "D3", "demographics", "D8", "same", "2022-09-01"),
        ("demographics", "D8", "housing", "U3", "different", "2022-09-01"),
    )
    people, _ = week(0, system, **told)
    assert people["demographics", "D3"] == people["demographics", "D8"] != people["housing", "U3"]


def test_a_decision_whose_record_is_gone_is_counted(week, system, decide, tmp_path):
    people, _ = week(0, system, **decide(("demographics", "D3", "housing", "gone", "same", "2022-09-01")))
    summary = pd.read_json(tmp_path / "linked" / str(WEEKS[0]) / "summary.json", typ="series")
    assert summary["linkage"]["decisions_without_their_record"] == 1
    assert people["demographics", "D3"] == people["gp_events", "G3"]
