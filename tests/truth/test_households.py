"""Who lives with whom, as addresses tell it, held against the households that were simulated."""

from __future__ import annotations

import datetime as dt

import pytest

from benchmarks.households import compare, figures


@pytest.mark.parametrize("day", ["as_of", "2025-10-01"])
def test_households_are_nearly_the_true_ones_now_and_in_the_past(rehearsal, tmp_path, day):
    as_of = dt.date.fromisoformat(rehearsal.manifest["as_of"] if day == "as_of" else day)
    linked = next((rehearsal.folder / "data" / "linked").iterdir())
    rows = compare(linked, rehearsal.truth, as_of, tmp_path)
    found = figures(rows)
    assert found["household not known"] < 0.02
    assert found["lives alone: sensitivity"] > 0.90
    assert found["lives alone: specificity"] > 0.90
    assert found["household size exact"] > 0.75
    assert found["household size within one"] > 0.95
    assert found["bereavement: right when said"] > 0.80
