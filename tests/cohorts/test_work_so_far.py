"""What teams recorded is carried on to the next list, to the right person and in the right order."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from casewell import doors
from cohorts.tables import WORK
from cohorts.work_so_far import SHOWN, work_so_far

AS_OF = dt.date(2026, 9, 28)
WEEK = "2026-09-21"


def work(*rows: dict) -> pd.DataFrame:
    plain = {
        "list_as_of": WEEK,
        "team_code": "T1",
        "nhs_number": "9990000001",
        "source_record": "r1",
        "recorded_on": "2026-09-23",
        "owner": "",
        "progress": "",
        "outcome": "",
        "start": None,
        "offer_again": None,
        "note": "",
    }
    table = pd.DataFrame([{"number": n, **plain, **row} for n, row in enumerate(rows, 1)])
    days = {name: pd.to_datetime(table[name]) for name in ("list_as_of", "recorded_on", "start", "offer_again")}
    return doors.check(table.assign(**days), WORK)


def on_list(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([{"team_code": "T1", "nhs_number": "9990000001", "source_record": "r1", **row} for row in rows])


def found(rows: pd.DataFrame, recorded: pd.DataFrame, as_of: dt.date = AS_OF) -> list[list[str]]:
    return work_so_far(rows, recorded, as_of).to_numpy().tolist()


def test_a_person_still_listed_keeps_owner_progress_and_what_was_done():
    recorded = work(
        {"owner": "Jo", "progress": "in progress", "outcome": "not reached", "note": "ring after 2"},
        {"nhs_number": "9990000002", "owner": "Sam"},
    )
    rows = on_list({}, {"nhs_number": "9990000002", "source_record": "r2"}, {"nhs_number": "9990000003"})
    assert found(rows, recorded) == [
        ["Jo", "in progress", "23 September 2026, Jo: not reached; ring after 2"],
        ["Sam", "", ""],
        ["", "", ""],
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"outcome": "agreed", "start": "2026-09-24"}, "23 September 2026: agreed, from 24 September 2026"),
        ({"outcome": "declined"}, "23 September 2026: declined"),
        (
            {"outcome": "declined", "offer_again": "2027-03-01"},
            "23 September 2026: declined, offer again from 1 March 2027",
        ),
        ({"note": "moved in with her sister"}, "23 September 2026: moved in with her sister"),
        ({"owner": "Jo"}, ""),
    ],
)
def test_each_entry_says_the_day_and_what_became_of_it(row, says):
    assert found(on_list({}), work(row))[0][2] == says


def test_what_only_repeats_itself_is_said_once_and_the_newest_stands_first():
    first = {"outcome": "not reached", "note": "ring after 2"}
    again = {"list_as_of": "2026-09-28", "recorded_on": "2026-09-29", "outcome": "not reached"}
    recorded = work(first, first | {"owner": "Jo", "recorded_on": "2026-09-24"}, first | {"note": "x"}, again)
    assert found(on_list({}), recorded)[0] == [
        "",
        "",
        "29 September 2026: not reached\n23 September 2026: x\n23 September 2026: not reached; ring after 2",
    ]


def test_a_long_history_shows_its_newest_entries():
    recorded = work(*[{"note": f"call {n}"} for n in range(SHOWN + 4)])
    entries = found(on_list({}), recorded)[0][2].splitlines()
    assert entries == [f"23 September 2026: call {n}" for n in range(SHOWN + 3, 3, -1)]


def test_an_old_list_given_back_late_does_not_change_who_owns_the_person_now():
    late = work({"list_as_of": "2026-09-28", "owner": "Sam"}, {"owner": "Jo", "outcome": "not reached"})
    assert found(on_list({}), late)[0] == ["Sam", "", "23 September 2026, Jo: not reached"]


def test_an_owner_taken_out_is_out_and_no_older_one_comes_back():
    assert found(on_list({}), work({"owner": "Jo"}, {"progress": "done"}))[0][:2] == ["", "done"]


def test_another_team_is_told_the_outcome_and_neither_the_owner_nor_the_words():
    recorded = work({"team_code": "T2", "owner": "Jo", "progress": "done", "outcome": "declined", "note": "angry"})
    assert found(on_list({}), recorded)[0] == ["", "", "23 September 2026, team T2: declined"]
    assert found(on_list({}), work({"team_code": "T2", "note": "angry"}))[0] == ["", "", ""]


def test_a_past_week_made_again_does_not_know_what_came_later():
    recorded = work({"owner": "Jo"}, {"list_as_of": "2026-10-05", "owner": "Sam", "note": "later"})
    assert found(on_list({}), recorded)[0] == ["Jo", "", ""]
    assert found(on_list({}), recorded, dt.date(2026, 10, 5))[0][0] == "Sam"


def test_people_without_a_number_are_found_by_their_record_and_nobody_by_nothing():
    recorded = work({"nhs_number": "", "owner": "Jo"}, {"nhs_number": "", "source_record": "", "owner": "Sam"})
    rows = on_list(
        {"nhs_number": "not recorded"},
        {"nhs_number": "not recorded", "source_record": "not recorded"},
        {"nhs_number": "9990000009"},
    )
    assert [row[0] for row in found(rows, recorded)] == ["Jo", "", ""]


def test_the_order_of_rows_and_records_changes_nothing():
    recorded = work(*[{"nhs_number": f"999{n % 7}", "owner": f"o{n}", "note": f"n{n}"} for n in range(40)])
    rows = on_list(*[{"nhs_number": f"999{n}"} for n in range(9)])
    one = work_so_far(rows, recorded, AS_OF)
    other = work_so_far(rows.sample(frac=1, random_state=2), recorded.sample(frac=1, random_state=1), AS_OF)
    pd.testing.assert_frame_equal(one, other.sort_index())
    assert work_so_far(rows.iloc[:0], recorded, AS_OF).empty
    assert found(rows.iloc[:1], doors.empty(WORK)) == [["", "", ""]]


def test_how_far_another_programmes_offer_is_does_not_stand_beside_this_one():
    told = work({"owner": "Jo", "progress": "done", "programme": "reablement"})
    for offered, progress in (("reablement", "done"), ("social_prescribing", ""), ("case_management", "")):
        assert found(on_list({"programme": offered}), told)[0][:2] == ["Jo", progress]
    assert found(on_list({}), told)[0][:2] == ["Jo", ""], "a list of case management alone names no programme"
    own = work({"owner": "Jo", "progress": "done"})
    assert found(on_list({"programme": "case_management"}), own)[0][:2] == ["Jo", "done"]
    assert found(on_list({"programme": "reablement"}), own)[0][:2] == ["Jo", ""]


def test_so_far_names_the_programme_where_the_row_or_the_record_is_of_another():
    declined = work({"owner": "Jo", "outcome": "declined", "programme": "case_management"})
    said = {
        offered: found(on_list({"programme": offered}), declined)[0][2] for offered in ("reablement", "case_management")
    }
    assert said["reablement"].endswith(": declined (case management)")
    assert said["case_management"].endswith(": declined")
    noted = work({"owner": "Jo", "note": "rang twice", "programme": "case_management"})
    assert found(on_list({"programme": "reablement"}), noted)[0][2].endswith(": rang twice (case management)")
    both = work({"owner": "Jo", "outcome": "declined", "note": "rang twice", "programme": "reablement"})
    assert found(on_list({"programme": "reablement"}), both)[0][2].endswith(": declined (reablement); rang twice")
    old = work({"owner": "Jo", "outcome": "declined"})
    assert found(on_list({"programme": "reablement"}), old)[0][2].endswith(": declined (case management)")
