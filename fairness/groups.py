"""Which group each person belongs to, under every grouping the audit knows."""

from __future__ import annotations

import datetime as dt
from typing import get_args

import numpy as np
import pandas as pd

from casewell.settings import Grouping
from records.tables import NOT_RECORDED

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
GROUPING_NAMES: dict[str, str] = {
    "imd_quintile": "Deprivation fifth",
    "ethnic_group": "Ethnic group",
    "sex": "Sex",
    "age_band": "Age",
    "imd_by_ethnicity": "Deprivation by ethnic group",
}
QUINTILES = {1.0: "1 most deprived", 2.0: "2", 3.0: "3", 4.0: "4", 5.0: "5 least deprived"}
AGE_EDGES = [0, 18, 45, 65, 75, 85, 200]
AGE_BANDS = ["0-17", "18-44", "45-64", "65-74", "75-84", "85+"]


def group_table(people: pd.DataFrame, as_of: dt.date | pd.Timestamp) -> pd.DataFrame:
    """Return one row per person: person_id, then a text label for each of `GROUPINGS`.

    `people` follows records.tables.PEOPLE. A missing value is the label `not recorded`, never
    a missing cell. Give everyone, the dead and the departed too: the test window needs them.
    Age is in whole years at `as_of`, to the month. An ethnicity first learned later is `not recorded`: a hospital
    learns it from those it admits, so that otherwise whoever is not recorded would have fared well by definition.
    """
    quintile = _labelled(np.ceil(people["imd_decile"] / 2).map(QUINTILES))
    ethnic = _labelled(people["ethnic_group"].mask(people["ethnicity_known_at"] >= pd.Timestamp(as_of), NOT_RECORDED))
    crossing = quintile.where(quintile != NOT_RECORDED, f"deprivation {NOT_RECORDED}") + ", " + ethnic
    table = pd.DataFrame(
        {
            "person_id": people["person_id"],
            "imd_quintile": quintile,
            "ethnic_group": ethnic,
            "sex": _labelled(people["sex"]),
            "age_band": _age_band(people["birth_month"], pd.Timestamp(as_of)),
            "imd_by_ethnicity": crossing,
        }
    )
    return table.sort_values("person_id", ignore_index=True)


def is_recorded(labels: pd.Series) -> pd.Series:
    """Say for each label whether everything it is made of was recorded."""
    return ~labels.str.contains(NOT_RECORDED, regex=False)


def in_order(labels: pd.Series) -> list[str]:
    """Return the distinct labels in alphabetical order, `not recorded` last."""
    return sorted(labels.unique(), key=lambda label: (NOT_RECORDED in label, label))


def _labelled(values: pd.Series) -> pd.Series:
    text = values.astype("str").str.strip()
    return text.mask(values.isna() | (text == ""), NOT_RECORDED)


def _age_band(birth_month: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    months = (as_of.year - birth_month.dt.year) * 12 + as_of.month - birth_month.dt.month
    return _labelled(pd.cut(months // 12, AGE_EDGES, right=False, labels=AGE_BANDS).astype("object"))
