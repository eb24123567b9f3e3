"""Published scores: the points of each code group, from `data/reference/scores/`.

`scores.csv` there says where each score is from. The bands and windows are in `features.themes`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from casewell.errors import SettingsError

SCORES = Path(__file__).resolve().parents[1] / "data" / "reference" / "scores"
COLUMNS = ("group", "points", "unless")


class Points(NamedTuple):
    """Points that a code group gives; none where the group `unless` (empty: none) is there too."""

    group: str
    points: float
    unless: str


@cache
def read_score(name: str, folder: Path = SCORES) -> tuple[Points, ...]:
    """Read a score: the points of its groups, in the order of the file.

    Raises
    ------
    SettingsError
        The file cannot be read, or every broken rule at once.
    """
    path = folder / f"{name}.csv"
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise SettingsError(f"score {path.name!r} cannot be read: {type(error).__name__}") from None
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise SettingsError([f"score {path.name!r}: missing column {column!r}" for column in missing])
    points = pd.to_numeric(table["points"], errors="coerce")
    groups = set(table["group"])
    problems = [f"{group!r} stands twice" for group in sorted(set(table.loc[table["group"].duplicated(), "group"]))]
    problems += [f"{group!r} has no usable points" for group in table.loc[~(points.abs() < 100), "group"]]
    problems += [
        f"{group!r} is ruled out by {group!r}, which gives no points"
        for group in sorted(set(table["unless"]) - groups - {""})
    ]
    if problems:
        raise SettingsError([f"score {path.name!r}: {problem}" for problem in problems])
    return tuple(Points(*row) for row in zip(table["group"], points.astype(float), table["unless"], strict=True))
