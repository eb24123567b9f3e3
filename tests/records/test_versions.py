"""What was believed on an earlier day can be told from a later build, and is what a build for that day told."""

from __future__ import annotations

import datetime as dt
import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .hospital import AGAIN, ELSEWHERE, EPISODE, LATER, MOVED, SECOND, events, versions, visible
from .hospital_histories import histories

START = dt.date(2022, 1, 1)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def spans(table: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Each code with the days from and until which it was believed."""
    told = table[["known_at", "known_until"]].apply(lambda column: column.dt.strftime("%Y-%m-%d").fillna(""))
    return set(zip(table["code"], told["known_at"], told["known_until"], strict=True))


def test_a_corrected_diagnosis_is_two_events_one_after_the_other():
    told = spans(versions(EPISODE, AGAIN))
    assert {
        ("ICD10//I500", "2022-07-01", "2022-08-01"),
        ("ICD10_PRIMARY//I500", "2022-07-01", "2022-08-01"),
        ("ICD10//J440", "2022-08-01", ""),
        ("ICD10//E119", "2022-07-01", ""),
        ("SPELL//21", "2022-07-01", ""),
        ("ADMISSION//21", "2022-06-02", ""),
    } <= told
    assert len(told) == 8


def test_what_is_corrected_back_is_believed_twice():
    back = EPISODE | {"received_date": "2022-09-01"}
    assert {
        ("ICD10//I500", "2022-07-01", "2022-08-01"),
        ("ICD10//J440", "2022-08-01", "2022-09-01"),
        ("ICD10//I500", "2022-09-01", ""),
    } <= spans(versions(EPISODE, AGAIN, back))


def test_an_admission_that_proves_a_transfer_was_one_of_its_own_until_then():
    told = spans(versions(MOVED, ELSEWHERE))
    assert ("ADMISSION//81", "2022-06-13", "2022-07-01") in told
    assert ("ADMISSION//21", "2022-06-02", "") in told


def test_a_stay_given_to_another_person_was_the_first_ones_until_then():
    table = versions(EPISODE | {"person": "b"}, AGAIN)
    assert (table["known_until"].notna() == (table["subject_id"] == ord("b"))).all()
    assert ("SPELL//21", "2022-07-01", "2022-08-01") in spans(table[table["subject_id"] == ord("b")])
    assert ("SPELL//21", "2022-08-01", "") in spans(table[table["subject_id"] == ord("a")])


def test_an_admission_whose_spell_turns_out_to_be_another_persons_was_the_first_ones_until_then():
    rows = [EPISODE | {"person": "b", "received_date": None, "discharge_date": None}, EPISODE]
    assert ("ADMISSION//21", "2022-06-02", "2022-07-01") in spans(rebuilt_as_it_was(rows, [dt.date(2022, 6, 20)]))


def test_a_spell_told_once_is_never_replaced():
    assert versions(EPISODE, ELSEWHERE)["known_until"].isna().all()


offsets = st.integers(0, 9)


@st.composite
def tellings(draw, people):
    """What one row says: of whom, from when to when, in which hospital, and when it was received."""
    admitted = draw(offsets)
    discharged = draw(st.one_of(st.none(), offsets.map(lambda days: admitted + days // 2)))
    received = draw(st.one_of(st.none(), st.integers(0, 15)))
    return {
        "person": draw(st.sampled_from(people)),
        "provider_code": draw(st.sampled_from(["RAA", "RBB"])),
        "spell_id": draw(st.sampled_from([f"S1{people}", f"S2{people}", None])),
        "episode_order": draw(st.sampled_from([1, 1, 2])),
        "admission_date": day(admitted),
        "admission_method": draw(st.sampled_from(["21", "21", "81", "2B"])),
        "admission_received_date": day(admitted + draw(offsets)),
        "discharge_date": None if discharged is None else day(discharged),
        "discharge_destination": draw(st.sampled_from(["19", "51", "51", None])),
        "primary_diagnosis": draw(st.sampled_from(["I500", "J440", None])),
        "secondary_diagnoses": draw(st.sampled_from(["E119", "E119;N183", "I500", None])),
        "received_date": None if received is None else day((discharged or admitted) + received),
    }


@st.composite
def careless_rows(draw, people):
    """Rows that agree on nothing, and rows that differ from another in one or two things only."""
    rows = draw(st.lists(tellings(people), min_size=1, max_size=3))
    for _ in range(draw(st.integers(0, 3))):
        other = draw(tellings(people)) | {"spell_id": rows[0]["spell_id"]}
        differing = draw(st.sets(st.sampled_from(list(other)), max_size=2))
        like = draw(st.sampled_from(rows))
        received = day(draw(st.integers(0, 30))) if draw(st.booleans()) else like["received_date"]
        rows.append(like | {"received_date": received} | {name: other[name] for name in differing})
    return [row | {"record_id": f"H{people}{place}"} for place, row in enumerate(rows)]


# Several families at once: a build costs the same for one row as for many.
careless = st.tuples(*(careless_rows(people) for people in ("aab", "ccd", "ef", "gh", "i", "j"))).map(
    lambda rows: list(itertools.chain(*rows))
)


def rebuilt_as_it_was(rows, days):
    """Whether the build for a later day shows of each earlier one what the build for that one told."""
    later = versions(*rows, as_of=LATER)
    for then in days:
        seen = visible(later, then)
        pd.testing.assert_frame_equal(seen, events(*rows, as_of=then))
    return later


@pytest.mark.parametrize(
    "rows",
    [
        [EPISODE, SECOND | {"received_date": "2022-08-01", "admission_method": "11"}],
        [EPISODE, SECOND | {"received_date": "2022-08-01", "admission_date": "2022-05-30"}],
        [EPISODE, SECOND | {"received_date": "2022-08-01", "discharge_date": "2022-06-12"}],
        [EPISODE, SECOND | {"received_date": "2022-08-01", "discharge_destination": "54"}],
        [EPISODE | {"person": "b"}, SECOND | {"received_date": "2022-08-01", "episode_order": 0}],
        [SECOND, EPISODE | {"received_date": "2022-08-01", "admission_received_date": "2022-08-01"}],
        [EPISODE, SECOND | {"received_date": "2022-07-01", "admission_received_date": "2022-08-01"}],
    ],
    ids=["method", "admission", "discharge", "destination", "person", "first episode last", "late notice"],
)
def test_a_second_episode_that_disagrees_rewrites_nothing_before_its_receipt(rows):
    rebuilt_as_it_was(rows, [dt.date(2022, 6, 20), dt.date(2022, 7, 15), dt.date(2022, 8, 15)])


@settings(max_examples=20, deadline=None)
@given(careless, st.sets(st.integers(1, 40).map(day), min_size=3, max_size=3))
def test_a_later_build_shows_of_any_day_what_that_days_build_told(rows, days):
    later = rebuilt_as_it_was(rows, days)
    assert (later["known_at"] >= later["time"]).all()
    assert not (later["known_until"] <= later["known_at"]).any(), "an event that could never be seen"


@settings(max_examples=10, deadline=None)
@given(histories(), st.sets(st.integers(2, 90).map(day), min_size=3, max_size=3))
def test_so_it_does_where_trusts_resubmit_and_pass_patients_on(history, days):
    _, rows = history
    rebuilt_as_it_was(rows, days)


@settings(max_examples=10, deadline=None)
@given(careless, st.randoms())
def test_the_order_of_the_rows_makes_no_difference(rows, random):
    shuffled = random.sample(rows, len(rows))
    pd.testing.assert_frame_equal(versions(*rows), versions(*shuffled))
