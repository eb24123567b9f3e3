"""The declared features as one DuckDB query in long form.

Features that share a kind of aggregate are one GROUP BY over (row of the population, code
group); `Slot` says in which part, group and column of the result a feature's value is.
Everything is summed as whole numbers (days, and millionths of a value), so the order of
the rows cannot change a digit. Sums are CASE, not FILTER, whose cost grows with the square
of their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from features.code_groups import map_codes
from features.feature import DERIVED, LARGEST_USABLE_VALUE, STATIC, Feature

MILLIONTHS = 1_000_000
DAYS_PER_YEAR = 365.25
# {in} is whether the event lies in the window, {window} its length in days.
COUNTS = {
    "any": "CAST(max(CASE WHEN {in} THEN 1 ELSE 0 END) AS INTEGER)",
    "count": "CAST(sum(CASE WHEN {in} THEN 1 ELSE 0 END) AS INTEGER)",
    "change": ("CAST(sum(CASE WHEN age <= {window} THEN 1 WHEN age <= 2 * {window} THEN -1 ELSE 0 END) AS INTEGER)"),
    "days_since_last": "min(CASE WHEN {in} THEN age END)",
    "days_since_first": "max(CASE WHEN {in} THEN age END)",
}
CODES = {"distinct_codes": "CAST(sum(CASE WHEN {in} THEN 1 ELSE 0 END) AS INTEGER)"}
STAYS = {
    "days_spent": ("CAST(sum(CASE WHEN end_age >= 0 THEN greatest(0, {from} - end_age) ELSE 0 END) AS INTEGER)"),
    "days_running": "CAST(sum(greatest(0, {from} - greatest(0, coalesce(end_age, 0)))) AS INTEGER)",
    "running": "CAST(max(CASE WHEN {in} AND coalesce(end_age, -1) < 0 THEN 1 ELSE 0 END) AS INTEGER)",
}
_SUM = "sum(CASE WHEN {in} THEN value END)"
_N = "sum(CASE WHEN {in} THEN CAST(1 AS HUGEINT) ELSE 0 END)"
_X = "sum(CASE WHEN {in} THEN CAST(-age AS HUGEINT) END)"
_XX = "sum(CASE WHEN {in} THEN CAST(age AS HUGEINT) * age END)"
_XY = "sum(CASE WHEN {in} THEN -age * CAST(value AS HUGEINT) END)"
VALUES = {
    "sum": f"CAST({_SUM} AS DOUBLE) / {MILLIONTHS}",
    "mean": f"CAST({_SUM} AS DOUBLE) / nullif({_N}, 0) / {MILLIONTHS}",
    "min": f"min(CASE WHEN {{in}} THEN value END) / CAST({MILLIONTHS} AS DOUBLE)",
    "max": f"max(CASE WHEN {{in}} THEN value END) / CAST({MILLIONTHS} AS DOUBLE)",
    "last": (
        "max(CASE WHEN {in} THEN {{'day': day, 'known': known_day, 'value': value}} END).value"
        f" / CAST({MILLIONTHS} AS DOUBLE)"
    ),
    "slope": (
        f"CAST({_N} * {_XY} - {_X} * {_SUM} AS DOUBLE)"
        f" / nullif(CAST({_N} * {_XX} - {_X} * {_X} AS DOUBLE), 0) * {DAYS_PER_YEAR} / {MILLIONTHS}"
    ),
}
PARTS = {"counts": COUNTS, "codes": CODES, "stays": STAYS, "values": VALUES}
PART_NUMBERS = {name: number for number, name in enumerate(PARTS)}
NO_REACH = 2_000_000_000


@dataclass(frozen=True)
class Slot:
    """Where the long result holds a feature's value."""

    part: int
    group: str
    column: str


def slot(feature: Feature) -> Slot | None:
    """Say where a feature's value comes out, or None when it does not come from events."""
    if feature.aggregation in STATIC + DERIVED or feature.group is None:
        return None
    part = next(name for name, kinds in PARTS.items() if feature.aggregation in kinds)
    return Slot(PART_NUMBERS[part], feature.group, f"{feature.aggregation}_{feature.window_days or 'ever'}")


def code_map(features: Sequence[Feature], codes: pd.Series, code_groups: pd.DataFrame) -> pd.DataFrame:
    """Say which codes each part of the query reads: code, code_number, part, group_number, reach (days back)."""
    needs = pd.DataFrame(
        [(place.part, place.group, _reach(feature)) for feature in features if (place := slot(feature)) is not None],
        columns=["part", "group", "reach"],
    )
    needs = needs.groupby(["part", "group"], sort=True)["reach"].max().reset_index()
    pairs = map_codes(codes, code_groups).merge(needs, on="group")
    pairs["code_number"] = pairs["code"].rank(method="dense").astype("int32")
    pairs["group_number"] = pairs["group"].map(group_numbers(features)).astype("int32")
    return pairs[["code", "code_number", "part", "group_number", "reach"]]


def group_numbers(features: Sequence[Feature]) -> dict[str, int]:
    """Number the groups that the features name."""
    return {name: number for number, name in enumerate(sorted({f.group for f in features if f.group}))}


def _reach(feature: Feature) -> int:
    if feature.window_days is None or feature.aggregation in STAYS:
        return NO_REACH
    return feature.window_days * (2 if feature.aggregation == "change" else 1)


CODED = f"""
coded AS MATERIALIZED (
    SELECT e.subject_id AS person_id, m.part, m.group_number, m.code_number, m.reach,
        CAST(CAST(e.time AS DATE) - DATE '1970-01-01' AS INTEGER) AS day,
        CAST(CAST(e.known_at AS DATE) - DATE '1970-01-01' AS INTEGER) AS known_day,
        CAST(CAST(e."end" AS DATE) - DATE '1970-01-01' AS INTEGER) AS end_day,
        CASE WHEN abs(e.numeric_value) < {LARGEST_USABLE_VALUE}
             THEN CAST(round(e.numeric_value * {MILLIONTHS}) AS BIGINT) END AS value
    FROM events e JOIN code_map m ON m.code = e.code
    WHERE e.time IS NOT NULL AND e.known_at IS NOT NULL
)"""
# The one place where an event becomes visible: it happened, and was known, before the index date.
VISIBLE = """
    FROM coded c JOIN asked a ON a.person_id = c.person_id
        AND c.day < a.day AND c.known_day < a.day AND a.day - c.day <= c.reach"""


def compile_query(features: Sequence[Feature]) -> str:
    """Compile features into one query over the relations `events`, `code_map` and `asked`.

    `asked` holds row_number, person_id and day (days since 1970) of every population row.
    The result has part, row_number, group_number and the union of the parts' columns.
    """
    columns: dict[int, dict[str, str]] = {}
    for feature in features:
        place = slot(feature)
        if place is not None:
            columns.setdefault(place.part, {})[place.column] = _expression(feature)
    parts = [_part(number, chosen) for number, chosen in sorted(columns.items())]
    return f"WITH {CODED}\n" + "\nUNION ALL BY NAME\n".join(parts)


def _expression(feature: Feature) -> str:
    expression = {**COUNTS, **CODES, **STAYS, **VALUES}[feature.aggregation]
    window = feature.window_days
    return expression.format_map(
        {
            "in": "TRUE" if window is None else f"age <= {window}",
            "from": "age" if window is None else f"least(age, {window})",
            "window": window,
        }
    )


def _part(number: int, columns: dict[str, str]) -> str:
    chosen = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    where = f"WHERE c.part = {number}"
    name = list(PARTS)[number]
    if name == "counts":
        inner = f"SELECT a.row_number, c.group_number, a.day - c.day AS age {VISIBLE} {where}"
    elif name == "codes":
        # The youngest event of a code decides whether the code is in a window.
        inner = (
            f"SELECT a.row_number, c.group_number, min(a.day - c.day) AS age {VISIBLE} {where}"
            " GROUP BY a.row_number, c.group_number, c.code_number"
        )
    elif name == "stays":
        inner = (
            f"SELECT a.row_number, c.group_number, a.day - c.day AS age, a.day - c.end_day AS end_age {VISIBLE} {where}"
        )
    else:
        inner = (
            "SELECT a.row_number, c.group_number, a.day - c.day AS age, c.day, c.known_day, c.value"
            f" {VISIBLE} {where} AND c.value IS NOT NULL"
        )
    return (
        f"SELECT {number} AS part, row_number, group_number, {chosen} FROM ({inner}) GROUP BY row_number, group_number"
    )
