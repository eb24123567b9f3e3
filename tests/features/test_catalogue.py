"""What the catalogue promises to models, to coordinators and to the reader of its page."""

from __future__ import annotations

import math
import string

import pandas as pd
import pytest

from features import CATALOGUE, Feature, load_code_groups, model_columns
from features.checks import check_catalogue
from features.declare import feature_name
from features.documentation import markdown
from features.not_events import condition_features, condition_weights
from features.sensitive import SENSITIVE_GROUPS

GROUPS = set(load_code_groups()["group"])
SHOWABLE = [declared for declared in CATALOGUE if declared.showable]


def test_there_are_at_least_130_features_with_one_name_each():
    names = [declared.name for declared in CATALOGUE]
    assert len(names) >= 130
    assert len(set(names)) == len(names)


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
        if declared.aggregation in ("any", "count", "running"):
            assert declared.words(value) is None


def test_no_sensitive_group_is_showable():
    assert set(SENSITIVE_GROUPS) <= GROUPS
    assert not [declared.name for declared in CATALOGUE if declared.showable and declared.group in SENSITIVE_GROUPS]
    assert not [declared.name for declared in CATALOGUE if declared.template and not declared.showable]


def test_a_sensitive_group_cannot_be_declared_showable():
    with pytest.raises(ValueError, match="sensitive"):
        Feature("x", "test", "mental_health_crisis", "count", 30, "events", "", "{value}", showable=True)


def test_age_sex_and_deprivation_are_never_reasons_and_ethnicity_is_no_feature():
    people = {declared.name: declared for declared in CATALOGUE if declared.source == "people"}
    assert set(people) == {"age", "sex_female", "imd_decile"}
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


def test_the_weights_and_the_catalogue_know_the_same_20_conditions():
    assert set(condition_weights()) == set(condition_features())
    assert len(condition_features()) == 20


def test_the_reference_page_names_every_feature():
    page = markdown()
    assert all(f"| `{declared.name}` |" in page for declared in CATALOGUE)


def test_names_say_group_aggregation_and_window():
    for declared in CATALOGUE:
        if declared.group is not None:
            assert declared.name == feature_name(declared.group, declared.aggregation, declared.window_days)


def test_template_one_is_used_for_one_only():
    declared = next(declared for declared in SHOWABLE if declared.template != declared.template_one)
    said = pd.Series([1.0, 2.0]).map(declared.words)
    assert said.tolist() == [declared.template_one.format(value=1), declared.template.format(value=2)]
