"""How one birth date comes to be written in two ways: SQL conditions on dates as text, 1970-12-31."""

from __future__ import annotations


def is_slip(left: str, right: str) -> str:
    """Return the SQL condition that two birth dates (text) have two of year, month and day in common, or those two changed over.

    Edit distance finds nearly the same at ten times the cost.
    """
    year, month, day = (
        (f"substr({left}, {n}, {k})", f"substr({right}, {n}, {k})") for n, k in ((1, 4), (6, 2), (9, 2))
    )
    same = [f"{a} = {b}" for a, b in (year, month, day)]
    pairs = [f"({same[0]} AND {same[1]})", f"({same[0]} AND {same[2]})", f"({same[1]} AND {same[2]})"]
    return f"({' OR '.join(pairs)} OR ({same[0]} AND {month[0]} = {day[1]} AND {day[0]} = {month[1]}))"


def is_year_alone(left: str, right: str) -> str:
    """Return the SQL condition that two birth dates (text) share the year, and of one no more is known."""
    return f"(substr({left}, 1, 4) = substr({right}, 1, 4) AND '01-01' IN (substr({left}, 6), substr({right}, 6)))"


def is_near_in_year(left: str, right: str) -> str:
    """Return the SQL condition that two birth dates (text) share the month, and two digits tell them apart."""
    return f"(substr({left}, 6, 2) = substr({right}, 6, 2) AND damerau_levenshtein({left}, {right}) <= 2)"
