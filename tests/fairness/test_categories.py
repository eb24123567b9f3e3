"""The 16+1 categories, inclusion health and practices as groups: named, joined where small, hidden together, and gated on."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Fairness
from fairness.audit import audit
from fairness.categories import CATEGORIES, TRAVELLER, group_of, join, small_categories
from fairness.controlled import controlled_bands, controlled_measures
from fairness.disclosure import control_parts
from fairness.gate import decide
from fairness.groups import group_table
from fairness.page import write_page
from fairness.reasons import WORST_FEW
from records.contracts import ETHNIC_CATEGORIES
from records.ethnic_codes import LETTERS

AS_OF = dt.date(2026, 10, 1)


def test_every_code_has_a_name_that_begins_with_its_ethnic_group():
    assert set(CATEGORIES) == set(ETHNIC_CATEGORIES)
    assert len(set(CATEGORIES.values())) == len(CATEGORIES)
    for group, letters in LETTERS.items():
        assert set(group_of(pd.Series([CATEGORIES[letter] for letter in letters]))) == {group}


def categories(**sizes):
    names = [CATEGORIES[code.lstrip("_")] for code, size in sizes.items() for _ in range(size)]
    return pd.DataFrame({"person_id": range(len(names)), "ethnic_category": names})


TOGETHER = "White: smaller categories together"


@pytest.mark.parametrize(
    ("sizes", "left"),
    [
        ({"A": 9, "B": 5, "C": 5}, {CATEGORIES["A"], CATEGORIES["B"], CATEGORIES["C"]}),
        ({"A": 9, "B": 3, "C": 4}, {CATEGORIES["A"], TOGETHER}),
        ({"A": 9, "B": 1, "C": 6, "T": 7}, {CATEGORIES["A"], TRAVELLER, TOGETHER}),
        ({"A": 9, "T": 1}, {TOGETHER}),
        ({"T": 1}, {TRAVELLER}),
        ({"A": 9, "S": 2}, {CATEGORIES["A"], CATEGORIES["S"]}),
        ({"A": 9, "Z": 2, "_99": 7}, {CATEGORIES["A"], "not recorded"}),
        ({"A": 9, "Z": 6, "_99": 7}, {CATEGORIES["A"], "not stated", "not known"}),
    ],
)
def test_categories_too_small_to_judge_are_joined_within_their_group_until_they_are_not(sizes, left):
    table = categories(**sizes)
    joined = join(table, small_categories([table], 5))
    assert set(joined["ethnic_category"]) == left
    assert len(joined) == len(table)


def test_a_category_that_the_test_window_lacks_is_small_and_an_empty_window_joins_nothing():
    week = categories(A=9, B=8, C=9)
    assert set(small_categories([week, categories(A=9, B=8)], 5)) == {CATEGORIES["B"], CATEGORIES["C"]}
    assert small_categories([week, week.iloc[:0]], 5) == {}
    assert small_categories([week.iloc[:0]], 5) == {}


def test_inclusion_health_is_what_is_on_record_and_whoever_is_a_traveller_once_that_is_known():
    people = pd.DataFrame(
        {
            "person_id": [1, 2, 3, 4],
            "imd_decile": 1.0,
            "ethnic_group": "White",
            "ethnic_category": ["A", "T", "T", "A"],
            "ethnicity_known_at": pd.to_datetime([None, None, "2026-10-01", None]),
            "sex": "male",
            "birth_month": pd.Timestamp(1950, 1, 1),
            "practice_code": ["P1", "P1", "", "P2"],
        }
    )
    conditions = pd.DataFrame({"person_id": [4], "grouping": ["inclusion_health"]})
    table = group_table(people, AS_OF, conditions)
    assert list(table["inclusion_health"]) == ["no code", "recorded", "no code", "recorded"]
    assert list(table["ethnic_category"]) == ["White: British", TRAVELLER, "not known", "White: British"]
    assert list(table["practice"]) == ["P1", "P1", "not recorded", "P2"]


@pytest.fixture(scope="module")
def world(tools):
    return tools["make_world"](20_000, places=0.1)


def without(world, mark):
    """The world's places without those of the people marked."""
    short = set(world.groups.loc[mark, "person_id"])
    return world._replace(selected=np.array([person for person in world.selected if person not in short]))


def verdict_of(world, gate_on):
    settings = Fairness(gate_on=[gate_on], draws=100)
    found = audit(world.groups, world.scores, world.selected, world.test, world.lost, settings, 1)
    return found, decide(found, settings)


@pytest.mark.parametrize(
    ("grouping", "group", "words"),
    [
        ("practice", "P03", "Practice, P03: share of places over share of need is 0.00"),
        ("ethnic_category", "Asian: one", "Ethnic category, Asian: one: share of places over share of need is 0.00"),
        ("inclusion_health", "recorded", "Inclusion health, recorded: share of places over share of need is 0.00"),
    ],
)
def test_a_wrong_planted_in_a_category_a_practice_or_inclusion_health_fails_by_name(world, grouping, group, words):
    excluded = np.where(np.arange(len(world.groups)) % 50 == 0, "recorded", "no code")
    planted = world._replace(groups=world.groups.assign(inclusion_health=excluded))
    _, verdict = verdict_of(without(planted, planted.groups[grouping] == group), grouping)
    assert verdict.verdict == "fail"
    assert verdict.reasons[0].startswith(words)
    assert sum("more than chance" in reason for reason in verdict.reasons) == 1


def test_of_many_practices_the_worst_few_are_named_and_the_others_counted(world, tmp_path):
    short = [f"P{number:02d}" for number in range(6)]
    found, verdict = verdict_of(without(world, world.groups["practice"].isin(short)), "practice")
    failed = [reason for reason in verdict.reasons if "more than chance" in reason]
    assert len(failed) == WORST_FEW
    assert (
        "Practice: the same of 3 more practices, in share of places over share of need; the tables name each."
        in verdict.reasons
    )
    about = {"title": "Northshire", "as_of": AS_OF, "synthetic": True, "evidence_grade": "assumed"}
    page = write_page(found, verdict, tmp_path / "fairness.html", **about).read_text()
    assert "Of 12 practices whose counts can be shown, 6 are clearly below a share of places equal" in page
    assert page.count("P00 0.00 (") == 1


def test_no_hidden_category_can_be_reckoned_from_its_group_and_no_hidden_group_from_its_categories(tools):
    world = tools["make_world"](6_000, places=0.02)
    rng = np.random.default_rng(0)
    small = rng.choice(["one", "another", "third"], len(world.groups), p=[0.97, 0.02, 0.01])
    of = world.groups["ethnic_group"].where(world.groups["ethnic_group"] != "not recorded")
    changed = world.groups.assign(ethnic_category=(of + ": " + small).fillna("not known"))
    settings = Fairness(draws=100, minimum_people=1)
    found = audit(changed, world.scores, world.selected, world.test, world.lost, settings, 1)
    table = controlled_measures(found)
    for _, rows in table[table["measure"].isin(["share_of_people", "share_of_places"])].groupby("measure"):
        groups = rows[rows["grouping"] == "ethnic_group"].set_index("group")["count"]
        parts = rows[rows["grouping"] == "ethnic_category"].assign(of=lambda t: group_of(t["group"]))
        for group, own in parts.groupby("of")["count"]:
            exact = parts.loc[own.index]
            if np.isnan(groups.get(group, 0.0)):
                assert own.isna().all()
            else:
                others = exact["count"].fillna(-1)
                assert (others == -1).sum() != 1 or (others[others >= 0] == 0).all()
    assert table.loc[table["grouping"] == "ethnic_category", "count"].isna().any()


def test_parts_of_two_wholes_are_hidden_for_either():
    parts = pd.Series([3.0, 50.0, 60.0, 70.0])
    assert list(control_parts(parts, [pd.Series(["a", "a", "b", "b"])]).isna()) == [True, True, False, False]


def test_no_hidden_band_of_a_group_can_be_reckoned_from_the_other_groups_or_from_its_categories(small):
    bands = controlled_bands(small)
    bands = bands[bands["what"] == "illness"].assign(people=lambda table: table["people"].fillna(-1))
    hidden_groups = bands[(bands["grouping"] == "ethnic_group") & (bands["people"] == -1)]
    parts = bands[bands["grouping"] == "ethnic_category"].assign(of=lambda table: group_of(table["group"]))
    assert len(hidden_groups)
    for keys, rows in [*bands[bands["grouping"] == "sex"].groupby("band"), *parts.groupby(["of", "band"])]:
        alone = (rows["people"] == -1).sum() == 1 and (rows["people"] > 0).any()
        assert not alone, keys
    for row in hidden_groups.itertuples():
        assert (parts.loc[(parts["of"] == row.group) & (parts["band"] == row.band), "people"] == -1).all()
