"""A programme's account as it may leave the flow: counts under disclosure control, plain values, numbers by name."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import replace
from typing import Any

import pandas as pd

from fairness.disclosure import control, control_parts
from models.programme.account import Account
from models.programme.uptake import Uptake


def controlled(told: Account) -> Account:
    """Put the counts of people under disclosure control; effects of few are left out where they are measured."""
    groups = told.groups.assign(
        starters=control_parts(told.groups["starters"].astype("float64"), [told.groups["grouping"]])
    )
    left_out = told.attrition.assign(
        **{name: control_parts(told.attrition[name].astype("float64")) for name in ("starters", "compared")}
    )
    groups = groups.drop(columns=["outcomes", "with_programme", "without"])
    totals: dict[str, Any] = {name: _rounded(getattr(told, name)) for name in ("people", "starters", "compared")}
    said_yes = told.uptake and controlled_uptake(told.uptake)
    lots = told.lots and replace(
        told.lots, drawn=_rounded(told.lots.drawn), passed_over=_rounded(told.lots.passed_over)
    )
    return replace(told, groups=groups, attrition=left_out, uptake=said_yes, lots=lots, **totals)


def _rounded(count: int) -> int:
    return int(control(pd.Series([float(count)])).fillna(0).iloc[0])


def controlled_uptake(told: Uptake) -> Uptake:
    """Put the counts of offers under disclosure control, and take shares from them."""
    whole = [told.groups["grouping"]]
    counts = {name: control_parts(told.groups[name].astype("float64"), whole) for name in ("offers", "started")}
    hidden = counts["offers"].isna() | counts["started"].isna()
    figures = told.groups[["low", "high", "alike"]].mask(hidden)
    share = (counts["started"] / counts["offers"]).mask(told.groups["share"].isna())
    outcomes = told.outcomes.assign(people=control_parts(told.outcomes["people"].astype("float64")))
    return replace(
        told,
        offers=_rounded(told.offers),
        outcomes=outcomes,
        groups=told.groups.assign(**counts, **figures, share=share),
    )


def as_record(told: Account) -> dict[str, Any]:
    """Return an account as plain values for JSON."""

    def plain(value: Any) -> Any:
        if isinstance(value, pd.DataFrame):
            return json.loads(value.to_json(orient="records"))
        if dataclasses.is_dataclass(value):
            return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
        if isinstance(value, tuple):
            return [plain(one) for one in value]
        if isinstance(value, pd.Timestamp):
            return str(value.date())
        return None if isinstance(value, float) and math.isnan(value) else value

    return plain(told) | {"believed": told.believed}


def numbers(told: Account) -> dict[str, float]:
    """Return the account's main figures by name, those that could be told."""
    found: dict[str, float] = {"starters": told.starters, "compared": told.compared, "believed": float(told.believed)}
    for row in told.effects.itertuples():
        name = f"{row.measure}_{row.months}m"
        found |= {f"{name}_difference": row.difference, f"{name}_low": row.low, f"{name}_high": row.high}
    naive = told.naive.set_index("measure")
    found |= {f"naive_{name}_change": float(naive.loc[name, "change"]) for name in naive.index}
    if told.money is not None:
        low, high = told.money.saved.interval()
        found |= {"saved_a_start": told.money.saved.value, "saved_a_start_low": low, "saved_a_start_high": high}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}
