from __future__ import annotations

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewell.settings import Teams
from cohorts import allocate, assemble, unmet_need, write_lists
from cohorts.unmet_sheet import ABOUT


@pytest.fixture(scope="module")
def contest(people, scores):
    """Ten people; the more ill, the less to gain; the last three have the highest need."""
    everybody = people(*[{"team_code": "T1" if n % 2 else "T2"} for n in range(10)])
    scored = scores(*[{"need": float(n), "benefit": 0.05 - n / 1000, "risk": 0.1} for n in range(10)])
    return everybody, scored, allocate(scored, everybody, Teams(default_capacity=1, reserve_share=0), b"k")


def used(*people):
    return pd.DataFrame({"person_id": range(1, 11), "use": [1.0 if n in people else 0.0 for n in range(1, 11)]})


def test_the_most_ill_whom_hospital_has_not_seen_and_who_have_no_place_are_on_it(contest):
    _, scored, allocation = contest
    found = unmet_need(allocation, scored, used(9), 0.4, 20)
    assert found[["team_code", "rank", "person_id"]].to_records(index=False).tolist() == [
        ("T1", 1, 10),
        ("T1", 2, 8),
        ("T2", 1, 7),
    ]


def test_nobody_with_a_place_is_on_it_and_no_more_than_asked_for(contest):
    _, scored, allocation = contest
    listed = allocation.assign(status=allocation["status"].where(allocation["person_id"] != 10, "reserve"))
    assert unmet_need(listed, scored, used(), 0.4, 1)["person_id"].tolist() == [8, 9]
    assert unmet_need(allocation, scored, used(), 0.4, 0).empty


def cells_of(path):
    return [cell for row in openpyxl.load_workbook(path)["Unmet need"].iter_rows() for cell in row if cell.value]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.one_of(
        st.text(max_size=20), st.sampled_from(["=cmd|' /C calc'!A0", "+1", "@x", "http://a.b", "\u202e=1+1"])
    )
)
def test_no_name_is_a_formula_or_a_link_on_the_second_sheet(
    name, contest, contacts, practices, heading, as_of, tmp_path
):
    everybody, scored, allocation = contest
    reasons = pd.DataFrame({"person_id": pd.Series(dtype="int64"), "reason_1": pd.Series(dtype="str")})
    cohort = assemble(allocation, scored, reasons, everybody, as_of)
    unmet = unmet_need(allocation, scored, used(), 0.4, 20)
    known = contacts(*[{"family_name": name, "given_name": name}] * 10)
    write_lists(cohort, known, practices, heading, tmp_path, True, unmet)
    cells = cells_of(tmp_path / "T1.xlsx")
    assert all(cell.data_type == "s" and cell.hyperlink is None for cell in cells)
    assert all(cell.number_format == "@" for cell in cells)
    assert not any("\u202e" in cell.value for cell in cells)


def test_the_second_sheet_says_what_it_is_and_whose_override_released_it(
    contest, contacts, practices, heading, as_of, tmp_path
):
    everybody, scored, allocation = contest
    reasons = pd.DataFrame({"person_id": pd.Series(dtype="int64"), "reason_1": pd.Series(dtype="str")})
    cohort = assemble(allocation, scored, reasons, everybody, as_of)
    unmet = unmet_need(allocation, scored, used(7, 9), 0.4, 20)
    write_lists(cohort, contacts(*[{}] * 10), practices, heading, tmp_path, True, unmet)
    told = [cell.value for cell in cells_of(tmp_path / "T1.xlsx")]
    assert ABOUT in told
    assert any("SYNTHETIC" in value for value in told)
    assert any("A. Director, until 31 March 2027, because" in value for value in told)
    assert told.count("Byron, Ada") == 2
    assert "Byron, Ada" not in [cell.value for cell in cells_of(tmp_path / "T2.xlsx")]
    assert openpyxl.load_workbook(tmp_path / "T1.xlsx").active.title == "List"
