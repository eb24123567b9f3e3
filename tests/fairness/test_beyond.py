"""What the gate looks at besides places and calibration: stopped feeds, hidden trouble, unknown ethnicity, small cells."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell import doors
from casewell.settings import Fairness
from fairness import recorded_conditions, silent_practices
from fairness.audit import audit
from fairness.beyond import also_judged
from fairness.controlled import controlled_feeds, controlled_pooled
from fairness.feeds import feed_rows
from fairness.further import further_section
from fairness.gate import decide
from fairness.gradient import HIDDEN_TROUBLE, gradient_rows
from fairness.groups import group_table
from fairness.inequality import slope
from fairness.labels import label_rows
from fairness.levels import Levels
from fairness.pooling import pooled_rows
from fairness.record import to_json
from fairness.unknown import each_in_turn
from records.tables import EVENTS

AS_OF = dt.date(2026, 10, 1)


def events_file(tmp_path, *rows):
    usual = {"known_until": None, "numeric_value": None, "end": None, "source": "gp", "code": "SNOMED//1"}
    table = pd.DataFrame([usual | {"known_at": row["time"]} | row for row in rows])
    dates = ["time", "known_at", "known_until", "end"]
    table[dates] = table[dates].apply(pd.to_datetime)
    return doors.write(table, EVENTS, tmp_path / "events.parquet")


def test_a_practice_that_sent_nothing_for_four_weeks_is_silent_and_one_without_records_too(tmp_path):
    people = pd.DataFrame({"person_id": [1, 2, 3, 4, 5], "practice_code": ["A", "A", "B", "C", ""]})
    events = events_file(
        tmp_path,
        {"subject_id": 1, "time": "2026-09-20"},
        {"subject_id": 2, "time": "2020-01-01"},
        {"subject_id": 3, "time": "2026-08-01"},
        {"subject_id": 3, "time": "2026-09-29", "source": "hospital"},
        {"subject_id": 3, "time": "2026-09-29", "known_at": "2026-10-02"},
    )
    assert list(silent_practices(people, events, ["gp"], AS_OF, 28)) == [False, False, True, True, False]
    with pytest.raises(ValueError, match="nobody knows whose practice is silent"):
        silent_practices(people, events, [], AS_OF, 28)


def test_conditions_are_those_ever_known_and_nobody_elses(tmp_path):
    events = events_file(
        tmp_path,
        {"subject_id": 1, "time": "2001-01-01", "code": "ICD10//F200"},
        {"subject_id": 2, "time": "2026-09-01", "known_at": "2026-10-01", "code": "ICD10//F200"},
        {"subject_id": 3, "time": "2020-01-01", "code": "ICD10//I500"},
    )
    found = recorded_conditions(events, AS_OF)
    assert found.to_dict("list") == {"person_id": [1], "grouping": ["severe_mental_illness"]}
    people = pd.DataFrame(
        {
            "person_id": [1, 2],
            "imd_decile": [2.0, 3.0],
            "ethnic_group": "White",
            "ethnicity_known_at": pd.NaT,
            "sex": "male",
            "birth_month": pd.Timestamp(1950, 1, 1),
            "ethnic_category": "A",
            "practice_code": "P1",
        }
    )
    table = group_table(people, AS_OF, found)
    assert list(table["severe_mental_illness"]) == ["recorded", "no code"]
    assert list(table["core20"]) == ["Core20", "others"]
    assert list(table["imd_by_ethnicity_by_sex"]) == ["1 most deprived, White, male", "2, White, male"]


def fed(silent_in_first_fifth):
    return pd.DataFrame(
        {
            "imd_quintile": ["1 most deprived"] * 200 + ["3"] * 200 + ["not recorded"] * 50,
            "ethnic_group": ["White"] * 225 + ["Asian"] * 225,
            "silent": [n < silent_in_first_fifth for n in range(200)] + [False] * 200 + [n < 20 for n in range(50)],
        }
    )


@pytest.mark.parametrize(("silent", "verdict"), [(0, "pass"), (20, "pass"), (21, "fail")])
def test_feeds_that_stopped_in_one_group_fail_beyond_the_limit(silent, verdict):
    rows = feed_rows(fed(silent), Fairness())
    assert set(rows.loc[rows["grouping"] == "imd_quintile", "verdict"]) == {verdict}


def test_feeds_that_stopped_alike_everywhere_are_no_pass():
    rows = feed_rows(fed(0).assign(silent=True), Fairness())
    assert set(rows["verdict"]) == {"cannot tell"}


@pytest.fixture(scope="module")
def world(tools):
    return tools["make_world"](6_000)


def run_with(world, use, silent=None, groups=None, attended=None, found=None, **settings):
    known = pd.DataFrame({"person_id": world.scores["person_id"], "use": use})
    if attended is not None:
        known = known.assign(attended=attended)
    if silent is not None:
        known = known.assign(silent=silent)
    settings = Fairness(draws=100, **settings)
    tables = (world.groups if groups is None else groups, world.scores, world.selected, world.test, world.lost)
    return audit(*tables, settings, 1, known=known, found=found), settings


def admitted(world, factor):
    """Emergency admissions that follow need, times `factor` in the most deprived fifth."""
    poorest = (world.groups["imd_quintile"] == "1 most deprived").to_numpy()
    chance = np.minimum(0.1 + 0.2 * world.scores["need"].to_numpy(), 0.9) * np.where(poorest, factor, 1)
    return (np.random.default_rng(3).random(len(chance)) < chance).astype(float)


def five_fifths(world):
    labels = ["1 most deprived", "2", "3", "4", "5 least deprived"]
    return world.groups.assign(imd_quintile=np.random.default_rng(5).choice(labels, len(world.groups)))


@pytest.mark.parametrize(("factor", "words"), [(0.4, "label bias"), (1.0, None), (2.6, "under-diagnosis")])
def test_use_that_does_not_follow_need_along_deprivation_is_named(world, factor, words):
    world = world._replace(groups=five_fifths(world))
    found, settings = run_with(world, admitted(world, factor), minimum_use_gradient=0.8)
    said = [
        f"{verdict}: {sentence}"
        for verdict, sentence in also_judged(found, settings)
        if "use at the same need" in sentence
    ]
    assert (len(said) == 0) if words is None else (words in said[0] and said[0].startswith("fail"))


def test_silent_practices_of_the_most_deprived_fail_the_list_by_name(world):
    silent = (world.groups["imd_quintile"] == "1 most deprived").to_numpy()
    found, settings = run_with(world, admitted(world, 1.0), silent)
    verdict = decide(found, settings)
    assert verdict.verdict == "fail"
    assert any(
        "records have stopped coming: the practices of 100% of 1 most deprived" in reason for reason in verdict.reasons
    )


def test_silence_of_every_practice_cannot_be_told_by_name(world):
    found, settings = run_with(world, admitted(world, 1.0), silent=True)
    said = [pair for pair in also_judged(found, settings) if "records have stopped coming" in pair[1]]
    assert [verdict for verdict, _ in said] == ["cannot tell"]
    assert "the practices of 100% of the eligible people have sent nothing for 28 days" in said[0][1]


def test_without_records_of_practices_nobody_is_told_that_none_has_stopped(world):
    found, settings = run_with(world, admitted(world, 1.0))
    assert any(
        "Nobody looked at whether practices have stopped" in finding for finding in decide(found, settings).findings
    )
    found, settings = run_with(world, admitted(world, 1.0), silent=False)
    assert not any("Nobody looked at whether practices" in finding for finding in decide(found, settings).findings)


def test_shares_of_stopped_feeds_come_from_rounded_counts(world):
    first = np.flatnonzero(world.groups["imd_quintile"] == "1 most deprived")
    silent = np.isin(np.arange(len(world.groups)), first[: len(first) // 3])
    found, settings = run_with(world, admitted(world, 1.0), silent)
    shown = controlled_feeds(found).set_index("group").loc["1 most deprived", "share"]
    assert any(f"the practices of {shown:.0%} of 1 most deprived" in said for _, said in also_judged(found, settings))


def use_of_fifths(ratios, people=500, **labels):
    """Measures of use at the same need, each known to within a tenth; nobody admitted has no lower limit."""
    value = np.array(ratios)
    names = labels.get("names", ["1 most deprived", "2", "3", "4", "5 least deprived"])
    return pd.DataFrame(
        {"grouping": "imd_quintile", "group": names, "measure": "use_at_same_need", "value": value, "people": people}
    ).assign(low=value * 0.9, high=np.where(value > 0, value * 1.1, 0.02))


def use_row(measures):
    cells = pd.DataFrame(
        {"imd_quintile": ["1 most deprived", "3"], "listed": [True, False], "high_need": [True, False]}
    )
    rows = gradient_rows(cells, measures, Levels(0.95, 0.99), Fairness(), [1])
    return rows.set_index(["what", "measure"]).loc[HIDDEN_TROUBLE["use_at_same_need"]]


@pytest.mark.parametrize(
    ("ratios", "below"),
    [([0, 1.1, 1.2, 1.2, 1.3], True), ([0.05, 0.5, 1.1, 1.6, 2.2], True), ([2.4, 1.5, 0.6, 0.3, 0.1], False)],
)
def test_a_gradient_too_steep_for_a_straight_line_fails(ratios, below):
    row = use_row(use_of_fifths(ratios))
    assert row["verdict"] == "fail"
    assert (row["value"] < 1) == below


def test_a_moderate_gradient_is_that_of_the_straight_line():
    ratios = np.array([1.2, 1.1, 1.0, 0.9, 0.8])
    row = use_row(use_of_fifths(ratios))
    assert row["value"] == pytest.approx(slope(np.full(5, 500.0), 500 * ratios).relative_index, rel=0.05)


def test_an_area_without_a_fifth_is_judged_by_those_it_has():
    names = ["1 most deprived", "3", "4"]
    assert use_row(use_of_fifths([0.3, 1.0, 1.1], names=names))["verdict"] == "fail"
    assert use_row(use_of_fifths([0.3, 1.0, 1.1], people=[500, 99, 99], names=names))["verdict"] == "cannot tell"


def coming_and_going(world, turned_away=0.0, unwritten=0.0):
    """A world in which illness brings people to emergency departments and a third of those visits to a bed, where two in three
    conditions that are found were on record, but for what is done to the most deprived: some are turned away, and of some
    illness is not written down. Returns the world, admissions, attendances and what hospitals found."""
    rng = np.random.default_rng(4)
    poorest = (world.groups["imd_quintile"] == "1 most deprived").to_numpy()
    attended = rng.poisson(0.3 + world.scores["need"].to_numpy()) * 1.0
    use = rng.binomial(attended.astype(int), np.where(poorest, 0.33 * (1 - turned_away), 0.33)) * 1.0
    found = pd.DataFrame(
        {"person_id": world.groups["person_id"], "condition": rng.choice(["copd", "diabetes"], len(use))}
    )
    usual = np.where(found["condition"] == "copd", 0.6, 0.75)
    found["first"] = rng.random(len(use)) < usual * np.where(poorest, 1 - unwritten, 1)
    need = world.scores["need"] * np.where(poorest & ~found["first"], 1 - unwritten, 1)
    return world._replace(scores=world.scores.assign(need=need)), use, attended, found


@pytest.mark.parametrize(
    ("turned_away", "unwritten", "named"),
    [
        (0.0, 0.0, []),
        (0.6, 0.0, ["label bias"]),
        (0.0, 0.6, ["under-diagnosis"]),
        (0.6, 0.6, ["label bias", "under-diagnosis"]),
    ],
)
def test_with_attendances_each_wrong_is_named_by_itself_and_neither_hides_the_other(
    world, turned_away, unwritten, named
):
    planted, use, attended, found = coming_and_going(world._replace(groups=five_fifths(world)), turned_away, unwritten)
    found, settings = run_with(planted, use, attended=attended, found=found)
    failed = [said for said in decide(found, settings).reasons if "more than chance" in said]
    assert [words for words in ("label bias", "under-diagnosis") if any(words in said for said in failed)] == named
    verdicts = found.gradients.set_index("what")["verdict"]
    assert verdicts["use_at_same_need"] == "reported"


def test_the_whole_population_and_its_groups_share_the_false_alarms(world):
    _, use, attended, _ = coming_and_going(world)
    without = run_with(world, use)[0].gradients.set_index("what").loc["use_at_same_need"]
    found = run_with(world, use, attended=attended)[0]
    groups = found.totals["comparisons"] - 1
    assert 1 - found.levels.wide == pytest.approx(0.05 / 2 / groups)
    assert without["wide_high"] > without["high"]


def test_where_use_was_not_measured_the_gate_does_not_ask_for_it(world, tools):
    assert not [said for _, said in also_judged(tools["run"](world), Fairness()) if "use at the same need" in said]


def test_a_gradient_that_cannot_be_worked_out_is_told(world):
    one = world.groups.assign(imd_quintile="1 most deprived")
    for use, groups in ((admitted(world, 1.0), one), (0.0, world.groups)):
        found, settings = run_with(world, use, groups=groups)
        told = [pair for pair in also_judged(found, settings) if "use at the same need" in pair[1]]
        assert [verdict for verdict, _ in told] == ["cannot tell"]
        assert "it cannot be compared" in told[0][1]


def test_a_cause_is_named_only_where_the_gradient_fails(world):
    found, settings = run_with(world, admitted(world, 1.0), minimum_use_gradient=0.99, maximum_use_gradient=1.01)
    told = [pair for pair in also_judged(found, settings) if "use at the same need" in pair[1]]
    assert [verdict for verdict, _ in told] == ["cannot tell"]
    assert "bias" not in told[0][1]
    assert "diagnosis" not in told[0][1]


def test_too_much_unknown_ethnicity_cannot_be_told_by_name(world):
    unknown = world.groups["ethnic_group"].where(np.arange(len(world.groups)) % 2 == 0, "not known")
    found, settings = run_with(world, admitted(world, 1.0), groups=world.groups.assign(ethnic_group=unknown))
    said = [sentence for _, sentence in also_judged(found, settings) if "it is not known for" in sentence]
    assert len(said) == 1
    assert "at most 15%" in said[0]


def test_a_verdict_that_turns_on_the_unknown_is_told():
    labels = pd.Series(["White"] * 6 + ["Black"] * 2 + ["not known"] * 2)

    def judge(people, test):
        short = "fail" if (people == "Black").sum() > 3 else "pass"
        return pd.DataFrame({"group": ["Black", "White"], "verdict": [short, "pass"]})

    found = each_in_turn(labels, labels, judge)
    assert found.to_dict("list") == {
        "assumed": ["as recorded", "Black", "White"],
        "verdict": ["pass", "fail", "pass"],
        "worst_group": ["", "Black", ""],
    }


def test_small_cells_move_towards_one_and_large_ones_stay():
    rng = np.random.default_rng(1)
    cells = [(f"c{n:02d}", 40) for n in range(30)] + [("big", 20_000)]
    people = pd.DataFrame({"cell": np.repeat([name for name, _ in cells], [size for _, size in cells])})
    people["high_need"] = rng.random(len(people)) < 0.2
    people["listed"] = rng.random(len(people)) < np.where(people["cell"] == "big", 0.04, 0.1)
    rows = pooled_rows(people, "cell", 0.95).set_index("group")
    assert abs(rows.loc["big", "pooled"] / rows.loc["big", "raw"] - 1) < 0.02
    small = rows.drop("big")
    assert small["pooled"].std() < small["raw"].std() / 2
    assert (rows["low"] < rows["pooled"]).all()
    assert (rows["pooled"] < rows["high"]).all()


def test_nobody_listed_leaves_nothing_to_pool():
    people = pd.DataFrame({"cell": ["a", "b"], "listed": [False, False], "high_need": [True, False]})
    assert pooled_rows(people, "cell", 0.95).empty


def test_a_list_by_use_passes_over_those_who_are_turned_away():
    people = pd.DataFrame(
        {
            "person_id": range(100),
            "imd_quintile": ["1 most deprived"] * 50 + ["5 least deprived"] * 50,
            "need": [float(n % 50) for n in range(100)],
            "use": [0.0] * 50 + [float(n) for n in range(50)],
            "listed": [n % 50 >= 45 for n in range(100)],
            "high_need": [n % 50 >= 45 for n in range(100)],
        }
    )
    rows = label_rows(people).set_index("label")
    assert rows["core20"].to_dict() == {"list": 5, "need": 5, "use": 0}
    assert rows.loc["use", "inequity"] == pytest.approx(0.5)
    assert rows.loc["need", "inequity"] == pytest.approx(0)
    assert rows["places"].tolist() == [10, 10, 10]


def test_the_analysts_part_and_the_record_hide_small_counts(world):
    silent = np.arange(len(world.groups)) % 1500 == 0
    found, settings = run_with(world, admitted(world, 1.0), silent)
    shown = controlled_feeds(found)
    assert not shown["silent"].isin(range(1, 8)).any()
    assert found.feeds["silent"].isin(range(1, 8)).any()
    pooled = controlled_pooled(found)
    assert pooled["hidden"].any()
    assert pooled.loc[pooled["hidden"], ["raw", "pooled"]].isna().all().all()
    assert "expected" not in pooled
    page = further_section(found)
    assert "Whose practice has stopped sending records" in page
    told = to_json(found, decide(found, settings))
    assert {"along_deprivation", "other_labels", "small_cells", "stopped_feeds"} <= set(told)
