"""What each extract must look like: declared once, checked at reading, printed as documentation.

The declarations are Pandera schemas. `records/checking.py` turns their columns, types,
nullability and allowed values into one DuckDB query, so that no row has to leave DuckDB
to be checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandera.pandas as pa

from casewell.doors import door
from records.tables import TRAVEL

# Which of them count as an emergency is said once, by the code group emergency_admission.
ADMISSION_METHODS = (
    *["11", "12", "13", "21", "22", "23", "24", "25", "2A", "2B", "2C", "2D", "28", "31", "32", "81", "82", "83"],
)
ETHNIC_CATEGORIES = (*"ABCDEFGHJKLMNPRST", "Z", "99")
SEXES = ("0", "1", "2", "9")
MINUTES = pa.Check.in_range(0, 1440)


@dataclass(frozen=True)
class Contract:
    """One kind of extract.

    Attributes
    ----------
    schema
        Its columns, their meaning and allowed values.
    key
        The column that names a row.
    happened
        The day the row is about; `known` falls back on it, plus the source's lag, where no receipt is recorded.
    known
        The day the care system received the row; a row not known before `as_of` is not used.
    order
        Pairs of date columns: the first may not be later than the second.
    """

    schema: pa.DataFrameSchema
    key: str = "record_id"
    happened: str = ""
    known: str = "received_date"
    order: tuple[tuple[str, str], ...] = field(default=())

    @property
    def numbered(self) -> bool:
        """Whether rows may carry an NHS number."""
        return "nhs_number" in self.schema.columns

    @property
    def demographic(self) -> bool:
        """Whether rows say enough about a person to be linked without a number."""
        return "date_of_birth" in self.schema.columns

    @property
    def personal(self) -> bool:
        """Whether rows are about people at all."""
        return self.numbered or self.demographic


def _text(meaning: str, *allowed: str, nullable: bool = False, required: bool = True) -> pa.Column:
    checks = [pa.Check.isin(list(allowed))] if allowed else []
    return pa.Column("str", checks, description=meaning, nullable=nullable, required=required)


def _whole_number(meaning: str) -> pa.Column:
    return pa.Column("int64", description=meaning, nullable=True, required=False)


def _day(meaning: str, nullable: bool = False, required: bool = True) -> pa.Column:
    return pa.Column("datetime64[us]", description=meaning, nullable=nullable, required=required)


def _number(meaning: str, *checks: pa.Check, required: bool = False) -> pa.Column:
    return pa.Column("float64", list(checks), description=meaning, nullable=True, required=required)


RECORD = {"record_id": _text("The record's own identifier, unique within the source")}
NUMBER = {"nhs_number": _text("NHS number, ten digits; spaces and hyphens are ignored", nullable=True)}
RECEIVED = {"received_date": _day("Day the care system received the record; known from then on", required=False)}
NAMES = {
    "given_name": _text("Given name", nullable=True),
    "family_name": _text("Family name", nullable=True),
}
BIRTH = {"date_of_birth": _day("Date of birth", nullable=True)}
SEX = {"sex": _text("1 male, 2 female, 9 indeterminate, 0 not known", *SEXES, nullable=True)}
ETHNICITY = {
    "ethnic_category": _text(
        "NHS 16+1 category; Z not stated, 99 not known", *ETHNIC_CATEGORIES, nullable=True, required=False
    )
}
POSTCODE = {"postcode": _text("Postcode of residence at the time", nullable=True)}
ADDRESS = {"address_line": _text("First line of the address", nullable=True, required=False)}
PROPERTY = {
    "uprn": _text(
        "Unique property reference number of the address; tells households apart better than its spelling",
        nullable=True,
        required=False,
    )
}

CONTRACTS: dict[str, Contract] = {
    "demographics": Contract(
        door(
            "demographics",
            "a person's registration with a GP practice, as a demographics service holds it",
            RECORD
            | NUMBER
            | NAMES
            | {"date_of_birth": _day("Date of birth")}
            | SEX
            | {
                "ethnic_category": _text(
                    "NHS 16+1 category; Z not stated, 99 not known", *ETHNIC_CATEGORIES, nullable=True
                )
            }
            | ADDRESS
            | PROPERTY
            | POSTCODE
            | {
                "lsoa": _text("Lower layer super output area, 2021 (or 2011) code", nullable=True),
                "practice_code": _text("ODS code of the GP practice", nullable=True),
                "registration_start_date": _day("Start of the registration; the row is known from then on"),
                "registration_end_date": _day("End of the registration", nullable=True),
                "registration_end_received_date": _day("Day the end became known", nullable=True, required=False),
                "date_of_death": _day("Date of death", nullable=True),
                "death_received_date": _day("Day the death became known", nullable=True, required=False),
            },
        ),
        happened="registration_start_date",
        known="registration_start_date",
        order=(
            ("date_of_birth", "registration_start_date"),
            ("date_of_birth", "date_of_death"),
            ("registration_start_date", "registration_end_date"),
            ("date_of_death", "death_received_date"),
        ),
    ),
    "gp_events": Contract(
        door(
            "gp_events",
            "a coded entry in a GP record",
            RECORD
            | NUMBER
            | {
                "practice_code": _text("ODS code of the GP practice", nullable=True),
                "event_date": _day("When it happened"),
                "recorded_date": _day("When it was entered", nullable=True, required=False),
            }
            | RECEIVED
            | {
                "code_system": _text("SNOMED or BNF", "SNOMED", "BNF"),
                "code": _text("The code"),
                "numeric_value": _number("Measured value"),
                "unit": _text("Unit of the value", nullable=True, required=False),
                "clinician_code": _text(
                    "Pseudonym, within the practice, of the clinician who saw or spoke to the person; empty where nobody did",
                    nullable=True,
                    required=False,
                ),
            },
        ),
        happened="event_date",
        order=(("event_date", "received_date"), ("recorded_date", "received_date")),
    ),
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
                "provider_code": _text("ODS code of the hospital trust", nullable=True, required=False),
                "spell_id": _text(
                    "The trust's number of the spell, shared by its episodes and their resubmissions",
                    nullable=True,
                    required=False,
                ),
                "episode_order": _whole_number("Place of the episode in its spell, 1 first"),
                "episode_start_date": _day("Start of the episode", nullable=True, required=False),
                "episode_end_date": _day("End of the episode", nullable=True, required=False),
                "admission_date": _day("Date of admission"),
                "admission_method": _text("ADMIMETH", *ADMISSION_METHODS),
                "admission_received_date": _day(
                    "Day the admission became known; where empty, the day of receipt", required=False
                ),
                "discharge_date": _day("Date of discharge; empty while in hospital", nullable=True),
                "discharge_destination": _text("DISDEST", nullable=True),
                "primary_diagnosis": _text("ICD-10 without the dot", nullable=True),
                "secondary_diagnoses": _text("ICD-10 codes separated by semicolons", nullable=True),
                "procedures": _text("OPCS-4 codes separated by semicolons", nullable=True, required=False),
                "treatment_function_code": _text("Specialty of the episode", nullable=True, required=False),
            }
            | ETHNICITY
            | {
                "received_date": _day(
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
                "arrival_date": _day("Date of arrival"),
                "arrival_mode": _text("ambulance or walk_in", "ambulance", "walk_in"),
                "acuity": _text("1 immediate to 5 low", *"12345", nullable=True),
                "chief_complaint": _text("SNOMED CT code", nullable=True),
                "discharge_destination": _text("admitted, home or other", "admitted", "home", "other", nullable=True),
            }
            | ETHNICITY
            | RECEIVED,
        ),
        happened="arrival_date",
        order=(("date_of_birth", "arrival_date"), ("arrival_date", "received_date")),
    ),
    "urgent_care": Contract(
        door(
            "urgent_care",
            "a call to 111 or 999",
            RECORD
            | NUMBER
            | NAMES
            | BIRTH
            | SEX
            | POSTCODE
            | {
                "call_date": _day("Date of the call"),
                "service": _text("Whom the person called", "111", "999"),
                "disposition": _text(
                    "How the call ended",
                    "ambulance",
                    "emergency_department",
                    "primary_care",
                    "self_care",
                    "other",
                    nullable=True,
                ),
            }
            | RECEIVED,
        ),
        happened="call_date",
        order=(("date_of_birth", "call_date"), ("call_date", "received_date")),
    ),
    "outpatients": Contract(
        door(
            "outpatients",
            "an outpatient appointment",
            RECORD
            | NUMBER
            | {
                "appointment_date": _day("Date of the appointment"),
                "attendance": _text("5, 6 seen; 7 late, not seen; 3 did not attend", *"3567"),
                "treatment_function_code": _text("Specialty of the clinic", nullable=True),
            }
            | RECEIVED,
        ),
        happened="appointment_date",
        order=(("appointment_date", "received_date"),),
    ),
    "community": Contract(
        door(
            "community",
            "a contact with a community health team",
            RECORD
            | NUMBER
            | {
                "contact_date": _day("Date of the contact"),
                "team_type": _text("Kind of team", "district_nursing", "therapy", "falls", "palliative"),
            }
            | RECEIVED,
        ),
        happened="contact_date",
        order=(("contact_date", "received_date"),),
    ),
    "mental_health": Contract(
        door(
            "mental_health",
            "a contact with a mental health team",
            RECORD
            | NUMBER
            | {
                "contact_date": _day("Date of the contact"),
                "team_type": _text("Kind of team", "community_mh", "crisis", "memory", "talking_therapies"),
            }
            | RECEIVED,
        ),
        happened="contact_date",
        order=(("contact_date", "received_date"),),
    ),
    "social_care": Contract(
        door(
            "social_care",
            "a request, assessment or service of adult social care (client level data)",
            RECORD
            | NUMBER
            | NAMES
            | BIRTH
            | SEX
            | POSTCODE
            | {
                "event_type": _text("request, assessment or service", "request", "assessment", "service"),
                "service_type": _text(
                    "Kind of service",
                    "home_support",
                    "residential",
                    "nursing",
                    "reablement",
                    "equipment",
                    nullable=True,
                ),
                "start_date": _day("Start"),
                "end_date": _day("End; empty while it goes on", nullable=True),
            }
            | RECEIVED,
        ),
        happened="start_date",
        order=(("start_date", "received_date"), ("start_date", "end_date")),
    ),
    "housing": Contract(
        door(
            "housing",
            "something a housing service recorded about a tenant",
            RECORD
            | NAMES
            | BIRTH
            | ADDRESS
            | POSTCODE
            | {
                "event_type": _text(
                    "What happened", "tenancy", "arrears", "damp_report", "adaptation", "temporary_accommodation"
                ),
                "event_date": _day("When"),
            }
            | RECEIVED,
        ),
        happened="event_date",
        order=(("event_date", "received_date"),),
    ),
    "programme": Contract(
        door(
            "programme",
            "a referral to case management, or to another programme, and what became of it",
            RECORD
            | NUMBER
            | {
                "programme": _text(
                    "Code of the programme, as the settings name it under `programmes`; empty, or without the column, "
                    "case management (`case_management`)",
                    nullable=True,
                    required=False,
                ),
                "team_code": _text("The team referred to"),
                "referral_date": _day("Date of the referral"),
                "referral_route": _text(
                    "How the person came to be referred",
                    "recent_admission",
                    "gp_discretion",
                    "risk_list",
                    "randomised_margin",
                    "casewell_list",
                ),
                "start_date": _day("First day on the caseload; empty unless started", nullable=True),
                "end_date": _day("Last day on the caseload, exclusive", nullable=True),
                "outcome": _text(
                    "What became of it",
                    "started",
                    "declined",
                    "not_reached",
                    "not_suitable",
                    "already_supported",
                    "not_drawn",
                ),
                "offer_again_date": _day(
                    "From which day to offer again, where the person who declined said so",
                    nullable=True,
                    required=False,
                ),
            }
            | RECEIVED
            | {
                "randomised_probability": _number(
                    "Chance of a place where it was drawn by lot, for those not drawn too", pa.Check.in_range(0, 1)
                )
            },
        ),
        happened="referral_date",
        order=(("referral_date", "received_date"), ("referral_date", "start_date"), ("start_date", "end_date")),
    ),
    "opt_outs": Contract(
        door(
            "opt_outs",
            "a person's choice that their records are not used",
            RECORD
            | {"nhs_number": _text("NHS number of the person")}
            | {
                "opt_out_type": _text("type_1 or national", "type_1", "national"),
                "start_date": _day("From when it holds"),
            }
            | RECEIVED,
        ),
        happened="start_date",
    ),
    "practices": Contract(
        door(
            "practices",
            "a GP practice and its primary care network",
            {
                "practice_code": _text("ODS code"),
                "practice_name": _text("Name"),
                "pcn_code": _text("ODS code of the primary care network", nullable=True),
                "pcn_name": _text("Name of the network", nullable=True),
            },
        ),
        key="practice_code",
        known="",
    ),
    "travel_times": Contract(
        door(
            "travel_times",
            "an area, and how far it is from there to services (a table of the site's own, taken to hold at all times)",
            {
                "lsoa": _text("Lower layer super output area, 2021 (or 2011) code"),
                **{
                    name: _number(f"Minutes to the nearest {place}, by the means of travel the site chose", MINUTES)
                    for name, place in zip(TRAVEL, ("general practice", "pharmacy", "hospital"), strict=True)
                },
            },
        ),
        key="lsoa",
        known="",
    ),
}
