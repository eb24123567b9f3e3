"""The emergency department, calls to 111 and 999, and outpatient appointments."""

from __future__ import annotations

from features.declare import ALL_WINDOWS, change, counted, distinct, gap, overdue, recency, regular
from features.derive import at_least, share
from features.feature import Feature

COMPLAINTS = {
    "abdominal_pain": "abdominal pain",
    "anxiety": "anxiety",
    "breathlessness": "breathlessness",
    "chest_pain": "chest pain",
    "fall": "a fall",
    "fever": "fever",
    "headache": "a headache",
    "injury": "an injury",
    "unwell": "feeling generally unwell",
}
CLINICS = {
    "cardiology": "heart clinic appointment",
    "diabetes": "diabetes clinic appointment",
    "gastroenterology": "gastroenterology appointment",
    "general_medicine": "general medicine appointment",
    "geriatrics": "elderly medicine appointment",
    "ophthalmology": "eye clinic appointment",
    "orthopaedics": "orthopaedic appointment",
    "respiratory": "chest clinic appointment",
    "rheumatology": "rheumatology appointment",
}
FREQUENT = 5  # visits in a year: how the Royal College of Emergency Medicine defines frequent attendance


def emergency_department() -> list[Feature]:
    """Visits to the emergency department; it is not known at what hour, and the day of the week is not looked at."""
    source = "emergency care"
    visit, visits = "emergency department visit", "emergency department visits"
    all_visits = {f.window_days: f for f in counted(source, "ed_attendance", visit, visits, ALL_WINDOWS)}
    ambulance = counted(source, "ed_ambulance", "arrival by ambulance", "arrivals by ambulance", (90, 365, 1095))
    urgent = counted(source, "ed_high_acuity", f"very urgent {visit}", f"very urgent {visits}", (365, 1095))
    slight = counted(source, "ed_low_acuity", f"less urgent {visit}", f"less urgent {visits}", (365, 1095))
    complaints = [
        feature
        for name, words in COMPLAINTS.items()
        for feature in counted(source, f"ed_{name}", f"{visit} for {words}", f"{visits} for {words}", (1095,))
    ]
    return [
        *all_visits.values(),
        recency(source, "ed_attendance", visit),
        change(source, "ed_attendance", visits),
        gap(source, "ed_attendance", visits, 1095),
        *regular(source, "ed_attendance", visits, (360, 1080)),
        at_least(source, "ed_frequent_365d", all_visits[365], FREQUENT, f"{FREQUENT} or more {visits}"),
        *ambulance,
        recency(source, "ed_ambulance", "arrival by ambulance"),
        *urgent,
        *slight,
        share(
            source,
            "ed_low_acuity_share_1095d",
            slight[-1],
            urgent[-1:],
            f"Share of less urgent {visits} among those and the very urgent",
        ),
        *distinct(source, "ed_complaint", "emergency department complaints", (1095,)),
        *complaints,
    ]


def urgent_care() -> list[Feature]:
    """Calls to 111 and 999."""
    source = "urgent care"
    call, calls = "call to 111 or 999", "calls to 111 or 999"
    ended = {
        "urgent_ambulance": "answered with an ambulance",
        "urgent_emergency_department": "sent on to the emergency department",
        "urgent_primary_care": "sent on to primary care",
        "urgent_self_care": "answered with advice",
    }
    return [
        *counted(source, "urgent_111", "call to 111", "calls to 111", (90, 365)),
        *counted(source, "urgent_999", "call to 999", "calls to 999", (90, 365)),
        *counted(source, "urgent_call", call, calls, (30, 365)),
        recency(source, "urgent_call", call),
        change(source, "urgent_call", calls),
        *regular(source, "urgent_call", calls, (360,)),
        *[
            feature
            for group, how in ended.items()
            for feature in counted(source, group, f"{call} {how}", f"{calls} {how}", (365,))
        ],
    ]


def outpatients() -> list[Feature]:
    """Appointments attended and missed."""
    source = "outpatients"
    attended, missed = "outpatient appointment", "missed outpatient appointment"
    seen = {
        f.window_days: f
        for f in counted(source, "outpatient_attended", attended, f"{attended}s", (90, 365, 1095), show=False)
    }
    away = {f.window_days: f for f in counted(source, "outpatient_missed", missed, f"{missed}s", (180, 365, 1095))}
    return [
        *seen.values(),
        recency(source, "outpatient_attended", attended, show=False),
        overdue(source, "outpatient_attended", f"{attended}s", 1095),
        *away.values(),
        recency(source, "outpatient_missed", missed),
        change(source, "outpatient_missed", f"{missed}s"),
        *regular(source, "outpatient_missed", f"{missed}s", (360, 1080)),
        *[
            share(source, f"outpatient_missed_share_{days}d", away[days], [seen[days]], f"Share of {attended}s missed")
            for days in (365, 1095)
        ],
        *distinct(source, "outpatient_specialty", "outpatient specialties", (365, 1095), show=False),
        *[
            feature
            for name, words in CLINICS.items()
            for feature in counted(source, f"outpatient_{name}", words, f"{words}s", (365,), show=False)
        ],
    ]
