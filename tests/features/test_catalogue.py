"""What the catalogue promises to models, to coordinators and to the reader of its page."""

from __future__ import annotations

import math
import string

import pandas as pd
import pytest

from casewell.errors import SettingsError
from features import CATALOGUE, Feature, load_code_groups, model_columns
from features.checks import check_catalogue
from features.code_groups import events_have
from features.declare import counted, feature_name
from features.derive import at_least
from features.documentation import markdown
from features.feature import DERIVED, DOMAINS, MEANINGS, TRAVEL, Part
from features.not_events import needed_for
from features.sensitive import SENSITIVE_GROUPS
from records import tables

GROUPS = events_have(load_code_groups())
SOURCES = {
    "hospital",
    "emergency care",
    "urgent care",
    "outpatients",
    "general practice",
    "prescriptions",
    "community",
    "mental health",
    "social care",
    "housing",
    "conditions",
    "household",
    "registration",
    "people",
    "travel",
}
SHOWABLE = [declared for declared in CATALOGUE if declared.showable]


def test_there_are_at_least_400_features_from_every_source_with_one_name_each():
    names = [declared.name for declared in CATALOGUE]
    assert len(names) >= 400
    assert len(set(names)) == len(names)
    assert {declared.source for declared in CATALOGUE} == SOURCES


def test_every_aggregation_serves_some_feature_of_the_catalogue():
    assert {declared.aggregation for declared in CATALOGUE} == set(MEANINGS)


def test_parts_are_checked_as_features_are():
    falls, unknown = _flag("falls"), _flag("fals")
    other = Feature("falls", "test", "falls", "any", 30, "yes/no", "")
    wrong = [
        Feature("a", "test", None, "weighted_sum", None, "", "", parts=(Part(unknown),)),
        Feature("b", "test", None, "share", None, "", ""),
        Feature("c", "test", None, "reaches", None, "", "", parts=(Part(falls),)),
        Feature("d", "test", None, "weighted_sum", None, "", "", parts=(Part(falls, unless=other),)),
        Feature("e", "test", "falls", "any", None, "", "", threshold=1.0),
    ]
    with pytest.raises(SettingsError) as caught:
        check_catalogue(wrong, GROUPS)
    assert sorted(caught.value.problems) == [
        "feature 'b': share needs parts",
        "feature 'c': reaches needs a threshold",
        "feature 'e': any takes no threshold",
        "feature 'falls' is one thing here, and another where it is a part",
        "feature 'fals': unknown code group 'fals'; did you mean 'falls'?",
    ]


def test_a_window_that_no_table_of_words_holds_is_declared_and_one_that_cannot_be_is_refused():
    usual, none, past = counted("general practice", "falls", "fall", "falls", (60, 0, -1))
    assert usual.words(2) == "2 falls in the last 60 days"
    check_catalogue([usual, at_least("general practice", "often", usual, 2, "Often")], GROUPS)
    with pytest.raises(SettingsError) as caught:
        check_catalogue([usual, none, past], GROUPS)
    assert [problem.split(", ")[0] for problem in caught.value.problems] == [
        "feature 'falls_count_-1d': a name is letters",
        "feature 'falls_count_0d': a window of 0 days; it must be a whole number from 1 to 36525",
        "feature 'falls_count_-1d': a window of -1 days; it must be a whole number from 1 to 36525",
    ]


def test_nobody_s_parts_are_forgotten():
    by_name = {declared.name: declared for declared in CATALOGUE}
    wanted = {declared.name for declared in needed_for([by_name["physical_and_mental"]])}
    # Made of two yes-or-nos, made of two numbers of conditions, made of 20 conditions.
    assert len(wanted) == 1 + 2 + 2 + 20
    assert len(needed_for([by_name["charlson_score"]])) == 18


def test_every_feature_can_be_built():
    check_catalogue(CATALOGUE, GROUPS)


def test_every_showable_feature_says_its_value_in_words():
    assert len(SHOWABLE) >= 50
    for declared in SHOWABLE:
        for template in (declared.template, declared.template_one):
            fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
            assert fields <= {"value"}
            assert template.format(value=3.0)
        assert declared.words(3.0)


def test_reasons_are_plain_words():
    by_name = {declared.name: declared for declared in CATALOGUE}
    admissions = by_name["emergency_admission_count_365d"]
    assert admissions.words(3) == "3 emergency admissions in the last 12 months"
    assert admissions.words(1) == "1 emergency admission in the last 12 months"
    assert by_name["ed_attendance_days_since_last_ever"].words(12) == "Last emergency department visit 12 days ago"
    assert by_name["urgent_999_count_90d"].words(2) == "2 calls to 999 in the last 3 months"
    ambulance = by_name["urgent_ambulance_count_365d"]
    assert ambulance.words(1) == "1 call to 111 or 999 answered with an ambulance in the last 12 months"
    assert by_name["cms_heart_failure_any_ever"].words(1) == "Has heart failure"
    assert by_name["home_support_running_ever"].words(1) == "Has home support now"


@pytest.mark.parametrize("value", [0.0, math.nan])
def test_nothing_is_said_of_what_is_not_recorded(value):
    for declared in SHOWABLE:
        if declared.aggregation in ("any", "count", "running", *DERIVED):
            assert declared.words(value) is None


def test_no_sensitive_group_is_showable():
    assert set(SENSITIVE_GROUPS) <= set(GROUPS)
    assert not [declared.name for declared in CATALOGUE if declared.showable and declared.group in SENSITIVE_GROUPS]
    assert not [declared.name for declared in CATALOGUE if declared.template and not declared.showable]
    assert not [f.name for f in SHOWABLE if f.groups() & set(SENSITIVE_GROUPS)]


def test_a_sensitive_group_cannot_be_declared_showable():
    with pytest.raises(SettingsError, match="sensitive"):
        Feature("x", "test", "mental_health_crisis", "count", 30, "events", "", "{value}", showable=True)


def test_a_feature_made_of_something_sensitive_cannot_be_declared_showable():
    secret = Feature("s", "test", "charlson_hiv", "any", None, "yes/no", "")
    between = Feature("b", "test", None, "reaches", None, "yes/no", "", parts=(Part(secret),), threshold=1.0)
    for parts in ((Part(secret),), (Part(between),), (Part(_flag("falls"), unless=secret),)):
        with pytest.raises(SettingsError, match="'charlson_hiv' is sensitive"):
            Feature("x", "test", None, "weighted_sum", None, "", "", "{value}", showable=True, parts=parts)


def _flag(group: str) -> Feature:
    return Feature(group, "test", group, "any", None, "yes/no", "")


def test_a_number_of_conditions_is_said_from_two_so_that_none_is_pointed_at():
    number = next(declared for declared in CATALOGUE if declared.name == "cms_physical_conditions")
    assert number.words(1.0) is None
    assert number.words(2.0) == "2 long-term physical conditions"


def test_age_sex_and_deprivation_are_never_reasons_and_ethnicity_is_no_feature():
    people = {declared.name: declared for declared in CATALOGUE if declared.source == "people"}
    assert set(people) == {"age", "sex_female", "imd_decile", *[f"imd_{name}" for name in DOMAINS]}
    assert DOMAINS == tables.DOMAINS
    assert TRAVEL == tables.TRAVEL
    assert not any(declared.showable for declared in people.values())
    assert not people["imd_decile"].words(1.0)
    assert not [declared.name for declared in CATALOGUE if "ethnic" in declared.name]


def test_what_serves_lists_only_is_kept_from_the_models():
    assert "interpreter_needed_any_ever" not in model_columns()
    assert len(model_columns()) == sum(declared.in_model for declared in CATALOGUE)


def test_death_and_leaving_are_not_features():
    codes = set(load_code_groups()["code_prefix"])
    assert not codes & {"DEATH", "DEATH//", "REGISTRATION_END", "REGISTRATION_END//"}


def test_that_something_may_have_stopped_is_told_to_nobody():
    guesses = [declared for declared in CATALOGUE if declared.aggregation in ("longest_gap", "periods_with", "overdue")]
    assert {declared.aggregation for declared in guesses} == {"longest_gap", "periods_with", "overdue"}
    assert not any(declared.showable for declared in guesses)


def test_the_reference_page_names_every_feature():
    page = markdown()
    assert all(f"| `{declared.name}` |" in page for declared in CATALOGUE)


def test_the_reference_page_says_where_every_code_group_is_from():
    page = markdown()
    assert all(f"| `{group}` |" in page for declared in CATALOGUE for group in declared.groups())
    assert "at least 15.1 in all: `hfrs_score`" in page
    assert "`prescription_anticoagulant_any_90d` unless `prescription_stomach_protection_any_90d`" in page


def test_names_say_group_aggregation_and_window():
    for declared in CATALOGUE:
        if declared.group is not None:
            assert declared.name == feature_name(declared.group, declared.aggregation, declared.window_days)


def test_template_one_is_used_for_one_only():
    declared = next(declared for declared in SHOWABLE if declared.template != declared.template_one)
    said = pd.Series([1.0, 2.0]).map(declared.words)
    assert said.tolist() == [declared.template_one.format(value=1), declared.template.format(value=2)]
