"""What hospitals send."""

from __future__ import annotations

from casewell.doors import door
from records.contracts.columns import BIRTH, ETHNICITY, NUMBER, POSTCODE, RECEIVED, RECORD, SEX, day, text, whole_number
from records.contracts.contract import Contract

# Which of them count as an emergency is said once, by the code group emergency_admission.
ADMISSION_METHODS = (
    *["11", "12", "13", "21", "22", "23", "24", "25", "2A", "2B", "2C", "2D", "28", "31", "32", "81", "82", "83"],
)

HOSPITALS: dict[str, Contract] = {
    "hospital_spells": Contract(
        door(
            "hospital_spells",
            "a consultant episode of a hospital spell, as one submission told it; without spell_id, a spell (SUS APC)",
            RECORD
            | NUMBER
            | BIRTH
            | SEX
            | POSTCODE
            | {
                "provider_code": text("ODS code of the hospital trust", nullable=True, required=False),
                "spell_id": text(
                    "The trust's number of the spell, shared by its episodes and their resubmissions",
                    nullable=True,
                    required=False,
                ),
                "episode_order": whole_number("Place of the episode in its spell, 1 first"),
                "episode_start_date": day("Start of the episode", nullable=True, required=False),
                "episode_end_date": day("End of the episode", nullable=True, required=False),
                "admission_date": day("Date of admission"),
                "admission_method": text("ADMIMETH", *ADMISSION_METHODS),
                "admission_received_date": day(
                    "Day the admission became known; where empty, the day of receipt", required=False
                ),
                "discharge_date": day("Date of discharge; empty while in hospital", nullable=True),
                "discharge_destination": text("DISDEST", nullable=True),
                "primary_diagnosis": text("ICD-10 without the dot", nullable=True),
                "secondary_diagnoses": text("ICD-10 codes separated by semicolons", nullable=True),
                "procedures": text("OPCS-4 codes separated by semicolons", nullable=True, required=False),
                "treatment_function_code": text("Specialty of the episode", nullable=True, required=False),
            }
            | ETHNICITY
            | {
                "received_date": day(
                    "Day this version of the completed episode was received; of several, the newest holds",
                    nullable=True,
                    required=False,
                ),
            },
        ),
        happened="admission_date",
        known="admission_received_date",
        order=(
            ("date_of_birth", "admission_date"),
            ("admission_date", "admission_received_date"),
            ("admission_date", "discharge_date"),
            ("discharge_date", "received_date"),
            ("episode_start_date", "episode_end_date"),
        ),
    ),
    "emergency_care": Contract(
        door(
            "emergency_care",
            "an attendance at an emergency department (ECDS)",
            RECORD
            | NUMBER
            | BIRTH
            | SEX
            | POSTCODE
            | {
                "arrival_date": day("Date of arrival"),
                "arrival_mode": text("ambulance or walk_in", "ambulance", "walk_in"),
                "acuity": text("1 immediate to 5 low", *"12345", nullable=True),
                "chief_complaint": text("SNOMED CT code", nullable=True),
                "discharge_destination": text("admitted, home or other", "admitted", "home", "other", nullable=True),
            }
            | ETHNICITY
            | RECEIVED,
        ),
        happened="arrival_date",
        order=(("date_of_birth", "arrival_date"), ("arrival_date", "received_date")),
    ),
    "outpatients": Contract(
        door(
            "outpatients",
            "an outpatient appointment",
            RECORD
            | NUMBER
            | {
                "appointment_date": day("Date of the appointment"),
                "attendance": text("5, 6 seen; 7 late, not seen; 3 did not attend", *"3567"),
                "treatment_function_code": text("Specialty of the clinic", nullable=True),
            }
            | RECEIVED,
        ),
        happened="appointment_date",
        order=(("appointment_date", "received_date"),),
    ),
}
