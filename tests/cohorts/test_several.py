"""Several programmes: who is offered what, who waits for it, and what a budget changes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

from casewell.errors import SettingsError
from casewell.settings import OtherProgramme, Policy, Stability, Teams
from cohorts import (
    Earlier,
    OtherProgrammes,
    allocate,
    as_offered,
    ledger,
    listed_with,
    price,
    turnover,
    turnover_counts,
)
from cohorts.answers import DECLINED, ON_IT
from cohorts.changes import personal_changes
from cohorts.price_page import of_programmes
from cohorts.tables import ROUTES, TURNOVER
from cohorts.turnover_sheet import told_to_teams
from cohorts.whys import KEEPS
from fairness import group_table

KEY = b"a key for tests"
AS_OF = dt.date(2026, 9, 28)
OWNED = {"owner": "A. Director", "review_date": dt.date(2027, 4, 1)}
TITLES = {"case_management": "Case management", "link": "Social prescribing", "review": "Medication review"}
FEW = Teams(default_capacity=1, reserve_share=0)


def programme(number: int, cost: float | None = None, **more) -> OtherProgramme:
    told = {"share": 0.1, "source": "An owner who answers for it"}
    return OtherProgramme(title="Social prescribing", **OWNED, cost=cost, default_places=number, benefit=told, **more)


def beside(
    gains: dict[str, dict[int, float]], place_cost: float = 0.0, **programmes: OtherProgramme
) -> OtherProgrammes:
    rows = [(person, code, gain) for code, people in gains.items() for person, gain in people.items()]
    table = pd.DataFrame(rows, columns=["person_id", "programme", "benefit"])
    table = table.assign(
        eligible=True, benefit_low=np.nan, benefit_high=np.nan, supported=False, evidence_grade="assumed"
    )
    return OtherProgrammes(programmes, table, place_cost)


def places(table: pd.DataFrame, status: str = "listed") -> dict[int, str]:
    found = table[table["status"] == status]
    return dict(zip(found["person_id"], found["programme"], strict=True))


def test_a_person_gets_the_programme_that_makes_the_most_of_everybodys_places(people, scores):
    """Person 1 would gain most from either; person 2 gains from case management alone."""
    others = beside({"link": {1: 0.035, 3: 0.001}}, link=programme(1))
    scored = scores({"benefit": 0.04}, {"benefit": 0.03}, {"benefit": 0.002})
    table = allocate(scored, people({}, {}, {}), FEW, KEY, others=others)
    assert places(table) == {1: "link", 2: "case_management"}
    assert table["rank"].tolist()[:2] == [1, 2]
    assert table["person_id"].tolist() == [1, 2, 3]
    assert table.set_index("person_id").loc[3, ["programme", "why"]].tolist() == ["", "others had more to gain"]


def test_rank_is_the_order_of_weighted_benefit_over_all_programmes(people, scores):
    rows = [{"imd_decile": decile} for decile in (10.0, 10.0, 1.0)]
    others = beside({"link": {3: 0.03}}, link=programme(1))
    everybody, scored = people(*rows), scores({"benefit": 0.05}, {"benefit": 0.04}, {"benefit": 0.01})
    policy, teams = Policy(inequality_aversion=5, **OWNED), Teams(default_capacity=2)
    table = allocate(scored, everybody, teams, KEY, policy, group_table(everybody, AS_OF), others=others)
    assert table["person_id"].tolist() == [3, 1, 2]
    assert table["programme"].tolist() == ["link", "case_management", "case_management"]


def test_reserve_is_kept_by_programme_and_each_person_waits_for_one(people, scores):
    teams = Teams(default_capacity=2, reserve_share=0.5)
    others = beside({"link": {1: 0.01, 3: 0.045, 4: 0.06, 5: 0.02, 6: 0.019}}, link=programme(2))
    scored = scores(*[{"benefit": gain} for gain in (0.09, 0.08, 0.05, 0.005, 0.001, -0.1)])
    table = allocate(scored, people(*[{}] * 6), teams, KEY, others=others)
    assert places(table) == {1: "case_management", 2: "case_management", 4: "link", 3: "link"}
    assert places(table, "reserve") == {5: "link"}
    more = allocate(scored, people(*[{}] * 6), teams.model_copy(update={"reserve_share": 1.0}), KEY, others=others)
    assert places(more, "reserve") == {5: "link", 6: "link"}
    assert more.set_index("person_id").loc[[5, 6], "rank"].tolist() == [5, 6]


def test_somebody_whose_better_line_is_full_waits_in_the_other(people, scores):
    teams = Teams(default_capacity=1, reserve_share=1)
    gains = {1: 0.09, 2: 0.08, 3: 0.05, 4: 0.04, 5: 0.03}
    others = beside({"link": {3: 0.03, 4: 0.035, 5: 0.001, 2: 0.07}}, link=programme(1))
    table = allocate(
        scores(*[{"benefit": gain} for gain in gains.values()]), people(*[{}] * 5), teams, KEY, others=others
    )
    assert places(table) == {1: "case_management", 2: "link"}
    assert places(table, "reserve") == {3: "case_management", 4: "link"}


def test_a_budget_buys_what_helps_most_for_the_money(people, scores):
    """For 1,500 pounds: one place of case management, or one that costs 100 for each of three people."""
    others = beside({"link": dict.fromkeys((1, 2, 3), 0.02)}, 1500.0, link=programme(3, 100))
    scored = scores(*[{"benefit": 0.05}] * 3)
    everybody, teams = people({}, {}, {}), Teams(default_capacity=3)
    free = allocate(scored, everybody, teams, KEY, others=others)
    assert set(places(free).values()) == {"case_management"}
    bound = teams.model_copy(update={"budgets": {"T1": 1500.0}})
    assert sorted(places(allocate(scored, everybody, bound, KEY, others=others)).values()) == ["link"] * 3
    a_little_more = teams.model_copy(update={"budgets": {"T1": 1700.0}})
    assert sorted(places(allocate(scored, everybody, a_little_more, KEY, others=others)).values()) == [
        "case_management",
        "link",
        "link",
    ]


def test_a_budget_for_case_management_alone_says_no_programme(people, scores):
    teams = Teams(default_capacity=3, budgets={"T1": 2500.0})
    table = allocate(
        scores({}, {}, {}, {}), people({}, {}, {}, {}), teams, KEY, others=OtherProgrammes(place_cost=1000.0)
    )
    assert (table["status"] == "listed").sum() == 2
    assert "programme" not in table


def test_one_programme_without_a_budget_gives_the_places_that_were_given_before(people, scores):
    rng = np.random.default_rng(3)
    rows = [{"team_code": f"T{n % 3}", "practice_code": f"P{n % 6}", "imd_decile": 1.0 + n % 10} for n in range(90)]
    everybody, scored = people(*rows), scores(*[{"benefit": float(gain)} for gain in rng.normal(0.02, 0.02, 90)])
    groups, teams = group_table(everybody, AS_OF), Teams(default_capacity=6)
    last = everybody.loc[everybody["person_id"] % 5 == 0, ["person_id", "team_code"]]
    for policy in (Policy(), Policy(inequality_aversion=3, floors={"core20": 0.3, "practice": 0.6}, **OWNED)):
        for limit in (Stability(), Stability(keep_within=0.2, most_replaced=0.4)):
            asked = (scored, everybody, teams, KEY, policy, groups, 0.1, limit, last)
            pd.testing.assert_frame_equal(allocate(*asked), allocate(*asked, others=OtherProgrammes()))


def test_a_floor_counts_a_place_in_any_programme(people, scores):
    rows = [{"imd_decile": 1.0}] * 4 + [{"imd_decile": 10.0}] * 8
    everybody = people(*rows)
    scored = scores(*[{"benefit": 0.001}] * 4, *[{"benefit": 0.05}] * 8)
    others = beside({"link": {1: 0.02, 2: 0.01, 5: 0.03, 6: 0.03}}, link=programme(2))
    policy = Policy(floors={"core20": 0.5}, **OWNED)
    asked = (scored, everybody, Teams(default_capacity=4), KEY, policy, group_table(everybody, AS_OF))
    table = allocate(*asked, others=others)
    poor = {person: what for person, what in places(table).items() if person <= 4}
    assert len(places(table)) == 6
    assert sorted(poor.values()) == ["case_management", "link", "link"]
    assert set(table.loc[table["person_id"].isin(poor), "why"]) == {"by the policy on places"}


def test_a_floor_is_a_share_of_the_places_that_can_be_filled_and_paid_for(people, scores):
    """Of 24 places five can be filled, or three where the money ends: half of that is asked, rounded up."""
    everybody = people(*[{"imd_decile": 1.0}] * 6, *[{"imd_decile": 10.0}] * 6)
    scored = scores(*[{"benefit": 0.01}] * 6, *[{"benefit": 0.05}] * 6)
    others = beside({"link": {7: 0.04}}, 1000.0, link=programme(20))
    policy, groups = Policy(floors={"core20": 0.5}, **OWNED), group_table(everybody, AS_OF)
    for budgets, filled, poor in (({}, 5, 3), ({"T1": 2100.0}, 3, 2)):
        teams = Teams(default_capacity=4, budgets=budgets)
        found = places(allocate(scored, everybody, teams, KEY, policy, groups, others=others))
        assert (len(found), sum(person <= 6 for person in found)) == (filled, poor)


def test_floors_that_who_may_have_what_cannot_meet_say_the_nearest(people, scores):
    everybody = people(*[{"imd_decile": 1.0}] * 2, *[{"imd_decile": 10.0}] * 6)
    scored = scores(*[{"benefit": -0.01}] * 2, *[{"benefit": 0.05}] * 6)
    others = beside({"link": {1: 0.02, 2: 0.01, 5: 0.03, 6: 0.03}}, link=programme(1))
    policy = Policy(floors={"core20": 0.5}, **OWNED)
    asked = (scored, everybody, Teams(default_capacity=3), KEY, policy, group_table(everybody, AS_OF))
    with pytest.raises(SettingsError, match=r"core20 is 0\.5: 0\.25 is the nearest that can be met"):
        allocate(*asked, others=others)


def test_places_for_a_team_that_does_not_exist_name_the_nearest(people, scores):
    others = beside({"link": {1: 0.02}}, link=programme(0, places={"NORHT": 3}))
    teams = Teams(budgets={"NROTH": 10})
    with pytest.raises(SettingsError) as refused:
        allocate(scores({}), people({"team_code": "NORTH"}), teams, KEY, others=others)
    assert re.findall(r"(\S+) names '(\w+)'", str(refused.value)) == [
        ("teams.budgets", "NROTH"),
        ("programmes.link.places", "NORHT"),
    ]


def test_shuffling_people_changes_nothing_and_another_key_breaks_ties_otherwise(people, scores):
    rows = [{"team_code": f"T{n % 2}"} for n in range(30)]
    everybody, scored = people(*rows), scores(*[{"benefit": 0.01}] * 30)
    others = beside({"link": dict.fromkeys(range(1, 31), 0.01)}, link=programme(3, 100))
    teams = Teams(default_capacity=4, budgets={"T0": 250})
    first = allocate(scored, everybody, teams, KEY, others=others)
    mixed = OtherProgrammes(others.programmes, others.scores.sample(frac=1, random_state=2), others.place_cost)
    again = allocate(
        scored.sample(frac=1, random_state=1), everybody.sample(frac=1, random_state=3), teams, KEY, others=mixed
    )
    pd.testing.assert_frame_equal(first, again)
    chosen = [places(allocate(scored, everybody, teams, bytes([key]), others=others)) for key in range(5)]
    assert len({tuple(sorted(one.items())) for one in chosen}) == 5


@pytest.fixture
def two_weeks(people, scores):
    """Person 1 moves to another programme, person 2 leaves, person 3 comes."""
    everybody = people({}, {}, {})
    others = beside({"link": {1: 0.05, 2: 0.001}}, link=programme(1))
    scored = scores({"benefit": 0.04}, {"benefit": 0.002}, {"benefit": 0.03})
    table = allocate(scored, everybody, FEW, KEY, others=others)
    was = pd.DataFrame(
        [(1, "T1", "listed", "case_management"), (2, "T1", "listed", "link")],
        columns=["person_id", "team_code", "status", "programme"],
    ).assign(risk_band="less than 1 in 10", need_band="lower half")
    doors = pd.DataFrame(columns=["person_id", "door", "why"]).astype({"person_id": "int64"})
    earlier = Earlier(dt.date(2026, 9, 21), was, {"T1": 1}, doors, {"link": programme(1)})
    return everybody, others, scored, table, earlier


def test_a_move_between_programmes_is_neither_leaving_nor_entering(two_weeks, removed):
    everybody, _, scored, table, earlier = two_weeks
    assert places(table) == {1: "link", 3: "case_management"}
    routes = pd.DataFrame({"person_id": [1, 2, 3], "door": "eligible", "why": ""}).astype({"door": "str", "why": "str"})
    assert list(routes) == list(ROUTES.columns)
    account = ledger(everybody, removed(), routes, table)
    assert account.set_index("person_id")["programme"].to_dict() == {1: "link", 2: "", 3: "case_management"}
    moved = turnover(account, table, scored, {"T1": 2}, earlier)
    assert moved[["movement", "person_id", "programme"]].to_numpy().tolist() == [
        ["entered", 3, "case_management"],
        ["left", 2, "link"],
    ]
    assert list(moved) == list(TURNOVER.columns)
    counted = turnover_counts(moved, table, scored, Stability(), earlier)
    assert counted["moved_between_programmes"] == 1
    assert "1 are listed for another programme than last time" in counted["says"][1]
    cohort = table[table["status"] == "listed"].assign(risk_band="less than 1 in 10", need_band="lower half")
    news = pd.DataFrame({"person_id": [1], "label": ["x"], "news": pd.to_datetime([None])})
    said = personal_changes(cohort, news, earlier, TITLES).set_index("person_id")["changed"].to_dict()
    assert said == {1: "was listed for Case management", 3: "new on the list"}


@pytest.mark.parametrize(
    ("why", "cause", "told"),
    [
        (None, "score", "others have more to gain now"),
        (ON_IT, "routed", "already on the programme"),
        (DECLINED, "declined", "declined: offer again later"),
    ],
)
def test_whoever_started_or_declined_another_programme_did_not_leave_by_the_scores(
    why, cause, told, two_weeks, removed
):
    everybody, _, scored, table, earlier = two_weeks
    routes = pd.DataFrame({"person_id": [1, 2, 3], "door": "eligible", "why": ""}).astype({"door": "str", "why": "str"})
    account = ledger(everybody, removed(), routes, table)
    # What person 1 or another programme is told of is no reason for person 2.
    closed = pd.DataFrame({"person_id": [1, 2], "programme": ["link", "walks"], "why": ON_IT})
    if why:
        closed.loc[len(closed)] = [2, "link", why]
    moved = turnover(account, table, scored, {"T1": 2}, earlier, None, closed)
    (left,) = told_to_teams(moved[moved["movement"] == "left"]).to_dict("records")
    assert (left["person_id"], left["cause"]) == (2, cause)
    assert left["why"].removesuffix("; now in reserve") == told


def test_a_change_of_another_programmes_places_is_told_from_a_change_of_score(two_weeks):
    everybody, others, scored, _, earlier = two_weeks
    asked = (scored, everybody, FEW, KEY, Policy(), pd.DataFrame(), 0.1, Stability(), None)
    assert listed_with(earlier, *asked, others) is None
    none_then = Earlier(earlier.as_of, earlier.cohort, {"T1": 1}, earlier.doors, {"link": programme(0)})
    assert listed_with(none_then, *asked, others) == [1]
    assert none_then.all_places() == {"T1": 1}


def test_the_limit_on_changes_keeps_somebody_in_any_programme(people, scores):
    everybody = people(*[{}] * 4)
    others = beside({"link": {1: 0.010, 4: 0.011}}, link=programme(1))
    scored = scores({"benefit": 0.001}, {"benefit": 0.03}, {"benefit": 0.02}, {"benefit": 0.002})
    last = pd.DataFrame({"person_id": [1, 3], "team_code": "T1"})
    asked = (scored, everybody, FEW, KEY, Policy(), None, 0.1)
    assert places(allocate(*asked, others=others)) == {2: "case_management", 4: "link"}
    kept = allocate(*asked, Stability(keep_within=0.2), last, others=others)
    assert places(kept) == {2: "case_management", 1: "link"}
    assert kept.set_index("person_id").loc[1, "why"] == KEEPS
    limited = allocate(*asked, Stability(most_replaced=0.5), last, others=others)
    assert places(limited) == {2: "case_management", 1: "link"}
    none = allocate(*asked, Stability(most_replaced=0), last, others=others)
    assert places(none) == {3: "case_management", 1: "link"}


def test_a_limit_that_lost_places_make_impossible_asks_for_as_many_as_there_are(people, scores):
    """Both on the last list can only have a place that one of them can have now."""
    everybody = people(*[{}] * 4)
    others = beside({"link": {1: 0.010, 2: 0.011}}, link=programme(1))
    scored = scores(*[{"benefit": gain} for gain in (-0.1, -0.1, 0.02, 0.03)])
    last = pd.DataFrame({"person_id": [1, 2], "team_code": "T1"})
    asked = (scored, everybody, FEW, KEY, Policy(), None, 0.1, Stability(most_replaced=0), last)
    assert places(allocate(*asked, others=others)) == {2: "link", 4: "case_management"}


def test_what_is_offered_brings_its_own_benefit_and_evidence(two_weeks):
    _, others, scored, table, _ = two_weeks
    offered = as_offered(table, scored, others).set_index("person_id")
    assert offered["benefit"].tolist() == [0.05, 0.002, 0.03]
    assert offered["evidence_grade"].tolist() == ["assumed", "compared", "compared"]
    assert offered["supported"].tolist() == [False, True, True]
    assert as_offered(table, scored, None) is scored


def test_the_price_counts_each_place_by_its_programme_and_says_what_the_budget_costs(people, scores):
    everybody = people(*[{"imd_decile": 1.0 + n % 10} for n in range(40)])
    scored = scores(*[{"benefit": 0.02 + n / 1000} for n in range(40)])
    others = beside({"link": dict.fromkeys(range(1, 41), 0.01)}, 1000.0, link=programme(15, 100))
    groups = group_table(everybody, AS_OF)
    prices = {}
    for budget in (None, 4500.0):
        teams = Teams(default_capacity=10, budgets={} if budget is None else {"T1": budget})
        table = allocate(scored, everybody, teams, KEY, others=others)
        listed = table[table["status"] == "listed"]
        held = listed.set_index("person_id")["programme"]
        found = price(
            listed["person_id"].to_numpy(), scored, everybody, groups, teams, Policy(), 0.1, KEY, False, others, held
        )
        worth = as_offered(table, scored, others).set_index("person_id")["benefit"][listed["person_id"]].sum()
        assert found.row("chosen")["benefit"] == pytest.approx(worth)
        assert found.programmes["benefit"].sum() == pytest.approx(worth)
        prices[budget] = found
    free, bound = prices[None], prices[4500.0]
    assert free.budgets_cost is None
    assert bound.budgets_cost == pytest.approx(free.row("chosen")["benefit"] - bound.row("chosen")["benefit"])
    assert free.programmes["filled"].tolist() == [10, 15]
    assert bound.programmes["filled"].tolist() == [3, 15]
    assert bound.programmes["pounds"].tolist() == [3000, 1500]
    said = of_programmes(free, TITLES)
    assert said[0].startswith("Case management: 10 of 10 places filled")
    assert said[1].endswith("15 of 15 places filled, 0.15 people expected to be spared, about £1,500.")
    hidden = of_programmes(bound, TITLES)
    assert hidden[0].startswith("Case management: * of")
    assert "£" not in hidden[0]
    assert "budgets cost" in hidden[-1]


def test_a_programme_that_is_closed_to_somebody_is_not_offered_and_the_ledger_says_why(people, scores):
    closed = pd.DataFrame(
        {
            "person_id": [1, 2, 3, 4],
            "programme": ["case_management", "link", "link", "link"],
            "why": [DECLINED, ON_IT, ON_IT, DECLINED],
        }
    )
    others = beside({"link": {1: 0.01, 2: 0.05, 3: 0.05, 4: 0.05}}, link=programme(2))
    scored = scores({"benefit": 0.9}, {"benefit": 0.03}, {"benefit": -0.1}, {"benefit": 0.02})
    table = allocate(scored, people({}, {}, {}, {}), FEW, KEY, others=dataclasses.replace(others, closed=closed))
    assert places(table) == {1: "link", 2: "case_management"}
    assert table.set_index("person_id")["why"].loc[[3, 4]].tolist() == [
        "Social prescribing already on the programme; of what else there is: no gain expected",
        "Social prescribing declined: offer again later; of what else there is: others had more to gain",
    ]


def test_another_programme_is_open_to_those_it_would_help_whose_team_has_places_of_it_and_who_gave_no_answer(people):
    closed = pd.DataFrame({"person_id": [3], "programme": ["link"], "why": [DECLINED]})
    some = programme(0, places={"T1": 1})
    others = dataclasses.replace(beside({"link": {1: 0.01, 2: -0.01, 3: 0.01, 4: 0.01}}, link=some), closed=closed)
    assert others.open_to(people({}, {}, {}, {"team_code": "T2"})) == [1]
    assert OtherProgrammes(place_cost=1.0).open_to(people({})) == []
