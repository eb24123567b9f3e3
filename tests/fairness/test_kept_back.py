"""What is kept back cannot be added up from other rows, nor from the rows of the week before."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fairness.controlled import controlled_measures, controlled_pooled
from fairness.disclosure import WAS_HIDDEN, control_parts
from fairness.kept_back import cells_that_add_up, joined_otherwise
from fairness.sentences import about_lost


def test_of_two_weeks_the_same_part_is_hidden_beside_a_small_one():
    # 5 is small. Last week 30 was hidden beside it and 31 shown; now 31 is the less by itself.
    then, now = pd.Series([5.0, 30, 31]), pd.Series([5.0, 32, 30])
    assert control_parts(then).fillna(-1).tolist() == [-1, -1, 30]
    assert control_parts(now).fillna(-1).tolist() == [-1, 30, -1]
    before = pd.Series([WAS_HIDDEN, WAS_HIDDEN, 30])
    assert control_parts(now, before=before).fillna(-1).tolist() == [-1, -1, 30]


def test_of_parts_hidden_together_none_is_left_hidden_alone():
    # The last is small now too, so within this week 20 could be shown; last week showed the last.
    before = pd.Series([WAS_HIDDEN, WAS_HIDDEN, 10, 40])
    assert control_parts(pd.Series([5.0, 20, 3, 40]), before=before).fillna(-1).tolist() == [-1, -1, -1, 40]
    # Once none of them is small, all are shown again.
    assert control_parts(pd.Series([16.0, 20, 10, 40]), before=before).tolist() == [15, 20, 10, 40]


def table(*rows):
    return pd.DataFrame(rows, columns=["grouping", "group", "count"])


def test_a_group_that_is_kept_back_is_not_the_sum_of_its_cells():
    cells = table(
        ("imd_by_ethnicity", "2, Black", 20.0),
        ("imd_by_ethnicity_by_sex", "2, Black, female", 11.0),
        ("imd_by_ethnicity_by_sex", "2, Black, male", 9.0),
        ("imd_by_ethnicity_by_sex", "2, Asian, male", 8.0),
    )
    kept_back = pd.Series([True, False, False, False])
    assert cells_that_add_up(cells, cells["count"], kept_back).tolist() == [False, False, True, False]
    assert not cells_that_add_up(cells, cells["count"], pd.Series([True, False, True, False])).any()
    assert not cells_that_add_up(cells, cells["count"], pd.Series([False] * 4)).any()


@pytest.mark.parametrize("unknown", ["not stated", "not known", "not recorded"])
def test_whose_ethnicity_nobody_knows_is_one_group_in_a_crossing(unknown):
    cells = table(
        ("ethnic_group", unknown, 20.0),
        ("imd_by_ethnicity", "1 most deprived, not recorded", 12.0),
        ("imd_by_ethnicity", "deprivation not recorded, not recorded", 8.0),
    )
    marked = cells_that_add_up(cells, cells["count"], pd.Series([True, False, False]))
    assert marked.tolist() == [False, False, True]


def labelled(grouping="ethnic_category", **counts):
    rows = table(*((grouping, group.replace("_", " "), count) for group, count in counts.items()))
    return rows.assign(group=rows["group"].replace({"smaller": "smaller categories together"}))


@pytest.mark.parametrize(
    ("then", "now", "small", "marked"),
    [
        # 50 and a small one stood apart; their sum would tell the small one.
        ({"A: b": 50, "A: c": None, "A: d": 90}, {"A: d": 90, "A: smaller categories together": 55}, [], [1]),
        # The other way: what was joined, less what stands alone now.
        ({"A: d": 90, "A: smaller categories together": 55}, {"A: b": 50, "A: c": 4, "A: d": 90}, [1], [0, 1]),
        # One more was joined, and the label is the same.
        (
            {"A: b": None, "A: d": 90, "A: smaller categories together": 30},
            {"A: d": 90, "A: smaller categories together": 35},
            [],
            [1],
        ),
        # Nothing is hidden, nothing is joined otherwise, or another ethnic group is: nothing to guard.
        ({"A: b": 50, "A: c": 20, "A: d": 90}, {"A: d": 90, "A: smaller categories together": 70}, [], []),
        ({"A: b": 50, "A: c": None}, {"A: b": 50, "A: c": 4}, [1], []),
        ({"A: b": 50, "A: c": 20, "B: x": None}, {"A: smaller categories together": 70, "B: x": 4}, [1], []),
        # What was in no week before cannot be held against one.
        ({"B: x": 50}, {"A: b": 50, "A: c": 4, "B: x": 50}, [1], []),
    ],
)
def test_categories_joined_otherwise_than_the_week_before_are_kept_back_where_one_is_small(then, now, small, marked):
    earlier, rows = labelled(**then), labelled(**now)
    kept_back = pd.Series(rows.index.isin(small), index=rows.index)
    found = joined_otherwise(rows, earlier, kept_back, "count", [])
    assert found[found].index.tolist() == marked


def test_not_stated_and_not_known_are_kept_back_when_they_become_two_groups_and_one_is_small():
    then = labelled("ethnic_group", White=90, not_recorded=25)
    now = labelled("ethnic_group", White=90, not_stated=20, not_known=5)
    marked = joined_otherwise(now, then, pd.Series([False, False, True]), "count", [])
    assert marked.tolist() == [False, True, True]


def shown_places(small, counts, earlier=()):
    """Places as `controlled_measures` shows them: of groups with 500 people each, by grouping and group."""
    rows = pd.DataFrame(
        [(grouping, group, float(count)) for grouping, cells in counts.items() for group, count in cells.items()],
        columns=["grouping", "group", "count"],
    )
    made = rows.assign(measure="share_of_places", people=500.0, base=275.0, verdict="reported")
    made = made.reindex(columns=small.measures.columns)
    figures = ["value", "low", "high", "wide_low", "wide_high"]
    found = replace(small, measures=made.assign(**made[figures].astype("float64")), earlier={"measures": list(earlier)})
    return controlled_measures(found)


def test_a_week_that_joins_categories_does_not_show_what_the_week_before_kept_back(small):
    apart = {"White: one": 90, "Asian: one": 5, "Asian: two": 25, "Asian: three": 40}
    joined = {"White: one": 90, "Asian: three": 40, "Asian: smaller categories together": 30}
    first = shown_places(small, {"ethnic_category": apart})
    assert first["count"].isna().tolist() == [False, True, True, False]
    assert shown_places(small, {"ethnic_category": joined})["count"].tolist() == [90, 40, 30]
    record = first.astype("object").where(first.notna(), None).to_dict("records")
    second = shown_places(small, {"ethnic_category": joined}, record)["count"]
    assert np.isnan(second[2])
    assert second[0] == 90


def test_small_cells_show_the_counts_that_the_measures_show(small):
    measured = controlled_measures(small).set_index(["grouping", "group", "measure"])["count"]
    names = {"people": "share_of_people", "places": "share_of_places", "high_need": "share_of_need"}
    for row in controlled_pooled(small).itertuples():
        for name, measure in names.items():
            shown = measured[(row.grouping, row.group, measure)]
            assert getattr(row, name) == shown or (np.isnan(getattr(row, name)) and np.isnan(shown))


def test_people_in_no_group_are_told_as_the_table_of_the_lost_shows_them(tools, small):
    found = small
    lost = found.lost.set_index(["grouping", "group", "measure"]).sort_index()
    # 3 Black people are hidden, and the 12 of no group beside them, the next smallest.
    for group, count in (("Black", 3.0), ("not recorded", 12.0), ("Asian", 40.0), ("White", 60.0)):
        lost.loc[("ethnic_group", group, "no_person_found"), "count"] = count
    assert "are * people by ethnic group" in about_lost(
        tools["with_lost"](found, lost.reset_index()[found.lost.columns])
    )


def test_the_tables_hide_a_cell_of_a_group_hidden_beside_a_small_one(small):
    fifths = {"2, Black": 20, "2, Asian": 5, "2, White": 90, "3, Black": 45, "3, Asian": 35, "3, White": 80}
    by_sex = {"2, Black, female": 11, "2, Black, male": 9, "3, White, female": 50, "3, White, male": 30}
    told = shown_places(small, {"imd_by_ethnicity": fifths, "imd_by_ethnicity_by_sex": by_sex})
    shown = told.set_index("group")["count"]
    assert np.isnan(shown["2, Black"])
    assert shown[["2, Black, female", "2, Black, male"]].isna().any()
