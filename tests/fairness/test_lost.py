"""Who was lost before any model: shown, told, and decided by."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from casewell.settings import Fairness
from fairness.analyst import write_tables_page
from fairness.controlled import controlled_differences, controlled_lost
from fairness.gate import decide
from fairness.page import write_page
from fairness.record import to_json
from fairness.sentences import about_lost
from records.tables import LOSSES

MORE_LOST = ("Asian", "no_person_found")


@pytest.fixture(scope="module")
def world(tools):
    return tools["make_world"](200_000)


def audited(tools, world, fair, **lost):
    """The audit of the fair world, had its groups lost other shares: nothing else of it rests on who was lost."""
    changed = {(group, measure): share for measure, (group, share) in lost.items()}
    return tools["with_lost"](fair, tools["lost_table"](world.groups, changed))


def difference(found, grouping="ethnic_group", measure="no_person_found"):
    rows = found.lost_differences
    return rows[(rows["grouping"] == grouping) & (rows["measure"] == measure)].iloc[0]


def test_a_group_whose_records_find_no_person_far_oftener_fails_by_name(tools, world):
    lost = tools["lost_table"](world.groups, {MORE_LOST: 0.06})
    found = tools["run"](world._replace(lost=lost), Fairness(draws=100))
    row = difference(found)
    assert (row["best"], row["worst"], row["verdict"]) == ("Black", "Asian", "fail")
    assert row["wide_low"] < row["low"] < 0.04 < row["high"] < row["wide_high"]
    verdict = decide(found, Fairness())
    assert (verdict.verdict, verdict.released) == ("fail", False)
    assert verdict.reasons == (
        "Ethnic group, lost before any model (a record that found no person): Asian lies 4.0 percentage points above "
        f"{row['best']} (interval {100 * row['low']:.1f} to {100 * row['high']:.1f}), more than the 2 that are "
        "tolerated, by more than chance.",
    )


def test_a_difference_within_what_is_tolerated_passes(tools, world, fair):
    found = audited(tools, world, fair, no_person_found=("Asian", 0.03))
    assert difference(found)["low"] > 0
    assert decide(found, Fairness()).verdict == "pass"
    assert not any("lost before any model" in told for told in decide(fair, Fairness()).findings)


def test_a_difference_that_may_be_within_or_beyond_cannot_tell(tools, world, fair):
    verdict = decide(audited(tools, world, fair, quarantined=("Asian", 0.04)), Fairness())
    assert verdict.verdict == "cannot tell"
    assert "not clearly within the 2 that are tolerated" in verdict.reasons[0]


def test_opting_out_more_is_told_and_does_not_decide(tools, world, fair):
    verdict = decide(audited(tools, world, fair, opted_out=("Black", 0.08)), Fairness())
    assert verdict.verdict == "pass"
    (finding,) = (told for told in verdict.findings if "lost before any model" in told)
    assert finding.startswith("Ethnic group, lost before any model (opted out): Black lies 6.0 percentage points above")


def test_a_grouping_that_is_not_gated_on_is_told_and_does_not_decide(tools, world, fair):
    settings = Fairness(gate_on=["sex"])
    found = tools["with_lost"](fair, tools["lost_table"](world.groups, {MORE_LOST: 0.06}), settings)
    verdict = decide(found, settings)
    assert verdict.verdict == "pass"
    assert any("a record that found no person" in finding for finding in verdict.findings)


def test_no_table_of_the_lost_cannot_tell(tools, fair):
    found = tools["with_lost"](fair, fair.lost.iloc[:0])
    verdict = decide(found, Fairness())
    assert verdict.verdict == "cannot tell"
    assert sum("fewer than two groups of 100 people" in reason for reason in verdict.reasons) == 4
    assert about_lost(found).startswith("Too few people")


def test_people_whose_group_is_not_known_are_shown_and_not_compared(tools, world, fair):
    found = audited(tools, world, fair, no_person_found=("not recorded", 0.6))
    assert difference(found)["verdict"] == "pass"
    assert "not recorded" in set(controlled_lost(found)["group"])
    assert "people by ethnic group" in about_lost(found)


def test_a_small_count_is_hidden_and_cannot_be_reckoned_back_from_the_difference(tools):
    world = tools["make_world"](3_000)
    black = int((world.groups["ethnic_group"] == "Black").sum())
    shown = []
    for count in (1, 6):
        lost = tools["lost_table"](world.groups, {("Black", "no_person_found"): count / black})
        found = tools["run"](world._replace(lost=lost))
        shown.append(to_json(found, decide(found, Fairness()))["lost_before_any_model"])
        (hidden,) = [
            row for row in shown[-1]["groups"] if (row["group"], row["measure"]) == ("Black", "no_person_found")
        ]
        assert hidden["hidden"]
        assert {hidden[name] for name in ("count", "share", "low", "high")} == {None}
        assert not {row["count"] for row in shown[-1]["groups"]} & set(range(1, 8))
    figures = [
        [{name: row[name] for name in ("best", "worst", "value", "low", "high")} for row in told["differences"]]
        for told in shown
    ]
    assert figures[0] == figures[1]


def test_where_fewer_than_two_groups_can_be_shown_the_verdict_stays(tools):
    world = tools["make_world"](3_000)
    few = {(group, "no_person_found"): 3 / 400 for group in ("White", "Asian", "Black")}
    found = tools["run"](world._replace(lost=tools["lost_table"](world.groups, few)))
    rows = controlled_differences(found).set_index(["grouping", "measure"])
    row = rows.loc[("ethnic_group", "no_person_found")]
    assert row["hidden"]
    assert np.isnan(row["value"])
    assert row["verdict"] == difference(found)["verdict"] == "cannot tell"
    assert any("too few to show" in reason for reason in decide(found, Fairness()).reasons)


def test_the_pages_show_the_lost_with_sentence_and_picture_and_with_tables(tools, world, fair, tmp_path):
    found = audited(tools, world, fair, no_person_found=("Asian", 0.06), opted_out=("Black", 0.08))
    verdict, about = (
        decide(found, Fairness()),
        {"title": "Northshire", "as_of": dt.date(2026, 9, 28), "synthetic": True},
    )
    page = write_page(found, verdict, tmp_path / "fairness.html", **about, evidence_grade="assumed").read_text()
    section = page[page.index("<h2>Lost before any model</h2>") :]
    assert about_lost(found) in section
    assert "Ethnic group: Asian lies 4.0 percentage points above" in about_lost(found)
    assert 'id="lost-title"' in section
    tables = write_tables_page(found, verdict, tmp_path / "fairness_tables.html", **about).read_text()
    section = tables[tables.index("<h2>Lost before any model</h2>") :]
    assert about_lost(found) in section
    for words in ("Opted out", "Known to one service only, and not registered", "how far apart the groups are"):
        assert words in section
    assert "The gate does not decide by this, and it is so" in tables
    assert "Black lies 6.0 percentage points above" in tables


def test_where_all_groups_lost_the_same_share_none_is_said_to_lie_above_another(tools):
    world = tools["make_world"](2_000)
    none = {(group, loss): 0.0 for group in set(world.lost["group"]) for loss in LOSSES}
    settings = Fairness(draws=100, maximum_lost_difference=0.001)
    found = tools["run"](world._replace(lost=tools["lost_table"](world.groups, none)), settings)
    said = [about_lost(found), *decide(found, settings).reasons]
    assert not [sentence for sentence in said if " points above " in sentence]
    assert "Ethnic group: all groups lost the same share (a difference of up to" in said[0]
    assert [
        sentence for sentence in said[1:] if "all groups lost the same share, but a difference of up to" in sentence
    ]
