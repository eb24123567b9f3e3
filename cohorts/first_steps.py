"""What a coordinator could do first: a rule of thumb from the strongest reason, this project's own and not clinically reviewed."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from casewell.settings import CASE_MANAGEMENT

ANOTHER = "Ask what matters most to the person, and offer: "
OTHERWISE = "Ask what matters most to the person, and agree one plan and one contact"
_AFTER_HOSPITAL = "Call within days: what led to hospital, what was changed there, and a plan for next time"
_FALLS = "Arrange a falls risk assessment, with a look at medicines and the home"
_MEDICINES = "Ask the practice pharmacist for a structured medication review"
_FRAIL = "Arrange a comprehensive geriatric assessment, at home if needed"
_BREATH = "Ask the practice nurse to check inhalers, vaccinations and the self-management plan"
_HEART = "Ask whether a heart failure review and a weight and fluid plan are in place"
_SUGAR = "Book a diabetes review"
_MEMORY = "Check who helps day to day, and that there is a dementia care plan"
_KIDNEYS = "Ask the practice about kidney function, fluids and sick-day rules for medicines"

STEPS = {
    **dict.fromkeys(
        (
            "emergency_admission",
            "emergency_spell",
            "any_spell",
            "inpatient_admission",
            "inpatient_spell",
            "hospital_discharge",
            "ed_attendance",
            "ed_ambulance",
            "ed_high_acuity",
            "acsc_admission",
            "acsc_chronic_admission",
            "acsc_acute_admission",
        ),
        _AFTER_HOSPITAL,
    ),
    **dict.fromkeys(
        ("falls", "ed_fall", "community_falls", "fracture", "hip_fracture", "symptom_unsteady_gait"), _FALLS
    ),
    **dict.fromkeys(
        (
            "prescription_regular",
            "nsaid_with_anticoagulant",
            "nsaid_in_heart_failure",
            "nsaid_with_diuretic_and_ace_inhibitor",
            "beta_blocker_in_asthma",
            "anticoagulant_with_antiplatelet_unprotected",
        ),
        _MEDICINES,
    ),
    **dict.fromkeys(("severe_frailty", "housebound", "efi_moderate", "efi_severe", "frailty_symptom"), _FRAIL),
    **dict.fromkeys(
        ("cms_copd", "acsc_copd", "cms_asthma", "acsc_asthma", "prescription_bronchodilator", "admitted_respiratory"),
        _BREATH,
    ),
    **dict.fromkeys(("cms_heart_failure", "acsc_heart_failure"), _HEART),
    **dict.fromkeys(("cms_diabetes", "acsc_diabetes", "hba1c_high"), _SUGAR),
    **dict.fromkeys(("cms_dementia", "mental_health_memory", "hospital_delirium"), _MEMORY),
    **dict.fromkeys(("egfr_low", "cms_ckd", "hospital_acute_kidney_injury"), _KIDNEYS),
    **dict.fromkeys(("outpatient_missed", "gp_missed"), "Ask what makes appointments hard to keep"),
    **dict.fromkeys(("lives_alone",), "Ask about company, and about help at home"),
    **dict.fromkeys(("carer",), "Offer a carer's assessment"),
    **dict.fromkeys(("housing_damp_report",), "Ask the housing officer what is being done about the damp"),
    **dict.fromkeys(
        ("social_care_request", "social_care_assessment", "home_support", "reablement"),
        "Agree with adult social care who leads",
    ),
}
"""Code group, or name of a feature made of several: the step."""


def first_steps(
    people: pd.Series,
    chosen: pd.DataFrame,
    allocation: pd.DataFrame | None = None,
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return `person_id` and `first_step` for each of `people`, from the strongest reason that suggests one.

    `chosen` is what `reasons.strongest` returned. Where somebody is offered another programme than case management (`programme` of
    `allocation`), the first step is to offer that, by its title. A step that names a programme of `titles` is suggested to nobody: its
    places are few, and given by this list.
    """
    given_by_list = [step for step in {*STEPS.values()} if _names_one(step, titles or {})]
    suggested = chosen.assign(first_step=chosen["group"].map(STEPS)).dropna(subset="first_step")
    suggested = suggested[~suggested["first_step"].isin(given_by_list)]
    strongest = suggested.sort_values(["person_id", "number"]).drop_duplicates("person_id")
    steps = strongest.set_index("person_id")["first_step"].reindex(people).fillna(OTHERWISE)
    if allocation is not None and titles and "programme" in allocation:
        offered = allocation.set_index("person_id")["programme"].reindex(people)
        steps = steps.mask(~offered.isin(["", CASE_MANAGEMENT]), ANOTHER + offered.map(dict(titles)).fillna(offered))
    return steps.rename_axis("person_id").reset_index()


def _names_one(step: str, titles: Mapping[str, str]) -> bool:
    others = [title for code, title in titles.items() if code != CASE_MANAGEMENT]
    return any(" ".join(title.split()).casefold() in step.casefold() for title in others)
