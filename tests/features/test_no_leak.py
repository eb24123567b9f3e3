"""Nothing known on the index date or later can change a feature, and the test would notice if it did."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from features import build, visible
from features.coding import NEVER
from tests.features.tiny import (
    INDEX_DATE,
    PERSON,
    bytes_of,
    event,
    events_table,
    people_table,
    population_table,
    residences_of,
)

CUT = pd.Timestamp(INDEX_DATE)
CODES = [
    "ADMISSION//21",
    "SPELL//21",
    "ED//ARRIVAL",
    "SNOMED//84114007",
    "SNOMED//271649006",
    "BNF//0202A",
    "ICD10//J440",
    "SOCIAL_CARE_SERVICE//HOME_SUPPORT",
]


def history(seed: int, number: int) -> pd.DataFrame:
    """Events of the two years before the index date, each known up to 60 days after it happened."""
    random = np.random.default_rng(seed)
    time = CUT - pd.to_timedelta(random.integers(1, 730, number), unit="D")
    known_at = np.minimum(time + pd.to_timedelta(random.integers(0, 60, number), unit="D"), CUT - pd.Timedelta("1D"))
    table = events_table([event("2026-01-01", str(code)) for code in random.choice(CODES, number)])
    value = pd.Series(random.normal(100, 20, number).round(1))
    end = pd.Series(time + pd.to_timedelta(random.integers(0, 20, number), unit="D"))
    return table.assign(
        time=time.astype("datetime64[us]"),
        known_at=pd.Series(known_at).astype("datetime64[us]"),
        numeric_value=value,
        end=end.astype("datetime64[us]"),
    )


@pytest.fixture
def matrix_bytes(tmp_path):
    """Build the whole catalogue from a table of events and give its files' bytes."""
    people_table().to_parquet(tmp_path / "people.parquet", index=False)
    residences_of(people_table()).to_parquet(tmp_path / "residences.parquet", index=False)
    tables = [tmp_path / f"{name}.parquet" for name in ("events", "people", "residences")]

    def built(events: pd.DataFrame) -> dict[str, bytes]:
        events.to_parquet(tmp_path / "events.parquet", index=False)
        return bytes_of(build(population_table(), *tables, tmp_path / "matrix.parquet"))

    return built


def known(events: pd.DataFrame, first_day: int, last_day: int, seed: int = 3) -> pd.DataFrame:
    """Say that the events became known between these days, counted from the index date."""
    days = np.random.default_rng(seed).integers(first_day, last_day + 1, len(events))
    return events.assign(known_at=(CUT + pd.to_timedelta(days, unit="D")).astype("datetime64[us]"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_record_known_later_never_changes_a_feature(matrix_bytes, seed):
    before = history(seed, 200)
    late = known(history(seed + 100, 200), 0, 90)
    assert matrix_bytes(pd.concat([before, late])) == matrix_bytes(before)


def corrected(events: pd.DataFrame, first_day: int, last_day: int, seed: int = 5) -> pd.DataFrame:
    """Say of half of the events that another version replaced them between these days, and give that version."""
    half = events.sample(frac=0.5, random_state=seed)
    later = known(half, first_day, last_day, seed)
    replaced = events.assign(known_until=later["known_at"])
    return pd.concat([replaced, later.assign(numeric_value=1.0, end=later["time"], code=half["code"].iloc[0])])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_version_received_later_never_changes_a_feature(matrix_bytes, seed):
    before = history(seed, 200)
    assert matrix_bytes(corrected(before, 0, 90)) == matrix_bytes(before)


def test_a_version_received_in_time_replaces_the_one_before(matrix_bytes):
    before = history(1, 200)
    told = corrected(before, -30, -1)
    assert matrix_bytes(told) != matrix_bytes(before)
    assert matrix_bytes(told) == matrix_bytes(told[told["known_until"].isna()])


def sent_again(events: pd.DataFrame, first_day: int, last_day: int) -> pd.DataFrame:
    """Send half of the events again between these days, as they were."""
    again = known(events.sample(frac=0.5, random_state=7), first_day, last_day)
    return pd.concat([events.assign(known_until=again["known_at"]), again])


def test_what_is_sent_again_unchanged_counts_once_whenever_it_comes(matrix_bytes, monkeypatch):
    before = history(1, 200)
    assert matrix_bytes(sent_again(before, 0, 90)) == matrix_bytes(before)
    in_time = sent_again(before, -1, -1)
    once = matrix_bytes(in_time[in_time["known_until"].isna()])
    assert matrix_bytes(in_time) == once
    monkeypatch.setattr(visible, "_see", broken("asked_day[end - 1] > replaced[event]", "False"))
    assert matrix_bytes(in_time) != once


def test_an_event_of_the_future_that_is_said_to_be_known_already_changes_nothing(matrix_bytes):
    before = history(1, 100)
    future = before.assign(time=CUT, known_at=CUT - pd.Timedelta("1D")).astype(before.dtypes)
    assert matrix_bytes(pd.concat([before, future])) == matrix_bytes(before)


def broken(rule: str, instead: str) -> Callable[..., None]:
    """Give the one place that decides what is visible, with its rule broken on purpose."""
    source = inspect.getsource(visible._see.py_func).removeprefix("@compiled\n")
    assert source.count(rule) == 1
    told: dict[str, Callable[..., None]] = {}
    exec(source.replace(rule, instead), told)
    return told["_see"]


def test_an_engine_that_showed_only_the_last_version_would_be_caught(matrix_bytes, monkeypatch):
    before = history(1, 200)
    only_last = broken("asked_day[end - 1] > replaced[event]", f"replaced[event] != {NEVER}")
    monkeypatch.setattr(visible, "_see", only_last)
    assert matrix_bytes(corrected(before, 0, 90)) != matrix_bytes(before)


def test_an_engine_that_showed_every_version_would_be_caught(matrix_bytes, monkeypatch):
    told = corrected(history(1, 200), -30, -1)
    monkeypatch.setattr(visible, "_see", broken("asked_day[end - 1] > replaced[event]", "False"))
    assert matrix_bytes(told) != matrix_bytes(told[told["known_until"].isna()])


@pytest.mark.parametrize("rule", [" or asked_day[begin] <= known[event]", "asked_day[begin] <= day[event] or "])
def test_the_leak_tests_catch_an_engine_without_either_half_of_the_rule(matrix_bytes, monkeypatch, rule):
    before = history(1, 200)
    monkeypatch.setattr(visible, "_see", broken(rule, ""))
    late = known(history(101, 200), 0, 90) if "known" in rule else before.assign(time=CUT).astype(before.dtypes)
    assert matrix_bytes(pd.concat([before, late])) != matrix_bytes(before)


def test_shuffling_the_events_changes_no_byte(matrix_bytes):
    events = history(4, 3000)
    assert matrix_bytes(events.sample(frac=1, random_state=1)) == matrix_bytes(events)


def test_the_full_table_gives_what_a_table_cut_at_the_index_date_gives(matrix_bytes):
    events = pd.concat([history(5, 300), known(history(6, 300), -30, 30)])
    assert matrix_bytes(events) == matrix_bytes(events[events["known_at"] < CUT])


def test_another_persons_events_change_nothing(matrix_bytes):
    events = history(7, 100)
    assert matrix_bytes(pd.concat([events, events.assign(subject_id=PERSON + 1)])) == matrix_bytes(events)
