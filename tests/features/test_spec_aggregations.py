"""What each aggregation gives, on both engines: events in, one number out.

The index date is 1 July 2026, so a window of 30 days is [1 June, 1 July).
"""

from __future__ import annotations

import math

import pandas as pd
import pytest

from features.reference_engine import build_in_memory
from tests.features.tiny import (
    INDEX_DATE,
    event,
    events_table,
    feature,
    people_table,
    population_table,
    residences_of,
    write_and_build,
)

BP = "SNOMED//271649006"
HOME = "SOCIAL_CARE_SERVICE//HOME_SUPPORT"
STAY = "SPELL//21"
NAN = math.nan

SPECIFICATIONS = {
    "count: events of the window": ("count", 30, [event("2026-06-10"), event("2026-06-20"), event("2026-05-31")], 2),
    "count: the first day of the window belongs to it": ("count", 30, [event("2026-06-01")], 1),
    "count: the index date itself does not": ("count", 30, [event("2026-07-01")], 0),
    "count: nor when it was known before": ("count", 30, [event("2026-07-01", known_at="2026-06-20")], 0),
    "count: the last moment before the index date does": ("count", 30, [event("2026-06-30 23:59:59")], 1),
    "count: an event counts as often as it is recorded": ("count", 30, [event("2026-06-10"), event("2026-06-10")], 2),
    "count: nothing recorded is zero": ("count", 30, [], 0),
    "count: another code does not count": ("count", 30, [event("2026-06-10", "ED//AMBULANCE")], 0),
    "count: without a window, all history": ("count", None, [event("1999-01-01"), event("2026-06-10")], 2),
    "count: known on the index date is too late": ("count", 30, [event("2026-06-10", known_at="2026-07-01")], 0),
    "count: known the day before is in time": ("count", 30, [event("2026-06-10", known_at="2026-06-30")], 1),
    "count: replaced the day before is gone": ("count", 30, [event("2026-06-10", known_until="2026-06-30")], 0),
    "count: replaced on the index date still holds": ("count", 30, [event("2026-06-10", known_until="2026-07-01")], 1),
    "count: without a date it never counts": ("count", None, [event(None), event("2026-06-10")], 1),
    "any: one is enough": ("any", 30, [event("2026-06-10"), event("2026-06-20")], 1),
    "any: none is zero": ("any", 30, [event("2026-05-10")], 0),
    "change: this window less the one before": (
        "change",
        30,
        [event("2026-06-10"), event("2026-06-11"), event("2026-06-12"), event("2026-05-20")],
        2,
    ),
    "change: both windows are half-open": (
        "change",
        30,
        [event("2026-06-01"), event("2026-05-31"), event("2026-05-02")],
        -1,
    ),
    "change: older events play no part": ("change", 30, [event("2026-05-01")], 0),
    "days since last: whole days": ("days_since_last", None, [event("2026-06-10 18:00"), event("2026-05-01")], 21),
    "days since last: missing when there is none": ("days_since_last", None, [], NAN),
    "days since last: missing when none lies in the window": ("days_since_last", 30, [event("2026-05-01")], NAN),
    "days since first: the earliest": ("days_since_first", None, [event("2026-06-10"), event("2026-05-01")], 61),
    "days since first: of the window": ("days_since_first", 30, [event("2026-06-10"), event("2026-05-01")], 21),
}
CODES = {
    "distinct codes: a repeated code counts once": (
        "distinct_codes",
        30,
        [event("2026-06-10", "BNF//0501A"), event("2026-06-11", "BNF//0501A"), event("2026-06-12", "BNF//0202B")],
        2,
    ),
    "distinct codes: of the window": (
        "distinct_codes",
        30,
        [event("2026-06-10", "BNF//0501A"), event("2026-05-11", "BNF//0202B")],
        1,
    ),
}
STAYS = {
    "days spent: [time, end)": ("days_spent", 30, [event("2026-06-10", STAY, end="2026-06-13")], 3),
    "days spent: same day is no night": ("days_spent", 30, [event("2026-06-10", STAY, end="2026-06-10")], 0),
    "days spent: only the days in the window": ("days_spent", 30, [event("2026-05-20", STAY, end="2026-06-03")], 2),
    "days spent: until the index date": ("days_spent", 30, [event("2026-06-28", STAY, end="2026-07-01")], 3),
    "days spent: an end after the index date is not known yet": (
        "days_spent",
        30,
        [event("2026-06-28", STAY, end="2026-07-05")],
        0,
    ),
    "days spent: a stay without an end is not counted": ("days_spent", 30, [event("2026-06-28", STAY)], 0),
    "days spent: a stay known later is not counted": (
        "days_spent",
        30,
        [event("2026-06-10", STAY, end="2026-06-13", known_at="2026-07-15")],
        0,
    ),
    "days spent: an end before the start is no days": (
        "days_spent",
        30,
        [event("2026-06-10", STAY, end="2026-06-01")],
        0,
    ),
}
PACKAGES = {
    "days running: a package without an end counts until the index date": (
        "days_running",
        30,
        [event("2026-06-21", HOME)],
        10,
    ),
    "days running: only the days in the window": ("days_running", 30, [event("2025-01-01", HOME)], 30),
    "days running: an end after the index date counts until it": (
        "days_running",
        30,
        [event("2026-06-21", HOME, end="2026-08-01")],
        10,
    ),
    "days running: an ended package counts its days": (
        "days_running",
        None,
        [event("2026-01-01", HOME, end="2026-01-11"), event("2026-06-30", HOME)],
        11,
    ),
    "running: without an end": ("running", None, [event("2025-01-01", HOME)], 1),
    "running: with a later end": ("running", None, [event("2025-01-01", HOME, end="2026-07-02")], 1),
    "running: not when it ends on the index date": ("running", None, [event("2025-01-01", HOME, end="2026-07-01")], 0),
}
VALUES = {
    "sum": ("sum", 30, [event("2026-06-10", BP, 140), event("2026-06-11", BP, 120.5)], 260.5),
    "mean: values without a number are left out": (
        "mean",
        30,
        [event("2026-06-10", BP, 140), event("2026-06-11", BP, 120), event("2026-06-12", BP)],
        130,
    ),
    "mean: values that cannot be are left out": (
        "mean",
        30,
        [event("2026-06-10", BP, 140), event("2026-06-11", BP, math.inf), event("2026-06-12", BP, 1e9)],
        140,
    ),
    "mean: a value that is no number is left out": (
        "mean",
        30,
        [event("2026-06-10", BP, 140), event("2026-06-11", BP, math.nan), event("2026-06-12", BP, -math.inf)],
        140,
    ),
    "mean: missing when there is none": ("mean", 30, [event("2026-05-10", BP, 140)], NAN),
    "min": ("min", 30, [event("2026-06-10", BP, 140), event("2026-06-11", BP, 120)], 120),
    "max: of the window": ("max", 30, [event("2026-06-10", BP, 140), event("2026-05-11", BP, 180)], 140),
    "last": ("last", 30, [event("2026-06-11", BP, 120), event("2026-06-10", BP, 140)], 120),
    "last: of one day, the one known last": (
        "last",
        30,
        [event("2026-06-10", BP, 150), event("2026-06-10", BP, 140, known_at="2026-06-12")],
        140,
    ),
    "last: known on one day too, the largest": (
        "last",
        30,
        [event("2026-06-10", BP, 150), event("2026-06-10", BP, 140)],
        150,
    ),
    "last: passes over an entry without a number": (
        "last",
        30,
        [event("2026-06-10", BP, 150), event("2026-06-11", BP)],
        150,
    ),
    "slope: change per year": (
        "slope",
        730,
        [event("2025-06-10", BP, 150), event("2026-06-10", BP, 140)],
        -10 * 365.25 / 365,
    ),
    "slope: missing with one day": ("slope", 730, [event("2025-06-10", BP, 150), event("2025-06-10", BP, 140)], NAN),
}
GAPS = {
    "longest gap: days between events that follow each other": (
        "longest_gap",
        90,
        [event("2026-06-20"), event("2026-06-01"), event("2026-05-25")],
        19,
    ),
    "longest gap: neither from the window's beginning nor to the index date": (
        "longest_gap",
        90,
        [event("2026-05-25"), event("2026-05-26")],
        1,
    ),
    "longest gap: only between events of the window": (
        "longest_gap",
        90,
        [event("2026-01-01"), event("2026-06-01"), event("2026-06-08")],
        7,
    ),
    "longest gap: missing with one day": ("longest_gap", 90, [event("2026-06-01"), event("2026-06-01 12:00")], NAN),
    "periods with: one of three": ("periods_with", 90, [event("2026-06-01"), event("2026-06-20")], 1 / 3),
    "periods with: the first day of a period belongs to it, the day before does not": (
        "periods_with",
        90,
        [event("2026-06-01"), event("2026-05-31")],
        2 / 3,
    ),
    "periods with: every one": (
        "periods_with",
        90,
        [event("2026-06-30"), event("2026-05-03"), event("2026-04-02")],
        1,
    ),
    "periods with: none is zero": ("periods_with", 90, [event("2026-04-01")], 0),
    "overdue: days since the last over the usual gap": (
        "overdue",
        365,
        [event("2026-02-01"), event("2026-03-01"), event("2026-03-29"), event("2026-05-06")],
        56 / 28,
    ),
    "overdue: of two gaps, their mean": (
        "overdue",
        365,
        [event("2026-06-01"), event("2026-06-11"), event("2026-06-29")],
        2 / 14,
    ),
    "overdue: missing with fewer than three days": (
        "overdue",
        365,
        [event("2026-06-01"), event("2026-06-11"), event("2026-06-11 08:00")],
        NAN,
    ),
}
CONTINUITY = {
    "usual provider: the most frequent code over all": (
        "usual_provider",
        30,
        [event("2026-06-10", "CLINICIAN//P/1"), event("2026-06-11", "CLINICIAN//P/2")]
        + [event(f"2026-06-{day}", "CLINICIAN//P/1") for day in (12, 13)],
        0.75,
    ),
    "usual provider: a day with somebody is one visit": (
        "usual_provider",
        30,
        [event(f"2026-06-10 {hour}:00", "CLINICIAN//P/1", known_at="2026-06-20") for hour in (10, 11, 12)]
        + [event("2026-06-10 11:30", "CLINICIAN//P/2")],
        0.5,
    ),
    "usual provider: of one visit there is nothing to say": (
        "usual_provider",
        30,
        [event("2026-06-10", "CLINICIAN//P/1"), event("2026-05-10", "CLINICIAN//P/1")],
        NAN,
    ),
    "usual provider: without visits it is missing, not zero": ("usual_provider", 30, [], NAN),
    "bice boxerman: pairs of visits with the same": (
        "bice_boxerman",
        30,
        [event(f"2026-06-1{day}", f"CLINICIAN//P/{who}") for day, who in enumerate("11121")],
        0.6,
    ),
    "bice boxerman: always somebody else is 0": (
        "bice_boxerman",
        30,
        [event(f"2026-06-1{who}", f"CLINICIAN//P/{who}") for who in range(4)],
        0,
    ),
    "bice boxerman: the same number elsewhere is somebody else": (
        "bice_boxerman",
        30,
        [event("2026-06-10", "CLINICIAN//P/1"), event("2026-06-11", "CLINICIAN//Q/1")],
        0,
    ),
    "bice boxerman: of one visit there is nothing to say": (
        "bice_boxerman",
        30,
        [event("2026-06-10", "CLINICIAN//P/1")],
        NAN,
    ),
}
ALL = [
    *[(name, "ed_attendance", *spec) for name, spec in SPECIFICATIONS.items()],
    *[(name, "any_prescription", *spec) for name, spec in CODES.items()],
    *[(name, "emergency_spell", *spec) for name, spec in STAYS.items()],
    *[(name, "home_support", *spec) for name, spec in PACKAGES.items()],
    *[(name, "bp_systolic", *spec) for name, spec in VALUES.items()],
    *[(name, "ed_attendance", *spec) for name, spec in GAPS.items()],
    *[(name, "gp_clinician", *spec) for name, spec in CONTINUITY.items()],
]


FEATURES = {(group, how, days): feature(how, days, group) for _, group, how, days, _, _ in ALL}


@pytest.fixture(scope="module")
def both_engines(tmp_path_factory):
    """Every specification is one person; one build answers them all."""
    rows = [{**row, "subject_id": person} for person, spec in enumerate(ALL) for row in spec[4]]
    born = {"birth_month": "1946-07-01", "sex": "female", "imd_decile": 2.0}
    people = people_table([{"person_id": person, **born} for person in range(len(ALL))])
    population = population_table([(INDEX_DATE, person) for person in range(len(ALL))])
    inputs = population, events_table(rows), people
    path = write_and_build(tmp_path_factory.mktemp("spec"), *inputs, list(FEATURES.values()))
    return pd.read_parquet(path), build_in_memory(*inputs, residences_of(people), list(FEATURES.values()))


@pytest.mark.parametrize("person", range(len(ALL)), ids=[spec[0] for spec in ALL])
def test_both_engines_follow_the_specification(both_engines, person):
    _, group, how, days, _, expected = ALL[person]
    for matrix in both_engines:
        assert matrix["person_id"].tolist() == list(range(len(ALL)))
        value = matrix[FEATURES[group, how, days].name][person]
        assert value == pytest.approx(expected, rel=1e-6, nan_ok=True)
