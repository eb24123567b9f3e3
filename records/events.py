"""The one place that says how each extract's rows become events.

An event is known no earlier than it happened, and nothing known on `as_of` or later gets out. What was
replaced by a later version, or told before its end was known, stays an event, with the day on which that came.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from casewell.settings import Settings
from records.extracts import Extract
from records.reading import literal
from records.versions import merged

RANGE_BITS = 4


@dataclass(frozen=True)
class EventRule:
    """How a row becomes an event, in SQL over the contract's columns; no event where `code` is null."""

    code: str
    time: str
    known: str = "received_date"
    value: str = "NULL::DOUBLE"
    end: str = "NULL::DATE"
    until: str = "NULL::DATE"


def _coded(vocabulary: str, code: str) -> str:
    return f"'{vocabulary}//' || {code}"


def _only_if(condition: str, code: str) -> str:
    return f"CASE WHEN {condition} THEN '{code}' END"


RULES: dict[str, tuple[EventRule, ...]] = {
    "demographics": (
        EventRule("'DEATH'", "date_of_death", "coalesce(death_received_date, date_of_death)"),
        EventRule(
            "'REGISTRATION_END'",
            "registration_end_date",
            "coalesce(registration_end_received_date, registration_end_date)",
        ),
    ),
    "gp_events": (
        EventRule("code_system || '//' || code", "event_date", value="numeric_value"),
        EventRule(_coded("CLINICIAN", "coalesce(practice_code || '/', '') || clinician_code"), "event_date"),
    ),
    "emergency_care": (
        EventRule("'ED//ARRIVAL'", "arrival_date"),
        EventRule(_only_if("arrival_mode = 'ambulance'", "ED//AMBULANCE"), "arrival_date"),
        EventRule(_coded("ED", "('ACUITY_' || acuity)"), "arrival_date"),
        EventRule(_coded("ED_COMPLAINT", "chief_complaint"), "arrival_date"),
    ),
    "urgent_care": (
        EventRule(_coded("URGENT", "service"), "call_date"),
        EventRule(_coded("URGENT_DISPOSITION", "upper(disposition)"), "call_date"),
    ),
    "outpatients": (
        EventRule("'OUTPATIENT//' || if(attendance IN ('5', '6'), 'ATTENDED', 'MISSED')", "appointment_date"),
        EventRule(_coded("OUTPATIENT_SPECIALTY", "treatment_function_code"), "appointment_date"),
    ),
    "community": (EventRule(_coded("COMMUNITY", "upper(team_type)"), "contact_date"),),
    "mental_health": (EventRule(_coded("MENTAL_HEALTH", "upper(team_type)"), "contact_date"),),
    # Services: SERVICE_RULES.
    "social_care": (
        EventRule(_coded("SOCIAL_CARE", "upper(CASE WHEN event_type <> 'service' THEN event_type END)"), "start_date"),
    ),
    "housing": (EventRule(_coded("HOUSING", "upper(event_type)"), "event_date"),),
}


# Over the tables that `records.stays` makes from the rows of hospital_spells.
HOSPITAL_RULES: dict[str, tuple[EventRule, ...]] = {
    "stays": (
        EventRule(_coded("ADMISSION", "admission_method"), "admission_date", "admission_known"),
        EventRule(
            _coded("SPELL", "admission_method"),
            "admission_date",
            "completed_known",
            "date_diff('day', admission_date, discharge_date)::DOUBLE",
            "discharge_date",
        ),
        EventRule(_coded("DISCHARGE", "discharge_destination"), "discharge_date", "completed_known"),
    ),
    "findings": (EventRule("code", "discharge_date", "known"),),
}


_SERVICE = _coded("SOCIAL_CARE_SERVICE", "upper(coalesce(service_type, 'not_recorded'))")
# Over the table that `records.services` makes from the rows of social_care.
SERVICE_RULES = (
    # A package's end is only told once it is past: until then it is going on.
    EventRule(_SERVICE, "start_date", until="coalesce(end_date, closed)"),
    EventRule(
        _SERVICE,
        "start_date",
        "CASE WHEN end_date IS NOT NULL THEN greatest(received_date, end_date) END",
        value="date_diff('day', start_date, end_date)::DOUBLE",
        end="end_date",
    ),
)


def event_queries(extract: Extract) -> list[str]:
    """Return the queries that turn an extract's used rows into events with `who`; `{as_of}` is left to fill."""
    rows = f"{extract.rows} WHERE fate = 'used'"
    return [_query(rule, rows, literal(extract.name)) for rule in RULES.get(extract.table, ())]


def service_queries() -> list[str]:
    """Return such queries for the services of every extract of social care."""
    return [_query(rule, "services", "source") for rule in SERVICE_RULES]


def hospital_queries() -> list[str]:
    """Return such queries for the stays in hospital of every extract."""
    rules = [(table, rule) for table, rules in HOSPITAL_RULES.items() for rule in rules]
    at_once = [_query(rule, f"{table} WHERE since IS NULL", "source") for table, rule in rules]
    in_turn = [_told(rule, f"{table} WHERE since IS NOT NULL", "source", "view") for table, rule in rules]
    return [*at_once, _visible(merged(" UNION ALL ".join(in_turn)))]


def _query(rule: EventRule, rows: str, source: str) -> str:
    return _visible(_told(rule, rows, source))


def _told(rule: EventRule, rows: str, source: str, *more: str) -> str:
    return f"""SELECT who, {rule.time} AS time, {rule.known} AS known_at, {rule.until} AS known_until,
            {rule.code} AS code, {rule.value} AS numeric_value, {rule.end} AS "end", {", ".join([f"{source} AS source", *more])}
        FROM {rows}"""


def _visible(told: str) -> str:
    """Return the query of what a build or an index date before `as_of` could see of what was told."""
    return f"""SELECT who, time, greatest(known_at, time) AS known_at,
            CASE WHEN known_until < {{as_of}} THEN known_until END AS known_until, code, numeric_value, "end", source
        FROM ({told})
        WHERE code IS NOT NULL AND time IS NOT NULL AND known_at IS NOT NULL
            AND greatest(known_at, time) < {{as_of}} AND coalesce(known_until > greatest(known_at, time), true)"""


def gather_events(con: duckdb.DuckDBPyConnection, parts: list[str], as_of: dt.date) -> None:
    """Make the table `happened`: every event that the queries tell, under the person's pseudonym, in no order."""
    told = " UNION ALL ".join(parts).replace("{as_of}", f"DATE '{as_of}'")
    con.execute(
        f"""CREATE OR REPLACE TABLE happened AS
        SELECT p.person_id AS subject_id, e.time::TIMESTAMP AS time, e.known_at::TIMESTAMP AS known_at,
            e.known_until::TIMESTAMP AS known_until, e.code, e.numeric_value, e."end"::TIMESTAMP AS "end", e.source
        FROM ({told}) AS e JOIN persons AS p USING (who)
        WHERE p.used AND NOT p.opted"""
    )


def events_queries() -> list[str]:
    """Return the queries of all events, which one after the other give them in a total order.

    Each sorts one range of pseudonyms: the events of a million people are too many to be sorted in memory at once.
    """
    bits = 63 - RANGE_BITS  # pseudonyms are hashes of 63 bits, so the ranges are of nearly one size
    return [
        f"""SELECT * FROM happened WHERE subject_id >> {bits} = {place}
        ORDER BY subject_id, time, known_at, code, source, numeric_value, "end", known_until"""
        for place in range(2**RANGE_BITS)
    ]


def enrolment_query(extract: Extract, settings: Settings, as_of: str) -> str:
    """Return the query of a programme extract's spells, of case management and of the other programmes.

    A start is known since the first version of the record that told it, its end only from the newest.
    """
    team = literal("all") if settings.teams.by == "all" else "r.team_code"
    return f"""SELECT p.person_id, r.programme, {team} AS team_code, r.start_date AS start,
            {_end(as_of)} AS "end", greatest(first.received, r.start_date) AS known_at,
            r.referral_route AS route, r.randomised_probability, r.record_id AS record
        FROM {extract.rows} AS r JOIN persons AS p USING (who)
        JOIN (SELECT record_id, start_date, min(received_date) AS received FROM {extract.rows}
              WHERE fate = 'used' OR replaced GROUP BY ALL) AS first USING (record_id, start_date)
        WHERE r.fate = 'used' AND p.used AND NOT p.opted AND r.start_date < {as_of} AND r.received_date < {as_of}"""


def offer_query(extract: Extract, as_of: str) -> str:
    """Return the query of a programme extract's referrals, whatever became of them; places not drawn by lot are no offers."""
    return f"""SELECT p.person_id, r.programme, r.referral_date AS offered, r.outcome,
            CASE WHEN r.start_date < {as_of} THEN r.start_date END AS start, {_end(as_of)} AS "end",
            r.received_date AS known_at, r.offer_again_date AS offer_again
        FROM {extract.rows} AS r JOIN persons AS p USING (who)
        WHERE r.fate = 'used' AND p.used AND NOT p.opted AND r.outcome <> 'not_drawn' AND r.received_date < {as_of}"""


def _end(as_of: str) -> str:
    """Return the SQL expression of the last day of a programme's row, as far as it was known."""
    return f"CASE WHEN greatest(r.end_date, r.end_received_date) < {as_of} THEN r.end_date END"


def lot_query(extract: Extract, as_of: str) -> str:
    """Return the query of the referrals of a programme extract that were drawn by lot, or passed over, with the chance."""
    return f"""SELECT p.person_id, r.programme, r.referral_date AS drawn_on, r.team_code, r.randomised_probability AS chance,
            r.outcome <> 'not_drawn' AS drawn
        FROM {extract.rows} AS r JOIN persons AS p USING (who)
        WHERE r.fate = 'used' AND p.used AND NOT p.opted AND r.referral_route = 'randomised_margin'
          AND r.randomised_probability > 0 AND r.randomised_probability < 1
          AND r.referral_date < {as_of} AND r.received_date < {as_of}"""
