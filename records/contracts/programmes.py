"""What became of referrals to case management and other programmes."""

from __future__ import annotations

import pandera.pandas as pa

from casewell.doors import door
from records.contracts.columns import NUMBER, RECORD, day, number, text
from records.contracts.contract import Contract

PROGRAMMES: dict[str, Contract] = {
    "programme": Contract(
        door(
            "programme",
            "a referral to case management, or to another programme, and what became of it",
            RECORD
            | NUMBER
            | {
                "programme": text(
                    "Code of the programme, as the settings name it under `programmes`; empty, or without the column, "
                    "case management (`case_management`)",
                    nullable=True,
                    required=False,
                ),
                "team_code": text("The team referred to"),
                "referral_date": day("Date of the referral"),
                "referral_route": text(
                    "How the person came to be referred",
                    "recent_admission",
                    "gp_discretion",
                    "risk_list",
                    "randomised_margin",
                    "casewell_list",
                ),
                "start_date": day("First day on the caseload; empty unless started", nullable=True),
                "end_date": day("Last day on the caseload, exclusive", nullable=True),
                "end_received_date": day("Day the end became known", nullable=True, required=False),
                "outcome": text(
                    "What became of it",
                    "started",
                    "declined",
                    "not_reached",
                    "not_suitable",
                    "already_supported",
                    "not_drawn",
                ),
                "offer_again_date": day(
                    "From which day to offer again, where the person who declined said so",
                    nullable=True,
                    required=False,
                ),
            }
            | {
                "received_date": day(
                    "Day the care system received the row; known from then on. Where a record is sent again under its "
                    "record_id because something was added or corrected, the version received last holds from then on",
                    required=False,
                )
            }
            | {
                "randomised_probability": number(
                    "Chance of a place where it was drawn by lot, for those not drawn too", pa.Check.in_range(0, 1)
                )
            },
        ),
        happened="referral_date",
        version="received_date",
        order=(("referral_date", "received_date"), ("referral_date", "start_date"), ("start_date", "end_date")),
    ),
}
