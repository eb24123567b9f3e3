"""NHS disclosure control for counts below national level (as for Hospital Episode Statistics).

1 to 7 is hidden, nil is shown, any other count is rounded to the nearest 5; percentages come
from rounded counts. Where one part alone of a whole would be hidden, the next smallest is hidden too.

Two weeks side by side tell more than either: 20 after 25 tells that somebody left, and of a small group perhaps who. So a
count that was shown is shown again until it has moved by `SMALLEST_SHOWN` or more, and one that was hidden
stays hidden until it is clear of the hidden range by as much. `fairness.controlled` puts the audit's tables under these rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

HIDDEN = "*"
SMALLEST_SHOWN = 8
ROUND_TO = 5
WAS_HIDDEN = -1.0
"""Stands for a hidden count among those shown before."""
_HELD_WITHIN = SMALLEST_SHOWN + ROUND_TO // 2
"""What was shown lies up to 2 off what was counted: beyond this, the count itself has moved by 8 or more."""


def control(counts: pd.Series, before: pd.Series | None = None) -> pd.Series:
    """Return counts fit to show; those from 1 to 7 are missing.

    `before` is what an earlier week showed of the same counts, `WAS_HIDDEN` where it hid one, missing where it had none.
    """
    rounded = np.floor((counts + ROUND_TO // 2) / ROUND_TO) * ROUND_TO
    fit = rounded.mask((counts > 0) & (counts < SMALLEST_SHOWN))
    if before is None:
        return fit
    held = (before > 0) & ((counts - before).abs() < _HELD_WITHIN) & fit.notna()
    return fit.mask(held, before).mask((before == WAS_HIDDEN) & (counts < 2 * SMALLEST_SHOWN - 1))


def shown_before(rows: Sequence[Mapping[str, Any]], table: pd.DataFrame, keys: Sequence[str], name: str) -> pd.Series:
    """Return what an earlier week showed of a column of counts, in the rows of `table`: `before`, as `control` takes it.

    `rows` are those of the earlier week's record, null where it hid a count. Rows are known by `keys`, as text.
    """
    told = pd.DataFrame(rows, columns=[*keys, name]).astype(dict.fromkeys(keys, "str")).drop_duplicates(list(keys))
    told[name] = told[name].astype("float64").fillna(WAS_HIDDEN)
    now = table[list(keys)].astype("str").reset_index(drop=True)
    return now.merge(told, on=list(keys), how="left")[name].set_axis(table.index)


def control_parts(
    parts: pd.Series,
    *wholes: Sequence[pd.Series],
    before: pd.Series | None = None,
    besides: pd.Series | None = None,
) -> pd.Series:
    """Return the parts of wholes that are shown too, fit to show.

    One hidden part could be reckoned back from its whole and the others, so the smallest other part that is not nil is
    hidden as well (secondary suppression), again and again until no whole has a single hidden part. Of those that an
    earlier week hid together, no single one is left hidden either: the other week would tell the rest.

    Parameters
    ----------
    wholes
        Each says which parts make up one whole: rows alike in its series do. A crossing divides the groups of one grouping
        and, the other way, those of another. None: all parts are of one whole.
    before
        As for `control`.
    besides
        Parts to hide whatever their count; missing: none.
    """
    controlled = control(parts, before)
    hidden = controlled.isna() & parts.notna()
    hidden = hidden if besides is None else hidden | (besides & (parts > 0))
    then = pd.Series(False, index=parts.index) if before is None else before == WAS_HIDDEN
    keys = [list(whole) for whole in wholes] or [[pd.Series(0, index=parts.index)]]
    while True:
        more = hidden
        for whole in keys:
            more = more | _with_a_second(parts.where(then), more & then, whole)
            more = _with_a_second(parts, more, whole)
        if more.equals(hidden):
            return controlled.mask(hidden)
        hidden = more


def _with_a_second(parts: pd.Series, hidden: pd.Series, whole: list[pd.Series]) -> pd.Series:
    alone = hidden.astype("int64").groupby(whole).transform("sum") == 1
    return hidden | (smallest(parts.where(~hidden), whole) & alone)


def smallest(parts: pd.Series, whole: list[pd.Series]) -> pd.Series:
    """Mark the smallest part of each whole that is neither nil nor missing, the first of those as small."""
    others = parts.where(parts > 0).astype("float64")
    least = others == others.groupby(whole).transform("min")
    return least & (least.astype("int64").groupby(whole).cumsum() == 1)


def share_of(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Return shares of counts that are under disclosure control already; missing where either is hidden or the whole is nil.

    Rounding, or an earlier week's count that is shown again, can leave a part larger than its whole: then it is all of it.
    """
    return (part / whole.where(whole > 0)).clip(upper=1)


def shown_share(part: float, whole: float) -> str:
    """Write the share of two exact counts as it may be shown, in whole percent."""
    share = share_of(*(control(pd.Series([count], dtype="float64")) for count in (part, whole))).iloc[0]
    return HIDDEN if np.isnan(share) else f"{share:.0%}"


def shown(count: float) -> str:
    """Write one exact count as it may be shown."""
    return written(control(pd.Series([count], dtype="float64")).iloc[0])


def written(controlled: float) -> str:
    """Write a count that is under disclosure control already."""
    return HIDDEN if np.isnan(controlled) else f"{int(controlled):,}"
