"""A programme's account in plain sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.evaluation.verdicts import GROUPING_WORDS
from models.programme.account import SHORT_RUN, Account
from models.programme.lots import ByLot
from models.programme.money import Money
from models.programme.outcomes import MONTHS
from models.programme.uptake import STARTED, Uptake
from models.programme.words import had, spared

LIKELY_CHANCE = 0.05


def points(share: float) -> str:
    """Write a difference in shares as people in a hundred."""
    return f"{abs(100 * share):.1f}"


def pounds(amount: float) -> str:
    """Write an amount of money, to the pound."""
    return f"-£{abs(amount):,.0f}" if round(amount) < 0 else f"£{abs(amount):,.0f}"


def headline(told: Account) -> str:
    """Say what the programme did, in one sentence."""
    row = told.of("outcome")
    ends = f"95 % interval: {_change(row['low'])} to {_change(row['high'])}"
    if np.isnan(row["difference"]):
        return "Too few people who started could be followed, or had the outcome, so nothing can be said."
    if row["high"] < 0:
        return f"Of every 100 people who started, {points(row['difference'])} were spared {spared(told.outcome)} within the year ({ends})."
    if row["low"] > 0:
        return f"{told.title[:1].upper()}{told.title[1:]} did harm: of every 100 people who started, {points(row['difference'])} more {had(told.outcome)} within the year ({ends})."
    return (
        f"It cannot be told whether {told.title} changed anything: {_change(row['difference'])} in every 100 people who "
        f"started ({ends})."
    )


def naive_sentence(told: Account) -> str:
    """Say what comparing the starters with their own past would have claimed, and why it is wrong."""
    naive = told.naive.set_index("measure").loc["outcome"]
    real = told.of("outcome")
    if np.isnan(naive["change"]) or np.isnan(real["difference"]):
        return "Too few people had the outcome to say what comparing them with their own past would have claimed."
    if told.outcome == "death":
        return "Nobody dies before starting, so comparing people with their own past says nothing of deaths."
    admission = spared("admission" if told.outcome == "admission_or_death" else told.outcome)
    or_died = " or died" if told.outcome == "admission_or_death" else ""
    return (
        f"Before starting, {naive['before']:.0%} had had {admission} in the year; after it, {naive['after']:.0%} had "
        f"one{or_died}: a change of {_change(naive['change'])} in 100. Compared with people like them over the same months "
        f"it is {_change(real['difference'])} in 100. The rest would have happened anyway, because people start when "
        "things are at their worst."
    )


def contacts_sentence(told: Account) -> str:
    """Say what changed at once, and what later."""
    early = [told.of(name, SHORT_RUN) for name in ("gp_contacts", "community_contacts", "calls")]
    words = ("contacts with the practice", "community contacts", "calls to 111 and 999")
    changed = [f"{name} {_percent(row)}" for name, row in zip(words, early, strict=True)]
    return (
        f"In the first {SHORT_RUN} months: {', '.join(changed)}. More contacts early on are the programme at work, not its "
        f"failure; over {MONTHS} months emergency admissions changed by {_percent(told.of('admissions'))}."
    )


def groups_sentence(told: Account) -> str:
    """Say for whom the effect can be told, and whether it differs."""
    counted = told.groups["difference"].notna().sum()
    if not counted:
        return "No group has enough starters to tell."
    sure = told.unequal.loc[told.unequal["p"] < LIKELY_CHANCE / max(len(told.unequal), 1), "grouping"]
    differs = (
        f"The effect differs by {', '.join(GROUPING_WORDS[name] for name in sure)}."
        if len(sure)
        else "Differences between the groups cannot be told from chance."
    )
    if told.unequal["p"].isna().all():
        differs = "No grouping has two such groups, so whether the effect differs between groups was not tested."
    return f"{counted} of {len(told.groups)} groups have enough starters to tell. {differs}"


def uptake_sentence(told: Uptake | None) -> str:
    """Say how many of those offered a place start, and which groups do so less often than people otherwise alike."""
    if told is None:
        return "Too few people were offered a place to say who says yes."
    started = float(told.outcomes.set_index("outcome")["people"].get(STARTED, 0))
    share = "Hardly anybody" if np.isnan(started) else f"{started / told.offers:.0%} of the people"
    less = told.groups[told.groups["high"] < told.groups["alike"]]
    named = "; ".join(f"{GROUPING_WORDS[row.grouping]} {row.group}: {row.share:.0%}" for row in less.itertuples())
    gaps = (
        f" Less often than people otherwise alike: {named}."
        if named
        else " No group surely does so less often than people otherwise alike."
    )
    return (
        f"{share} offered a place started. Who would gain is not who would say yes, so the two are "
        f"told apart.{gaps} Foretold from groups alone for people not seen, the chances have a calibration slope of "
        f"{told.slope:.2f} (1 is right)."
    )


def lots_sentence(told: ByLot | None) -> str:
    """Say what an offer of a place changed among people drawn by lot."""
    if told is None:
        return (
            "Too few people were drawn by lot, a year ago or before, to say anything from lots; `casewell plan evaluation` "
            "says how many it takes."
        )
    low, high = told.difference.interval()
    drawn, passed_over, later = (_part(share) for share in (*told.started, told.drawn_later))
    return (
        f"Of people drawn by lot at the margin in the first lot they were in, {drawn} started, and {passed_over} of those passed over; "
        f"{later} of those passed over were drawn in a later week, which makes the difference smaller. "
        f"An offer changed the share with {spared(told.outcome)} within the year by "
        f"{_change(told.difference.value)} in 100 (95 % interval: {_change(low)} to {_change(high)}): {told.drawn:,} drawn, "
        f"{told.passed_over:,} passed over, {told.entries:,} entries in weekly lots. Nothing that records do not show can explain this away."
    )


def money_sentence(money: Money | None) -> str:
    """Say what was saved, and whether and when it met the cost of a place."""
    if money is None:
        return "The settings give no price (programme.costs), so nothing can be said about money."
    if np.isnan(money.relative.value):
        return "Hardly anything that has a price was to be expected without it, so nothing can be said about money."
    low, high = money.saved.interval()
    saved = f"Each start changed spending by {pounds(-money.saved.value)} within the year ({pounds(-high)} to {pounds(-low)}), of {pounds(money.spent_without)} expected without it."
    if money.place is None or money.payback is None or money.break_even is None:
        return f"{saved} What a place costs is not set (programme.costs.place), so whether it paid cannot be said."
    size, fewest, most = (f"{number:,.0f}" for number in money.break_even)
    falls = (
        f"falls by the same share ({1 - money.relative.value:.0%})"
        if money.relative.value < 1
        else "changes by one share"
    )
    return (
        f"{saved} A place costs {pounds(money.place)}: {_payback(money.payback)} If everybody's spending {falls}, {size} of "
        f"the people eligible in a month would save more than a place costs ({fewest} to {most})."
    )


def _payback(payback: tuple[float, float, float]) -> str:
    month, earliest, latest = payback
    if np.isnan(earliest):
        return "savings do not meet that within the year."
    first = f"month {earliest:.0f} at the earliest"
    last = "not within the year at the latest" if np.isnan(latest) else f"month {latest:.0f} at the latest"
    if np.isnan(month):
        return f"savings do not meet that within the year on the best estimate ({first})."
    return f"savings meet that in month {month:.0f} ({first}, {last})."


def _part(share: float) -> str:
    return "a few" if np.isnan(share) else f"{share:.0%}"


def _change(share: float) -> str:
    return f"{100 * share:+.1f}"


def _percent(row: pd.Series) -> str:
    if np.isnan(row["without"]):
        return "too few to tell"
    if not row["without"] > 0:
        return "none expected"
    low, value, high = (row[name] / row["without"] for name in ("low", "difference", "high"))
    return f"{value:+.0%} ({low:+.0%} to {high:+.0%})"
