from __future__ import annotations

import math

import pandas as pd
import pytest

from cohorts import side_by_side, strongest
from features.catalogue import CATALOGUE
from features.feature import Feature


def feature(name: str, group: str, template: str = "", showable: bool = True, aggregation: str = "count") -> Feature:
    return Feature(
        name, "gp", group, aggregation, 365, "events", "", template or f"{{value:.0f}} of {name}", showable=showable
    )


FEATURES = [
    feature("admissions_1y", "admissions", "{value:.0f} emergency admissions in the last 12 months"),
    feature("admissions_2y", "admissions"),
    feature("falls", "falls"),
    feature("ambulance", "ambulance"),
    feature("contacts", "contacts"),
    feature("secret", "secret", showable=False),
]


def contributions(*rows: tuple[int, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["person_id", "feature", "value", "contribution"])


def reasons(rows: pd.DataFrame, catalogue, count: int) -> pd.DataFrame:
    return side_by_side(rows["person_id"], strongest(rows, catalogue, count), count)


def words(table: pd.DataFrame, person: int) -> list[str]:
    return table.set_index("person_id").loc[person].tolist()


def test_the_strongest_reasons_come_first_with_their_true_values():
    table = reasons(
        contributions((1, "falls", 2, 0.1), (1, "admissions_1y", 3, 0.4), (1, "ambulance", 1, 0.2)), FEATURES, 2
    )
    assert table.columns.tolist() == ["person_id", "reason_1", "reason_2"]
    assert words(table, 1) == ["3 emergency admissions in the last 12 months", "1 of ambulance"]


def test_one_reason_for_each_code_group():
    table = reasons(
        contributions((1, "admissions_2y", 5, 0.5), (1, "admissions_1y", 3, 0.4), (1, "falls", 1, 0.1)), FEATURES, 3
    )
    assert words(table, 1) == ["5 of admissions_2y", "1 of falls", ""]


@pytest.mark.parametrize(
    ("name", "value", "contribution"),
    [("secret", 4, 0.9), ("falls", 0, 0.9), ("falls", math.nan, 0.9), ("falls", 2, -0.9), ("falls", 2, 0.0)],
    ids=["not on the allow-list", "zero", "missing", "lowers the risk", "changes nothing"],
)
def test_what_cannot_be_said_leaves_the_recent_pattern_of_care(name, value, contribution):
    assert words(reasons(contributions((1, name, value, contribution)), FEATURES, 3), 1) == [
        "recent pattern of care",
        "",
        "",
    ]


def test_equal_contributions_and_shuffled_rows_give_the_same_reasons():
    rows = contributions(*[(person, item.name, 2, 0.3) for person in range(20) for item in FEATURES])
    table = reasons(rows, FEATURES, 3)
    assert words(table, 7)[1:] == ["2 of ambulance", "2 of contacts"]
    pd.testing.assert_frame_equal(table, reasons(rows.sample(frac=1, random_state=1), FEATURES, 3))


def test_a_feature_that_the_catalogue_does_not_know_is_a_mistake_in_the_house():
    with pytest.raises(RuntimeError, match="invented"):
        reasons(contributions((1, "invented", 1, 1.0)), FEATURES, 3)


def test_no_sensitive_feature_of_the_catalogue_ever_shows():
    hidden = [item.name for item in CATALOGUE if not item.showable]
    rows = contributions(*[(number, name, 1.0, 1.0) for number, name in enumerate(hidden)])
    assert set(reasons(rows, CATALOGUE, 3)["reason_1"]) == {"recent pattern of care"}


def test_every_showable_feature_of_the_catalogue_can_be_put_into_words():
    shown = [item.name for item in CATALOGUE if item.showable]
    rows = contributions(*[(number, name, 3.0, 1.0) for number, name in enumerate(shown)])
    said = reasons(rows, CATALOGUE, 3)["reason_1"]
    assert not said.str.contains(r"[{}]|nan|recent pattern of care").any()
