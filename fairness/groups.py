"""Which group each person belongs to, under every grouping the audit knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd

from casewell.doors import column, door
from casewell.settings import Grouping
from fairness.categories import CATEGORIES, TRAVELLER
from fairness.recorded import CONDITIONS
from records.tables import NO_ETHNIC_GROUP, NOT_KNOWN, NOT_RECORDED

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
GROUPING_NAMES: dict[str, str] = {
    "imd_quintile": "Deprivation fifth",
    "core20": "Most deprived national fifth (Core20)",
    "ethnic_group": "Ethnic group",
    "sex": "Sex",
    "age_band": "Age",
    "learning_disability_or_autism": "Learning disability or autism",
    "severe_mental_illness": "Severe mental illness",
    "imd_by_ethnicity": "Deprivation by ethnic group",
    "imd_by_ethnicity_by_sex": "Deprivation by ethnic group by sex",
    "ethnic_category": "Ethnic category",
    "inclusion_health": "Inclusion health",
    "practice": "Practice",
}
UNRECORDED = (NOT_RECORDED, *NO_ETHNIC_GROUP)
QUINTILES = {1.0: "1 most deprived", 2.0: "2", 3.0: "3", 4.0: "4", 5.0: "5 least deprived"}
AGE_EDGES = [0, 18, 45, 65, 75, 85, 200]
AGE_BANDS = ["0-17", "18-44", "45-64", "65-74", "75-84", "85+"]
RECORDED, NO_CODE = "recorded", "no code"
CORE20, NOT_CORE20 = "Core20", "others"

GROUPS = door(
    "groups",
    "everybody's groups on the day of the list",
    {"person_id": column("int64", "The person's pseudonym", unique=True)}
    | {name: column("str", words) for name, words in GROUPING_NAMES.items()},
)


def group_table(
    people: pd.DataFrame, as_of: dt.date | pd.Timestamp, conditions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return one row per person: person_id, then a text label for each of `GROUPINGS`.

    `people` follows records.tables.PEOPLE, `conditions` is what `fairness.recorded.recorded_conditions` returned; without
    it, who has which condition is `not recorded`. A missing value is the label `not recorded`, never
    a missing cell. Give everyone, the dead and the departed too: the test window needs them.
    Age is in whole years at `as_of`, to the month. An ethnicity first learned later is `not known`: a hospital
    learns it from those it admits, so that otherwise whoever is not known would have fared well by definition.
    Inclusion health counts, besides those of `conditions`, people whose ethnic category is Gypsy or Irish Traveller.
    Crossed with deprivation, `not stated` and `not known` are one group: fifths of either are too small to judge.
    """
    quintile = _labelled(np.ceil(people["imd_decile"] / 2).map(QUINTILES))
    learned_later = people["ethnicity_known_at"] >= pd.Timestamp(as_of)
    ethnic = _labelled(people["ethnic_group"].mask(learned_later, NOT_KNOWN), NOT_KNOWN)
    category = _labelled(people["ethnic_category"].map(CATEGORIES).mask(learned_later, NOT_KNOWN), NOT_KNOWN)
    recorded = {name: _condition(people["person_id"], conditions, name) for name in CONDITIONS}
    crossing = quintile.where(quintile != NOT_RECORDED, f"deprivation {NOT_RECORDED}") + ", " + _as_one(ethnic)
    table = pd.DataFrame(
        {
            "person_id": people["person_id"],
            "imd_quintile": quintile,
            "core20": _core20(quintile),
            "ethnic_group": ethnic,
            "sex": _labelled(people["sex"]),
            "age_band": _age_band(people["birth_month"], pd.Timestamp(as_of)),
            **recorded,
            "imd_by_ethnicity": crossing,
            "imd_by_ethnicity_by_sex": crossing + ", " + _labelled(people["sex"]),
            "ethnic_category": category,
            "inclusion_health": recorded["inclusion_health"].mask(category == TRAVELLER, RECORDED),
            "practice": _labelled(people["practice_code"]),
        }
    )
    return table.sort_values("person_id", ignore_index=True)


def _core20(quintile: pd.Series) -> pd.Series:
    return quintile.map(
        {label: CORE20 if label == QUINTILES[1.0] else NOT_CORE20 for label in QUINTILES.values()}
    ).fillna(NOT_RECORDED)


def _condition(person: pd.Series, conditions: pd.DataFrame | None, name: str) -> pd.Series:
    if conditions is None:
        return pd.Series(NOT_RECORDED, index=person.index)
    have = person.isin(conditions.loc[conditions["grouping"] == name, "person_id"])
    return have.map({True: RECORDED, False: NO_CODE})


def is_recorded(labels: pd.Series) -> pd.Series:
    """Say for each label whether everything it is made of was recorded."""
    return ~labels.str.contains("|".join(UNRECORDED))


def in_order(labels: pd.Series) -> list[str]:
    """Return the distinct labels in alphabetical order, those of what is not recorded last."""
    return sorted(labels.unique(), key=lambda label: (any(words in label for words in UNRECORDED), label))


def one_group_where_small(tables: Sequence[pd.DataFrame], minimum: int) -> list[pd.DataFrame]:
    """Return the tables with `not stated` and `not known` as one ethnic group where either is too small to judge.

    The first table says which of the two there are; neither may have fewer than `minimum` people in any table that
    has rows. Otherwise one of them alone, though nobody's group, would make every list *cannot tell*.
    """
    sizes = [table.groupby("ethnic_group")["person_id"].nunique() for table in tables if len(table)]
    found = [name for name in NO_ETHNIC_GROUP if sizes and name in sizes[0].index]
    large = all(size.get(name, 0) >= minimum for size in sizes for name in found)
    if len(found) < 2 or large:
        return list(tables)
    return [table.assign(ethnic_group=_as_one(table["ethnic_group"])) for table in tables]


def _as_one(ethnic: pd.Series) -> pd.Series:
    return ethnic.where(~ethnic.isin(NO_ETHNIC_GROUP), NOT_RECORDED)


def _labelled(values: pd.Series, missing: str = NOT_RECORDED) -> pd.Series:
    text = values.astype("str").str.strip()
    return text.mask(values.isna() | (text == ""), missing)


def _age_band(birth_month: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    months = (as_of.year - birth_month.dt.year) * 12 + as_of.month - birth_month.dt.month
    return _labelled(pd.cut(months // 12, AGE_EDGES, right=False, labels=AGE_BANDS).astype("object"))
