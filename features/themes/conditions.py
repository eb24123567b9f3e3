"""Long-term conditions, how many, and the scores made of them."""

from __future__ import annotations

from features.declare import counted, distinct, present
from features.derive import at_least, reaches, scored, total
from features.feature import Feature, Part

SOURCE = "conditions"
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
# One prescription of an opioid is enough for it, and that is not shown.
INFERRED_FROM_OPIOIDS = "painful_condition"
MENTAL = ("alcohol_problems", "anxiety_depression", "psychosis_bipolar")
FLARES = (
    "copd",
    "heart_failure",
    "asthma",
    "diabetes",
    "stroke_tia",
    "coronary_heart_disease",
    "ckd",
    "dementia",
    "epilepsy",
)
MAJOR_ILLNESS = 1.51  # a Cambridge score above 1.5, as the Health Foundation counts major illness
DEFICITS = 36  # of the electronic frailty index
# Above 0.12, 0.24 and 0.36 of 36 deficits (Clegg 2016).
FRAILTY_BANDS = {"mild": 5, "moderate": 9, "severe": 13}


def conditions() -> list[Feature]:
    """The 20 conditions of the Cambridge Multimorbidity Score, their number and how active some are; frailty."""
    recorded = {
        name: present(
            SOURCE, f"cms_{name}", _has(name, words), CONDITION_WINDOWS.get(name), show=name != INFERRED_FROM_OPIOIDS
        )
        for name, words in CONDITIONS.items()
    }
    active = [
        feature
        for name in FLARES
        for feature in counted(
            SOURCE, f"cms_{name}", f"record of {CONDITIONS[name]}", f"records of {CONDITIONS[name]}", (365,), show=False
        )
    ]
    return [*recorded.values(), *active, *multimorbidity(recorded), *frailty()]


def _has(name: str, words: str) -> str:
    return f"Has had {words} in the last 5 years" if name in CONDITION_WINDOWS else f"Has {words}"


def multimorbidity(recorded: dict[str, Feature]) -> list[Feature]:
    """The score and numbers of conditions; only the number without the mental ones may be said."""
    body = [Part(feature) for name, feature in recorded.items() if name not in MENTAL]
    mind = [Part(recorded[name]) for name in MENTAL]
    score = "Cambridge Multimorbidity Score"
    points = scored("cambridge_multimorbidity", None, {f"cms_{name}": days for name, days in CONDITION_WINDOWS.items()})
    physical = total(
        SOURCE,
        "cms_physical_conditions",
        body,
        "conditions",
        f"Number of the {score} conditions but those of mental health and alcohol",
        "{value:.0f} long-term physical conditions",
    )
    mental = total(
        SOURCE,
        "cms_mental_conditions",
        mind,
        "conditions",
        f"Number of the {score} conditions of mental health and alcohol",
    )
    both = [
        Part(at_least("parts", f"any_{name}_condition", feature, 1, "At least one"))
        for name, feature in (("physical", physical), ("mental", mental))
    ]
    need = total(
        SOURCE, "cms_score", points, "points", f"{score}: sum of the published weights of the conditions present"
    )
    return [
        need,
        physical,
        mental,
        total(
            SOURCE,
            "cms_conditions",
            [Part(physical), Part(mental)],
            "conditions",
            f"Number of the {score} conditions present",
        ),
        reaches(SOURCE, "physical_and_mental", both, 2.0, "Conditions of body and of mind or alcohol"),
        at_least(SOURCE, "major_illness", need, MAJOR_ILLNESS, f"{score} above 1.5"),
    ]


def frailty() -> list[Feature]:
    """A count of deficits like that of the electronic frailty index; it names nobody frail without a clinician's look."""
    medicines = distinct("prescriptions", "prescription_regular", "regular medicines", (365,))[0]
    many = Part(at_least("prescriptions", "polypharmacy_5_365d", medicines, 5, "5 or more different regular medicines"))
    deficits = [*scored("electronic_frailty", None), many]
    what = "this project's short code lists of the 36 deficits of the electronic frailty index (Clegg 2016)"
    words = {
        "moderate": "Record suggests at least moderate frailty, to be confirmed",
        "severe": "Record suggests severe frailty, to be confirmed",
    }
    number = total(SOURCE, "efi_deficits", deficits, "deficits", f"Number present, by {what}")
    return [
        number,
        total(SOURCE, "efi_index", [Part(number, 1 / DEFICITS)], "share", f"Share present, by {what}"),
        *[
            at_least(SOURCE, f"efi_{band}", number, least, f"{least} or more present, by {what}", words.get(band, ""))
            for band, least in FRAILTY_BANDS.items()
        ],
    ]
