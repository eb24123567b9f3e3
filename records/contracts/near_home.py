"""What general practice, 111 and 999, community and mental health services send."""

from __future__ import annotations

from casewell.doors import door
from records.contracts.columns import BIRTH, NAMES, NUMBER, POSTCODE, RECEIVED, RECORD, SEX, day, number, text
from records.contracts.contract import Contract

NEAR_HOME: dict[str, Contract] = {
    "gp_events": Contract(
        door(
            "gp_events",
            "a coded entry in a GP record",
            RECORD
            | NUMBER
            | {
                "practice_code": text("ODS code of the GP practice", nullable=True),
                "event_date": day("When it happened"),
                "recorded_date": day("When it was entered", nullable=True, required=False),
            }
            | RECEIVED
            | {
                "code_system": text("SNOMED or BNF", "SNOMED", "BNF"),
                "code": text("The code"),
                "numeric_value": number("Measured value"),
                "unit": text("Unit of the value", nullable=True, required=False),
                "clinician_code": text(
                    "Pseudonym, within the practice, of the clinician who saw or spoke to the person; empty where nobody did",
                    nullable=True,
                    required=False,
                ),
            },
        ),
        happened="event_date",
        order=(("event_date", "received_date"), ("recorded_date", "received_date")),
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
                "call_date": day("Date of the call"),
                "service": text("Whom the person called", "111", "999"),
                "disposition": text(
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
    "community": Contract(
        door(
            "community",
            "a contact with a community health team",
            RECORD
            | NUMBER
            | {
                "contact_date": day("Date of the contact"),
                "team_type": text("Kind of team", "district_nursing", "therapy", "falls", "palliative"),
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
                "contact_date": day("Date of the contact"),
                "team_type": text("Kind of team", "community_mh", "crisis", "memory", "talking_therapies"),
            }
            | RECEIVED,
        ),
        happened="contact_date",
        order=(("contact_date", "received_date"),),
    ),
}
