"""Admissions, stays and hospital diagnoses."""

from __future__ import annotations

from features.declare import (
    ALL_WINDOWS,
    added_up,
    change,
    counted,
    days,
    distinct,
    first,
    longest,
    present,
    recency,
    regular,
    typical,
)
from features.derive import at_least, scored, share, total
from features.feature import Feature

SOURCE = "hospital"
AVOIDABLE = {
    "angina": "angina",
    "asthma": "asthma",
    "cellulitis": "cellulitis",
    "convulsions": "convulsions or epilepsy",
    "copd": "chronic obstructive pulmonary disease",
    "dehydration_gastroenteritis": "dehydration or gastroenteritis",
    "diabetes": "diabetes with complications",
    "ear_nose_throat": "an infection of ear, nose or throat",
    "heart_failure": "heart failure or high blood pressure",
    "influenza_pneumonia": "influenza or pneumonia that vaccination can prevent",
    "pyelonephritis": "a kidney infection",
}
# Chapter of the primary diagnosis (of injuries, S alone), whatever the admission method.
CHAPTERS = {
    "cancer": "cancer or another growth",
    "circulatory": "a disease of heart or circulation",
    "digestive": "a disease of the digestive system",
    "genitourinary": "a disease of kidneys, urinary tract or sexual organs",
    "infection": "an infectious disease",
    "injury": "an injury",
    "mental": "a mental disorder",
    "musculoskeletal": "a disease of muscles, bones or joints",
    "nervous": "a disease of the nervous system",
    "respiratory": "a disease of the lungs or airways",
    "symptoms": "symptoms without a diagnosis",
}
SPOKEN_OF = ("circulatory", "digestive", "injury", "respiratory")
FOUND = {
    "acute_kidney_injury": "acute kidney injury",
    "cellulitis": "cellulitis",
    "chest_infection": "a lower respiratory infection",
    "dehydration": "dehydration",
    "delirium": "delirium",
    "fainting": "fainting",
    "pressure_ulcer": "a pressure ulcer",
    "sepsis": "sepsis",
}
DONE = {
    "amputation_leg": "Had a leg, foot or toe amputated in the last 3 years",
    "cataract_surgery": "Had cataract surgery in the last 3 years",
    "dialysis": "Had dialysis in hospital in the last 3 years",
    "heart_revascularisation": "Had a heart artery widened or bypassed in the last 3 years",
    "hip_replacement": "Had a hip replaced in the last 3 years",
    "knee_replacement": "Had a knee replaced in the last 3 years",
}
HFRS_DAYS = 730  # Gilbert 2018 looks at the admissions of two years
CHARLSON_DAYS = 1095


def hospital() -> list[Feature]:
    """Everything from hospital."""
    return [*admissions(), *avoidable(), *diagnoses(), *procedures(), *scores()]


def admissions() -> list[Feature]:
    """Admissions and stays."""
    emergency = counted(SOURCE, "emergency_admission", "emergency admission", "emergency admissions", ALL_WINDOWS)
    planned = counted(SOURCE, "elective_admission", "planned admission", "planned admissions", (365, 1095))
    return [
        *emergency,
        recency(SOURCE, "emergency_admission", "emergency admission"),
        first(SOURCE, "emergency_admission", "emergency admission", 1095),
        change(SOURCE, "emergency_admission", "emergency admissions"),
        *regular(SOURCE, "emergency_admission", "emergency admissions", (1080,)),
        *days(SOURCE, "emergency_spell", "in hospital after emergency admissions", (90, 365, 1095)),
        longest(SOURCE, "emergency_spell", "emergency stay", 1095),
        typical(SOURCE, "emergency_spell", "length of emergency stays", "days", 1095),
        # Unlike days spent, each stay counts whole, on the day it began.
        added_up(SOURCE, "emergency_spell", "length of emergency stays", "days", 365),
        *counted(SOURCE, "any_admission", "hospital admission", "hospital admissions", (365, 1095), show=False),
        *days(SOURCE, "any_spell", "in hospital", (365, 1095)),
        *planned,
        *days(SOURCE, "elective_spell", "in hospital after planned admissions", (365,)),
        share(SOURCE, "emergency_share_1095d", emergency[-1], planned[-1:], "Share of emergencies among admissions"),
        *counted(SOURCE, "maternity_admission", "maternity admission", "maternity admissions", (365,), show=False),
        *counted(SOURCE, "inpatient_admission", "inpatient admission", "inpatient admissions", ALL_WINDOWS),
        recency(SOURCE, "inpatient_admission", "inpatient admission"),
        *days(SOURCE, "inpatient_spell", "as an inpatient", (365, 1095)),
        present(SOURCE, "hospital_discharge", "Came out of hospital in the last 30 days", 30),
        recency(SOURCE, "hospital_discharge", "discharge from hospital", show=False),
        present(SOURCE, "discharge_to_care_home", "Discharged from hospital to a care home", 1095),
    ]


def avoidable() -> list[Feature]:
    """Admissions for conditions that care outside hospital can often manage."""
    each = [
        feature
        for name, words in AVOIDABLE.items()
        for feature in counted(SOURCE, f"acsc_{name}", f"admission for {words}", f"admissions for {words}", (1095,))
    ]
    return [
        *counted(SOURCE, "acsc_admission", *_manageable("a condition"), (365, 1095)),
        recency(SOURCE, "acsc_admission", "admission that care outside hospital can often prevent"),
        *counted(SOURCE, "acsc_chronic_admission", *_manageable("a long-term condition"), (1095,)),
        *counted(SOURCE, "acsc_acute_admission", *_manageable("an acute condition"), (1095,)),
        *each,
    ]


def _manageable(what: str) -> tuple[str, str]:
    ending = f"for {what} that care outside hospital can often manage"
    return f"admission {ending}", f"admissions {ending}"


def diagnoses() -> list[Feature]:
    """What was diagnosed in hospital."""
    chapters = [
        feature
        for name, words in CHAPTERS.items()
        for feature in counted(
            SOURCE,
            f"admitted_{name}",
            f"admission for {words}",
            f"admissions for {words}",
            (365, 1095) if name in SPOKEN_OF else (1095,),
            show=name in SPOKEN_OF,
        )
    ]
    found = [
        present(SOURCE, f"hospital_{name}", f"Had {words} in hospital in the last 3 years", 1095)
        for name, words in FOUND.items()
    ]
    return [
        *counted(SOURCE, "any_diagnosis", "hospital diagnosis", "hospital diagnoses", (365,), show=False),
        *distinct(SOURCE, "any_diagnosis", "hospital diagnoses", (365, 1095), show=False),
        *chapters,
        *found,
    ]


def procedures() -> list[Feature]:
    """What was done in hospital."""
    endoscopy = ("examination of the gut by endoscopy", "examinations of the gut by endoscopy")
    return [
        recency(SOURCE, "any_procedure", "procedure in hospital", 1095, show=False),
        *distinct(SOURCE, "any_procedure", "procedures in hospital", (365, 1095), show=False),
        *[present(SOURCE, group, words, 1095) for group, words in DONE.items()],
        *counted(SOURCE, "gut_endoscopy", *endoscopy, (365,)),
    ]


def scores() -> list[Feature]:
    """Scores of hospital diagnoses. Both rest on diagnoses that are not shown, so neither is a score shown."""
    name = "Hospital Frailty Risk Score (Gilbert 2018)"
    frailty = total(SOURCE, "hfrs_score", scored("hospital_frailty", HFRS_DAYS), "points", name)
    return [
        frailty,
        at_least(SOURCE, "hfrs_intermediate", frailty, 5.0, f"{name} of 5 points or more"),
        at_least(SOURCE, "hfrs_high", frailty, 15.1, f"{name} of more than 15 points"),
        total(
            SOURCE,
            "charlson_score",
            scored("charlson_original", CHARLSON_DAYS),
            "points",
            "Charlson index, original weights, of hospital diagnoses",
        ),
        total(
            SOURCE,
            "charlson_updated",
            scored("charlson_updated", CHARLSON_DAYS),
            "points",
            "Charlson index, weights of Quan 2011, of hospital diagnoses",
        ),
    ]
