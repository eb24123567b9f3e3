"""Measurements in the GP record: their course, and the values that would worry a clinician."""

from __future__ import annotations

from features.declare import course, measured
from features.derive import at_least, at_most, difference, under
from features.feature import Feature

SOURCE = "general practice"
LONG = {
    "bp_systolic": ("systolic blood pressure", "mmHg"),
    "hba1c": ("HbA1c", "mmol/mol"),
    "egfr": ("kidney function (eGFR)", "mL/min/1.73m2"),
    "bmi": ("body mass index", "kg/m2"),
}
SHORT = {
    "bp_diastolic": ("diastolic blood pressure", "mmHg"),
    "weight": ("body weight", "kg"),
    "creatinine": ("serum creatinine", "umol/L"),
    "cholesterol": ("total cholesterol", "mmol/L"),
    "haemoglobin": ("haemoglobin", "g/L"),
}


def measurements() -> list[Feature]:
    """Measurements and what is read from them; thresholds are NICE's or the WHO's, named beside each."""
    known = {
        feature.name: feature for group, (what, unit) in LONG.items() for feature in measured(SOURCE, group, what, unit)
    }
    known |= {
        feature.name: feature for group, (what, unit) in SHORT.items() for feature in course(SOURCE, group, what, unit)
    }

    def last(group: str) -> Feature:
        return known[f"{group}_last_1095d"]

    def usual(group: str) -> Feature:
        return known[f"{group}_mean_1095d"]

    return [
        *known.values(),
        # NICE NG136: stage 2 hypertension begins at 160.
        at_least(
            SOURCE,
            "bp_systolic_high",
            last("bp_systolic"),
            160,
            "Latest systolic blood pressure 160 mmHg or more",
            "Latest systolic blood pressure was 160 or more",
        ),
        # NEWS2: scores two points.
        at_most(
            SOURCE,
            "bp_systolic_low",
            last("bp_systolic"),
            100,
            "Latest systolic blood pressure 100 mmHg or less",
            "Latest systolic blood pressure was 100 or less",
        ),
        # QOF indicator DM021: the level not to exceed in people with frailty.
        at_least(
            SOURCE,
            "hba1c_high",
            last("hba1c"),
            75,
            "Latest HbA1c 75 mmol/mol or more",
            "Latest HbA1c was 75 mmol/mol or more",
        ),
        # KDIGO: stages 4 and 5 of chronic kidney disease.
        under(
            SOURCE, "egfr_low", last("egfr"), 30, "Latest eGFR under 30", "Latest kidney function (eGFR) was under 30"
        ),
        # WHO: underweight.
        under(SOURCE, "bmi_low", last("bmi"), 18.5, "Latest body mass index under 18.5"),
        # WHO: moderate anaemia in adults.
        under(
            SOURCE,
            "haemoglobin_low",
            last("haemoglobin"),
            110,
            "Latest haemoglobin under 110 g/L",
            "Latest haemoglobin was under 110",
        ),
        difference(
            SOURCE,
            "pulse_pressure",
            last("bp_systolic"),
            last("bp_diastolic"),
            "Latest systolic less latest diastolic blood pressure",
        ),
        *[
            difference(SOURCE, f"{group}_from_usual", last(group), usual(group), f"Latest {words} less its mean")
            for group, words in (
                ("weight", "body weight"),
                ("egfr", "eGFR"),
                ("haemoglobin", "haemoglobin"),
                ("hba1c", "HbA1c"),
            )
        ],
    ]
