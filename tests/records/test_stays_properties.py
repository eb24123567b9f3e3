"""Stays are found however they were told, and the past is rebuilt as it was known."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.hospital import (
    TYPES,
    events,
)
from tests.records.hospital_histories import histories


@settings(max_examples=30, deadline=None)
@given(histories())
def test_stays_are_found_however_they_were_told(history):
    stays, rows = history
    found = events(*rows)
    spells = found[found["code"].str.startswith("SPELL//")]
    assert sorted(zip(spells["subject_id"], spells["code"], spells["time"], spells["end"], strict=True)) == sorted(
        (ord(stay["person"]), f"SPELL//{stay['method']}", pd.Timestamp(stay["from"]), pd.Timestamp(stay["to"]))
        for stay in stays
    )
    kinds = found["code"].str.split("//").str[0].value_counts()
    assert {kinds.get(kind, 0) for kind in ("ADMISSION", "SPELL", "DISCHARGE", "ICD10_PRIMARY")} == {len(stays)}
    assert kinds.get("ICD10", 0) == sum(len(stay["codes"]) for stay in stays)


@settings(max_examples=30, deadline=None)
@given(histories(), st.dates(dt.date(2022, 1, 3), dt.date(2022, 3, 1)))
def test_the_past_is_rebuilt_as_it_was_known(history, as_of):
    _, rows = history
    named = [{"record_id": f"H{place}"} | row for place, row in enumerate(rows)]
    content = ["discharge_date", "discharge_destination", "primary_diagnosis", "secondary_diagnoses", "received_date"]
    # As the extract stood on that day: what came later is not there, or is told as if nothing had come.
    first = pd.DataFrame(named, columns=[*TYPES]).sort_values(["episode_order", "received_date", "record_id"])
    notices = set(first.groupby(["provider_code", "spell_id"])["record_id"].first())
    stood = [
        row if row["received_date"] < as_of else row | dict.fromkeys(content)
        for row in named
        if row["received_date"] < as_of or (row["record_id"] in notices and row["admission_received_date"] < as_of)
    ]
    pd.testing.assert_frame_equal(events(*named, as_of=as_of), events(*stood, as_of=as_of))
    if stood:
        assert (events(*named, as_of=as_of)["known_at"] < pd.Timestamp(as_of)).all()
