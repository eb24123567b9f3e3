"""Code groups that are never shown to a coordinator, and why.

They may inform a model. A reason drawn from them would tell more than the reader of a list
needs, so `Feature` refuses to be showable on any of them.
"""

from __future__ import annotations

SENSITIVE_GROUPS: dict[str, str] = {
    "cms_alcohol_problems": "alcohol",
    "cms_psychosis_bipolar": "severe mental illness",
    "cms_anxiety_depression": "mental illness",
    "any_mental_health": "mental health care",
    "mental_health_crisis": "mental health crisis",
    "mental_health_community": "mental health care",
    "mental_health_talking_therapies": "mental health care",
    "prescription_antipsychotic": "reveals severe mental illness",
    "prescription_antidepressant": "reveals mental illness",
    "prescription_hypnotic": "reveals mental illness or dependence",
    "prescription_central_nervous_system": "mixes medicines for mental illness and dependence",
    "prescription_opioid": "may be read as dependence",
    "prescription_infections": "holds medicines for HIV and sexually transmitted infections",
    "prescription_obstetrics_urinary": "holds contraception, fertility and termination",
    "prescription_endocrine": "holds sex hormones, which may reveal gender history",
    "prescription_malignant_immunosuppression": "may reveal an illness the person has not spoken of",
    "ed_complaint": "holds self-harm, assault and abuse",
    "housing_arrears": "debt",
    "housing_temporary_accommodation": "homelessness",
    "interpreter_needed": "language, close to ethnicity",
    "end_of_life": "for the palliative team to raise",
    "palliative_care": "for the palliative team to raise",
}
