"""Two weeks side by side: what changed is told, and nobody's coming or going can be read from it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Fairness
from fairness.audit import audit
from fairness.change import about_change, change_rows
from fairness.controlled import (
    controlled_bands,
    controlled_differences,
    controlled_lost,
    controlled_measures,
    controlled_pooled,
    controlled_totals,
)
from fairness.disclosure import WAS_HIDDEN, control, control_parts, share_of, shown_share
from fairness.gate import decide
from fairness.record import to_json

LAST_WEEK = "2026-09-24"


def week(world, earlier=None, **known):
    told = pd.DataFrame({"person_id": world.scores["person_id"], **known}) if known else None
    tables = (world.groups, world.scores, world.selected, world.test, world.lost)
    return audit(*tables, Fairness(draws=100), 1, known=told, earlier=earlier)


def record(found):
    return to_json(found, decide(found, found.settings)) | {"as_of": LAST_WEEK}


@pytest.mark.parametrize(
    ("exact", "before", "now"),
    [
        (24, 20, 20),  # 25 would tell that somebody came
        (29, 20, 20),
        (30, 20, 30),
        (11, 20, 20),
        (10, 20, 10),
        (5, 20, None),
        (0, 20, 0),
        (0, WAS_HIDDEN, None),  # nil would tell that those 1 to 7 left
        (8, WAS_HIDDEN, None),
        (14, WAS_HIDDEN, None),
        (15, WAS_HIDDEN, 15),
        (8, 0, 10),
        (3, 0, None),
        (12, np.nan, 10),
    ],
)
def test_a_count_is_shown_again_until_it_has_moved_by_eight(exact, before, now):
    fit = control(pd.Series([float(exact)]), pd.Series([before], dtype="float64"))
    assert fit.fillna(-1).tolist() == [-1 if now is None else now]


def test_whatever_was_counted_a_change_that_shows_is_one_of_eight_or_more():
    then, now = (axis.ravel().astype("float64") for axis in np.meshgrid(np.arange(61), np.arange(61)))
    before = control(pd.Series(then))
    after = control(pd.Series(now), before.fillna(WAS_HIDDEN))
    both = before.notna() & after.notna() & (before != after)
    assert both.any()
    assert (np.abs(then - now)[both] >= 8).all()
    appears = before.isna() & after.notna()
    assert (np.abs(then - now)[appears] >= 8).all()


@pytest.mark.parametrize("seed", range(30))
def test_no_line_of_a_crossing_has_a_single_hidden_cell(seed):
    cells = pd.MultiIndex.from_product([list("12345"), list("ABCD")], names=["fifth", "ethnic"])
    people = np.random.default_rng(seed).integers(8, 60, len(cells))
    people[seed % len(cells)] = 3
    table = pd.DataFrame({"people": people}, index=cells).reset_index()
    hidden = control_parts(table["people"], [table["fifth"]], [table["ethnic"]]).isna()
    for margin in ("fifth", "ethnic"):
        assert 1 not in hidden.groupby(table[margin]).sum().tolist()
    assert 4 <= hidden.sum() < len(cells)


def test_a_cell_hidden_in_a_crossing_cannot_be_reckoned_from_either_side(tools):
    world = tools["make_world"](6_000, places=0.02)
    for table, column in ((controlled_measures, "count"), (controlled_pooled, "places")):
        found = table(week(world))
        for name in ("imd_by_ethnicity", "imd_by_ethnicity_by_sex"):
            rows = found[(found["grouping"] == name) & (found.get("measure", "share_of_places") == "share_of_places")]
            ends = rows["group"].str.rsplit(", ", n=1)
            assert rows[column].isna().any()
            for end in (0, 1):
                shown = rows[column].fillna(-1).groupby(ends.str[end]).agg(list)
                for cells in shown:
                    lonely = cells.count(-1) == 1 and any(cell > 0 for cell in cells)
                    assert not lonely


def test_a_week_with_a_few_more_places_shows_the_counts_of_the_week_before(tools):
    world = tools["make_world"](6_000)
    first = week(world)
    more = world._replace(selected=np.append(world.selected, world.scores["person_id"].to_numpy()[:3]))
    second, alone = week(more, record(first)), week(more)
    keys = ["grouping", "group", "measure"]
    places = [
        controlled_measures(found).query("measure == 'share_of_places'").set_index(keys)["count"]
        for found in (first, second, alone)
    ]
    assert places[0].equals(places[1])
    assert not places[0].equals(places[2])
    assert controlled_totals(second)["listed"] == controlled_totals(first)["listed"]
    assert controlled_bands(second)["people"].equals(controlled_bands(first)["people"])


def test_counts_shown_again_never_give_a_share_of_more_than_all(tools):
    world = tools["make_world"](2_000)
    every = world._replace(lost=tools["lost_table"](world.groups, {("Asian", "no_person_found"): 1.0}))
    before = record(week(every))
    for row in before["lost_before_any_model"]["groups"]:
        if row["group"] == "Asian" and row["count"]:
            row["base"], row["count"] = row["base"] - 5, row["count"] + 5
    found = week(every, before)
    asian = controlled_lost(found).set_index(["group", "measure"]).loc[("Asian", "no_person_found")]
    assert asian["count"] > asian["base"]
    assert asian["share"] == 1
    told = controlled_differences(found).set_index(["grouping", "measure"]).loc[("ethnic_group", "no_person_found")]
    assert 0.9 < told["value"] <= 1
    assert told["low"] <= told["value"] <= told["high"]


def test_shares_come_from_shown_counts_and_are_never_beyond_all():
    part, whole = (pd.Series(counts, dtype="float64") for counts in ([20, None, 5, 0], [15, 20, 10, 0]))
    assert share_of(part, whole).fillna(-1).tolist() == [1, -1, 0.5, -1]
    assert [shown_share(*counts) for counts in ((5, 100), (21, 33), (0, 50))] == ["*", "57%", "0%"]


def test_what_changed_is_told_by_group_and_in_a_sentence(tools):
    before = record(week(tools["make_world"](20_000)))
    found = week(tools["make_world"](20_000, penalty=1.0), before)
    rows = change_rows(found).set_index(["grouping", "group", "measure"])
    asian = rows.loc[("ethnic_group", "Asian", "share_ratio")]
    assert asian["before"] > 0.9 > 0.6 > asian["now"]
    assert asian["verdict_before"] != "fail"
    assert asian["verdict_now"] == "fail"
    said = about_change(found, "fail")
    assert said.startswith(f"Since {LAST_WEEK} the verdict has gone from")
    assert "ethnic group Asian, share of places over share of need" in said
    assert about_change(week(tools["make_world"](500)), "pass") == "There is no earlier audit to hold this one against."


def test_a_group_of_one_week_only_is_told_without_a_figure_for_the_other(tools):
    world = tools["make_world"](2_000)
    before = record(week(world))
    merged = world.groups.assign(ethnic_group=world.groups["ethnic_group"].replace("Black", "Asian"))
    rows = change_rows(week(world._replace(groups=merged), before)).query("grouping == 'ethnic_group'")
    black = rows[rows["group"] == "Black"]
    assert black["now"].isna().all()
    assert set(black["verdict_now"]) == {""}


def test_practices_are_small_cells_too(tools):
    world = tools["make_world"](3_000)
    world = world._replace(groups=world.groups.assign(practice=np.where(np.arange(3_000) % 10 == 0, "P1", "P2")))
    cells = controlled_pooled(week(world)).query("grouping == 'practice'").set_index("group")
    assert cells.loc["P2", "people"] == 2_700
    assert cells["pooled"].between(0.5, 2).all()


def test_the_record_of_an_earlier_version_is_no_reason_to_fail(tools):
    found = week(tools["make_world"](500), {"verdict": "pass", "as_of": LAST_WEEK, "measures": [{"group": "White"}]})
    assert change_rows(found).empty
    assert dt.date.fromisoformat(LAST_WEEK).isoformat() in about_change(found, "cannot tell")
