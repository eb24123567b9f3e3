"""Medicines prescribed: how many, of which kinds, whether they stopped, and combinations that are known to harm."""

from __future__ import annotations

from features.declare import change, counted, distinct, gap, overdue, recency, regular
from features.derive import all_of, at_least, flag, flags, total
from features.feature import Feature, Part

SOURCE = "prescriptions"
MEDICINES = {
    "gastrointestinal": "prescriptions for the gut",
    "cardiovascular": "heart and circulation prescriptions",
    "respiratory": "prescriptions for breathing",
    "central_nervous_system": "nervous system prescriptions",
    "infections": "prescriptions for infections",
    "endocrine": "hormone and diabetes prescriptions",
    "nutrition_blood": "nutrition and blood prescriptions",
    "musculoskeletal": "joint and muscle prescriptions",
    "skin": "skin prescriptions",
    "laxative": "laxative prescriptions",
    "diuretic": "diuretic prescriptions",
    "anticoagulant": "anticoagulant prescriptions",
    "bronchodilator": "inhaled bronchodilator prescriptions",
    "inhaled_steroid": "inhaled steroid prescriptions",
    "oral_steroid": "oral steroid prescriptions",
    "antipsychotic": "antipsychotic prescriptions",
    "antidepressant": "antidepressant prescriptions",
    "opioid": "opioid prescriptions",
    "antibiotic": "antibiotic prescriptions",
    "insulin": "insulin prescriptions",
    "ace_inhibitor": "renin-angiotensin prescriptions",
    "alcohol_dependence": "prescriptions for alcohol dependence",
    "antiepileptic": "antiepileptic prescriptions",
    "antihistamine": "antihistamine prescriptions",
    "antiplatelet": "antiplatelet prescriptions",
    "beta_blocker": "beta blocker prescriptions",
    "bladder": "prescriptions for bladder urgency",
    "bone": "prescriptions for osteoporosis",
    "calcium_blocker": "calcium channel blocker prescriptions",
    "dementia": "dementia prescriptions",
    "diabetes_tablet": "prescriptions for diabetes other than insulin",
    "disease_modifying": "prescriptions that modify rheumatic disease",
    "hypnotic": "prescriptions for sleep",
    "nitrate": "nitrate prescriptions",
    "nsaid": "anti-inflammatory prescriptions",
    "parkinson": "prescriptions for Parkinson's disease",
    "statin": "cholesterol prescriptions",
    "stomach_protection": "proton pump inhibitor prescriptions",
    "thyroid": "thyroid prescriptions",
    "vitamin_d": "vitamin D prescriptions",
}
LASTING = (
    "diuretic",
    "anticoagulant",
    "inhaled_steroid",
    "antipsychotic",
    "insulin",
    "ace_inhibitor",
    "antiepileptic",
    "antiplatelet",
    "beta_blocker",
    "diabetes_tablet",
    "disease_modifying",
    "thyroid",
)
RECENT = 90
# Kinds with anticholinergic effects, by BNF section: this project's choice, not one of the published burden scales.
ANTICHOLINERGIC = (
    "antispasmodic",
    "antihistamine",
    "antipsychotic",
    "antimuscarinic_parkinson",
    "bladder",
    "tricyclic",
)
# Kinds that raise the risk of falls (STOPPFall, Seppala and others, Age Ageing 2021;50:1189), by BNF section.
FALLS_RISK = (
    "hypnotic",
    "antidepressant",
    "antipsychotic",
    "opioid",
    "antiepileptic",
    "diuretic",
    "alpha_blocker",
    "nitrate",
    "antihistamine",
    "bladder",
)


def prescriptions() -> list[Feature]:
    """Everything about medicines."""
    return [*items(), *kinds(), *polypharmacy(), *hazards()]


def items() -> list[Feature]:
    """Prescriptions of any medicine."""
    return [
        *counted(SOURCE, "any_prescription", "prescription", "prescriptions", (90, 365), show=False),
        recency(SOURCE, "any_prescription", "prescription", show=False),
        change(SOURCE, "any_prescription", "prescriptions", show=False),
        *distinct(SOURCE, "any_prescription", "medicines prescribed", (90, 365), show=False),
        gap(SOURCE, "any_prescription", "prescriptions", 365),
        *regular(SOURCE, "any_prescription", "prescriptions", (360,)),
        overdue(SOURCE, "any_prescription", "prescriptions", 365),
    ]


def kinds() -> list[Feature]:
    """Prescriptions by kind, and whether lasting ones may have stopped."""
    by_kind = [
        feature
        for name, many in MEDICINES.items()
        for feature in counted(
            SOURCE,
            f"prescription_{name}",
            many.replace("prescriptions", "prescription"),
            many,
            (365,),
            show=False,
        )
    ]
    return [
        *by_kind,
        *[overdue(SOURCE, f"prescription_{name}", MEDICINES[name], 365) for name in LASTING],
        change(SOURCE, "prescription_bronchodilator", "inhaled bronchodilator prescriptions"),
        change(SOURCE, "prescription_antibiotic", "antibiotic prescriptions"),
        change(SOURCE, "prescription_opioid", "opioid prescriptions"),
    ]


def polypharmacy() -> list[Feature]:
    """How many different medicines of the kinds taken regularly.

    A medicine is a code as it was sent: where the records carry whole BNF codes of 15 characters, two strengths of
    one substance count as two.
    """
    many = {f.window_days: f for f in distinct(SOURCE, "prescription_regular", "regular medicines", (90, 365))}
    return [
        *many.values(),
        *[
            at_least(
                SOURCE,
                f"polypharmacy_{least}_{days}d",
                many[days],
                least,
                f"{least} or more different regular medicines",
            )
            for least in (5, 10)
            for days in (90, 365)
        ],
        total(
            SOURCE,
            "anticholinergic_kinds_90d",
            _recent(*ANTICHOLINERGIC),
            "kinds",
            "Kinds of medicine with anticholinergic effects",
        ),
        total(
            SOURCE,
            "falls_risk_kinds_90d",
            _recent(*FALLS_RISK),
            "kinds",
            "Kinds of medicine that raise the risk of falls",
        ),
    ]


def hazards() -> list[Feature]:
    """Combinations after the PINCER indicators (PRIMIS, University of Nottingham), by BNF section, in three months."""
    asthma, heart_failure, dementia = flag("cms_asthma"), flag("cms_heart_failure"), flag("cms_dementia")
    protected = flag("prescription_stomach_protection", RECENT)
    anticoagulant, antiplatelet = _recent("anticoagulant")[0], _recent("antiplatelet")[0]
    when = "in the last 3 months"
    return [
        all_of(
            SOURCE,
            "nsaid_with_anticoagulant",
            _recent("nsaid", "anticoagulant"),
            "Anti-inflammatory medicine with an anticoagulant",
            f"Prescribed an anti-inflammatory medicine and an anticoagulant {when}",
        ),
        all_of(
            SOURCE,
            "nsaid_in_heart_failure",
            [*_recent("nsaid"), Part(heart_failure)],
            "Anti-inflammatory medicine in heart failure",
            f"Prescribed an anti-inflammatory medicine {when}, and has heart failure",
        ),
        all_of(
            SOURCE,
            "nsaid_with_diuretic_and_ace_inhibitor",
            _recent("nsaid", "diuretic", "ace_inhibitor"),
            "Anti-inflammatory medicine with a diuretic and a renin-angiotensin medicine",
            f"Prescribed an anti-inflammatory, a diuretic and a renin-angiotensin medicine {when}",
        ),
        all_of(
            SOURCE,
            "beta_blocker_in_asthma",
            [*_recent("beta_blocker"), Part(asthma)],
            "Beta blocker in asthma",
            f"Prescribed a beta blocker {when}, and has asthma",
        ),
        all_of(
            SOURCE,
            "anticoagulant_with_antiplatelet_unprotected",
            [Part(anticoagulant.feature, unless=protected), antiplatelet],
            "Anticoagulant with an antiplatelet medicine and no stomach protection",
            f"Prescribed an anticoagulant and an antiplatelet medicine {when}, without stomach protection",
        ),
        all_of(
            SOURCE,
            "antipsychotic_in_dementia",
            [*_recent("antipsychotic"), Part(dementia)],
            "Antipsychotic medicine in dementia",
        ),
    ]


def _recent(*kinds: str) -> tuple[Part, ...]:
    return flags([f"prescription_{kind}" for kind in kinds], RECENT)
