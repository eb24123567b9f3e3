"""The kernel gives the cells of the reference to the last bit, whatever the events, and never sees the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import kernel
from features.plan import KINDS
from tests.features.coded import CODES, FEATURES, expected, from_events
from tests.features.drawn import populations_of, tables_of
from tests.features.tiny import EVENT_COLUMNS, event, events_table, feature, population_table

INDEX_DATES = ["2026-01-01", "2026-01-02", "2026-01-31", "2026-03-01", "2026-06-01", "2027-01-01"]
PEOPLE = [-5, 0, 2**60, 2**63 - 1]
# Days on and around the edges of every window of an index date, so that ties and boundaries are common.
EDGES = sorted(
    {
        str((pd.Timestamp(day) - pd.Timedelta(days=back)).date())
        for day in INDEX_DATES
        for back in (-1, 0, 1, 2, 30, 31, 60, 61, 90, 91, 180, 181, 20_000)
    }
)
moments = st.builds(
    lambda day, hour: f"{day} {hour}", st.sampled_from(EDGES), st.sampled_from(["00:00", "13:30", "23:59:59.999999"])
)
values = st.one_of(
    st.none(),
    st.floats(-200, 200),
    st.integers(-3000, 3000).map(lambda tenths: tenths / 10),
    st.sampled_from([float("inf"), float("-inf"), 1e9, -1e9, 999_999_999.999999, -999_999_999.999999, 1e-7, 0.0]),
)
event_rows = st.fixed_dictionaries(
    {
        "subject_id": st.sampled_from([*PEOPLE, 99]),
        "time": st.one_of(moments, moments, moments, st.none()),
        "known_at": moments,
        "known_until": st.one_of(st.none(), st.none(), moments),
        "code": st.sampled_from(CODES),
        "numeric_value": values,
        "end": st.one_of(st.none(), moments),
        "source": st.just("made up"),
    }
)


event_tables = tables_of(event_rows, 40)
populations = populations_of(INDEX_DATES, PEOPLE)


def same(built: np.ndarray, wanted: np.ndarray) -> None:
    for number, declared in enumerate(FEATURES):
        np.testing.assert_array_equal(built[number], wanted[number], err_msg=declared.name)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=event_tables, population=populations)
def test_the_kernel_equals_the_reference_to_the_last_bit(events, population):
    same(from_events(population, events), expected(population, events))


def test_every_aggregation_of_events_is_compared():
    assert {declared.aggregation for declared in FEATURES} == set(KINDS)


def history(number: int, seed: int = 1, latest: str = "2026-06-01") -> pd.DataFrame:
    """Events of two people over two years, many of several groups, some known late, some replaced."""
    random = np.random.default_rng(seed)
    time = pd.Timestamp(latest) - pd.to_timedelta(random.integers(1, 730, number), unit="D")
    known = time + pd.to_timedelta(random.integers(0, 90, number), unit="D")
    until = pd.Series(known + pd.to_timedelta(random.integers(1, 120, number), unit="D"))
    return (
        events_table(
            [
                event("2026-01-01", str(code), person=int(who))
                for code, who in zip(random.choice(CODES[:5], number), random.choice([0, 2**60], number), strict=True)
            ]
        )
        .assign(
            time=time,
            known_at=known,
            known_until=until.mask(pd.Series(random.random(number) < 0.8)),
            numeric_value=random.normal(100, 30, number).round(2),
            end=time + pd.to_timedelta(random.integers(0, 60, number), unit="D"),
        )
        .astype(EVENT_COLUMNS)
    )


EVERYBODY = population_table([(day, who) for day in INDEX_DATES for who in (0, 2**60)])


def test_many_events_on_many_dates_equal_the_reference():
    events = history(3000)
    same(from_events(EVERYBODY, events), expected(EVERYBODY, events))


def test_all_index_dates_at_once_give_what_each_gives_alone():
    events = history(500)
    together = from_events(EVERYBODY, events)
    alone = [from_events(EVERYBODY[EVERYBODY["index_date"] == day], events) for day in INDEX_DATES]
    same(together, np.concatenate(alone, axis=1))


def test_a_person_without_events_has_zeros_and_gaps_not_errors():
    built = from_events(population_table([("2026-01-01", 12345)]), history(10))
    assert {float(cell) for cell in built[~np.isnan(built)]} == {0.0}


def test_neither_sums_nor_slopes_of_the_largest_values_overflow():
    days = pd.date_range("1960-01-01", periods=12_000)
    events = events_table(
        [event(str(day), CODES[0], 999_999_999.5 - number % 7, person=0) for number, day in enumerate(days)]
    )
    asked = population_table([("2026-01-01", 0)])
    wanted = [feature(how, None, "bp_systolic") for how in ("sum", "mean", "slope")]
    np.testing.assert_array_equal(from_events(asked, events, wanted), expected(asked, events, wanted))


def test_what_becomes_known_on_the_index_date_or_later_changes_nothing():
    asked = EVERYBODY[EVERYBODY["index_date"] <= "2026-03-01"]
    before = history(500)
    late = history(500, seed=2).assign(known_at=pd.Timestamp("2026-03-01"), known_until=pd.NaT).astype(EVENT_COLUMNS)
    same(from_events(asked, pd.concat([before, late])), from_events(asked, before))


def cut(events: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """What a store held on that day: nothing known since, and nothing yet replaced since."""
    known = events[events["known_at"] < as_of]
    return known.assign(known_until=known["known_until"].mask(known["known_until"] >= as_of))


@pytest.mark.parametrize("as_of", INDEX_DATES)
def test_the_full_store_gives_what_a_store_cut_at_the_index_date_gives(as_of):
    events, asked = history(800, latest="2027-06-01"), EVERYBODY[EVERYBODY["index_date"] == as_of]
    assert len(cut(events, as_of)) < len(events)
    same(from_events(asked, events), from_events(asked, cut(events, as_of)))


@pytest.mark.parametrize("ignored", ["known_at", "known_until"])
def test_a_kernel_that_ignored_a_day_of_knowledge_would_be_caught(ignored):
    events, asked = history(800, latest="2027-06-01"), EVERYBODY[EVERYBODY["index_date"] == "2027-01-01"]
    blind = events.assign(**{ignored: events["time"] if ignored == "known_at" else pd.NaT}).astype(EVENT_COLUMNS)
    counts = [feature("count", 90, "any_gp_event")]
    assert (from_events(asked, blind, counts) != from_events(asked, cut(events, "2027-01-01"), counts)).any()


def test_where_no_folder_can_keep_machine_code_it_is_compiled_anew(monkeypatch):
    from features import compiled

    def nowhere(*_, cache=False, **__):
        if cache:
            raise RuntimeError("no locator available")
        return lambda function: function

    monkeypatch.setattr(compiled.numba, "njit", nowhere)
    assert compiled.compiled(kernel.aggregate) is kernel.aggregate
