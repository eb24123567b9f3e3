"""What each index of continuity of care means, in pandas.

Slow and plain on purpose: the kernel must give the same cells to the last bit. `inside` are the visible events of the
window, with `age`, whole days back from the index date. A code is somebody seen; a visit is a day on which the code is
written, however often it is written that day.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

ROW = ["index_date", "person_id"]
FEWEST = 2  # visits; of one there is nothing to say


def visits(inside: pd.DataFrame) -> pd.Series:
    """Return the visits with each of those seen, by index date, person and code."""
    return inside.drop_duplicates([*ROW, "code", "age"]).groupby([*ROW, "code"]).size()


def usual_provider(inside: pd.DataFrame) -> pd.Series:
    """Usual Provider of Care index (Breslau and Reeb, J Med Educ 1975;50:965); missing with fewer than two visits."""
    by_row = visits(inside).groupby(ROW)
    return (by_row.max() / by_row.sum()).where(by_row.sum() >= FEWEST)


def bice_boxerman(inside: pd.DataFrame) -> pd.Series:
    """Continuity of Care index (Bice and Boxerman, Med Care 1977;15:347); missing with fewer than two visits."""
    number = visits(inside)
    squares, total = (number**2).groupby(ROW).sum(), number.groupby(ROW).sum()
    return ((squares - total) / (total * (total - 1))).where(total >= FEWEST)


CONTINUITY: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "usual_provider": usual_provider,
    "bice_boxerman": bice_boxerman,
}
