"""What is asked of the feature engine, beside what `benchmarks.features` found."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from benchmarks.feature_methods import AGAIN, FLOOR, MEDS_TAB, MEDS_TAB_STOPPED, ONE, PANDAS, STORE, TWELVE, WEEK, WHOLE

Found = dict[str, tuple[float, float]]
A_MILLION, HARD_FOR_PANDAS, GROWTH_FROM = 1_000_000, 100_000, 100_000
ENOUGH = 250  # times the CPU of store and one date: MEDS-Tab is stopped there, unless it ends before


def asked_and_found(by_number: dict[int, Found]) -> list[tuple[str, str, str, str]]:
    """Return what is measured, the limit, what was found and whether it is met, for all that was measured.

    Parameters
    ----------
    by_number
        By number of people: the CPU-seconds and GiB of each method.
    """
    rows = [row for number, found in by_number.items() for row in _of_one_size(number, found)]
    large = sorted((number, found) for number, found in by_number.items() if number >= GROWTH_FROM)
    return rows + [row for pair in pairwise(large) for row in _of_growth(*pair)]


def budget_of(found: Found) -> float:
    """Return the CPU-seconds after which MEDS-Tab is stopped, by what store and one date took in the same run."""
    return ENOUGH * (found[STORE][0] + found[ONE][0])


def _of_one_size(number: int, found: Found) -> Iterator[tuple[str, str, str, str]]:
    cpu = {name: seconds for name, (seconds, _) in found.items()}
    for slow in {MEDS_TAB, MEDS_TAB_STOPPED} & set(cpu):
        what, asked, ratio, met = _least(
            f"MEDS-Tab / store and one date, {number:,}", 200, cpu[slow] / (cpu[STORE] + cpu[ONE]), 0
        )
        yield what, asked, ratio if slow == MEDS_TAB else f"more than {ratio}: stopped", met
    if number >= HARD_FOR_PANDAS and {PANDAS, ONE} <= set(cpu):
        yield _least(f"pandas / one date from the store, {number:,}", 5, cpu[PANDAS] / cpu[ONE], 1)
    if {FLOOR, ONE} <= set(cpu):
        yield _most(f"one date / floor, {number:,}", 3, cpu[ONE] / cpu[FLOOR], 2)
    if {ONE, TWELVE} <= set(cpu):
        yield _most(f"twelve dates / one, {number:,}", 4, cpu[TWELVE] / cpu[ONE], 2)
    if {WEEK, AGAIN} <= set(cpu):
        yield _most(f"a week's refresh / whole store, {number:,}", 0.1, cpu[WEEK] / cpu[AGAIN], 3)
    if number >= A_MILLION and {STORE, TWELVE} <= set(cpu):
        yield _most(f"store and twelve dates, {number:,}: CPU-seconds", 180, cpu[STORE] + cpu[TWELVE], 0)
        yield _most(f"their peak memory, {number:,}: GiB", 2, max(found[STORE][1], found[TWELVE][1]), 2)


def _of_growth(fewer: tuple[int, Found], more: tuple[int, Found]) -> Iterator[tuple[str, str, str, str]]:
    (small, before), (large, after) = fewer, more
    for what, names in (("store and twelve dates", (STORE, TWELVE)), ("whole build", (WHOLE,))):
        if not set(names) <= set(before) & set(after):
            continue
        less, work = (sum(found[name][0] for name in names) for found in (before, after))
        held, holds = (max(found[name][1] for name in names) for found in (before, after))
        label = f"{what}, {small:,} to {large:,}"
        yield _most(f"{label}: grows as people to the power", 1.05, math.log(work / less) / math.log(large / small), 2)
        yield _most(f"{label}: peak memory grows by the factor", 1.15, holds / held, 2)


def _most(what: str, limit: float, found: float, decimals: int) -> tuple[str, str, str, str]:
    return what, f"<= {limit:g}", f"{found:.{decimals}f}", "yes" if found <= limit else "NO"


def _least(what: str, limit: float, found: float, decimals: int) -> tuple[str, str, str, str]:
    return what, f">= {limit:g}", f"{found:.{decimals}f}", "yes" if found >= limit else "NO"
