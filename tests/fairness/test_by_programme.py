"""A place is not a place: places of each programme are held against need by themselves, and case management is gated on alone."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from casewell.settings import CASE_MANAGEMENT, Fairness
from fairness.analyst import write_tables_page
from fairness.audit import audit
from fairness.by_programme import judged_alone, programme_rows
from fairness.controlled import controlled_measures, controlled_programmes
from fairness.gate import decide
from fairness.levels import Levels
from fairness.page import write_page
from fairness.record import to_json


def held_by(world, other):
    """The programme of each listed person: `other` says of whom it is walks."""
    listed = world.groups[world.groups["person_id"].isin(world.selected)]
    return pd.Series(np.where(other(listed), "walks", CASE_MANAGEMENT), index=listed["person_id"])


def audited(world, held, settings):
    return audit(world.groups, world.scores, world.selected, world.test, world.lost, settings, 1, held=held)


@pytest.fixture(scope="module")
def divided(tools):
    """As many places for each group as its need, but Asian people have only walks; of the others all have case management."""
    world = tools["make_world"](20_000, places=0.1)
    return audited(world, held_by(world, lambda listed: listed["ethnic_group"] == "Asian"), Fairness())


def test_a_list_fair_over_all_programmes_fails_where_a_group_gets_no_case_management(divided):
    whole = divided.measures.set_index(["grouping", "group", "measure"]).loc[("ethnic_group", "Asian", "share_ratio")]
    assert whole["verdict"] == "pass"
    verdict = decide(divided, Fairness())
    assert (verdict.verdict, verdict.released) == ("fail", False)
    (failed,) = (reason for reason in verdict.reasons if "more than chance" in reason)
    assert failed.startswith(
        "Ethnic group, Asian, of case management alone: share of places over share of need is 0.00"
    )


def test_programmes_dealt_alike_do_not_fail_and_another_programme_never_decides(divided):
    walks = divided.programmes[divided.programmes["programme"] == "walks"]
    assert set(walks["verdict"]) == {"reported"}
    assert walks.loc[walks["group"] == "White", "value"].item() == 0
    ours = divided.programmes[divided.programmes["programme"] == CASE_MANAGEMENT]
    assert set(ours.loc[ours["grouping"] == "sex", "verdict"]) == {"pass"}
    both = divided.programmes.query("grouping == 'sex'").groupby("group")["count"].sum()
    places = divided.measures.query("grouping == 'sex' and measure == 'share_of_places'").set_index("group")["count"]
    assert both.to_dict() == places.to_dict()


def people(*programmes):
    return pd.DataFrame(
        {
            "person_id": range(len(programmes)),
            "sex": ["female", "male"] * (len(programmes) // 2),
            "programme": programmes,
            "listed": [bool(programme) for programme in programmes],
            "high_need": True,
        }
    )


def test_with_one_programme_nothing_is_told_or_judged_twice():
    settings = Fairness(gate_on=["sex"], minimum_people=2)
    for one in (people(CASE_MANAGEMENT, CASE_MANAGEMENT, "", ""), people("walks", "walks", "", ""), people("", "")):
        assert programme_rows(one, ["sex"], settings, Levels(0.95, 0.95), 1).empty
        assert judged_alone(one, settings) == 0
    assert judged_alone(people(CASE_MANAGEMENT, "walks", "", ""), settings) == 2
    assert judged_alone(people("help", "walks", "", ""), settings) == 0


def test_a_group_whose_places_are_hidden_shows_none_of_one_programme(tools):
    world = tools["make_world"](3_000, places=0.02)
    held = held_by(world, lambda listed: listed["person_id"] % 3 == 0)
    found = audited(world, held, Fairness(draws=100))
    shown = controlled_programmes(found)
    assert not shown["count"].isin(range(1, 8)).any()
    assert shown.loc[shown["hidden"], ["value", "low", "high"]].isna().all().all()
    whole = controlled_measures(found).query("measure == 'share_of_places'").set_index(["grouping", "group"])["count"]
    kept_back = whole.index[whole.isna()]
    assert len(kept_back)
    assert shown.set_index(["grouping", "group"]).loc[kept_back, "count"].isna().all()
    for _, rows in shown.groupby(["grouping", "group"]):
        counts = rows["count"].fillna(-1)
        assert (counts == -1).sum() != 1 or (counts[counts >= 0] == 0).all()


def test_the_pages_and_the_record_show_places_of_each_programme(divided, tmp_path):
    verdict = decide(divided, Fairness())
    about = {"title": "Northshire", "as_of": dt.date(2026, 9, 28), "synthetic": True}
    board = write_page(divided, verdict, tmp_path / "a.html", **about, evidence_grade="assumed").read_text()
    assert "Of the places of case management, ethnic group Asian has least for its need: 0.00 times" in board
    tables = write_tables_page(divided, verdict, tmp_path / "b.html", **about).read_text()
    assert "Places by programme" in tables
    json.dumps(to_json(divided, verdict), allow_nan=False)
