"""The NHS's 16+1 ethnic categories: what each is called, and how those too small to judge are joined.

A category divides one of the five groups and is written with it: "Asian: Indian". Where numbers are too small for a
category to be judged alone, it is joined with the next smallest of its group until together they are large enough: a list
that could be judged by ethnic group can then be judged by category too, and nobody is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from records.tables import NO_ETHNIC_GROUP, NOT_KNOWN, NOT_RECORDED, NOT_STATED

TRAVELLER = "White: Gypsy or Irish Traveller"
CATEGORIES = {
    "A": "White: British",
    "B": "White: Irish",
    "C": "White: any other",
    "T": TRAVELLER,
    "D": "Mixed: White and Black Caribbean",
    "E": "Mixed: White and Black African",
    "F": "Mixed: White and Asian",
    "G": "Mixed: any other",
    "H": "Asian: Indian",
    "J": "Asian: Pakistani",
    "K": "Asian: Bangladeshi",
    "L": "Asian: any other",
    "R": "Asian: Chinese",
    "M": "Black: Caribbean",
    "N": "Black: African",
    "P": "Black: any other",
    "S": "Other: any other",
    "Z": NOT_STATED,
    "99": NOT_KNOWN,
}
"""Code: label. Before the colon stands the five-group of `records.ethnic_codes`."""

JOINED = "smaller categories together"


def group_of(category: pd.Series) -> pd.Series:
    """Return the ethnic group that each category divides; of what is none, the label itself."""
    return category.str.split(": ", n=1).str[0]


def small_categories(tables: Sequence[pd.DataFrame], minimum: int) -> dict[str, str]:
    """Return what each category that is too small to judge is joined to, within its ethnic group.

    A category is as large as in the smallest table that has rows, of those in the first. All with fewer than `minimum`
    people are joined, and the next smallest too as long as together they are fewer. A group of one category is left as it
    is. `not stated` and `not known` become one where either is too small, as they do for ethnic groups.
    """
    sizes = [table.groupby("ethnic_category")["person_id"].nunique() for table in tables if len(table)]
    if not sizes:
        return {}
    size = (
        pd.concat([one.reindex(sizes[0].index, fill_value=0) for one in sizes], axis=1)
        .min(axis=1)
        .sort_values(kind="stable")
    )
    joined: dict[str, str] = {}
    for group, own in size.groupby(group_of(size.index.to_series())):
        small = own[(own < minimum) | ((own.cumsum().shift(fill_value=0) < minimum) & (own.iloc[0] < minimum))]
        if len(small) > 1:
            joined |= dict.fromkeys(small.index, f"{group}: {JOINED}")
    nobody = size.reindex(list(NO_ETHNIC_GROUP)).dropna()
    if len(nobody) > 1 and nobody.min() < minimum:
        joined |= dict.fromkeys(nobody.index, NOT_RECORDED)
    return joined


def join(table: pd.DataFrame, joined: Mapping[str, str]) -> pd.DataFrame:
    """Return the table with categories joined as `small_categories` says."""
    return table.assign(ethnic_category=table["ethnic_category"].replace(dict(joined)))
