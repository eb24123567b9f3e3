"""What `casewell features explain` says of events is what the reference engine does with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casewell.errors import AsOfError
from features import CATALOGUE, load_code_groups, reference_engine
from features.explain import COUNTED, DECIDES, LEFT_OUT, explain, same, sort_out, value_of
from features.feature import DERIVED, LIVING, STATIC
from features.personal import Personal
from features.reference_engine import AGGREGATIONS
from tests.features.tiny import (
    INDEX_DATE,
    PERSON,
    event,
    events_table,
    feature,
    people_table,
    residences_of,
    residences_table,
)

DAY = pd.Timestamp(INDEX_DATE)
WINDOWS = {"running": None, "periods_with": 90}
DECIDED_BY_ONE = ("days_since_last", "days_since_first", "min", "max", "last")


@pytest.fixture(scope="module", autouse=True)
def _read_the_groups_once():
    """A test asks the reference engine hundreds of times."""
    with pytest.MonkeyPatch.context() as patch:
        groups = load_code_groups()
        groups = groups[groups["group"].str.startswith(("ed_attendance", "cms_"))]
        patch.setattr(reference_engine, "load_code_groups", lambda: groups)
        yield


def told_of(events: pd.DataFrame) -> Personal:
    return Personal(PERSON, events, people_table(), residences_of(people_table()))


def history(seed: int) -> pd.DataFrame:
    """Events about the index date with every flaw that keeps one out, and ties of day and value."""
    random = np.random.default_rng(seed)
    number = 40
    time = DAY - pd.to_timedelta(random.integers(-3, 240, number), unit="D")
    known = time + pd.to_timedelta(random.integers(0, 20, number), unit="D")
    table = events_table([event("2026-01-01")] * number)
    return table.assign(
        time=pd.Series(time).mask(pd.Series(random.random(number) < 0.05)),
        known_at=pd.Series(known),
        known_until=pd.Series(known + pd.to_timedelta(random.integers(1, 90, number), unit="D")).where(
            pd.Series(random.random(number) < 0.3)
        ),
        numeric_value=pd.Series(random.choice([1.0, 2.0, 5.5, np.nan, 2e9], number)),
        end=pd.Series(time + pd.to_timedelta(random.integers(0, 60, number), unit="D")).where(
            pd.Series(random.random(number) < 0.8)
        ),
    ).astype(table.dtypes)


@pytest.mark.parametrize("how", sorted(AGGREGATIONS))
def test_the_events_that_count_give_the_value_and_those_left_out_give_nothing(how):
    events, asked = history(1), feature(how, WINDOWS.get(how, 90))
    sorted_out = sort_out(events, asked, DAY)
    out = sorted_out.index[sorted_out["role"] == LEFT_OUT]
    value = value_of(told_of(events), asked, DAY)
    assert same(value_of(told_of(events.drop(index=out)), asked, DAY), value)
    nothing = value_of(told_of(events.head(0)), asked, DAY)
    assert same(value_of(told_of(events.loc[out]), asked, DAY), nothing)
    assert not same(value, nothing)


@pytest.mark.parametrize("how", sorted(AGGREGATIONS))
def test_every_event_left_out_has_a_reason_and_no_other(how):
    sorted_out = sort_out(history(1), feature(how, WINDOWS.get(how, 90)), DAY)
    assert len(sorted_out) == 40
    assert ((sorted_out["why"] != "") == (sorted_out["role"] == LEFT_OUT)).all()
    assert set(sorted_out["role"]) == ({DECIDES} if how in DECIDED_BY_ONE else set()) | {COUNTED, LEFT_OUT}


@pytest.mark.parametrize("how", DECIDED_BY_ONE)
@pytest.mark.parametrize("seed", range(2))
def test_an_event_that_decides_gives_the_value_alone(how, seed):
    events, asked = history(seed), feature(how, 90)
    sorted_out = sort_out(events, asked, DAY)
    decides = sorted_out.index[sorted_out["role"] == DECIDES]
    value = value_of(told_of(events), asked, DAY)
    assert len(decides) >= 1
    for place in decides:
        assert same(value_of(told_of(events.loc[[place]]), asked, DAY), value)


@pytest.mark.parametrize(
    ("how", "told", "reason"),
    [
        ("count", event("2026-07-01", known_at="2026-06-30"), "it had not happened yet"),
        ("count", event("2026-06-20", known_at="2026-07-01"), "not known yet"),
        ("count", event("2026-06-20", known_until="2026-06-30"), "superseded: a later version had replaced it"),
        ("count", event("2026-06-20", known_until="2026-07-01"), ""),
        ("count", event("2026-04-02"), ""),
        ("count", event("2026-04-01"), "outside the window"),
        ("change", event("2026-04-01"), ""),
        ("change", event("2026-01-01"), "outside the window"),
        ("mean", event("2026-06-20"), "no value"),
        ("mean", event("2026-06-20", value=1e9), "no usable value"),
        ("days_spent", event("2026-06-20", end="2026-07-02"), "it had not ended yet"),
        ("days_spent", event("2026-06-20"), "it had not ended yet"),
        ("days_spent", event("2026-01-20", end="2026-06-01"), ""),
        ("days_running", event("2026-01-20", end="2026-02-01"), "outside the window: it ended before"),
        ("days_running", event("2026-01-20"), ""),
        ("running", event("2026-06-20", end="2026-07-01"), "it had ended"),
    ],
)
def test_the_reason_is_the_one_that_keeps_the_event_out(how, told, reason):
    sorted_out = sort_out(events_table([told]), feature(how, 90), DAY)
    assert sorted_out["why"].tolist() == [reason]


@pytest.fixture
def linked(tmp_path):
    """A folder of linked tables: two people at one address, one of whom died, and a third elsewhere."""
    people = people_table(
        [
            {"person_id": PERSON, "birth_month": "1946-07-01", "sex": "female"},
            {
                "person_id": 8,
                "birth_month": "1940-01-01",
                "sex": "male",
                "died_on": "2026-03-01",
                "death_known_at": "2026-03-09",
            },
            {"person_id": 9, "birth_month": "1950-01-01", "sex": "male"},
        ]
    )
    # Identifiers this large are told apart only as whole numbers.
    home, elsewhere = 2**62 + 1, 2**62 + 2
    residences = residences_table(
        [
            {"person_id": PERSON, "start": "2010-01-01", "household_id": home, "imd_decile": 2.0},
            {"person_id": 8, "start": "2010-01-01", "household_id": home, "imd_decile": 2.0},
            {"person_id": 9, "start": "2010-01-01", "household_id": elsewhere, "imd_decile": 2.0},
        ]
    )
    events = events_table(
        [
            event("2026-06-20"),
            event("2026-06-21", known_at="2026-08-01"),
            event("2026-06-22", person=8),
            event("2024-01-01", "SNOMED//73211009"),
        ]
    )
    for name, table in {"people": people, "residences": residences, "events": events}.items():
        table.to_parquet(tmp_path / f"{name}.parquet", index=False)
    return tmp_path


def named(aggregation):
    return next(feature for feature in CATALOGUE if feature.aggregation == aggregation)


def test_only_the_persons_own_events_of_the_features_group_are_shown(linked):
    found = explain(PERSON, feature("count", 365), DAY, linked)
    assert found.value == 1
    assert found.holds
    assert found.events["role"].tolist() == [LEFT_OUT, COUNTED]
    assert found.events["time"].dt.day.tolist() == [21, 20]
    assert explain(PERSON, feature("count", 365), pd.Timestamp("2026-09-01"), linked).value == 2


def test_a_score_is_explained_by_the_features_that_make_it(linked):
    score = next(feature for feature in CATALOGUE if feature.name == "cms_score")
    found = explain(PERSON, score, DAY, linked)
    assert found.parts["part"].iloc[0].startswith("cms_diabetes")
    adds = found.parts["adds"].astype(float)
    assert adds.sum() == pytest.approx(found.value, abs=1e-3)
    assert (adds > 0).sum() == 1


def test_a_death_counts_in_the_explanation_as_it_does_in_the_value(linked):
    homes = pd.read_parquet(linked / "residences.parquet")
    moved = homes["start"].mask(homes["person_id"] == PERSON, pd.Timestamp("2026-04-01"))
    homes.assign(start=moved).to_parquet(linked / "residences.parquet", index=False)
    found = explain(PERSON, named("household_bereavement"), DAY, linked)
    assert found.value == 0
    assert found.parts.set_index("part").loc["deaths there known of, in 365 days", "value"] == "0"


def test_a_household_is_explained_by_what_was_known_of_it_and_nobody_else_is_told_of(linked):
    found = explain(PERSON, named("household_bereavement"), DAY, linked)
    said = found.parts.set_index("part")["value"]
    assert found.value == 1
    assert said["people registered there, this one included"] == "1"
    assert said["deaths there known of, in 365 days"] == "1"
    assert not found.parts["value"].str.contains("2026-03").any()
    before = explain(PERSON, named("household_size"), pd.Timestamp("2026-03-05"), linked)
    assert before.value == 2


@pytest.mark.parametrize("how", sorted({f.aggregation for f in CATALOGUE} & {*STATIC, *LIVING, *DERIVED}))
def test_every_feature_without_a_code_group_is_made_of_something(linked, how):
    found = explain(PERSON, named(how), DAY, linked)
    assert len(found.parts) >= 1
    assert found.holds is None
    assert found.parts["value"].str.len().gt(0).all()


def test_the_month_of_birth_is_what_age_is_made_of(linked):
    found = explain(PERSON, named("age"), DAY, linked)
    assert found.parts.set_index("part").loc["month of birth", "value"] == "1946-07"


def test_a_person_who_was_not_linked_is_refused_without_the_id(linked):
    with pytest.raises(AsOfError, match="nobody who was linked") as refusal:
        explain(424242, feature("count", 365), DAY, linked)
    assert "424242" not in str(refusal.value)
