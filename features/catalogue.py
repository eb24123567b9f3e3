"""Every feature there is, by theme. Change it here; models, reasons and documents follow.

Ethnicity is never a feature: it is kept for the audit. Age, sex and deprivation inform
models and are never given as reasons.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.declare import (
    ALL_WINDOWS,
    change,
    counted,
    days,
    distinct,
    first,
    gap,
    longest,
    measured,
    overdue,
    present,
    recency,
    regular,
    running,
)
from features.feature import MEANINGS, Feature

CONDITIONS = {
    "alcohol_problems": "alcohol problems",
    "anxiety_depression": "anxiety or depression",
    "asthma": "asthma",
    "atrial_fibrillation": "atrial fibrillation",
    "cancer_last_5y": "cancer",
    "ckd": "chronic kidney disease",
    "connective_tissue_disorder": "rheumatoid arthritis or another connective tissue disorder",
    "constipation_treated": "treated constipation",
    "copd": "chronic obstructive pulmonary disease",
    "coronary_heart_disease": "coronary heart disease",
    "dementia": "dementia",
    "diabetes": "diabetes",
    "epilepsy": "epilepsy",
    "hearing_loss": "hearing loss",
    "heart_failure": "heart failure",
    "hypertension": "high blood pressure",
    "irritable_bowel_syndrome": "irritable bowel syndrome",
    "painful_condition": "a painful condition",
    "psychosis_bipolar": "psychosis or bipolar disorder",
    "stroke_tia": "stroke or transient ischaemic attack",
}
CONDITION_WINDOWS = {"cancer_last_5y": 1826}
FLARES = ("copd", "heart_failure", "asthma", "diabetes", "stroke_tia", "coronary_heart_disease")
MEDICINES = {
    "prescription_gastrointestinal": "prescriptions for the gut",
    "prescription_cardiovascular": "heart and circulation prescriptions",
    "prescription_respiratory": "prescriptions for breathing",
    "prescription_central_nervous_system": "nervous system prescriptions",
    "prescription_infections": "prescriptions for infections",
    "prescription_endocrine": "hormone and diabetes prescriptions",
    "prescription_nutrition_blood": "nutrition and blood prescriptions",
    "prescription_musculoskeletal": "joint and muscle prescriptions",
    "prescription_skin": "skin prescriptions",
    "prescription_laxative": "laxative prescriptions",
    "prescription_diuretic": "diuretic prescriptions",
    "prescription_anticoagulant": "anticoagulant prescriptions",
    "prescription_bronchodilator": "inhaled bronchodilator prescriptions",
    "prescription_inhaled_steroid": "inhaled steroid prescriptions",
    "prescription_oral_steroid": "oral steroid prescriptions",
    "prescription_antipsychotic": "antipsychotic prescriptions",
    "prescription_antidepressant": "antidepressant prescriptions",
    "prescription_opioid": "opioid prescriptions",
    "prescription_antibiotic": "antibiotic prescriptions",
    "prescription_insulin": "insulin prescriptions",
}
LASTING = (
    "prescription_diuretic",
    "prescription_anticoagulant",
    "prescription_inhaled_steroid",
    "prescription_antipsychotic",
    "prescription_insulin",
)


def hospital() -> list[Feature]:
    """Admissions, stays and diagnoses."""
    source = "hospital"
    return [
        *counted(source, "emergency_admission", "emergency admission", "emergency admissions", ALL_WINDOWS),
        recency(source, "emergency_admission", "emergency admission"),
        first(source, "emergency_admission", "emergency admission", 1095),
        change(source, "emergency_admission", "emergency admissions"),
        *regular(source, "emergency_admission", "emergency admissions", (1080,)),
        *days(source, "emergency_spell", "in hospital after emergency admissions", (90, 365, 1095)),
        longest(source, "emergency_spell", "emergency stay", 1095),
        *counted(source, "any_admission", "hospital admission", "hospital admissions", (365, 1095), show=False),
        *days(source, "any_spell", "in hospital", (365, 1095)),
        *counted(source, "elective_admission", "planned admission", "planned admissions", (365, 1095)),
        *counted(source, "inpatient_admission", "inpatient admission", "inpatient admissions", ALL_WINDOWS),
        recency(source, "inpatient_admission", "inpatient admission"),
        *days(source, "inpatient_spell", "as an inpatient", (365, 1095)),
        *counted(source, "acsc_admission", *_avoidable("a condition"), (365, 1095)),
        *counted(source, "acsc_chronic_admission", *_avoidable("a long-term condition"), (1095,)),
        *counted(source, "acsc_acute_admission", *_avoidable("an acute condition"), (1095,)),
        *counted(source, "any_diagnosis", "hospital diagnosis", "hospital diagnoses", (365,), show=False),
        *distinct(source, "any_diagnosis", "hospital diagnoses", (365, 1095), show=False),
        present(source, "discharge_to_care_home", "Discharged from hospital to a care home", 1095),
    ]


def _avoidable(what: str) -> tuple[str, str]:
    ending = f"for {what} that care outside hospital can often manage"
    return f"admission {ending}", f"admissions {ending}"


def emergency_department() -> list[Feature]:
    """Visits to the emergency department."""
    source = "emergency care"
    visit, visits = "emergency department visit", "emergency department visits"
    return [
        *counted(source, "ed_attendance", visit, visits, ALL_WINDOWS),
        recency(source, "ed_attendance", visit),
        change(source, "ed_attendance", visits),
        gap(source, "ed_attendance", visits, 1095),
        *regular(source, "ed_attendance", visits, (360, 1080)),
        *counted(source, "ed_ambulance", "arrival by ambulance", "arrivals by ambulance", (90, 365, 1095)),
        *counted(source, "ed_high_acuity", f"very urgent {visit}", f"very urgent {visits}", (365, 1095)),
        *counted(source, "ed_low_acuity", f"less urgent {visit}", f"less urgent {visits}", (365,)),
        *distinct(source, "ed_complaint", "emergency department complaints", (1095,)),
    ]


def urgent_care() -> list[Feature]:
    """Calls to 111 and 999."""
    source = "urgent care"
    call, calls = "call to 111 or 999", "calls to 111 or 999"
    return [
        *counted(source, "urgent_111", "call to 111", "calls to 111", (90, 365)),
        *counted(source, "urgent_999", "call to 999", "calls to 999", (90, 365)),
        recency(source, "urgent_call", call),
        change(source, "urgent_call", calls),
        *regular(source, "urgent_call", calls, (360,)),
        *counted(
            source,
            "urgent_ambulance",
            f"{call} answered with an ambulance",
            f"{calls} answered with an ambulance",
            (365,),
        ),
        *counted(
            source,
            "urgent_emergency_department",
            f"{call} sent on to the emergency department",
            f"{calls} sent on to the emergency department",
            (365,),
        ),
    ]


def outpatients() -> list[Feature]:
    """Appointments attended and missed."""
    source = "outpatients"
    attended, missed = "outpatient appointment", "missed outpatient appointment"
    return [
        *counted(source, "outpatient_attended", attended, f"{attended}s", (90, 365, 1095), show=False),
        recency(source, "outpatient_attended", attended, show=False),
        overdue(source, "outpatient_attended", f"{attended}s", 1095),
        *counted(source, "outpatient_missed", missed, f"{missed}s", (180, 365, 1095)),
        recency(source, "outpatient_missed", missed),
        change(source, "outpatient_missed", f"{missed}s"),
        *regular(source, "outpatient_missed", f"{missed}s", (360, 1080)),
        *distinct(source, "outpatient_specialty", "outpatient specialties", (365, 1095), show=False),
    ]


def general_practice() -> list[Feature]:
    """Entries in the GP record, circumstances and measurements."""
    source = "general practice"
    return [
        *counted(source, "any_gp_event", "GP record entry", "GP record entries", (30, 90, 365, 1095), show=False),
        recency(source, "any_gp_event", "GP record entry", show=False),
        first(source, "any_gp_event", "GP record entry"),
        change(source, "any_gp_event", "GP record entries", show=False),
        gap(source, "any_gp_event", "GP record entries", 365),
        gap(source, "any_gp_event", "GP record entries", 1095),
        overdue(source, "any_gp_event", "GP record entries", 1095),
        *regular(source, "any_gp_event", "GP record entries", (360, 1080)),
        *distinct(source, "any_gp_event", "GP record codes", (365, 1095), show=False),
        *counted(source, "falls", "recorded fall", "recorded falls", (90, 365, 1095)),
        recency(source, "falls", "recorded fall"),
        *counted(source, "frailty_symptom", "symptom of frailty", "symptoms of frailty", (365, 1095), show=False),
        *distinct(source, "frailty_symptom", "kinds of symptom of frailty", (1095,)),
        *counted(source, "fracture", "recorded fracture", "recorded fractures", (1095,)),
        *counted(source, "urinary_infection", "urinary infection", "urinary infections", (365,)),
        present(source, "hip_fracture", "Has had a hip fracture"),
        present(source, "osteoarthritis", "Has osteoarthritis"),
        present(source, "osteoporosis", "Has osteoporosis"),
        present(source, "pneumonia", "Has had pneumonia in the last 3 years", 1095),
        present(source, "gastrointestinal_bleed", "Has had a gastrointestinal bleed in the last 3 years", 1095),
        present(source, "severe_frailty", "Recorded as severely frail"),
        present(source, "housebound", "Recorded as housebound"),
        present(source, "lives_alone", "Recorded as living alone"),
        present(source, "carer", "Recorded as a carer"),
        present(source, "smoking", "Recorded as a smoker in the last 3 years", 1095),
        present(source, "end_of_life", "On the end of life register"),
        present(source, "interpreter_needed", "Needs an interpreter", in_model=False),
        *measured(source, "bp_systolic", "systolic blood pressure", "mmHg"),
        *measured(source, "hba1c", "HbA1c", "mmol/mol"),
        *measured(source, "egfr", "kidney function (eGFR)", "mL/min/1.73m2"),
        *measured(source, "bmi", "body mass index", "kg/m2"),
    ]


def prescriptions() -> list[Feature]:
    """Medicines prescribed."""
    source = "prescriptions"
    return [
        *counted(source, "any_prescription", "prescription", "prescriptions", (90, 365), show=False),
        recency(source, "any_prescription", "prescription", show=False),
        change(source, "any_prescription", "prescriptions", show=False),
        *distinct(source, "any_prescription", "medicines prescribed", (90, 365)),
        *[
            feature
            for group, many in MEDICINES.items()
            for feature in counted(
                source, group, many.replace("prescriptions", "prescription"), many, (365,), show=False
            )
        ],
        gap(source, "any_prescription", "prescriptions", 365),
        *regular(source, "any_prescription", "prescriptions", (360,)),
        overdue(source, "any_prescription", "prescriptions", 365),
        *[overdue(source, group, MEDICINES[group], 365) for group in LASTING],
        change(source, "prescription_bronchodilator", "inhaled bronchodilator prescriptions"),
        change(source, "prescription_antibiotic", "antibiotic prescriptions"),
    ]


def community() -> list[Feature]:
    """Community, palliative and mental health services."""
    source = "community"
    mind = "mental health"
    return [
        *counted(
            source, "any_community", "community service contact", "community service contacts", (90, 365), show=False
        ),
        recency(source, "any_community", "community service contact", show=False),
        change(source, "any_community", "community service contacts"),
        *_contacts(source, "community_district_nursing", "district nursing", (90, 365, 1095)),
        *regular(source, "community_district_nursing", "district nursing contacts", (360,)),
        overdue(source, "community_district_nursing", "district nursing contacts", 365),
        *_contacts(source, "community_therapy", "community therapy", (365,)),
        *_contacts(source, "community_falls", "falls team", (365,)),
        *_contacts(source, "palliative_care", "palliative care", (365,)),
        *_contacts(mind, "any_mental_health", "mental health", (90, 365, 1095)),
        recency(mind, "any_mental_health", "mental health contact"),
        *_contacts(mind, "mental_health_crisis", "mental health crisis", (365, 1095)),
        *_contacts(mind, "mental_health_community", "community mental health", (365,)),
        *_contacts(mind, "mental_health_memory", "memory service", (365, 1095)),
        *_contacts(mind, "mental_health_talking_therapies", "talking therapies", (365,)),
    ]


def _contacts(source: str, group: str, what: str, windows: Sequence[int]) -> list[Feature]:
    return counted(source, group, f"{what} contact", f"{what} contacts", windows)


def social_care() -> list[Feature]:
    """Adult social care."""
    source = "social care"
    return [
        *counted(source, "social_care_request", "request for social care", "requests for social care", (90, 365, 1095)),
        recency(source, "social_care_request", "request for social care"),
        *counted(source, "social_care_assessment", "social care assessment", "social care assessments", (365, 1095)),
        *days(source, "home_support", "of home support", (90, 365, 1095), running=True),
        running(source, "home_support", "Has home support now"),
        *counted(source, "reablement", "reablement service", "reablement services", (365, 1095)),
        *days(source, "reablement", "of reablement", (365,), running=True),
        *counted(source, "equipment", "piece of equipment at home", "pieces of equipment at home", (365, 1095)),
        present(source, "care_home", "Has lived in a care home"),
        running(source, "care_home_stay", "Lives in a care home"),
    ]


def housing() -> list[Feature]:
    """Housing."""
    source = "housing"
    return [
        present(source, "housing_tenancy", "Has a social housing tenancy", show=False),
        *counted(source, "housing_arrears", "report of rent arrears", "reports of rent arrears", (365, 1095)),
        *counted(source, "housing_damp_report", "report of damp at home", "reports of damp at home", (365, 1095)),
        *counted(source, "housing_adaptation", "home adaptation", "home adaptations", (1095,)),
        *counted(
            source, "housing_temporary_accommodation", "temporary stay", "stays in temporary accommodation", (1095,)
        ),
    ]


def conditions() -> list[Feature]:
    """The 20 Cambridge Multimorbidity Score conditions, the score, and how active some of them are."""
    source = "conditions"
    recorded = [
        present(source, f"cms_{name}", _has(name, words), CONDITION_WINDOWS.get(name))
        for name, words in CONDITIONS.items()
    ]
    active = [
        feature
        for name in FLARES
        for feature in counted(
            source, f"cms_{name}", f"record of {CONDITIONS[name]}", f"records of {CONDITIONS[name]}", (365,), show=False
        )
    ]
    score = Feature("cms_score", source, None, "condition_score", None, "points", MEANINGS["condition_score"])
    words = "{value:.0f} long-term conditions"
    number = Feature(
        "cms_conditions",
        source,
        None,
        "condition_count",
        None,
        "conditions",
        MEANINGS["condition_count"],
        words,
        "{value:.0f} long-term condition",
        showable=True,
    )
    return [*recorded, *active, score, number]


def _has(name: str, words: str) -> str:
    return f"Has had {words} in the last 5 years" if name in CONDITION_WINDOWS else f"Has {words}"


def household() -> list[Feature]:
    """Who is registered at the person's address.

    Living alone may be said: it is a fact that care can act on. A death is not: who died, and whether it was a
    bereavement, nobody recorded, and a list is no place to learn of it.
    """
    source = "household"
    unseen = "; missing without an address, or with more than 10 people at it; people who opted out are not counted"
    return [
        Feature("household_size", source, None, "household_size", None, "people", MEANINGS["household_size"] + unseen),
        Feature(
            "lives_alone",
            source,
            None,
            "lives_alone",
            None,
            "yes/no",
            f"{MEANINGS['lives_alone']}{unseen}: a person may seem to live alone who does not",
            "Nobody else is registered at the same address",
            "Nobody else is registered at the same address",
            showable=True,
        ),
        Feature(
            "household_bereavement",
            source,
            None,
            "household_bereavement",
            None,
            "yes/no",
            f"{MEANINGS['household_bereavement']}{unseen}",
        ),
    ]


def person() -> list[Feature]:
    """What does not come from events; never shown."""
    return [
        Feature("age", "people", None, "age", None, "years", MEANINGS["age"]),
        Feature("sex_female", "people", None, "sex_female", None, "yes/no", MEANINGS["sex_female"]),
        Feature("imd_decile", "people", None, "imd_decile", None, "decile, 1 most deprived", MEANINGS["imd_decile"]),
    ]


CATALOGUE: tuple[Feature, ...] = (
    *hospital(),
    *emergency_department(),
    *urgent_care(),
    *outpatients(),
    *general_practice(),
    *prescriptions(),
    *community(),
    *social_care(),
    *housing(),
    *conditions(),
    *household(),
    *person(),
)


def model_columns(features: Sequence[Feature] = CATALOGUE) -> list[str]:
    """Names of the features that models use, in catalogue order; the others serve lists only."""
    return [feature.name for feature in features if feature.in_model]
