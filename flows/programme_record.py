"""A programme's account as it may leave the flow: counts under disclosure control, plain values, numbers by name."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from fairness.disclosure import SMALLEST_SHOWN, control, control_parts
from models.benefit.evidence import CASE_MANAGEMENT
from models.programme.account import Account
from models.programme.lots import ByLot
from models.programme.money import Money
from models.programme.outcomes import MONTHS
from models.programme.uptake import STARTED, Uptake, wilson
from models.targeting import e_value


def controlled(told: Account, price: Mapping[str, float]) -> Account:
    """Put the counts of people under disclosure control, and take every share of them from controlled counts.

    A share in full precision, times a count, would give a hidden count back. Effects are differences from what a model
    expects, and stand as they are; effects of few are left out where they are measured.

    Parameters
    ----------
    price : `models.programme.money.prices`
    """
    groups = told.groups.assign(
        starters=control_parts(told.groups["starters"].astype("float64"), [told.groups["grouping"]])
    )
    left_out = told.attrition.assign(
        **{name: control_parts(told.attrition[name].astype("float64")) for name in ("starters", "compared")}
    )
    groups = groups.drop(columns=["outcomes", "with_programme", "without"])
    totals: dict[str, Any] = {name: _rounded(getattr(told, name)) for name in ("people", "starters", "compared")}
    effects = _controlled_effects(told.effects, told.starters)
    outcome = effects[(effects["measure"] == "outcome") & (effects["months"] == MONTHS)].iloc[0]
    without = outcome["without"] if outcome["without"] > 0 else float("nan")
    ratio = replace(told.ratio, value=float(outcome["with_programme"] / without))
    return replace(
        told,
        groups=groups,
        attrition=left_out,
        effects=effects,
        ratio=ratio,
        e_values=e_value(ratio),
        naive=_controlled_naive(told.naive, told.starters),
        monthly=told.monthly.assign(starters=_level(told.monthly["starters"], told.starters)),
        money=told.money and _controlled_money(told.money, effects, price),
        uptake=told.uptake and controlled_uptake(told.uptake),
        lots=told.lots and controlled_lots(told.lots),
        **totals,
    )


def _rounded(count: float) -> int:
    return int(control(pd.Series([float(count)])).fillna(0).iloc[0])


def _level(level: pd.Series, number: int) -> pd.Series:
    """Return a mean of so many people again, from what it counts and their number under disclosure control."""
    return control((level * number).round()) / _rounded(number)


def _controlled_effects(effects: pd.DataFrame, starters: int) -> pd.DataFrame:
    level = _level(effects["with_programme"], starters)
    told = effects.assign(with_programme=level, without=level - effects["difference"])
    figures = ["with_programme", "without", "difference", "low", "high"]
    return told.assign(**told[figures].mask(level.isna()))


def _controlled_naive(naive: pd.DataFrame, starters: int) -> pd.DataFrame:
    before, after = _level(naive["before"], starters), _level(naive["after"], starters)
    change = after - before
    moved = change - naive["change"]
    return naive.assign(before=before, after=after, change=change, low=naive["low"] + moved, high=naive["high"] + moved)


def _controlled_money(money: Money, effects: pd.DataFrame, price: Mapping[str, float]) -> Money:
    """Take what was spent from controlled levels; what is hidden of one price counts as nothing."""
    level = effects[effects["months"] == MONTHS].set_index("measure")["with_programme"].fillna(0)
    spent = sum(amount * float(level[measure]) for measure, amount in price.items())
    without = spent + money.saved.value
    ratio = spent / without if without > 0 and not math.isnan(money.relative.value) else float("nan")
    size = None
    if money.break_even is not None:
        best, fewest, most = (float(_rounded(number)) for number in money.break_even)
        size = best, fewest, most
    return replace(money, spent_without=without, relative=replace(money.relative, value=ratio), break_even=size)


def controlled_lots(lots: ByLot) -> ByLot:
    """Put the counts of people in lots under disclosure control, and take shares from them."""
    arms = zip((*lots.started, lots.drawn_later), (lots.drawn, lots.passed_over, lots.passed_over), strict=True)
    drawn, passed_over, later = (float(_level(pd.Series([share]), number).iloc[0]) for share, number in arms)
    return replace(
        lots,
        drawn=_rounded(lots.drawn),
        passed_over=_rounded(lots.passed_over),
        entries=_rounded(lots.entries),
        started=(drawn, passed_over),
        drawn_later=later,
    )


def controlled_uptake(told: Uptake) -> Uptake:
    """Put the counts of offers under disclosure control, and take shares and their intervals from them.

    How many started is never hidden for the sake of another outcome: summing a grouping would give it back.
    """
    whole = [told.groups["grouping"]]
    counts = {name: control_parts(told.groups[name].astype("float64"), whole) for name in ("offers", "started")}
    hidden = counts["offers"].isna() | counts["started"].isna() | told.groups["share"].isna()
    ends = [
        (np.nan, np.nan) if masked else wilson(int(started), int(offers))
        for masked, started, offers in zip(hidden, counts["started"], counts["offers"], strict=True)
    ]
    people = told.outcomes["people"].astype("float64")
    alone = (told.outcomes["outcome"] == STARTED) & (people >= SMALLEST_SHOWN)
    return replace(
        told,
        offers=_rounded(told.offers),
        outcomes=told.outcomes.assign(people=control_parts(people, [alone])),
        groups=told.groups.assign(
            **counts,
            share=(counts["started"] / counts["offers"]).mask(hidden),
            low=[low for low, _ in ends],
            high=[high for _, high in ends],
            alike=told.groups["alike"].mask(hidden),
        ),
    )


def as_record(told: Account) -> dict[str, Any]:
    """Return an account as plain values for JSON."""
    record = {**plain(told), "believed": told.believed}
    if told.title == CASE_MANAGEMENT:
        del record["title"]
    return record


def plain(value: Any) -> Any:
    """Return a part of an account as JSON can hold it; what is missing is null."""
    if isinstance(value, pd.DataFrame):
        return json.loads(value.to_json(orient="records"))
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    return None if isinstance(value, float) and math.isnan(value) else value


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
