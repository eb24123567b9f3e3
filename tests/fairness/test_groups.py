import datetime as dt

import pandas as pd
import pytest

from fairness.groups import group_table, in_order, is_recorded, one_group_where_small


def people(**columns):
    rows = len(next(iter(columns.values())))
    table = {
        "person_id": range(rows),
        "imd_decile": [1.0] * rows,
        "ethnic_group": ["White"] * rows,
        "ethnicity_known_at": [pd.NaT] * rows,
        "sex": ["female"] * rows,
        "birth_month": [pd.Timestamp(1950, 1, 1)] * rows,
        "ethnic_category": ["A"] * rows,
        "practice_code": ["P1"] * rows,
    }
    return pd.DataFrame(table | columns)


def test_deciles_become_fifths_with_the_most_deprived_first():
    labels = group_table(people(imd_decile=[1.0, 2.0, 3.0, 6.0, 8.0, 9.0, 10.0]), dt.date(2026, 1, 1))["imd_quintile"]
    assert list(labels) == ["1 most deprived", "1 most deprived", "2", "3", "4", "5 least deprived", "5 least deprived"]


def test_age_bands_change_in_the_month_of_birth():
    born = [pd.Timestamp(1961, 6, 1), pd.Timestamp(1961, 7, 1), pd.Timestamp(2010, 1, 1), pd.Timestamp(1930, 1, 1)]
    labels = group_table(people(birth_month=born), dt.date(2026, 6, 15))["age_band"]
    assert list(labels) == ["65-74", "45-64", "0-17", "85+"]


def test_an_ethnicity_learned_later_was_not_known_then():
    known = pd.to_datetime([None, "2025-03-01", "2025-03-02"])
    table = people(ethnicity_known_at=known)
    assert list(group_table(table, dt.date(2025, 3, 2))["ethnic_group"]) == ["White", "White", "not known"]
    assert list(group_table(table, dt.date(2026, 1, 1))["ethnic_group"]) == ["White"] * 3


def test_not_stated_and_not_known_are_apart_and_crossed_with_deprivation_one_group():
    table = group_table(people(ethnic_group=["not stated", "not known", "Asian"]), dt.date(2026, 1, 1))
    assert list(table["ethnic_group"]) == ["not stated", "not known", "Asian"]
    assert list(table["imd_by_ethnicity"]) == ["1 most deprived, not recorded"] * 2 + ["1 most deprived, Asian"]


def test_neither_of_them_counts_as_recorded_and_both_come_last():
    labels = group_table(people(ethnic_group=["not stated", "White", "not known"]), dt.date(2026, 1, 1))["ethnic_group"]
    assert list(is_recorded(labels)) == [False, True, False]
    assert in_order(labels) == ["White", "not known", "not stated"]


def labelled(*counts):
    """A table of so many people White, not stated and not known."""
    labels = [
        name for name, count in zip(("White", "not stated", "not known"), counts, strict=True) for _ in range(count)
    ]
    return pd.DataFrame({"person_id": range(len(labels)), "ethnic_group": labels})


@pytest.mark.parametrize(
    ("of_week", "of_test", "expected"),
    [
        ((5, 3, 3), (5, 3, 3), {"White", "not stated", "not known"}),
        ((5, 2, 3), (5, 3, 3), {"White", "not recorded"}),
        ((5, 3, 3), (5, 3, 2), {"White", "not recorded"}),
        ((5, 3, 3), (5, 3, 0), {"White", "not recorded"}),
        ((5, 3, 3), (0, 0, 0), {"White", "not stated", "not known"}),
        ((5, 0, 2), (5, 0, 2), {"White", "not known"}),
        ((0, 0, 0), (0, 0, 0), set()),
    ],
    ids=["large", "few this week", "few tested", "none tested", "no test", "only one", "nobody"],
)
def test_they_are_one_ethnic_group_where_one_of_them_is_too_small_to_judge(of_week, of_test, expected):
    week, tested = one_group_where_small([labelled(*of_week), labelled(*of_test)], 3)
    assert set(week["ethnic_group"]) == expected
    assert len(week) == sum(of_week)
    assert len(tested) == sum(of_test)


def test_a_person_tested_on_many_dates_counts_once():
    week, _ = one_group_where_small([labelled(5, 3, 3), pd.concat([labelled(5, 1, 1)] * 9)], 3)
    assert "not recorded" in set(week["ethnic_group"])


def test_whatever_is_missing_is_a_group_of_its_own_and_nobody_is_dropped():
    table = group_table(
        people(
            imd_decile=[None, 1.0, None],
            ethnic_group=["White", "not known", None],
            sex=[None, "", "male"],
            birth_month=pd.to_datetime([None, "2050-01-01", "1950-01-01"]),
        ),
        dt.date(2026, 1, 1),
    )
    assert len(table) == 3
    assert not table.isna().any().any()
    assert list(table["imd_quintile"]) == ["not recorded", "1 most deprived", "not recorded"]
    assert list(table["sex"]) == ["not recorded", "not recorded", "male"]
    assert list(table["age_band"]) == ["not recorded", "not recorded", "75-84"]
    assert list(table["imd_by_ethnicity"]) == [
        "deprivation not recorded, White",
        "1 most deprived, not recorded",
        "deprivation not recorded, not recorded",
    ]
