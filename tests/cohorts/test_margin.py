"""Lots at the margin of a list: known chances, never more places, floors untouched, the same draw from the same week."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from casewell.errors import SettingsError
from casewell.settings import Floors, Policy, Stability, Teams
from casewell.settings.margin import Margin
from cohorts.allocation import allocate
from cohorts.margin import draw, lots, refuse_outdated_margins, resting_now, strata
from cohorts.several import OtherProgrammes
from cohorts.whys import DRAWN, NOT_DRAWN, RESTS
from fairness import group_table

WEEK = dt.date(2026, 10, 1)
KEY = b"a key of this test"


def margin(**changes: object) -> Margin:
    told = {
        "share": 0.2,
        "width": 2,
        "owner": "Director of public health",
        "approval": "REC 26/LO/0001",
        "approved_on": "2026-09-01",
        "ends_on": "2027-08-31",
    }
    return Margin.model_validate(told | changes)


def ordered(people: int = 100, places: int = 40, teams: tuple[str, ...] = ("A",)) -> tuple[pd.DataFrame, np.ndarray]:
    """People of each team in order; the last ten gain nothing, and every third is of Core20."""
    tables = [
        pd.DataFrame(
            {
                "person_id": np.arange(people) + 1000 * number,
                "team_code": team,
                "position": np.arange(people) + 1,
                "gains": np.arange(people) < people - 10,
                "core20": np.where(np.arange(people) % 3 == 0, "Core20", "others"),
            }
        )
        for number, team in enumerate(teams)
    ]
    table = pd.concat(tables, ignore_index=True)
    return table, (table["position"] <= places).to_numpy()


def test_the_last_places_are_drawn_among_those_nearest_to_the_cut_off() -> None:
    table, listed = ordered()
    drawn, chance = draw(table, listed, {"A": margin()}, [], KEY, WEEK)
    entered = ~np.isnan(chance)
    assert table.loc[entered, "position"].tolist() == list(range(33, 49)), "8 of 40 places among 16 people"
    assert set(chance[entered]) == {0.5}
    assert drawn.sum() == 40
    assert drawn[table["position"] <= 32].all()


def test_everybody_in_the_lot_is_drawn_as_often_as_their_chance_says() -> None:
    table, listed = ordered()
    weeks = [WEEK + dt.timedelta(days=7 * number) for number in range(600)]
    told = {"A": margin(ends_on="2099-01-01", width=4)}
    counts = sum(draw(table, listed, told, [], KEY, week)[0].astype(int) for week in weeks)
    _, chance = draw(table, listed, told, [], KEY, WEEK)
    entered = ~np.isnan(chance)
    assert entered.sum() == 32
    assert counts[entered] / 600 == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 600))
    assert np.std(counts[entered]) == pytest.approx(np.sqrt(600 * 0.25 * 0.75), rel=0.4), "weeks are drawn anew"


def test_every_draw_leaves_each_group_of_a_floor_its_places() -> None:
    table, listed = ordered()
    without = table.loc[listed, "core20"].value_counts()
    moved = 0
    for number in range(50):
        day = WEEK + dt.timedelta(days=number)
        drawn, chance = draw(table, listed, {"A": margin(width=3)}, ["core20"], KEY, day)
        assert table.loc[drawn, "core20"].value_counts().to_dict() == without.to_dict()
        assert drawn.sum() == listed.sum()
        moved += int((drawn != listed).sum())
        for group in ("Core20", "others"):
            inside = (table["core20"] == group) & ~np.isnan(chance)
            assert chance[inside] == pytest.approx(drawn[inside].mean()), "places over people, in each stratum"
    assert moved > 0


def test_the_same_week_gives_the_same_draw_whatever_the_order_of_rows_and_another_week_key_or_seed_another() -> None:
    table, listed = ordered()

    def winners(rows: np.ndarray, key: bytes = KEY, week: dt.date = WEEK, **changes: object) -> set[int]:
        part = table.iloc[rows].reset_index(drop=True)
        drawn, _ = draw(part, listed[rows], {"A": margin(**changes)}, ["core20"], key, week)
        return set(part.loc[drawn, "person_id"])

    straight = np.arange(len(table))
    first = winners(straight)
    assert winners(np.random.default_rng(0).permutation(len(table))) == first
    assert winners(straight, b"another") != first
    assert winners(straight, week=WEEK + dt.timedelta(days=7)) != first
    assert winners(straight, seed=1) != first


def test_only_the_team_that_declared_a_margin_draws() -> None:
    table, listed = ordered(teams=("A", "B"))
    drawn, chance = draw(table, listed, {"B": margin()}, [], KEY, WEEK)
    first = (table["team_code"] == "A").to_numpy()
    assert (drawn[first] == listed[first]).all()
    assert np.isnan(chance[first]).all()
    assert not np.isnan(chance[~first]).all()


def test_nobody_is_in_a_lot_who_is_not_expected_to_gain_or_where_nobody_waits() -> None:
    table, listed = ordered(people=50)
    drawn, chance = draw(table, listed, {"A": margin(width=4)}, [], KEY, WEEK)
    assert (drawn == listed).all()
    assert np.isnan(chance).all()


def test_a_stratum_of_one_place_draws_too_however_narrow_the_lot() -> None:
    table, listed = ordered(people=40, places=20)
    alone = table.assign(floor=np.where(table["position"].isin([20, 30]), "few", "many"))
    drawn, chance = draw(alone, listed, {"A": margin(width=1.4)}, ["floor"], KEY, WEEK)
    few = alone["floor"] == "few"
    assert chance[few].tolist() == [0.5, 0.5]
    assert drawn[few].sum() == 1
    assert drawn.sum() == 20


def test_strata_are_what_the_floors_ask_about() -> None:
    floors = Floors(core20=0.2, practice=0.5, share_of_need={"imd_quintile": 0.8})
    policy = Policy(owner="Board", review_date="2030-01-01", floors=floors)
    assert strata(policy, Stability()) == ["core20", "practice_code", "imd_quintile"]
    assert strata(Policy(), Stability(most_replaced=0.3)) == ["incumbent"]


def test_a_margin_needs_somebody_who_answers_an_approval_and_an_end() -> None:
    with pytest.raises(ValidationError) as refused:
        Teams(margins={"A": {"share": 0.2}})
    assert {str(problem["loc"][-1]) for problem in refused.value.errors()} == {
        "owner",
        "approval",
        "approved_on",
        "ends_on",
    }
    with pytest.raises(ValidationError, match="before `approved_on`"):
        margin(ends_on="2026-08-01")


def test_a_margin_that_is_over_or_not_approved_yet_is_refused_by_name() -> None:
    teams = Teams(margins={"A": margin(), "B": margin(ends_on="2026-09-30"), "C": margin(approved_on="2026-10-02")})
    with pytest.raises(SettingsError) as refused:
        refuse_outdated_margins(teams, WEEK)
    assert len(refused.value.problems) == 2
    refuse_outdated_margins(Teams(margins={"A": margin()}), dt.date(2027, 8, 31))


def test_a_week_with_a_margin_fills_the_same_places_and_keeps_a_record_of_the_lot(people, scores) -> None:
    benefits = np.linspace(0.09, 0.01, 30)
    everybody = people(*({"team_code": "T1"} for _ in benefits))
    scored = scores(*({"benefit": float(benefit)} for benefit in benefits))
    teams = Teams(default_capacity=10, reserve_share=0.2, margins={"T1": margin(width=3)})
    table = allocate(scored, everybody, teams, KEY, as_of=WEEK)
    assert (table["status"] == "listed").sum() == 10
    assert (table["status"] == "reserve").sum() == 2
    kept = lots(table, teams, WEEK)
    assert len(kept) == 6
    assert kept["drawn"].sum() == 2
    assert kept["chance"].tolist() == pytest.approx([1 / 3] * 6)
    assert set(kept["approval"]) == {"REC 26/LO/0001"}
    passed_over = table[table["person_id"].isin(kept.loc[~kept["drawn"], "person_id"])]
    assert set(passed_over["status"]) == {"not_selected"}, "not in reserve either, or the lot would not decide"
    assert set(passed_over["why"]) == {NOT_DRAWN}
    assert set(table.loc[table["person_id"].isin(kept.loc[kept["drawn"], "person_id"]), "why"]) == {DRAWN}
    by_benefit = allocate(scored, everybody, Teams(default_capacity=10), KEY, as_of=WEEK)
    assert by_benefit["chance"].isna().all()


@pytest.mark.parametrize("others", [None, OtherProgrammes()])
def test_whoever_a_lot_passed_over_is_neither_listed_nor_in_reserve_until_the_rest_is_over(
    people, scores, others: OtherProgrammes | None
) -> None:
    benefits = np.linspace(0.09, 0.01, 30)
    everybody = people(*({"team_code": "T1"} for _ in benefits))
    scored = scores(*({"benefit": float(benefit)} for benefit in benefits))
    teams = Teams(default_capacity=10, reserve_share=0.2, margins={"T1": margin(width=3, rest_days=28)})
    first = lots(allocate(scored, everybody, teams, KEY, as_of=WEEK, others=others), teams, WEEK)
    passed_over = set(first.loc[~first["drawn"], "person_id"])

    later = WEEK + dt.timedelta(days=7)
    rest = resting_now(first, teams, later)
    table = allocate(scored, everybody, teams, KEY, as_of=later, others=others, resting=rest)

    asked = table[table["person_id"].isin(passed_over)]
    assert len(asked) == 4
    assert set(asked["status"]) == {"not_selected"}
    assert set(asked["why"]) == {RESTS}
    assert (table["status"] == "listed").sum() == 10
    assert passed_over.isdisjoint(lots(table, teams, later)["person_id"])
    over = resting_now(first, teams, WEEK + dt.timedelta(days=28))
    assert not table.equals(allocate(scored, everybody, teams, KEY, as_of=later, others=others, resting=over))


def test_floors_hold_whatever_is_drawn(people, scores) -> None:
    random = np.random.default_rng(2)
    practices = random.choice(["P1", "P2", "P3"], 120)
    deciles = random.choice([1.0, 8.0], 120)
    everybody = people(
        *({"practice_code": code, "imd_decile": decile} for code, decile in zip(practices, deciles, strict=True))
    )
    scored = scores(*({"benefit": float(benefit)} for benefit in random.uniform(0.01, 0.1, 120)))
    groups = group_table(everybody, WEEK)
    policy = Policy(owner="Board", review_date="2030-01-01", floors=Floors(core20=0.6, practice=0.8))
    teams = Teams(default_capacity=40, margins={"T1": margin(share=0.5, width=2)})
    core20 = set(groups.loc[groups["core20"] == "Core20", "person_id"])
    of_practice = everybody.set_index("person_id")["practice_code"]
    for number in range(5):
        day = WEEK + dt.timedelta(days=7 * number)
        table = allocate(scored, everybody, teams, KEY, policy, groups, as_of=day)
        listed = table.loc[table["status"] == "listed", "person_id"]
        assert len(listed) == 40
        assert table["chance"].notna().any()
        assert len(core20 & set(listed)) >= 24
        least = (of_practice.value_counts(normalize=True) * 40 * 0.8).apply(np.floor)
        assert (of_practice.loc[listed].value_counts().reindex(least.index, fill_value=0) >= least).all()


def test_a_margin_of_a_team_that_serves_nobody_is_refused_by_name(people, scores) -> None:
    with pytest.raises(SettingsError, match=r"teams\.margins names 'T2', a team that serves nobody"):
        allocate(scores({}), people({"team_code": "T1"}), Teams(margins={"T2": margin()}), KEY, as_of=WEEK)


def test_whoever_rests_is_in_no_lot_and_their_place_is_drawn_among_the_others() -> None:
    table, listed = ordered()
    resting = table["position"].isin([5, 35, 40, 45]).to_numpy()
    drawn, chance = draw(table, listed, {"A": margin(rest_days=182)}, [], KEY, WEEK, resting)
    entered = table.loc[~np.isnan(chance), "position"]
    assert entered.tolist() == [33, 34, *range(36, 40), *range(41, 45), *range(46, 52)]
    assert drawn.sum() == 40
    assert table.loc[resting & drawn, "position"].tolist() == [5], "whoever stands above the margin has a place"


def test_where_only_people_who_rest_are_waiting_nobody_is_drawn_and_nobody_loses_a_place() -> None:
    table, listed = ordered()
    drawn, chance = draw(table, listed, {"A": margin(rest_days=182)}, [], KEY, WEEK, ~listed)
    assert (drawn == listed).all()
    assert np.isnan(chance).all()


def test_people_rest_for_as_long_as_their_team_says_and_only_if_they_were_passed_over() -> None:
    told = pd.DataFrame(
        {
            "as_of": pd.to_datetime(["2026-09-03", "2026-09-03", "2026-08-03", "2026-09-03", "2026-09-10"]),
            "team_code": ["A", "A", "A", "B", "A"],
            "person_id": [1, 2, 3, 4, 1],
            "drawn": [False, True, False, False, False],
        }
    )
    teams = Teams(margins={"A": margin(rest_days=28), "B": margin()})
    assert resting_now(told, teams, dt.date(2026, 9, 30)).to_dict("list") == {"person_id": [1], "team_code": ["A"]}
    assert resting_now(told, teams, dt.date(2026, 10, 8)).empty
    assert resting_now(told.head(0), teams, WEEK).empty


def test_over_half_a_year_of_weekly_lots_a_rest_keeps_those_passed_over_apart_from_those_drawn() -> None:
    assert later_placed(rest_days=0) > 0.8
    assert later_placed(rest_days=182) < 0.4


def later_placed(rest_days: int) -> float:
    """Return the share of people whom their first lot passed over and who had a place within the 26 weeks that are played.

    A place is taken up by six in ten and then its holder leaves; as many people arrive as leave, and everybody's benefit
    moves a little from week to week.
    """
    random = np.random.default_rng(8)
    people = pd.DataFrame({"person_id": np.arange(200), "benefit": random.random(200)})
    teams = Teams(margins={"A": margin(share=0.5, width=2, ends_on="2030-01-01", rest_days=rest_days)})
    told, placed = [], set()
    for number in range(26):
        day = WEEK + dt.timedelta(days=7 * number)
        now = people.assign(value=people["benefit"] + random.normal(0, 0.02, len(people)), team_code="A", gains=True)
        now = now.sort_values("value", ascending=False, ignore_index=True).assign(position=np.arange(200) + 1)
        record = pd.concat(told) if told else pd.DataFrame(columns=["as_of", "team_code", "person_id", "drawn"])
        rests = now["person_id"].isin(resting_now(record, teams, day)["person_id"]).to_numpy() if told else None
        drawn, chance = draw(now, (now["position"] <= 10).to_numpy(), teams.margins, [], KEY, day, rests)
        inside = ~np.isnan(chance)
        told.append(now.loc[inside, ["team_code", "person_id"]].assign(as_of=pd.Timestamp(day), drawn=drawn[inside]))
        placed |= set(now.loc[drawn, "person_id"])
        gone = now.loc[drawn & (random.random(200) < 0.6), "person_id"]
        stay = people[~people["person_id"].isin(gone)]
        new = pd.DataFrame(
            {"person_id": 1000 * (number + 1) + np.arange(len(gone)), "benefit": random.random(len(gone))}
        )
        people = pd.concat([stay, new], ignore_index=True)
    first = pd.concat(told).drop_duplicates("person_id")
    return float(first.loc[~first["drawn"], "person_id"].isin(placed).mean())
