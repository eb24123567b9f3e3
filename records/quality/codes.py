"""Codes that vanish or appear: how a change of coding shows before it looks like a change of health.

Only codes that are written month after month are judged, so that those of a season are not, and each
against the whole of its source, so that a feed that stops does not look like hundreds of lost codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import Quality
from records.quality.findings import INFORM, LOOK, Finding, countable, month_words, shown
from records.quality.profile import CODES, Profile
from records.quality.shifts import settled

NEXT_TO_NOTHING = 0.1  # of the usual
STEADY = 0.9  # of the months in use
IN_USE, GONE, NOT_YET = 6, 2, 6  # fewest months: of use, since it vanished, before it appeared


@dataclass(frozen=True)
class Change:
    """A code that was in steady use up to a month, or from one on."""

    code: str
    unit: str
    month: pd.Timestamp
    vanished: bool
    usual: float


def changes(codes: pd.DataFrame, months: pd.DatetimeIndex, limits: Quality) -> list[Change]:
    """Find codes (with their unit) that were in steady use and are not, or are and were not, within `months`.

    The month of a code that vanished is the first without it, of one that appeared the first with it.
    """
    if len(months) < IN_USE + GONE:
        return []
    counts = codes.pivot_table(index=["code", "unit"], columns="month", values="rows", aggfunc="sum", fill_value=0)
    counts = counts.reindex(columns=months, fill_value=0)
    counts = counts[counts.index.get_level_values("code") != ""]
    total = counts.sum()
    scaled = counts * (total.median() / total.where(total > 0)).fillna(0)
    found = []
    for (code, unit), row in scaled.iterrows():
        values = row.to_numpy()
        for vanished in (True, False):
            ahead = values if vanished else values[::-1]
            last = _last_in_use(ahead, GONE if vanished else NOT_YET, limits.smallest_usual)
            if last is None:
                continue
            at = last + 1 if vanished else len(values) - 1 - last
            found.append(Change(str(code), str(unit), months[at], vanished, float(np.median(ahead[: last + 1]))))
    return found


def _last_in_use(values: np.ndarray, without: int, least: int) -> int | None:
    """Return where steady use ends, if it does and so many months without follow."""
    if not (values > 0).any():
        return None
    used = values > NEXT_TO_NOTHING * np.quantile(values[values > 0], 0.75)
    last = int(np.flatnonzero(used)[-1])
    if last + 1 < IN_USE or len(values) - last - 1 < without:
        return None
    steady = used[: last + 1].mean() >= STEADY and used[last - 2 : last + 1].all()
    return last if steady and np.median(values[: last + 1]) >= least else None


def about_codes(profile: Profile, limits: Quality) -> list[Finding]:
    """Find codes, and units of a code, that vanished from a source or appeared in it."""
    column, unit_column = CODES.get(profile.about.table, ("", ""))
    months = settled(profile, together=True)
    if months.empty or not profile.has(column):
        return []
    span = pd.DatetimeIndex(months["month"])
    found = changes(profile.codes, span, limits)
    return [_finding(profile, change, found, unit_column if change.unit else "", column) for change in found]


def _finding(profile: Profile, change: Change, found: list[Change], unit_column: str, column: str) -> Finding:
    unit = f" in unit {change.unit!r}" if change.unit else ""
    other = [c for c in found if c.vanished != change.vanished and abs((c.month - change.month).days) < 93]
    at_once = ""
    if other:
        named = ", ".join(c.code + (f" ({c.unit})" if c.unit else "") for c in other[:5])
        more = f" and {len(other) - 5} more" if len(other) > 5 else ""
        at_once = f" About then {named}{more} {'appeared' if change.vanished else 'vanished'}."
    words = (
        f"is no longer written from {month_words(change.month)} on; before, {shown(round(change.usual))} rows a month were usual"
        if change.vanished
        else f"is first written in {month_words(change.month)}, and since in {shown(round(change.usual))} rows a month"
    )
    return Finding(
        profile.name,
        "codes",
        LOOK if change.vanished else INFORM,
        f"{profile.file}: {column} {change.code}{unit} {words}.{at_once}",
        "Ask the supplier whether the coding or the system changed. Add the new code, and its unit, to the code groups "
        "before the next training; until then a change of coding looks like a change of health.",
        column=f"{column}, {unit_column}" if unit_column else column,
        month=change.month.date(),
        rows=countable(round(change.usual)),
    )
