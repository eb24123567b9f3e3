"""What a coordinator has to know besides the reasons: first step, helpers, last contact, needs, gaps in the data."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from cohorts import circumstances, first_steps
from cohorts.first_steps import OTHERWISE, STEPS
from cohorts.tables import CIRCUMSTANCES
from features import CATALOGUE, load_code_groups

GROUPS = load_code_groups()


def told(events, as_of, *rows, people=(1,), name_mental_health=False, silent=()):
    everybody = pd.Series(people, dtype="int64")
    steps = first_steps(everybody, pd.DataFrame({"person_id": [], "number": [], "group": []}))
    path = events(*[{"subject_id": 1, **row} for row in rows])
    return circumstances(everybody, steps, path, as_of, GROUPS, name_mental_health, silent).set_index("person_id")


def test_each_service_that_helps_is_named_once_with_its_latest_day(events, as_of):
    table = told(
        events,
        as_of,
        {"time": "2026-09-01", "code": "COMMUNITY//DISTRICT_NURSING"},
        {"time": "2026-09-04", "code": "COMMUNITY//DISTRICT_NURSING"},
        {"time": "2026-06-01", "code": "COMMUNITY//FALLS"},
        {"time": "2025-01-05", "code": "SOCIAL_CARE_SERVICE//HOME_SUPPORT"},
        {"time": "2026-07-20", "code": "SOCIAL_CARE//ASSESSMENT"},
        {"time": "2026-08-20", "code": "SOCIAL_CARE//REQUEST"},
    )
    assert table.loc[1, "helped_by"] == (
        "adult social care, latest 20 August 2026; district nursing, latest 4 September 2026; "
        "home support since 5 January 2025"
    )
    assert table.loc[1, "last_contact"] == "district nursing, 4 September 2026"


@pytest.mark.parametrize(
    ("end", "helped_by"),
    [("2026-12-31", "home support since 5 January 2025"), ("2026-06-01", ""), ("2026-09-28", "")],
    ids=["planned to end", "ended", "ends on the day"],
)
def test_a_service_goes_on_until_its_planned_end(end, helped_by, events, as_of):
    row = {"time": "2025-01-05", "end": end, "code": "SOCIAL_CARE_SERVICE//HOME_SUPPORT"}
    assert told(events, as_of, row).loc[1, "helped_by"] == helped_by


def test_palliative_care_is_never_named_and_mental_health_only_where_the_settings_say_so(events, as_of):
    rows = (
        {"time": "2026-09-01", "code": "COMMUNITY//PALLIATIVE"},
        {"time": "2026-09-02", "code": "MENTAL_HEALTH//CRISIS"},
        {"time": "2026-09-03", "code": "MENTAL_HEALTH//MEMORY"},
    )
    assert told(events, as_of, *rows).loc[1, "helped_by"] == "memory service, latest 3 September 2026"
    named = told(events, as_of, *rows, name_mental_health=True).loc[1]
    assert named["helped_by"] == "memory service, latest 3 September 2026; mental health services"
    assert named["last_contact"] == "memory service, 3 September 2026"


def test_the_last_contact_is_the_latest_that_may_be_named(events, as_of):
    table = told(
        events,
        as_of,
        {"time": "2026-09-10", "code": "SNOMED//11429006"},
        {"time": "2026-09-20", "code": "ED//ARRIVAL"},
        {"time": "2026-09-20", "code": "ICD10//X78"},
        {"time": "2026-09-27", "known_at": "2026-09-28", "code": "OUTPATIENT//ATTENDED"},
    )
    assert table.loc[1, "last_contact"] == "the practice, 10 September 2026"


def test_access_needs_are_said_in_one_order_and_people_apart(events, as_of):
    codes = ("224484003", "105529008", "160689007", "315594003")
    rows = [{"time": "2024-01-01", "code": f"SNOMED//{code}"} for code in codes]
    table = told(events, as_of, *rows, people=(1, 2), silent={2})
    assert table.loc[1, "needs"] == "interpreter needed; housebound; lives alone; is a carer"
    assert table.loc[2].to_dict() == dict.fromkeys(CIRCUMSTANCES, "") | {
        "first_step": OTHERWISE,
        "data_gaps": "no GP records lately",
    }


def test_an_old_record_of_a_need_that_may_have_passed_is_not_believed_until_it_is_made_again(events, as_of):
    codes = ("224484003", "105529008", "160689007", "315594003")
    rows = [{"time": "2020-01-01", "code": f"SNOMED//{code}"} for code in codes]
    assert told(events, as_of, *rows).loc[1, "needs"] == "interpreter needed"
    again = {"time": "2025-01-01", "code": "SNOMED//160689007"}
    assert told(events, as_of, *rows, again).loc[1, "needs"] == "interpreter needed; housebound"


def test_the_first_step_follows_the_strongest_reason_that_suggests_one():
    chosen = pd.DataFrame(
        {"person_id": [2, 1, 1], "number": [1, 2, 1], "group": ["falls", "emergency_admission", "cms_epilepsy"]}
    )
    steps = first_steps(pd.Series([1, 2, 3]), chosen)
    assert steps["person_id"].tolist() == [1, 2, 3]
    assert steps["first_step"].tolist() == [STEPS["emergency_admission"], STEPS["falls"], OTHERWISE]


@pytest.mark.parametrize("group", sorted(STEPS))
def test_every_step_belongs_to_a_reason_that_may_be_shown(group):
    assert group in {feature.group or feature.name for feature in CATALOGUE if feature.showable}


def test_a_first_step_names_no_programme_whose_places_this_list_gives():
    chosen = pd.DataFrame({"person_id": [1, 1, 2], "number": [1, 2, 1], "group": ["carer", "falls", "carer"]})
    titles = {"case_management": "Case management", "support": "Carer's  Assessment"}
    steps = first_steps(pd.Series([1, 2]), chosen, titles=titles)
    assert steps["first_step"].tolist() == [STEPS["falls"], OTHERWISE]
    assert first_steps(pd.Series([2]), chosen)["first_step"].tolist() == [STEPS["carer"]]


def test_no_step_promises_a_service_that_is_often_rationed():
    assert not [step for step in STEPS.values() if re.search("prescribing|reablement|case management", step, re.I)]
