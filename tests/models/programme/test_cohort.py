"""Who is compared, from which day, and what happened to them: small tables in and out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Settings
from models.programme.cohort import COMPARED_EACH, attrition, fates, followed, stands_for, trials
from models.programme.outcomes import MONTHS, course

DATE = pd.Timestamp("2024-01-01")


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(
        name="made-up", sources={"demographics": {"path": "nowhere.parquet"}}, outcome={"horizon_days": 360}
    )


def eligible(people: int, dates: int = 2) -> pd.DataFrame:
    months = [DATE + pd.DateOffset(months=number) for number in range(dates)]
    table = pd.MultiIndex.from_product([months, range(people)], names=["index_date", "person_id"]).to_frame(index=False)
    return table.astype({"index_date": "datetime64[us]"})


def starts(*rows: tuple[int, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["person_id", "start"])
    return table.assign(start=pd.to_datetime(table["start"]).astype("datetime64[us]"))


def test_starters_of_a_month_are_followed_from_their_start_and_others_from_a_day_like_theirs() -> None:
    told = trials(eligible(400), starts((3, "2024-01-11"), (4, "2024-01-31"), (5, "2024-02-01")), 30, 0)
    started = told[told["treated"]]
    assert list(zip(started["person_id"], started["starts_on"].dt.strftime("%m-%d"), strict=True)) == [
        (3, "01-11"),
        (5, "02-01"),
    ], "the thirty-first day is in no grace period of 30 days"
    after = (told["starts_on"] - told["index_date"]).dt.days
    assert set(after[~told["treated"]]) == {0, 10}
    assert (told.groupby("index_date")["treated"].agg(lambda arm: (~arm).sum()) == COMPARED_EACH).all()


def test_the_order_of_rows_does_not_matter_to_who_is_compared() -> None:
    table, enrolled = eligible(400), starts((3, "2024-01-11"), (5, "2024-02-01"))
    turned = table.sample(frac=1, random_state=1).reset_index(drop=True)
    keys = ["index_date", "person_id", "treated", "starts_on"]
    one, other = trials(table, enrolled, 30, 0)[keys], trials(turned, enrolled, 30, 0)[keys]
    by = ["index_date", "person_id"]
    pd.testing.assert_frame_equal(one.sort_values(by, ignore_index=True), other.sort_values(by, ignore_index=True))
    assert not one.equals(trials(table, enrolled, 30, 1)[keys]), "another seed draws others"


def test_fewer_comparators_are_taken_where_all_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.programme.cohort.MOST_COMPARED", 20)
    told = trials(eligible(400), starts((3, "2024-01-11"), (5, "2024-02-01")), 30, 0)
    assert (~told["treated"]).sum() == 20


def test_starters_stand_for_themselves_and_comparators_for_everybody_else() -> None:
    dates = pd.to_datetime(["2024-01-01"] * 4 + ["2024-02-01"] * 3)
    sample = pd.DataFrame({"index_date": dates, "treated": [True, False, False, False, True, True, False]})
    number = pd.Series({pd.Timestamp("2024-01-01"): 1000, pd.Timestamp("2024-02-01"): 500})
    weight = stands_for(sample, number)
    assert weight.tolist() == [0.5, 166.5, 166.5, 166.5, 0.5, 0.5, 249.0]
    assert weight.sum() == 750, "the people of an average month"


def test_a_month_in_which_nobody_started_has_no_trial() -> None:
    assert trials(eligible(50), starts(), 30, 0).empty


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("linked")
    people = pd.DataFrame(
        {
            "person_id": [1, 2, 3, 4, 5],
            "died_on": pd.to_datetime([None, "2024-01-05", None, "2024-06-15", None]),
            "registered_to": pd.to_datetime([None, None, "2024-01-08", None, "2024-03-01"]),
        }
    )
    events = pd.DataFrame(
        [
            (1, "ADMISSION//21", "2023-12-20", None, None),
            (1, "ADMISSION//21", "2024-01-10", None, None),
            (1, "SPELL//21", "2024-01-10", "2024-01-14", None),
            (1, "ADMISSION//21", "2024-02-20", None, "2024-03-01"),  # replaced: it no longer holds
            (1, "URGENT//111", "2024-12-30", None, None),
            (4, "ADMISSION//21", "2024-01-05", None, None),
            (5, "SNOMED//11429006", "2024-01-11", None, None),
            (5, "SNOMED//11429006", "2022-02-11", None, None),
        ],
        columns=["subject_id", "code", "time", "end", "known_until"],
    )
    for name in ("time", "end", "known_until"):
        events[name] = pd.to_datetime(events[name])
    people.to_parquet(folder / "people.parquet")
    events.to_parquet(folder / "events.parquet")
    enrolments = pd.DataFrame(
        {
            "person_id": [5, 4],
            "programme": ["case_management", "reablement"],
            "start": pd.to_datetime(["2024-02-01"] * 2),
            "end": pd.to_datetime([None] * 2),
        }
    )
    enrolments.to_parquet(folder / "enrolments.parquet")
    return folder


def rows(*people: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "place": np.arange(len(people)),
            "index_date": pd.Series([DATE] * len(people), dtype="datetime64[us]"),
            "person_id": people,
            "treated": [person in (1, 4) for person in people],
            "starts_on": pd.Series([pd.Timestamp("2024-01-10")] * len(people), dtype="datetime64[us]"),
        }
    )


def test_who_died_moved_or_was_admitted_before_the_day_is_in_neither_arm(linked: Path, settings: Settings) -> None:
    told = fates(rows(1, 2, 3, 4, 5), linked, settings)
    assert followed(told)["person_id"].tolist() == [1, 5]
    counted = attrition(told).set_index("why")
    assert counted["starters"].to_dict() == {
        "admitted as an emergency before the day": 1,
        "died before the day": 0,
        "followed": 1,
        "moved away before the day": 0,
    }
    assert counted["compared"].sum() == 3


def test_what_happened_is_counted_from_the_day_and_as_it_finally_turned_out(linked: Path, settings: Settings) -> None:
    told = course(rows(1, 4, 5), linked, settings)
    assert told.after("admissions").tolist() == [1, 0, 0]
    assert told.before("admissions").tolist() == [1, 1, 0]
    assert told.counts["admissions"][0, 2 * MONTHS] == 1, "on the day itself: the first month after it"
    assert told.after("bed_days").tolist() == [4, 0, 0]
    assert told.after("calls").tolist() == [1, 0, 0]
    assert told.after("calls", 11).tolist() == [0, 0, 0]
    assert told.after("gp_contacts").tolist() == [0, 0, 1]
    assert told.before("gp_contacts", 2).tolist() == [0, 0, 1]
    assert told.outcome().tolist() == [True, True, False]
    assert np.isnan(told.died[[0, 2]]).all()
    assert told.died[1] == 5
    assert told.stayed.tolist() == [True, True, False]
    assert told.started.tolist() == [False, False, True]
    assert course(rows(1, 4, 5), linked, settings, "reablement").started.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("ranks", "after", "before"),
    [
        ("admission", [True, False, False], [True, True, False]),
        ("acs_admission", [True, False, False], [False, False, False]),
        ("death", [False, True, False], [False, False, False]),
    ],
)
def test_the_outcome_is_that_of_the_settings(
    linked: Path, settings: Settings, ranks: str, after: list[bool], before: list[bool]
) -> None:
    events = pd.read_parquet(linked / "events.parquet")
    diagnosis = events.iloc[[0]].assign(subject_id=1, code="ICD10_PRIMARY//J44.1", time=pd.Timestamp("2024-01-14"))
    pd.concat([events, diagnosis.assign(end=pd.NaT, known_until=pd.NaT)]).to_parquet(linked / "events.parquet")
    told = settings.model_copy(update={"outcome": settings.outcome.model_copy(update={"ranks": ranks})})
    found = course(rows(1, 4, 5), linked, told)
    assert found.outcome().tolist() == after
    assert found.outcome_before().tolist() == before
    assert found.ranks == ranks


def test_who_left_long_before_dying_did_not_stay_and_who_was_deregistered_for_dying_did(
    tmp_path: Path, linked: Path, settings: Settings
) -> None:
    for name in ("events", "enrolments"):
        pd.read_parquet(linked / f"{name}.parquet").to_parquet(tmp_path / f"{name}.parquet")
    ends = ["2024-02-01", "2024-06-01", "2024-06-20"]
    people = {"person_id": [1, 2, 3], "died_on": ["2024-06-15"] * 3, "registered_to": ends}
    table = pd.DataFrame(people)
    table[["died_on", "registered_to"]] = table[["died_on", "registered_to"]].apply(pd.to_datetime)
    table.to_parquet(tmp_path / "people.parquet")
    assert course(rows(1, 2, 3), tmp_path, settings).stayed.tolist() == [False, True, True]
