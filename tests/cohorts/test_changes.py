"""What changed since the last list, for each person and for the list; and how far a week may change it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Policy, Stability, Teams
from cohorts import Earlier, allocate, listed_with, personal_changes, turnover, turnover_counts
from cohorts.turnover_sheet import told_to_teams
from cohorts.whys import DRAWN, KEEPS, KEPT_OUT, NOT_DRAWN

NOT_NOW = "no offer for now: in hospital, with another service, or not the right time"
LAST = dt.date(2026, 9, 21)
LOW, HIGH = "1 in 10 to 1 in 4", "1 in 4 to 1 in 2"
NOBODYS_NEWS = pd.DataFrame({"person_id": [], "label": [], "news": []}).astype(
    {"person_id": "int64", "label": "str", "news": "datetime64[us]"}
)


def on_list(*rows: tuple[int, str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=["person_id", "team_code", "status", "risk_band"])
    return table.assign(need_band="upper half")


def earlier(cohort: pd.DataFrame, places: dict[str, int] | None = None, **doors: tuple[str, str]) -> Earlier:
    table = pd.DataFrame([(int(name[1:]), *door) for name, door in doors.items()], columns=["person_id", "door", "why"])
    return Earlier(LAST, cohort, places or {"T1": 2, "T2": 2}, table.astype({"person_id": "int64"}))


def test_a_first_week_says_so():
    assert personal_changes(on_list((1, "T1", "listed", LOW)), NOBODYS_NEWS, None)["changed"].tolist() == ["first list"]


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (None, ("T1", "listed", LOW), "new on the list"),
        (None, ("T1", "reserve", LOW), "new in reserve"),
        (("T1", "reserve", LOW), ("T1", "listed", LOW), "was in reserve"),
        (("T1", "listed", LOW), ("T1", "reserve", LOW), "was listed, now in reserve"),
        (("T2", "listed", LOW), ("T1", "listed", LOW), "new to this team"),
        (("T1", "listed", LOW), ("T1", "listed", HIGH), f"risk up, was {LOW}"),
        (("T1", "listed", HIGH), ("T1", "listed", LOW), f"risk down, was {HIGH}"),
        (("T1", "listed", LOW), ("T1", "listed", LOW), "no change"),
        (("T1", "reserve", HIGH), ("T1", "listed", LOW), f"was in reserve; risk down, was {HIGH}"),
    ],
)
def test_each_person_is_told_about_against_the_last_list(was, now, words):
    before = on_list((1, *was)) if was else on_list((9, "T1", "listed", LOW))
    assert personal_changes(on_list((1, *now)), NOBODYS_NEWS, earlier(before))["changed"].tolist() == [words]


def test_a_week_with_nobody_on_the_list_says_nothing_of_anybody():
    nobody = on_list((1, "T1", "listed", LOW)).iloc[:0]
    assert personal_changes(nobody, NOBODYS_NEWS, earlier(on_list((1, "T1", "listed", LOW)))).empty


def test_news_are_named_with_their_day_and_only_the_persons_own():
    news = pd.DataFrame(
        {
            "person_id": [1, 1, 2, 2],
            "label": ["emergency admission", "fall", "fall", None],
            "news": pd.to_datetime(["2026-09-24", "2026-09-25", None, "2026-09-25"]),
        }
    )
    now = on_list((2, "T1", "listed", LOW), (1, "T1", "listed", LOW))
    changed = personal_changes(now, news, earlier(now))
    assert changed["person_id"].tolist() == [2, 1]
    assert changed["changed"].tolist() == [
        "no change",
        "new fall on 25 September 2026; new emergency admission on 24 September 2026",
    ]


def ledger(**doors: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame([(int(name[1:]), *door) for name, door in doors.items()], columns=["person_id", "door", "why"])


@pytest.fixture
def week(people, scores):
    """Four people of team T1 compete for two places; 1 and 2 gain most."""
    scored = scores(*[{"benefit": benefit} for benefit in (0.05, 0.04, 0.03, 0.02)])
    everybody = people({}, {}, {}, {})
    return allocate(scored, everybody, Teams(default_capacity=2, reserve_share=0.5), b"k"), scored


HERE = {"p1": ("not selected", "others had more to gain")}


@pytest.mark.parametrize(
    ("door", "cause", "told"),
    [
        (("not eligible", "died"), "died", "died"),
        (("not eligible", "moved away"), "moved", "moved away"),
        (("not eligible", "birth date not known"), "not eligible", "birth date not known"),
        (("routed elsewhere", "declined: offer again later"), "declined", "declined: offer again later"),
        (("routed elsewhere", "already on a caseload"), "routed", "already on a caseload"),
        (("routed elsewhere", "end of life: palliative care team"), "routed", NOT_NOW),
        (("routed elsewhere", "recent death in the household: offer later"), "routed", NOT_NOW),
        (("routed elsewhere", "in hospital: discharge team"), "routed", NOT_NOW),
        (("opted out", "an opt-out holds for this purpose"), "opted out", None),
        (None, "records", "records were joined to another person's, or are no longer received"),
    ],
)
def test_whoever_left_has_a_reason_and_the_team_is_told_no_more_than_it_may_know(door, cause, told, week):
    allocation, scored = week
    last = earlier(on_list((7, "T1", "listed", LOW), (1, "T1", "listed", LOW), (2, "T1", "listed", LOW)))
    table = turnover(ledger(**({"p7": door} if door else {})), allocation, scored, {"T1": 2}, last)
    assert table[["movement", "person_id", "cause"]].values.tolist() == [["left", 7, cause]]
    assert told_to_teams(table)["why"].tolist() == ([told] if told else [])


def test_score_and_capacity_are_told_apart(week):
    allocation, scored = week
    doors = ledger(p3=("reserve", "next, if somebody declines"), p4=("not selected", "others had more to gain"))
    last = earlier(on_list((3, "T1", "listed", LOW), (4, "T1", "listed", LOW), (1, "T1", "listed", LOW)), {"T1": 3})
    table = turnover(doors, allocation, scored, {"T1": 2}, last)
    assert table[["movement", "person_id", "cause"]].values.tolist() == [
        ["entered", 2, "score"],
        ["left", 3, "capacity"],
        ["left", 4, "score"],
    ]
    assert table["why"].tolist()[1:] == ["the team has fewer places; now in reserve", "others have more to gain now"]
    grown = turnover(ledger(), allocation, scored, {"T1": 2}, earlier(on_list((1, "T1", "listed", LOW)), {"T1": 1}))
    assert grown["cause"].tolist() == ["capacity"]


def test_whom_the_limit_on_changes_would_have_kept_is_told_that_the_team_has_fewer_places(people, scores):
    """Person 3 gains less than the newcomer 4, and was kept in spite of it as long as there were three places."""
    everybody, teams = people({}, {}, {}, {}), Teams(default_capacity=2)
    scored = scores(*[{"benefit": benefit} for benefit in (0.05, 0.04, 0.030, 0.031)])
    was = on_list(*[(person, "T1", "listed", LOW) for person in (1, 2, 3)])
    rest = (b"k", Policy(), pd.DataFrame(), 0.1, Stability(keep_within=0.2), was)
    now = allocate(scored, everybody, teams, b"k", stability=Stability(keep_within=0.2), last=was)
    assert listed(now) == {1, 2}
    doors = ledger(p3=("reserve", "next, if somebody declines"))
    last = earlier(was, {"T1": 3})
    then = listed_with(last, scored, everybody, teams, *rest)
    assert then is not None
    assert set(then) == {1, 2, 3}
    assert turnover(doors, now, scored, {"T1": 2}, last, then)["cause"].tolist() == ["capacity"]
    assert turnover(doors, now, scored, {"T1": 2}, earlier(was, {"T1": 2}), None)["cause"].tolist() == ["score"]


def test_without_a_change_of_places_nothing_is_worked_out_again(people, scores):
    everybody, scored = people({}, {}), scores({}, {})
    rest = (b"k", Policy(), pd.DataFrame(), 0.1, Stability(), None)
    assert (
        listed_with(earlier(on_list(), {"T1": 1, "gone": 5}), scored, everybody, Teams(default_capacity=1), *rest)
        is None
    )


def test_a_change_of_another_teams_places_is_no_teams_own(people, scores):
    everybody = people({}, {}, {"team_code": "T2"})
    scored = scores({"benefit": 0.05}, {"benefit": 0.04}, {"benefit": 0.03})
    now = allocate(scored, everybody, Teams(default_capacity=1), b"k")
    last = earlier(on_list((2, "T1", "listed", LOW)), {"T1": 1, "T2": 9})
    table = turnover(ledger(p2=("reserve", "next")), now, scored, {"T1": 1, "T2": 1}, last, {2})
    assert table.set_index("person_id")["cause"].to_dict() == {1: "score", 2: "score", 3: "score"}


def test_a_lot_is_called_a_lot(week):
    allocation, scored = week
    drawn = allocation.assign(why=allocation["why"].mask(allocation["person_id"] == 1, DRAWN))
    last = earlier(on_list((3, "T1", "listed", LOW), (2, "T1", "listed", LOW)))
    table = turnover(ledger(p3=("not selected", NOT_DRAWN)), drawn, scored, {"T1": 2}, last)
    assert table[["movement", "person_id", "cause"]].values.tolist() == [["entered", 1, "lot"], ["left", 3, "lot"]]


@pytest.mark.parametrize(
    ("door", "cause", "told"),
    [
        (("routed elsewhere", "in hospital: discharge team"), "routed", "can be offered a place again"),
        (("routed elsewhere", "already on a caseload"), "routed", "no longer: already on a caseload"),
        (("routed elsewhere", "end of life: palliative care team"), "routed", "can be offered a place again"),
        (("not eligible", "not registered here"), "eligible now", "no longer: not registered here"),
        (("not selected", "others had more to gain"), "score", "more to gain than others now, or a place came free"),
        (None, "new here", "was not in the records"),
    ],
)
def test_whoever_came_has_a_reason(door, cause, told, week):
    allocation, scored = week
    doors = {"p9": ("not selected", "")} | ({"p2": door} if door else {})
    last = earlier(on_list((1, "T1", "listed", LOW)), **doors)
    table = turnover(ledger(), allocation, scored, {"T1": 2}, last)
    assert table[["person_id", "cause"]].values.tolist() == [[2, cause]]
    assert told_to_teams(table)["why"].tolist() == [told]


def test_a_first_week_has_no_turnover_and_the_counts_add_up(week):
    allocation, scored = week
    nobody = turnover(ledger(), allocation, scored, {"T1": 2}, None)
    assert nobody.empty
    assert turnover_counts(nobody, allocation, scored, Stability(), None)["since"] is None
    last = earlier(on_list((1, "T1", "listed", LOW), (3, "T1", "listed", LOW)))
    table = turnover(ledger(p3=("reserve", "next")), allocation, scored, {"T1": 2}, last)
    counted = turnover_counts(table, allocation, scored, Stability(), last)
    assert (counted["listed_last"], counted["stayed"], counted["listed"]) == (2, 1, 2)
    assert counted["stayed"] + sum(counted["entered"].values()) == counted["listed"]
    assert counted["stayed"] + sum(counted["left"].values()) == counted["listed_last"]
    assert counted["teams"] == {"T1": {"entered": 1, "left": 1}}


def many(people, scores, seed=5, teams=6, size=80):
    random = np.random.default_rng(seed)
    rows = [{"team_code": f"T{n % teams}", "imd_decile": float(1 + n % 10)} for n in range(teams * size)]
    benefit = random.gamma(2, 0.02, len(rows)) - 0.005
    return people(*rows), scores(*[{"benefit": float(one)} for one in benefit]), random


def listed(allocation: pd.DataFrame) -> set[int]:
    return set(allocation.loc[allocation["status"] == "listed", "person_id"])


def shaken(scored: pd.DataFrame, random) -> pd.DataFrame:
    return scored.assign(benefit=scored["benefit"] + random.normal(0, 0.02, len(scored)))


TEAMS = Teams(default_capacity=12)


@pytest.mark.parametrize("most", [0.0, 0.1, 0.25])
def test_no_team_replaces_more_than_the_limit_and_nobody_better_could_be_chosen(most, people, scores):
    everybody, scored, random = many(people, scores)
    first = allocate(scored, everybody, TEAMS, b"k")
    last = first[first["status"] == "listed"]
    later = shaken(scored, random)
    free, kept = (
        allocate(later, everybody, TEAMS, b"k", stability=stability, last=last)
        for stability in (Stability(), Stability(most_replaced=most))
    )
    benefit = later.set_index("person_id")["benefit"]
    assert len(listed(free) - listed(first)) > len(listed(kept) - listed(first))
    for team, rows in kept.groupby("team_code"):
        incumbents = set(last.loc[last["team_code"] == team, "person_id"]) & set(benefit[benefit > 0].index)
        now = listed(rows)
        assert len(now) == 12
        assert len(incumbents - now) <= int(most * 12)
        # By hand: the best so many incumbents must stay, and the best of all others fill the rest.
        must = benefit[list(incumbents)].nlargest(max(len(incumbents) - int(most * 12), 0)).index
        rest = benefit[sorted(set(rows["person_id"]) - set(must))].nlargest(12 - len(must)).index
        assert now == set(must) | set(rest)


def test_the_price_of_the_limit_is_what_the_free_list_gains_more(people, scores):
    everybody, scored, random = many(people, scores)
    last = allocate(scored, everybody, TEAMS, b"k").query("status == 'listed'")
    later = shaken(scored, random)
    stability = Stability(most_replaced=0.1, keep_within=0.2)
    free = allocate(later, everybody, TEAMS, b"k", last=last)
    kept = allocate(later, everybody, TEAMS, b"k", stability=stability, last=last)
    benefit = later.set_index("person_id")["benefit"]
    was = earlier(last.assign(risk_band=LOW, need_band="upper half"))
    counted = turnover_counts(turnover(ledger(), kept, later, {}, was), kept, later, stability, was)["limit"]
    assert counted["moved"] == len(listed(kept) - listed(free)) > 0
    assert counted["benefit_lost"] == pytest.approx(
        benefit[list(listed(free))].sum() - benefit[list(listed(kept))].sum()
    )
    assert counted["benefit_lost"] > 0
    assert set(kept.loc[kept["why"] == KEEPS, "person_id"]) == listed(kept) - listed(free)
    assert set(kept.loc[kept["why"] == KEPT_OUT, "person_id"]) == listed(free) - listed(kept)


def test_a_newcomer_takes_the_place_only_by_more_than_the_tolerance(people, scores):
    everybody, last = people({}, {}), pd.DataFrame({"person_id": [1], "team_code": ["T1"]})
    for benefit, stays in ((0.0119, True), (0.0121, False)):
        scored = scores({"benefit": 0.01}, {"benefit": benefit})
        found = allocate(
            scored, everybody, Teams(default_capacity=1), b"k", stability=Stability(keep_within=0.2), last=last
        )
        assert listed(found) == ({1} if stays else {2})


def test_whoever_expects_no_gain_or_serves_another_team_keeps_nothing(people, scores):
    everybody = people({}, {}, {"team_code": "T2"}, {"team_code": "T2"})
    last = pd.DataFrame({"person_id": [1, 3], "team_code": ["T1", "T1"]})
    scored = scores({"benefit": -0.01}, {"benefit": 0.01}, {"benefit": 0.01}, {"benefit": 0.02})
    found = allocate(
        scored, everybody, Teams(default_capacity=1), b"k", stability=Stability(most_replaced=0), last=last
    )
    assert listed(found) == {2, 4}


def test_the_limit_holds_together_with_a_policys_floors(people, scores):
    everybody, scored, random = many(people, scores)
    groups = pd.DataFrame(
        {
            "person_id": everybody["person_id"],
            "imd_quintile": np.where(everybody["imd_decile"] <= 2, "1 most deprived", "5 least deprived"),
        }
    )
    last = allocate(scored, everybody, TEAMS, b"k").query("status == 'listed'")
    later = shaken(scored, random)
    policy = Policy.model_validate({"owner": "A. Director", "review_date": "2030-01-01", "floors": {"core20": 0.3}})
    kept = allocate(later, everybody, TEAMS, b"k", policy, groups, stability=Stability(most_replaced=0.25), last=last)
    core = set(groups.loc[groups["imd_quintile"] == "1 most deprived", "person_id"])
    assert len(listed(kept) & core) >= 0.3 * len(listed(kept))
    gaining = set(later.loc[later["benefit"] > 0, "person_id"])
    gone = last[last["person_id"].isin(gaining - listed(kept))]
    assert gone.groupby("team_code").size().max() <= 3


def test_the_order_of_rows_changes_no_place_and_no_cause(people, scores):
    everybody, scored, random = many(people, scores)
    last = allocate(scored, everybody, TEAMS, b"k").query("status == 'listed'")
    later, stability = shaken(scored, random), Stability(most_replaced=0.2, keep_within=0.1)
    one = allocate(later, everybody, TEAMS, b"k", stability=stability, last=last)
    other = allocate(
        later.sample(frac=1, random_state=1),
        everybody.sample(frac=1, random_state=2),
        TEAMS,
        b"k",
        stability=stability,
        last=last.sample(frac=1, random_state=3),
    )
    pd.testing.assert_frame_equal(one, other)
