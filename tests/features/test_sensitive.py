"""What is shown shares no code with a sensitive group, unless it is named here with the reason why it gives nothing away."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest

from features import CATALOGUE, Feature, load_code_groups
from features.declare import counted
from features.sensitive import SENSITIVE_GROUPS

GROUPS = load_code_groups()
MEDICINES = {group for group in SENSITIVE_GROUPS if group.startswith("prescription_")}
COMPLAINTS = {
    f"ed_{name}": ({"ed_complaint"}, "says its own complaint, which is not self-harm, assault or abuse")
    for name in ("abdominal_pain", "breathlessness", "chest_pain", "fall", "fever", "headache", "injury", "unwell")
}
# By code group, or by name for what is made of several: the sensitive groups it shares codes with, and why it is shown.
EXCUSED: dict[str, tuple[set[str], str]] = COMPLAINTS | {
    "acsc_admission": (
        {"admitted_infection", "admitted_genitourinary", "charlson_liver_mild"},
        "one of 19 conditions, and not said which",
    ),
    "acsc_acute_admission": ({"admitted_infection", "admitted_genitourinary"}, "one of several, and not said which"),
    "acsc_pyelonephritis": ({"admitted_genitourinary"}, "kidneys; no sexual organ, no infertility"),
    "admitted_circulatory": ({"charlson_liver_severe"}, "a whole chapter; varices of the gullet are a hundredth of it"),
    "admitted_digestive": (
        {"cms_alcohol_problems", "hospital_alcohol_harm", "charlson_liver_mild", "charlson_liver_severe"},
        "a whole chapter; the liver is a small part of it, and is not named",
    ),
    "cms_ckd": ({"admitted_genitourinary"}, "kidneys; no sexual organ, no infertility"),
    "cms_dementia": (
        {"admitted_mental", "private_hiv"},
        "of that chapter dementia alone, which its care is planned around; not said from which illness",
    ),
    "cms_physical_conditions": (
        {
            "admitted_genitourinary",
            "admitted_mental",
            "prescription_central_nervous_system",
            "prescription_opioid",
            "private_hiv",
        },
        "a number, from two on; of the codes shared, pain is the one condition that is not named beside it",
    ),
    **{
        band: (
            MEDICINES - {"prescription_infections"} | {"admitted_genitourinary", "admitted_mental", "private_hiv"},
            "9 or more of 36 deficits, and not said which",
        )
        for band in ("efi_moderate", "efi_severe")
    },
    "hospital_acute_kidney_injury": ({"admitted_genitourinary"}, "kidneys; no sexual organ, no infertility"),
    "hospital_delirium": ({"admitted_mental"}, "comes with bodily illness, and whoever visits must know"),
    "hospital_discharge": ({"end_of_life", "private_justice"}, "one destination of 15, and not said which"),
    "hospital_sepsis": ({"admitted_infection"}, "no infection that is passed on by sex or blood"),
    "housing_damp_report": ({"housing_problem"}, "damp is neither debt nor homelessness"),
    "mental_health_memory": ({"any_mental_health"}, "memory services, as dementia"),
    "prescription_antibiotic": ({"prescription_infections"}, "BNF 5.1 alone; medicines for HIV are in 5.3"),
    "prescription_regular": (
        MEDICINES - {"prescription_infections"},
        "a number of different medicines, from two on, of nine chapters",
    ),
    "urinary_infection": ({"admitted_genitourinary"}, "bladder and kidneys; no sexual organ, no infertility"),
}


def codes_of(groups: pd.DataFrame) -> dict[str, list[tuple[str, bool]]]:
    """The codes of each group, and whether each stands for all that begin so. A first diagnosis is a diagnosis too."""
    code = groups["code_prefix"].str.replace("ICD10_PRIMARY//", "ICD10//")
    table = groups.assign(code=code, whole=groups["match"] == "prefix")
    return {str(name): list(zip(rows["code"], rows["whole"], strict=True)) for name, rows in table.groupby("group")}


def meet(one: Sequence[tuple[str, bool]], other: Sequence[tuple[str, bool]]) -> bool:
    """Whether some code belongs to both."""
    return any(
        a == b or (b_whole and a.startswith(b)) or (a_whole and b.startswith(a))
        for a, a_whole in one
        for b, b_whole in other
    )


def shares(features: Sequence[Feature], groups: pd.DataFrame = GROUPS) -> dict[str, set[str]]:
    """For each code group shown, or feature made of several, the sensitive groups with which it shares a code."""
    codes = codes_of(groups)
    found: dict[str, set[str]] = {}
    for declared in features:
        if declared.showable:
            mine = [code for group in declared.groups() for code in codes[group]]
            said = found.setdefault(declared.group or declared.name, set())
            said |= {group for group in SENSITIVE_GROUPS if meet(mine, codes[group])}
    return {name: sensitive for name, sensitive in found.items() if sensitive}


def test_a_sensitive_code_is_shown_under_no_other_name_without_a_reason():
    excused = {name: sensitive for name, (sensitive, reason) in EXCUSED.items() if reason}
    assert shares(CATALOGUE) == excused


@pytest.mark.parametrize(
    ("code", "match", "also"),
    [
        ("ICD10_PRIMARY//T", "prefix", {"private_abuse"}),
        ("ICD10//T391", "exact", set()),
        ("ICD10//T4", "prefix", set()),
    ],
)
def test_poisoning_among_falls_would_be_found(code, match, also):
    shown = counted("general practice", "falls", "fall", "falls", (30,))
    assert shares(shown) == {}
    more = pd.DataFrame({"group": ["falls"], "code_prefix": [code], "match": [match]})
    assert shares(shown, pd.concat([GROUPS, more])) == {"falls": {"hospital_poisoning"} | also}


def test_contacts_of_all_teams_are_not_shown_beside_the_teams_that_are():
    every = [declared for declared in CATALOGUE if declared.group in ("any_community", "any_mental_health")]
    assert len(every) > 4
    assert not any(declared.showable for declared in every)


def test_an_illness_inferred_from_an_opioid_is_not_said():
    by_name = {declared.name: declared for declared in CATALOGUE}
    assert not by_name["cms_painful_condition_any_ever"].showable
    assert by_name["cms_painful_condition_any_ever"].in_model
    assert by_name["admitted_injury_count_365d"].words(1) == "1 admission for an injury in the last 12 months"
