"""Which numbers are trusted."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.nhs_number import digits, is_usable


def usable(text: str | None) -> bool:
    return bool(
        duckdb.execute(
            f"SELECT coalesce({is_usable('n')}, false) FROM (SELECT {digits('t')} AS n FROM (SELECT ?::VARCHAR AS t))",
            [text],
        ).fetchone()[0]
    )


@pytest.mark.parametrize("text", ["9990653399", "943 476 5919", "943-476-5919", "9990000018"])
def test_a_number_with_the_right_check_digit_is_trusted(text):
    assert usable(text)


@pytest.mark.parametrize(
    "text", ["9434765918", "9999999999", "1111111111", "0000000000", "943476591", "99906533990", "ABC", "", None]
)
def test_a_wrong_short_or_repeated_number_is_not(text):
    assert not usable(text)


@settings(max_examples=30, deadline=None)
@given(st.integers(100_000_000, 999_999_999), st.integers(1, 9))
def test_one_mistyped_digit_is_always_noticed(nine, slip):
    check = (11 - sum(int(d) * w for d, w in zip(str(nine), range(10, 1, -1), strict=True)) % 11) % 11
    last = check if check < 10 else 0
    right = f"{nine}{last}"
    wrong = right[:-1] + str((last + slip) % 10)
    assert usable(right) == (check < 10 and len(set(right)) > 1)
    assert not (usable(right) and usable(wrong))
