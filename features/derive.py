"""Small functions that declare features made from other features: scores, counts, thresholds, shares, differences."""

from __future__ import annotations

from collections.abc import Sequence

from features.declare import period, present
from features.feature import Aggregation, Feature, Part
from features.not_events import DECIMALS
from features.scores import read_score


def flag(group: str, window: int | None = None) -> Feature:
    """Whether anything of a group is recorded, as a part of something else; in no model of its own."""
    return present("parts", group, group.replace("_", " "), window, show=False, in_model=False)


def flags(groups: Sequence[str], window: int | None = None) -> tuple[Part, ...]:
    """Flags of several groups, a point each."""
    return tuple(Part(flag(group, window)) for group in groups)


def scored(table: str, window: int | None, other_windows: dict[str, int] | None = None) -> tuple[Part, ...]:
    """The parts of a published score: a flag for each of its groups, with its points."""
    windows = other_windows or {}

    def flag_of(group: str) -> Feature:
        return flag(group, windows.get(group, window))

    return tuple(
        Part(flag_of(row.group), row.points, flag_of(row.unless) if row.unless else None) for row in read_score(table)
    )


def total(source: str, name: str, parts: Sequence[Part], unit: str, what: str, words: str = "") -> Feature:
    """The weighted sum of parts; `words` for a coordinator."""
    return _derived(source, name, "weighted_sum", parts, unit, what, words)


def reaches(source: str, name: str, parts: Sequence[Part], threshold: float, what: str, words: str = "") -> Feature:
    """Whether the weighted sum of parts is at least a threshold."""
    return _derived(source, name, "reaches", parts, "yes/no", what, words, threshold)


def at_least(source: str, name: str, feature: Feature, threshold: float, what: str, words: str = "") -> Feature:
    """Whether one feature is at least a threshold."""
    return reaches(source, name, [Part(feature)], threshold, what, words)


def at_most(source: str, name: str, feature: Feature, threshold: float, what: str, words: str = "") -> Feature:
    """Whether one feature is known and no more than a threshold."""
    return reaches(source, name, [Part(feature, -1.0)], -threshold, what, words)


def under(source: str, name: str, feature: Feature, limit: float, what: str, words: str = "") -> Feature:
    """Whether one feature is known and less than a limit; sums are rounded, so "less" is by one of the last decimal."""
    return at_most(source, name, feature, round(limit - 10.0**-DECIMALS, DECIMALS), what, words)


def all_of(source: str, name: str, parts: Sequence[Part], what: str, words: str = "") -> Feature:
    """Whether all of several flags hold."""
    return reaches(source, name, parts, float(len(parts)), what, words)


def share(source: str, name: str, of: Feature, others: Sequence[Feature], what: str) -> Feature:
    """One count over its sum with others; informs models only."""
    return _derived(source, name, "share", [Part(feature) for feature in (of, *others)], "share", what)


def difference(source: str, name: str, left: Feature, right: Feature, what: str) -> Feature:
    """One feature less another; informs models only."""
    return _derived(source, name, "weighted_sum", [Part(left), Part(right, -1.0)], left.unit, what)


def _derived(
    source: str,
    name: str,
    aggregation: Aggregation,
    parts: Sequence[Part],
    unit: str,
    what: str,
    words: str = "",
    threshold: float | None = None,
) -> Feature:
    windows = [feature.window_days for part in parts for feature in (part.feature, part.unless) if feature is not None]
    longest = None if None in windows else max(days for days in windows if days is not None)
    return Feature(
        name=name,
        source=source,
        group=None,
        aggregation=aggregation,
        window_days=longest,
        unit=unit,
        description=f"{what}, {period(longest)}" if longest is not None else what,
        template=words,
        template_one=words,
        showable=bool(words),
        parts=tuple(parts),
        threshold=threshold,
    )
