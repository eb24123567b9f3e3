"""What councils and landlords send."""

from __future__ import annotations

from casewell.doors import door
from records.contracts.columns import ADDRESS, BIRTH, NAMES, NUMBER, POSTCODE, RECEIVED, RECORD, SEX, day, text
from records.contracts.contract import Contract

COUNCILS: dict[str, Contract] = {
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
                "event_type": text("request, assessment or service", "request", "assessment", "service"),
                "service_type": text(
                    "Kind of service",
                    "home_support",
                    "residential",
                    "nursing",
                    "reablement",
                    "equipment",
                    nullable=True,
                ),
                "start_date": day("Start"),
                "end_date": day("End; empty while it goes on", nullable=True),
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
                "event_type": text(
                    "What happened", "tenancy", "arrears", "damp_report", "adaptation", "temporary_accommodation"
                ),
                "event_date": day("When"),
            }
            | RECEIVED,
        ),
        happened="event_date",
        order=(("event_date", "received_date"),),
    ),
}
