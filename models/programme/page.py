"""`programme.html`: what a programme did, for whoever pays for it and whoever works in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from casewell.page import document, html_table, inline_svg
from casewell.settings import OUTCOME_WORDS, EventName
from casewell.settings.programme import Costs
from models.benefit.evidence import CASE_MANAGEMENT
from models.evaluation.page_risk import TOO_FEW, folded, section
from models.evaluation.verdicts import GROUPING_WORDS
from models.programme.account import SHORT_RUN, Account
from models.programme.lots import ByLot
from models.programme.money import PRICED
from models.programme.pictures import (
    changes_figure,
    claims_figure,
    effects_by_group_figure,
    measure_words,
    months_figure,
    payback_figure,
    uptake_figure,
)
from models.programme.sentences import (
    contacts_sentence,
    groups_sentence,
    headline,
    lots_sentence,
    money_sentence,
    naive_sentence,
    pounds,
    uptake_sentence,
)
from models.programme.words import spared


def _outcome(outcome: EventName) -> str:
    return f"{OUTCOME_WORDS[outcome]} within a year of the start"


def write_programme_page(told: Account, costs: Costs, path: Path, as_of: dt.date, synthetic: bool) -> Path:
    """Write the page; equal accounts give equal bytes.

    Counts in `told.groups` and `told.attrition` are shown as they are given (missing: `*`): put them under disclosure
    control first.
    """
    sections = [
        _headline(told),
        _claims(told),
        _contacts(told),
        _groups(told),
        _uptake(told),
        _money(told, costs),
        _checks(told),
        section("Drawn by lot", lots_sentence(told.lots), ""),
        _who(told),
    ]
    path.write_text(
        document(f"What did {told.title} do?", _outcome(told.outcome).capitalize(), as_of, synthetic, sections),
        encoding="utf-8",
    )
    return path


def write_lots_page(
    lots: ByLot, refused: Sequence[str], path: Path, as_of: dt.date, synthetic: bool, title: str = CASE_MANAGEMENT
) -> Path:
    """Write a page of what lots tell of a programme, and why the records tell nothing; counts in `lots` as they may be shown."""
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in refused)
    sections = [
        section("Drawn by lot", lots_sentence(lots), ""),
        section("From the records alone", "Nothing can be said, because:", f"<ul>{reasons}</ul>"),
    ]
    path.write_text(
        document(f"What did {title} do?", _outcome(lots.outcome).capitalize(), as_of, synthetic, sections),
        encoding="utf-8",
    )
    return path


def _headline(told: Account) -> str:
    row = told.of("outcome")
    facts = [
        (f"{told.starters:,}", "starts followed"),
        (f"{told.first:%b %Y} to {told.last:%b %Y}", "months of starts"),
        (f"{row['without']:.1%}", f"expected without it: {_outcome(told.outcome)}"),
        (f"{row['with_programme']:.1%}", "seen"),
    ]
    listed = "".join(f"<li><b>{escape(figure)}</b>{escape(words)}</li>" for figure, words in facts)
    kind = "pass" if told.believed else "fail"
    failed = [check.seen for check in told.checks if not check.passed]
    reasons = "".join(f"<li>{escape(seen)}</li>" for seen in failed)
    title, release = headline(told), "Every check of the comparison passed."
    if not told.believed:
        title = f"The comparison failed a check, so what {told.title} did cannot be stated"
        release = f"Taken as it stands: {headline(told)} That must not be repeated, because:"
    return (
        f'<section class="verdict {kind}"><h2>{escape(title)}</h2><ul class="facts">{listed}</ul>'
        f'<p class="release">{escape(release)}</p><ul>{reasons}</ul></section>'
    )


def _claims(told: Account) -> str:
    row = told.of("outcome")
    naive = told.naive.set_index("measure")
    claims = pd.DataFrame(
        [
            ("compared with people like them", row["difference"], row["low"], row["high"]),
            ("naive: after less before", *naive.loc["outcome", ["change", "low", "high"]]),
        ],
        columns=["words", "value", "low", "high"],
    )
    sentence = naive_sentence(told)
    pictures = inline_svg(
        partial(claims_figure, claims, told.outcome), "claims", "Two claims about one programme", sentence
    )
    pictures += inline_svg(
        partial(months_figure, told.monthly),
        "months",
        "Emergency admissions before and after the start",
        "People start when admissions peak, and those like them who did not start come down from the same peak.",
    )
    rows = [
        [
            measure_words(str(name), told.outcome),
            _number(one["before"]),
            _number(one["after"]),
            _interval(one, "change"),
        ]
        for name, one in naive.iterrows()
    ]
    table = html_table("Before and after, starters alone", ["Measure, a person", "Before", "After", "Change"], rows)
    months = html_table(
        "Emergency admissions a person and month",
        ["Month from the start", "Started", "Like them, did not"],
        [[f"{one.month:+d}", _number(one.starters, 4), f"{one.compared:.4f}"] for one in told.monthly.itertuples()],
    )
    return section(
        "What a naive account would have claimed",
        sentence,
        pictures + folded("The figures behind the pictures", table + months),
    )


def _contacts(told: Account) -> str:
    sentence = contacts_sentence(told)
    picture = inline_svg(
        partial(changes_figure, told.effects, told.outcome, told.title), "changes", "What changed, and when", sentence
    )
    rows = [
        [
            f"{measure_words(one['measure'], told.outcome)}, first {one['months']} months",
            _number(one["without"]),
            _number(one["with_programme"]),
            _interval(one, "difference"),
        ]
        for _, one in told.effects.iterrows()
    ]
    table = html_table("For each starter", ["Measure", "Expected without", "Seen", "Difference (95 % interval)"], rows)
    return section(
        f"Contacts in the first {SHORT_RUN} months, admissions later",
        sentence,
        picture + folded("The figures behind the picture", table),
    )


def _groups(told: Account) -> str:
    sentence = groups_sentence(told)
    if told.groups["difference"].isna().all():
        return section("For whom", sentence, "")
    picture = inline_svg(
        partial(effects_by_group_figure, told.groups, GROUPING_WORDS, told.outcome),
        "who",
        "The effect in each group",
        sentence,
    )
    tables = "".join(
        html_table(
            f"By {GROUPING_WORDS[str(name)]}",
            ["Group", "Starts", "Change in the share with the outcome"],
            [[one["group"], _count(one["starters"]), _interval(one, "difference")] for _, one in rows.iterrows()],
        )
        for name, rows in told.groups.groupby("grouping", sort=False)
    )
    return section("For whom", sentence, picture + folded("The figures behind the picture", tables))


def _uptake(told: Account) -> str:
    sentence = uptake_sentence(told.uptake)
    if told.uptake is None:
        return section("Who says yes", sentence, "")
    became = html_table(
        "What became of each person's first offer",
        ["Outcome", "People"],
        [[str(one["outcome"]).replace("_", " "), _count(one["people"])] for _, one in told.uptake.outcomes.iterrows()],
    )
    picture = inline_svg(
        partial(uptake_figure, told.uptake.groups, GROUPING_WORDS), "uptake", "Who starts of those offered", sentence
    )
    rows = [
        [
            f"{GROUPING_WORDS[one['grouping']]}: {one['group']}",
            _count(one["offers"]),
            _count(one["started"]),
            TOO_FEW if np.isnan(one["share"]) else f"{one['share']:.0%} ({one['low']:.0%} to {one['high']:.0%})",
            TOO_FEW if np.isnan(one["alike"]) else f"{one['alike']:.0%}",
        ]
        for _, one in told.uptake.groups.iterrows()
    ]
    head = ["Group", "Offered", "Started", "Share (95 % interval)", "People otherwise alike"]
    return section(
        "Who says yes",
        sentence,
        became + picture + folded("The figures behind the picture", html_table("By group", head, rows)),
    )


def _money(told: Account, costs: Costs) -> str:
    sentence = money_sentence(told.money)
    if told.money is None:
        return section("Did it pay?", sentence, "")
    picture = inline_svg(partial(payback_figure, told.money), "payback", "Savings and the cost of a place", sentence)
    curve = html_table(
        "Saved for each starter by the end of each month",
        ["Month", "Saved", "95 % interval"],
        [
            [str(one.month), pounds(one.saved), f"{pounds(one.low)} to {pounds(one.high)}"]
            for one in told.money.curve.itertuples()
        ],
    )
    named = {name: getattr(costs, name) for name in ("place", *PRICED.values())}
    used = html_table(
        "What things cost (prices of different years are added up as they are)",
        ["Cost", "Pounds", "Year", "Source"],
        [
            [name.replace("_", " "), pounds(cost.amount), cost.year, cost.source]
            for name, cost in named.items()
            if cost is not None
        ],
    )
    return section("Did it pay?", sentence, picture + used + folded("The figures behind the picture", curve))


def _checks(told: Account) -> str:
    rows = [[check.name, "passed" if check.passed else "failed", check.seen] for check in told.checks]
    point, end = told.e_values
    low, high = told.ratio.interval()
    failed = sum(not check.passed for check in told.checks)
    sentence = (
        f"{len(told.checks) - failed} of {len(told.checks)} checks passed. To explain the risk ratio of {told.ratio.value:.2f} "
        f"({low:.2f} to {high:.2f}) away, something that no record shows would have to go with both starting and the "
        f"outcome by a risk ratio of {point:.2f}; {end:.2f} would bring its interval to one."
        if np.isfinite(told.ratio.value)
        else "There was nothing to compare."
    )
    return section(
        "Could it be something else?",
        sentence,
        html_table("Checks of the comparison", ["Check", "Result", "What was seen"], rows),
    )


def _who(told: Account) -> str:
    sentence = (
        f"{told.starters:,} starts of {told.people:,} people are compared with {told.compared:,} people-months of others "
        f"eligible in the same months. {told.later_starts:.0%} of those compared started later and stay where they are, so "
        f"what is shown is the effect of starting now against waiting as others wait. Counted is {spared(told.outcome)} "
        "over 365 days, whatever horizon the lists are made for."
    )
    rows = [[one["why"], _count(one["starters"]), _count(one["compared"])] for _, one in told.attrition.iterrows()]
    return section(
        "Who is compared",
        sentence,
        html_table("From the index date to the day of the start", ["What became of them", "Starters", "Others"], rows),
    )


def _interval(row: pd.Series, name: str) -> str:
    if np.isnan(row[name]):
        return TOO_FEW
    return f"{row[name]:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


def _number(value: float, digits: int = 3) -> str:
    return TOO_FEW if np.isnan(value) else f"{value:.{digits}f}"


def _count(number: float) -> str:
    return "*" if pd.isna(number) else f"{number:,.0f}"
