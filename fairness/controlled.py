"""The audit's tables as they may leave the room: every one under the rules of `fairness.disclosure`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import pandas as pd

from fairness.audit import Audit
from fairness.disclosure import HIDDEN, WAS_HIDDEN, control, control_parts, share_of, written
from fairness.groups import QUINTILES
from fairness.intervals import proportion
from fairness.kept_back import cells_that_add_up, joined_otherwise, kept_back_elsewhere, wholes
from fairness.lost import differences, large_enough

DECIMALS = 3
FROM_ROUNDED_COUNTS = (
    "share_of_people",
    "share_of_places",
    "share_of_need",
    "selection_rate",
    "false_negative_rate",
)


PROPORTIONS = ("selection_rate", "false_negative_rate")
"""Of these, those whose interval is that of a proportion; it would tell the exact counts, were it not worked out from those shown."""


def _limits(audit: Audit, part: pd.Series, whole: pd.Series) -> pd.DataFrame:
    """Return the interval of a proportion of two counts as they are shown; a held part may be more than its whole."""
    low, high = proportion(part.clip(upper=whole).to_numpy(), whole.to_numpy(), audit.levels.plain)
    return pd.DataFrame({"low": low, "high": high}, index=part.index).where(part.notna() & whole.notna())


def earlier_rows(audit: Audit, *path: str) -> pd.DataFrame:
    """Return one table of the earlier week's record (`fairness.record.to_json`), by its place there; empty where there is none."""
    found: object = audit.earlier
    for name in path:
        found = found.get(name, []) if isinstance(found, dict) else []
    return pd.DataFrame(found)


def _before(audit: Audit, path: Sequence[str], table: pd.DataFrame, keys: Sequence[str], name: str) -> pd.Series:
    """Return what the earlier week showed of a column of counts, in the rows of `table`."""
    earlier = earlier_rows(audit, *path)
    if not {*keys, name} <= set(earlier.columns):
        return pd.Series(float("nan"), index=table.index)
    shown_then = earlier.set_index(list(keys))[name].astype("float64").fillna(WAS_HIDDEN)
    now = pd.MultiIndex.from_frame(table[list(keys)]) if len(keys) > 1 else pd.Index(table[keys[0]])
    return pd.Series(shown_then.reindex(now).to_numpy(), index=table.index)


def _controlled_by(
    audit: Audit,
    path: Sequence[str],
    keys: Sequence[str],
    table: pd.DataFrame,
    names: Sequence[str],
    *wholes: Sequence[pd.Series],
) -> pd.DataFrame:
    """Return columns of counts fit to show: `wholes` as for `control_parts`, `path` and `keys` say what showed them before."""
    return pd.DataFrame(
        {
            name: control_parts(table[name].astype("float64"), *wholes, before=_before(audit, path, table, keys, name))
            for name in names
        },
        index=table.index,
    )


def _cells(
    audit: Audit,
    path: Sequence[str],
    also: Sequence[str],
    table: pd.DataFrame,
    names: Sequence[str],
    *wholes_besides: Sequence[pd.Series],
) -> pd.DataFrame:
    """Return columns of counts of groups and crossings fit to show: nothing that another row, grouping or week would tell.

    `also` names the columns that tell rows of one group apart; `wholes_besides` as for `control_parts`.
    """
    earlier, keys = earlier_rows(audit, *path), ["grouping", "group", *also]
    of = [*wholes_besides, *wholes(table, *also)]
    shown = {}
    for name in names:
        counts, before = table[name].astype("float64"), _before(audit, path, table, keys, name)
        small = control(counts, before).isna() & counts.notna()
        besides = joined_otherwise(table, earlier, small, name, also)
        while True:
            shown[name] = control_parts(counts, *of, before=before, besides=besides)
            more = cells_that_add_up(table, counts, shown[name].isna() & counts.notna(), *also)
            if not (more & ~besides).any():
                break
            besides |= more
        kept_back = shown[name].isna() & counts.notna()
        shown[name] = shown[name].mask(kept_back_elsewhere(table, kept_back, *also))
    return pd.DataFrame(shown, index=table.index)


# Sentences, pictures and tables all ask for these two; nobody changes what they get.
@lru_cache(maxsize=2)
def controlled_measures(audit: Audit) -> pd.DataFrame:
    """Return `audit.measures` fit to show.

    A figure that rests on a hidden count is missing, `hidden` says so, and its verdict stays.
    """
    table = audit.measures
    names = ["people", "count", "base"]
    counts = _cells(audit, ["measures"], ["measure"], table, names)
    hidden = (counts.isna() & table[names].notna()).any(axis=1)
    from_counts = table["measure"].isin(FROM_ROUNDED_COUNTS)
    value = table["value"].mask(from_counts, share_of(counts["count"], counts["base"]))
    figures = table[["low", "high", "wide_low", "wide_high"]].assign(value=value)
    told = table["measure"].isin(PROPORTIONS)
    limits = _limits(audit, counts["count"], counts["base"])
    figures[["low", "high"]] = figures[["low", "high"]].where(~told, limits)
    figures = figures.where(~hidden).round(DECIMALS)
    return table.assign(**counts, **figures, hidden=hidden)


@lru_cache(maxsize=2)
def controlled_bands(audit: Audit) -> pd.DataFrame:
    """Return `audit.need_by_band` fit to show: no mean of 1 to 7 people."""
    table = audit.need_by_band
    bands = [table["grouping"], table["group"], table["what"]]
    counts = _cells(audit, ["need_by_band"], ["band", "what"], table, ["people", "count"], bands)
    hidden = (counts.isna() & table[["people", "count"]].notna()).any(axis=1)
    value = table["value"].where(table["count"].isna(), share_of(counts["count"], counts["people"]))
    figures = table[["low", "high"]].assign(value=value).where(~hidden).round(DECIMALS)
    return table.assign(**counts, **figures, hidden=hidden)


def controlled_lost(audit: Audit) -> pd.DataFrame:
    """Return `audit.lost` fit to show: counts controlled, shares from them, no figure that rests on a hidden count."""
    table = audit.lost
    keys, whole = ["grouping", "group", "measure"], [table["grouping"], table["measure"]]
    counts = _controlled_by(audit, ["lost_before_any_model", "groups"], keys, table, ["base", "count"], whole)
    hidden = counts.isna().any(axis=1)
    limits = _limits(audit, counts["count"], counts["base"]).round(DECIMALS)
    share = share_of(counts["count"], counts["base"]).round(DECIMALS)
    return table.assign(**counts, **limits, share=share, hidden=hidden)


def controlled_differences(audit: Audit) -> pd.DataFrame:
    """Return `audit.lost_differences` fit to show.

    The verdicts, and the number of groups, are those of the exact counts. Everything else is worked out from the
    counts that are shown, as they are shown, so that nobody can reckon back a hidden one; `hidden` says that fewer
    than two are shown of groups that were compared.
    """
    enough = large_enough(audit.lost, audit.settings)
    controlled = enough.assign(**controlled_lost(audit)[["base", "count"]])
    # A held count may be more than its whole as shown; no interval knows what to do with that.
    controlled = controlled.assign(count=controlled["count"].clip(upper=controlled["base"]))
    table = differences(controlled.dropna(subset=["base", "count"]), audit.settings, audit.levels)
    figures = table[["value", "low", "high", "wide_low", "wide_high"]].round(DECIMALS)
    exact = audit.lost_differences
    hidden = (table["groups"] < 2) & (exact["groups"] > 1)
    return table.assign(**figures, groups=exact["groups"], verdict=exact["verdict"], hidden=hidden)


def controlled_pooled(audit: Audit) -> pd.DataFrame:
    """Return `audit.pooled` fit to show: no figure of a cell whose people, places or high need are hidden."""
    table = audit.pooled
    counts = _counts_of_measures(audit, table)
    hidden = counts.isna().any(axis=1)
    figures = table[["raw", "pooled", "low", "high"]].where(~hidden).round(DECIMALS)
    # What need would bring tells the exact count of those in high need.
    return table.drop(columns="expected").assign(**counts, **figures, hidden=hidden)


def _counts_of_measures(audit: Audit, table: pd.DataFrame) -> pd.DataFrame:
    """Return, for the groups of a table, `people`, `places` and `high_need` as `controlled_measures` shows them."""
    measured = controlled_measures(audit).set_index(["grouping", "group", "measure"])["count"]
    names = {"people": "share_of_people", "places": "share_of_places", "high_need": "share_of_need"}
    rows = {
        name: pd.MultiIndex.from_frame(table[["grouping", "group"]].assign(measure=measure))
        for name, measure in names.items()
    }
    return pd.DataFrame({name: measured.reindex(row).to_numpy() for name, row in rows.items()}, index=table.index)


def controlled_programmes(audit: Audit) -> pd.DataFrame:
    """Return `audit.programmes` fit to show; `people` and `base` (high need) are as in `controlled_measures`.

    Where a group's places of all programmes are hidden, none of one programme is shown.
    """
    table, of_all = audit.programmes, _counts_of_measures(audit, audit.programmes)
    by_programme = [table["grouping"], table["group"]]
    counts = _cells(audit, ["places_by_programme"], ["programme"], table, ["count"], by_programme)
    counts = counts.assign(people=of_all["people"], base=of_all["high_need"])
    counts["count"] = counts["count"].mask(of_all["places"].isna())
    counts["count"] = counts["count"].mask(kept_back_elsewhere(table, counts["count"].isna(), "programme"))
    hidden = counts.isna().any(axis=1)
    figures = table[["value", "low", "high", "wide_low", "wide_high"]].where(~hidden).round(DECIMALS)
    return table.assign(**counts, **figures, hidden=hidden)


def controlled_remedies(audit: Audit) -> pd.DataFrame:
    """Return `audit.remedies` fit to show: nothing of a group whose places or high need are hidden."""
    table, measured = audit.remedies, controlled_measures(audit)
    kept_back = measured.loc[measured["hidden"] & (measured["measure"] == "share_ratio"), ["grouping", "group"]]
    groups = pd.MultiIndex.from_frame(table[["grouping", "group"]])
    hidden = table["hidden"].astype("bool") | groups.isin(pd.MultiIndex.from_frame(kept_back))
    figures = table[["before", "after"]].astype("float64").where(~hidden).round(DECIMALS)
    return table.assign(**figures, hidden=hidden)


def controlled_labels(audit: Audit) -> pd.DataFrame:
    """Return `audit.labels` fit to show."""
    table = audit.labels
    names = ("places", "also_listed", "core20", "high_need")
    counts = {
        name: control(table[name].astype("float64"), _before(audit, ["other_labels"], table, ["label"], name))
        for name in names
    }
    measured = controlled_measures(audit)
    fifth = (measured["group"] == QUINTILES[1.0]) & (measured["measure"] == "share_of_places")
    if measured.loc[fifth, "count"].isna().any():
        counts["core20"] = counts["core20"].mask(table["label"] == "list")
    return table.assign(**counts, **table[["concentration", "inequity"]].round(DECIMALS))


def controlled_feeds(audit: Audit) -> pd.DataFrame:
    """Return `audit.feeds` fit to show: shares from controlled counts."""
    table = audit.feeds
    names = ["people", "silent"]
    counts = _controlled_by(audit, ["stopped_feeds"], ["grouping", "group"], table, names, [table["grouping"]])
    share = share_of(counts["silent"], counts["people"]).round(DECIMALS)
    return table.assign(**counts, share=share, hidden=counts.isna().any(axis=1))


def controlled_funnel(audit: Audit) -> pd.DataFrame:
    """Return `audit.funnel` fit to show: shares from controlled counts, no interval that rests on a hidden one."""
    table = audit.funnel
    keys, whole = ["grouping", "group", "step"], [table["grouping"], table["step"]]
    counts = _controlled_by(audit, ["funnel"], keys, table, ["base", "count"], whole)
    hidden = counts.isna().any(axis=1)
    limits = _limits(audit, counts["count"], counts["base"]).round(DECIMALS)
    share = share_of(counts["count"], counts["base"]).round(DECIMALS)
    return table.assign(**counts, **limits, share=share, hidden=hidden)


def controlled_totals(audit: Audit) -> dict[str, str]:
    """Return the audit's numbers of people as they may be shown."""
    table = pd.DataFrame({"what": list(audit.totals), "number": list(audit.totals.values())}).astype(
        {"number": "float64"}
    )
    table = table[table["what"] != "comparisons"]
    earlier = {
        name: WAS_HIDDEN if text == HIDDEN else float(text.replace(",", ""))
        for name, text in audit.earlier.get("totals", {}).items()
    }
    before = table["what"].map(earlier).astype("float64")
    return dict(zip(table["what"], control(table["number"], before).map(written), strict=True))
