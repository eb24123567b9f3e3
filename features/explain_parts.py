"""What a feature without a code group is made of: the person's own entries, the household, or other features."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.feature import DERIVED, LIVING, Feature
from features.households import BEREAVED_DAYS, LARGEST_HOUSEHOLD
from features.households import COLUMNS as OF_HOUSEHOLD
from features.personal import Personal
from features.reference_engine import build_in_memory
from features.reference_households import died_at_home, household_of, registrations_on

COLUMNS = ("part", "value", "adds")
UNKNOWN = "not known"


def parts_of(told: Personal, feature: Feature, day: pd.Timestamp) -> pd.DataFrame:
    """Return `COLUMNS`, as text: what makes up a feature that has no code group.

    `part` is the name of a feature, or says in words what was looked up; `adds` is what a part adds to a sum.
    """
    rows = told.row_on(day)
    if feature.aggregation in DERIVED:
        return _from_features(told, feature, rows)
    said = _home(told, feature, rows.iloc[0]) if feature.aggregation in LIVING else _entries(told)
    return pd.DataFrame([(part, value, "") for part, value in said], columns=list(COLUMNS))


def _from_features(told: Personal, feature: Feature, rows: pd.DataFrame) -> pd.DataFrame:
    needed = {part.name: part for part in feature.made_of()}
    matrix = build_in_memory(rows, told.events, told.people, told.residences, list(needed.values()))
    value = {name: float(matrix[name].iloc[0]) for name in needed}
    parts = []
    for part in feature.parts:
        own = value[part.feature.name]
        ruled_out = part.unless is not None and value[part.unless.name] != 0
        why = f", ruled out by {part.unless.name}" if part.unless is not None and ruled_out else ""
        parts.append((part.feature.name, f"{number(own)}{why}", 0.0 if ruled_out else own * part.weight))
    table = pd.DataFrame(parts, columns=list(COLUMNS)).sort_values("adds", ascending=False, kind="stable")
    return table.assign(adds=[number(adds) for adds in table["adds"]]).reset_index(drop=True)


def _entries(told: Personal) -> list[tuple[str, str]]:
    own = told.own
    born = UNKNOWN if pd.isna(own["birth_month"]) else f"{own['birth_month']:%Y-%m}"
    return [("month of birth", born), ("sex", str(own["sex"] or UNKNOWN))]


def _home(told: Personal, feature: Feature, asked: pd.Series) -> list[tuple[str, str]]:
    """Say what was known of the home by then: dates and numbers, nothing of who else lives there."""
    day = asked["index_date"]
    own = told.residences[told.residences["person_id"] == told.person_id]
    begun = own[own["start"].isna() | (own["start"] < day)].sort_values("start", ascending=False, na_position="last")
    if begun.empty:
        return [("registration", "none had begun by then")]
    said = [("registration", _registration(row)) for _, row in begun.iterrows()]
    if feature.aggregation in begun.columns:  # of the area, which the newest registration tells
        said.append((f"{feature.aggregation} of the area", number(float(begun.iloc[0][feature.aggregation]))))
    if feature.aggregation in OF_HOUSEHOLD:
        said += _household(told, asked)
    return said


def _household(told: Personal, asked: pd.Series) -> list[tuple[str, str]]:
    day = asked["index_date"]
    same = household_of(asked, registrations_on(day, told.people, told.residences))
    living = same[same["died_on"].isna() & ~(same["end"] <= day)]
    deaths = 0 if same.empty else int(died_at_home(asked, same, told.residences).sum())
    none = f"nobody counted: no address known, left it, or more than {LARGEST_HOUSEHOLD} people"
    return [
        ("people registered there, this one included", f"{len(living)}" if len(living) else none),
        (f"deaths there known of, in {BEREAVED_DAYS} days", f"{deaths}"),
    ]


def _registration(row: pd.Series) -> str:
    start = "always" if pd.isna(row["start"]) else f"{row['start']:%Y-%m-%d}"
    end = "" if pd.isna(row["end"]) else f" to {row['end']:%Y-%m-%d}, known on {row['end_known_at']:%Y-%m-%d}"
    address = "no address" if pd.isna(row["household_id"]) else "an address"
    practice = f"practice {row['practice_code']}" if row["practice_code"] else "no practice"
    return f"since {start}{end}; {address}, {practice}"


def number(value: float) -> str:
    """Write a value for a person to read."""
    return "missing" if np.isnan(value) else f"{value:.7g}"
