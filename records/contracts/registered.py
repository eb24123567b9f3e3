"""Who the people are, and who does not want to be among them."""

from __future__ import annotations

from casewell.doors import door
from records.contracts.columns import (
    ADDRESS,
    ETHNIC_CATEGORIES,
    NAMES,
    NUMBER,
    POSTCODE,
    PROPERTY,
    RECEIVED,
    RECORD,
    SEX,
    day,
    text,
)
from records.contracts.contract import Contract

REGISTERED: dict[str, Contract] = {
    "demographics": Contract(
        door(
            "demographics",
            "a person's registration with a GP practice, as a demographics service holds it",
            RECORD
            | NUMBER
            | NAMES
            | {"date_of_birth": day("Date of birth")}
            | SEX
            | {
                "ethnic_category": text(
                    "NHS 16+1 category; Z not stated, 99 not known", *ETHNIC_CATEGORIES, nullable=True
                )
            }
            | ADDRESS
            | PROPERTY
            | POSTCODE
            | {
                "lsoa": text("Lower layer super output area, 2021 (or 2011) code", nullable=True),
                "practice_code": text("ODS code of the GP practice", nullable=True),
                "registration_start_date": day("Start of the registration; the row is known from then on"),
                "registration_end_date": day("End of the registration", nullable=True),
                "registration_end_received_date": day("Day the end became known", nullable=True, required=False),
                "date_of_death": day("Date of death", nullable=True),
                "death_received_date": day("Day the death became known", nullable=True, required=False),
                "version_received_date": day(
                    "Day this version of the row was received, where a registration is sent again under its record_id "
                    "because something was corrected: until then the version before it holds; empty in the first",
                    nullable=True,
                    required=False,
                ),
            },
        ),
        happened="registration_start_date",
        known="registration_start_date",
        version="version_received_date",
        order=(
            ("date_of_birth", "registration_start_date"),
            ("date_of_birth", "date_of_death"),
            ("registration_start_date", "registration_end_date"),
            ("date_of_death", "death_received_date"),
        ),
    ),
    "opt_outs": Contract(
        door(
            "opt_outs",
            "a person's choice that their records are not used",
            RECORD
            | {"nhs_number": text("NHS number of the person")}
            | {
                "opt_out_type": text("type_1 or national", "type_1", "national"),
                "start_date": day("From when it holds"),
            }
            | RECEIVED,
        ),
        happened="start_date",
    ),
}
