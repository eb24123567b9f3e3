"""Small functions that declare features by theme, so that the catalogue reads as a table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from features.feature import MEANINGS, Aggregation, Feature
from features.sensitive import SENSITIVE_GROUPS

PERIODS: dict[int | None, str] = {
    30: "in the last 30 days",
    90: "in the last 3 months",
    180: "in the last 6 months",
    360: "in the last 360 days",
    365: "in the last 12 months",
    730: "in the last 2 years",
    1080: "in the last 1,080 days",
    1095: "in the last 3 years",
    1826: "in the last 5 years",
    None: "in all known history",
}
ALL_WINDOWS = (30, 90, 180, 365, 730, 1095)


def period(window_days: int | None) -> str:
    """Say a window in words. One that no feature can have is said too: `check_catalogue` refuses it with all others."""
    return PERIODS.get(window_days, f"in the last {window_days} days")


def feature_name(group: str, aggregation: str, window_days: int | None) -> str:
    """Name a feature: group, aggregation, window in days (or `ever`)."""
    return f"{group}_{aggregation}_{'ever' if window_days is None else f'{window_days}d'}"


def _one(
    source: str,
    group: str,
    aggregation: Aggregation,
    window: int | None,
    unit: str,
    what: str,
    template: str = "",
    template_one: str = "",
    in_model: bool = True,
) -> Feature:
    showable = bool(template) and group not in SENSITIVE_GROUPS
    return Feature(
        name=feature_name(group, aggregation, window),
        source=source,
        group=group,
        aggregation=aggregation,
        window_days=window,
        unit=unit,
        description=f"{MEANINGS[aggregation].split(';')[0]}: {what}, {period(window)}",
        template=template if showable else "",
        template_one=(template_one or template) if showable else "",
        showable=showable,
        in_model=in_model,
    )


def counted(
    source: str, group: str, one: str, many: str, windows: Sequence[int | None], show: bool = True
) -> list[Feature]:
    """Numbers of events; `show` only what tells a coordinator something to act on."""
    return [
        _one(
            source,
            group,
            "count",
            window,
            "events",
            many,
            f"{{value:.0f}} {many} {period(window)}" if show else "",
            f"{{value:.0f}} {one} {period(window)}",
        )
        for window in windows
    ]


def recency(source: str, group: str, one: str, window: int | None = None, show: bool = True) -> Feature:
    """Days since the latest event."""
    said = f"Last {one} {{value:.0f}}"
    shown = f"{said} days ago" if show else ""
    return _one(source, group, "days_since_last", window, "days", one, shown, f"{said} day ago")


def first(source: str, group: str, one: str, window: int | None = None) -> Feature:
    """Days since the earliest event; informs models only."""
    return _one(source, group, "days_since_first", window, "days", one)


def change(source: str, group: str, many: str, window: int = 90, show: bool = True) -> Feature:
    """Events in a window less those in the window before it."""
    words = f"{{value:.0f}} more {many} {period(window)} than in the 3 months before"
    return _one(source, group, "change", window, "events", many, words if show and window == 90 else "")


def gap(source: str, group: str, many: str, window: int) -> Feature:
    """Most days between two events; informs models only."""
    return _one(source, group, "longest_gap", window, "days", many)


def regular(source: str, group: str, many: str, windows: Sequence[int]) -> list[Feature]:
    """Share of the window's periods of 30 days with an event; informs models only."""
    return [_one(source, group, "periods_with", window, "share", many) for window in windows]


def overdue(source: str, group: str, many: str, window: int) -> Feature:
    """How late the next event is, measured by the usual gap; informs models only.

    Above 1 it may have stopped, or moved to where nobody records it: that is no reason to tell a coordinator.
    """
    return _one(source, group, "overdue", window, "usual gaps", many)


def distinct(source: str, group: str, many: str, windows: Sequence[int | None], show: bool = True) -> list[Feature]:
    """Numbers of different codes."""
    return [
        _one(
            source,
            group,
            "distinct_codes",
            window,
            "codes",
            many,
            f"{{value:.0f}} different {many} {period(window)}" if show else "",
        )
        for window in windows
    ]


def days(source: str, group: str, what: str, windows: Sequence[int | None], running: bool = False) -> list[Feature]:
    """Days of stays or packages that fall in a window; `running` counts those that have not ended too."""
    return [
        _one(
            source,
            group,
            "days_running" if running else "days_spent",
            window,
            "days",
            what,
            f"{{value:.0f}} days {what} {period(window)}",
            f"{{value:.0f}} day {what} {period(window)}",
        )
        for window in windows
    ]


def running(source: str, group: str, words: str) -> Feature:
    """Whether a package runs now."""
    return _one(source, group, "running", None, "yes/no", words.lower(), words)


def present(
    source: str, group: str, words: str, window: int | None = None, show: bool = True, in_model: bool = True
) -> Feature:
    """Whether anything of the group is recorded."""
    return _one(source, group, "any", window, "yes/no", words.lower(), words if show else "", in_model=in_model)


def measured(source: str, group: str, what: str, unit: str) -> list[Feature]:
    """A measurement: latest, mean, extremes, change, how often, and how long ago; informs models only."""
    return [
        _one(source, group, "last", 1095, unit, what),
        *[_one(source, group, how, 365, unit, what) for how in ("mean", "min", "max")],
        *[_one(source, group, how, 1095, unit, what) for how in ("mean", "min", "max")],
        _one(source, group, "slope", 1095, f"{unit} per year", what),
        _one(source, group, "count", 365, "events", f"{what} measurements"),
        _one(source, group, "days_since_last", None, "days", f"{what} measurement"),
    ]


def course(source: str, group: str, what: str, unit: str) -> list[Feature]:
    """A measurement in brief: latest, mean, change and how long ago; informs models only."""
    return [
        _one(source, group, "last", 1095, unit, what),
        _one(source, group, "mean", 1095, unit, what),
        _one(source, group, "slope", 1095, f"{unit} per year", what),
        _one(source, group, "days_since_last", None, "days", f"{what} measurement"),
    ]


def typical(source: str, group: str, what: str, unit: str, window: int) -> Feature:
    """The mean of what the events measure; informs models only."""
    return _one(source, group, "mean", window, unit, what)


def added_up(source: str, group: str, what: str, unit: str, window: int) -> Feature:
    """The sum of what the events measure; informs models only."""
    return _one(source, group, "sum", window, unit, what)


def seen_by(
    source: str, group: str, what: str, window: int, index: Literal["usual_provider", "bice_boxerman"]
) -> Feature:
    """How far visits are with the same person; informs models only, for it says more of a practice than of whom it sees."""
    return _one(source, group, index, window, "share", what)


def longest(source: str, group: str, what: str, window: int) -> Feature:
    """The longest stay."""
    template = f"Longest {what} {{value:.0f}}"
    when = period(window)
    return _one(source, group, "max", window, "days", what, f"{template} days {when}", f"{template} day {when}")
