from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewell.errors import SettingsError
from casewell.settings import Teams
from cohorts import allocate

KEY = b"a key for tests"


def outcome(table: pd.DataFrame) -> dict[int, tuple[str, int | None]]:
    return {row.person_id: (row.status, None if pd.isna(row.rank) else int(row.rank)) for row in table.itertuples()}


def test_the_most_benefit_comes_first_then_the_reserve(people, scores):
    given_benefit = [{"benefit": benefit} for benefit in (0.01, 0.05, 0.03, 0.02, 0.04)]
    teams = Teams(by="practice", default_capacity=2, reserve_share=0.5)
    table = allocate(scores(*given_benefit), people(*[{}] * 5), teams, KEY)
    assert outcome(table) == {
        2: ("listed", 1),
        5: ("listed", 2),
        3: ("reserve", 3),
        4: ("not_selected", None),
        1: ("not_selected", None),
    }
    assert table["why"].tolist()[-1] == "others had more to gain"


def test_nobody_who_would_not_gain_is_offered_a_place(people, scores):
    table = allocate(scores({"benefit": 0.0}, {"benefit": -0.1}, {"benefit": 1e-9}), people({}, {}, {}), Teams(), KEY)
    assert outcome(table) == {3: ("listed", 1), 1: ("not_selected", None), 2: ("not_selected", None)}
    assert set(table.loc[table["status"] == "not_selected", "why"]) == {"no gain expected"}


@pytest.mark.parametrize(
    ("capacity", "share", "listed", "reserve"), [(0, 0.25, 0, 0), (1, 0.25, 1, 1), (4, 0.25, 4, 1), (100, 0.07, 100, 7)]
)
def test_capacity_and_reserve_are_exact(capacity, share, listed, reserve, people, scores):
    many = [{}] * 120
    teams = Teams(default_capacity=99, capacity={"T1": capacity}, reserve_share=share)
    status = allocate(scores(*many), people(*many), teams, KEY)["status"]
    assert ((status == "listed").sum(), (status == "reserve").sum()) == (listed, reserve)


def test_each_team_has_its_own_places(people, scores):
    everybody = people(*[{"team_code": f"T{number % 2}"} for number in range(10)])
    teams = Teams(default_capacity=3, capacity={"T0": 1}, reserve_share=0)
    table = allocate(scores(*[{}] * 10), everybody, teams, KEY)
    listed = table[table["status"] == "listed"]
    assert listed["team_code"].value_counts().to_dict() == {"T1": 3, "T0": 1}
    assert listed.groupby("team_code")["rank"].apply(list).to_dict() == {"T0": [1], "T1": [1, 2, 3]}


@settings(max_examples=25, deadline=None)
@given(
    benefits=st.lists(st.sampled_from([-0.1, 0.0, 0.01, 0.01, 0.02]), min_size=1, max_size=40),
    seed=st.integers(0, 2**16),
)
def test_shuffling_people_changes_nothing_even_among_ties(benefits, seed, people, scores):
    everybody = people(*[{"team_code": f"T{number % 3}"} for number in range(len(benefits))])
    scored = scores(*[{"benefit": benefit} for benefit in benefits])
    teams = Teams(default_capacity=3, reserve_share=0.5)
    shuffled = allocate(
        scored.sample(frac=1, random_state=seed), everybody.sample(frac=1, random_state=seed + 1), teams, KEY
    )
    pd.testing.assert_frame_equal(allocate(scored, everybody, teams, KEY), shuffled)


def test_a_tie_is_broken_by_the_key_and_not_by_the_pseudonym(people, scores):
    many = [{}] * 200
    teams = Teams(default_capacity=50, reserve_share=0)
    chosen = [
        set(table.loc[table["status"] == "listed", "person_id"])
        for table in (allocate(scores(*many), people(*many), teams, key) for key in (b"one", b"other"))
    ]
    assert chosen[0] != chosen[1]
    assert np.mean([np.mean(list(people_chosen)) for people_chosen in chosen]) == pytest.approx(100, abs=20)


def test_a_tie_that_begins_at_the_last_place_is_broken_by_the_key(people, scores):
    benefits = [{"benefit": benefit} for benefit in [0.3, 0.2] + [0.1] * 30]
    teams = Teams(default_capacity=3, reserve_share=0)
    tables = [allocate(scores(*benefits), people(*[{}] * 32), teams, bytes([key])) for key in range(5)]
    assert len({table.loc[table["rank"] == 3, "person_id"].item() for table in tables}) > 1


def test_a_tie_outside_the_places_needs_no_lot(people, scores, monkeypatch):
    monkeypatch.setattr("hmac.digest", lambda *_: pytest.fail("somebody outside the contest was hashed"))
    benefits = [{"benefit": benefit} for benefit in (0.3, 0.2, 0.1, 0.1, 0.1)]
    table = allocate(scores(*benefits), people(*[{}] * 5), Teams(default_capacity=2, reserve_share=0), KEY)
    assert (table["status"] == "listed").sum() == 2


def test_capacity_for_a_team_that_does_not_exist_names_the_nearest(people, scores):
    with pytest.raises(SettingsError, match=r"'NORHT', a team that serves nobody; did you mean 'NORTH'\?"):
        allocate(scores({}), people({"team_code": "NORTH"}), Teams(capacity={"NORHT": 3}), KEY)


def test_somebody_scored_whom_nobody_serves_is_a_mistake_in_the_house(people, scores):
    with pytest.raises(RuntimeError, match="no team serves"):
        allocate(scores({}), people({"team_code": ""}), Teams(), KEY)
