"""Which rows of a table would tell a count that is kept back in another row, of another grouping or of another week."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fairness.audit import CROSSINGS
from fairness.categories import JOINED, group_of
from fairness.disclosure import smallest
from fairness.groups import QUINTILES, UNRECORDED
from records.tables import NOT_RECORDED

DIVIDED = {"imd_by_ethnicity": ("imd_quintile", "ethnic_group"), "imd_by_ethnicity_by_sex": ("imd_by_ethnicity", "sex")}
"""Crossing: the two groupings whose groups its cells divide, by the first and by the last part of a cell's name."""


def wholes(table: pd.DataFrame, *also: str) -> list[list[pd.Series]]:
    """Return what each row's group is a part of: everybody; for a crossing, the group it divides, from either side; for an ethnic
    category, its ethnic group. `also` names the columns that tell rows of one group apart."""
    crossed, category = table["grouping"].isin(CROSSINGS), table["grouping"] == "ethnic_category"
    group = table["group"].astype("str")
    ends = group.str.rsplit(", ", n=1)
    of = [ends.str[end].where(crossed, group_of(group).where(category, "")) for end in (0, -1)]
    return [[table["grouping"], *(table[name] for name in also), divided] for divided in of]


def kept_back_elsewhere(table: pd.DataFrame, kept_back: pd.Series, *also: str) -> pd.Series:
    """Mark the rows that would tell what is kept back of another grouping: Core20 of the most deprived fifth, ethnic
    categories of the ethnic group that they divide."""
    fifth, group = pd.Series(QUINTILES[1.0], index=table.index), table["group"].astype("str")
    told_by = {
        "core20": ("imd_quintile", fifth.where(group != NOT_RECORDED, "")),
        "ethnic_category": ("ethnic_group", group_of(group)),
    }
    marked = pd.Series(False, index=table.index)
    for grouping, (other, divided) in told_by.items():
        hidden = table.loc[kept_back & (table["grouping"] == other), ["group", *also]]
        own = pd.MultiIndex.from_arrays([divided, *(table[name] for name in also)])
        marked |= (table["grouping"] == grouping) & own.isin(pd.MultiIndex.from_frame(hidden))
    return marked


def cells_that_add_up(table: pd.DataFrame, counts: pd.Series, kept_back: pd.Series, *also: str) -> pd.Series:
    """Mark a cell to hide, the smallest that is not nil, of each group that is kept back while all cells that divide it are shown."""
    group, others = _plain(table["group"].astype("str")), [table[name] for name in also]
    ends = table["group"].astype("str").str.rsplit(", ", n=1)
    hidden = pd.MultiIndex.from_arrays([table["grouping"], group, *others])[kept_back.to_numpy()]
    marked = pd.Series(False, index=table.index)
    for crossing, divided in DIVIDED.items():
        for end, grouping in zip((0, -1), divided, strict=True):
            cells, of = table["grouping"] == crossing, _plain(ends.str[end])
            own = pd.MultiIndex.from_arrays([pd.Series(grouping, index=table.index), of, *others])
            told = cells & own.isin(hidden)
            told &= ~(kept_back & cells).groupby([of, *others]).transform("any")
            marked |= smallest(counts.where(told), [of, *others])
    return marked


def _plain(group: pd.Series) -> pd.Series:
    """Name a group as the crossings do: all whose ethnicity nobody knows are one group, and so are those without a fifth."""
    return group.mask(group.isin([*UNRECORDED, f"deprivation {NOT_RECORDED}"]), NOT_RECORDED)


def joined_otherwise(
    table: pd.DataFrame, earlier: pd.DataFrame, kept_back: pd.Series, name: str, also: Sequence[str]
) -> pd.Series:
    """Mark groups that an earlier week joined in another way, where it kept back a count of them or this week must.

    What is joined now, less what stood apart then, or the other way, would tell the part that was never shown. `earlier`
    holds the rows of the earlier week as shown, null where it hid `name`.
    """
    keys = ["grouping", "group", *also]
    if not {*keys, name} <= set(earlier.columns):
        return pd.Series(False, index=table.index)
    now = table[keys].assign(row=table.index, hidden=kept_back).astype({"group": "str"})
    both = now.merge(earlier[keys].assign(hidden=earlier[name].isna()), on=keys, how="outer", indicator=True)
    category, ethnic = both["grouping"] == "ethnic_category", both["grouping"] == "ethnic_group"
    unknown = both["group"].isin(UNRECORDED)
    both["part_of"] = group_of(both["group"]).where(category).mask(unknown & (category | ethnic), NOT_RECORDED)
    whole = [both["grouping"], both["part_of"], *(both[name] for name in also)]

    def somewhere(mark: pd.Series) -> pd.Series:
        return mark.groupby(whole, dropna=False).transform("any") & both["part_of"].notna()

    apart = both["_merge"] != "both"
    known_then = somewhere(both["_merge"] != "left_only")
    hidden = both["hidden_x"].eq(True) | both["hidden_y"].eq(True)
    moved = somewhere(apart) & known_then & somewhere(hidden) & (apart | both["group"].str.endswith(JOINED))
    return pd.Series(table.index.isin(both.loc[moved, "row"].dropna()), index=table.index)
