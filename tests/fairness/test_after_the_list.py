"""What comes after a list: offers, death and preventable admissions, and whether the promised benefit comes."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell import doors
from casewell.settings import Fairness
from fairness import funnel_rows, what_happened
from fairness.audit import audit
from fairness.controlled import controlled_bands, controlled_funnel
from fairness.further import further_section
from fairness.gate import decide
from fairness.intervals import proportion
from fairness.levels import Levels
from fairness.promised import promised_rows
from fairness.record import to_json
from records.tables import EVENTS, OFFERS, PEOPLE

AS_OF = dt.date(2026, 10, 1)


def offers(*rows):
    usual = {"programme": "case_management", "offered": "2026-03-01", "outcome": "started", "start": None, "end": None}
    table = pd.DataFrame([usual | row for row in rows])
    table = table.assign(known_at=table["offered"], offer_again=None)
    dates = ["offered", "start", "end", "known_at", "offer_again"]
    table[dates] = table[dates].apply(lambda column: pd.to_datetime(column).astype("datetime64[us]"))
    return doors.check(table, OFFERS)


def labelled(number):
    return pd.DataFrame(
        {"person_id": range(number), "imd_quintile": "3", "ethnic_group": "White", "sex": "male", "age_band": "85+"}
    )


def steps(found, group="3"):
    rows = found[(found["grouping"] == "imd_quintile") & (found["group"] == group)].set_index("step")
    return {step: (row["count"], row["base"]) for step, row in rows.iterrows()}


def test_each_step_is_a_share_of_the_step_before():
    found = funnel_rows(
        offers(
            {"person_id": 0, "start": "2026-03-10"},
            {"person_id": 1, "start": "2026-03-10", "end": "2026-04-10"},
            {"person_id": 2, "start": "2026-09-10"},
            {"person_id": 3, "outcome": "declined"},
            {"person_id": 4, "outcome": "not_reached"},
            {"person_id": 5, "outcome": "not_suitable"},
        ),
        labelled(10),
        AS_OF,
        0.95,
    )
    assert steps(found) == {"offered": (6, 10), "reached": (5, 6), "agreed": (3, 4), "stayed": (1, 2)}


def test_the_newest_offer_of_a_person_counts_and_none_older_than_a_year():
    found = funnel_rows(
        offers(
            {"person_id": 0, "outcome": "not_reached"},
            {"person_id": 0, "offered": "2026-05-01", "start": "2026-05-10"},
            {"person_id": 1, "offered": "2025-09-30", "start": "2025-10-10"},
        ),
        labelled(2),
        AS_OF,
        0.95,
    )
    assert steps(found) == {"offered": (1, 2), "reached": (1, 1), "agreed": (1, 1), "stayed": (1, 1)}


def test_nobody_offered_anything_gives_no_share_but_of_offers():
    found = funnel_rows(doors.empty(OFFERS), labelled(3), AS_OF, 0.95)
    assert found.set_index(["grouping", "step"]).loc[("sex", "reached"), ["share", "low", "high"]].isna().all()


def test_counts_of_the_funnel_are_controlled_and_a_group_alone_is_hidden_with_another(tools):
    world = tools["make_world"](2_000)
    people = world.groups.assign(sex=["female"] * 1_000 + ["male"] * 990 + ["other"] * 10)
    chosen = people["person_id"].to_numpy()
    made = funnel_rows(offers(*[{"person_id": p, "start": "2026-03-10"} for p in chosen[::5]]), people, AS_OF, 0.95)
    tables = (world.groups, world.scores, world.selected, world.test, world.lost)
    found = audit(*tables, Fairness(draws=100), 1, funnel=made)
    shown = controlled_funnel(found).set_index(["grouping", "group", "step"])
    assert made.set_index(["grouping", "group", "step"]).loc[("sex", "other", "offered"), "count"] == 2
    assert np.isnan(shown.loc[("sex", "other", "offered"), "count"])
    assert np.isnan(shown.loc[("sex", "male", "offered"), "count"])
    assert shown.loc[("sex", "female", "offered"), "count"] == 200
    told = shown.dropna(subset=["count", "base"])
    limits = proportion(told["count"].to_numpy(), told["base"].to_numpy(), found.levels.plain)
    np.testing.assert_allclose(told[["low", "high"]], np.column_stack(limits), atol=0.0005)
    assert "From an offer to care that lasts" in further_section(found)
    assert {row["step"] for row in to_json(found, decide(found, Fairness()))["funnel"]} == set(made["step"])


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("linked")
    usual = {
        "known_until": None,
        "numeric_value": None,
        "end": None,
        "source": "hospital",
        "code": "ICD10_PRIMARY//L031",
    }
    rows = [
        {"subject_id": 1, "time": "2025-03-01"},
        {"subject_id": 2, "time": "2024-12-31"},
        {"subject_id": 2, "time": "2026-01-01"},
        {"subject_id": 3, "time": "2025-03-01", "known_until": "2025-06-01"},
        {"subject_id": 4, "time": "2025-03-01", "code": "ICD10_PRIMARY//S720"},
    ]
    events = pd.DataFrame([usual | {"known_at": row["time"]} | row for row in rows])
    dates = ["time", "known_at", "known_until", "end"]
    events[dates] = events[dates].apply(pd.to_datetime)
    doors.write(events, EVENTS, folder / "events.parquet")
    people = doors.empty(PEOPLE)[["person_id", "died_on"]].reindex(range(4)).assign(person_id=[1, 2, 3, 4])
    people["died_on"] = pd.to_datetime(["2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01"])
    people.to_parquet(folder / "people.parquet")
    return folder


def test_what_happened_is_counted_within_the_horizon_as_it_finally_turned_out(linked):
    tested = pd.DataFrame({"index_date": pd.Timestamp("2025-01-01"), "person_id": [1, 2, 3, 4], "risk": 0.1})
    found = what_happened(tested, linked, 365)
    assert found["preventable"].tolist() == [True, False, False, False]
    assert found["died"].tolist() == [False, True, True, False]
    assert what_happened(tested.iloc[:0], linked, 365).empty


def test_a_group_that_dies_more_at_the_same_risk_is_seen_and_its_small_bands_are_hidden(tools):
    world = tools["make_world"](20_000)
    rng = np.random.default_rng(1)
    black = world.test["person_id"].isin(world.groups.loc[world.groups["ethnic_group"] == "Black", "person_id"])
    died = rng.random(len(world.test)) < world.test["risk"] * 0.1 * np.where(black, 2, 1)
    test = world.test.assign(died=died, preventable=rng.random(len(world.test)) < world.test["risk"] * 0.2)
    found = tools["run"](world._replace(test=test))
    assert tools["row"](found, "ethnic_group", "Black", "death_at_same_score")["wide_low"] > 1.2
    fair = tools["row"](found, "ethnic_group", "Black", "preventable_at_same_score")
    assert fair["low"] < 1 < fair["high"]
    bands = controlled_bands(found)
    assert set(bands["what"]) == {"illness", "died", "preventable"}
    assert not bands["count"].between(1, 7).any()
    assert bands.loc[bands["hidden"], "value"].isna().all()


def evidence(seed, gains, people=40_000):
    """Half of the people are treated by lot; both groups are promised 0.1, and gain what `gains` says."""
    rng = np.random.default_rng(seed)
    group = rng.choice(list(gains), people)
    treated = rng.random(people) < 0.5
    chance = 0.4 - treated * pd.Series(group).map(gains).to_numpy()
    return pd.DataFrame(
        {
            "person_id": np.arange(people),
            "sex": group,
            "treated": treated,
            "outcome": rng.random(people) < chance,
            "propensity": 0.5,
            "without": 0.4,
            "with_programme": 0.3,
            "benefit": 0.1,
        }
    )


def test_a_group_that_gains_less_than_promised_is_seen_and_the_other_is_not():
    groups = pd.Index(["female", "male", "nobody"], name="group")
    rows = promised_rows(evidence(1, {"female": 0.0, "male": 0.1}), "sex", groups, Levels(0.95, 0.99)).set_index(
        "group"
    )
    assert rows.loc["female", "wide_high"] < -0.07
    assert rows.loc["female", "value"] == pytest.approx(-0.1, abs=0.02)
    assert rows.loc["male", "low"] < 0 < rows.loc["male", "high"]
    assert rows.loc["nobody", ["people", "count"]].tolist() == [0, 0]
    assert np.isnan(rows.loc["nobody", "value"])


def test_the_interval_of_a_kept_promise_holds_nought_as_often_as_it_says():
    inside = 0
    for seed in range(100):
        rows = promised_rows(evidence(seed, {"female": 0.1}, 1_000), "sex", pd.Index(["female"]), Levels(0.9, 0.99))
        inside += bool((rows["low"] <= 0).all() and (rows["high"] >= 0).all())
    assert 82 <= inside <= 97


def test_promises_that_vary_from_person_to_person_widen_nothing_where_they_are_kept():
    table = evidence(1, {"female": 0.1}, 2_000)
    promise = np.linspace(0, 0.3, len(table))
    kept = table.assign(benefit=promise, without=0.4, with_programme=0.4 - promise)
    # What happens is what was foreseen, to the last digit: nothing is left to chance.
    kept = kept.assign(outcome=np.where(kept["treated"], kept["with_programme"], kept["without"]))
    rows = promised_rows(kept, "sex", pd.Index(["female"]), Levels(0.95, 0.99))
    assert rows.loc[0, ["low", "value", "high"]].abs().max() < 1e-9


def test_without_anybody_treated_nothing_is_said_of_benefit():
    untreated = evidence(1, {"female": 0.1}, 500).assign(treated=False)
    rows = promised_rows(untreated, "sex", pd.Index(["female"]), Levels(0.9, 0.99))
    assert rows["value"].isna().all()
