"""`profile.html`: what the built features look like, and what has moved since training, with pictures."""

from __future__ import annotations

import datetime as dt
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from casewell.page import document, html_table, inline_svg
from features import profile_charts as charts
from features.drift import LARGE, LOOK, SHIFTED
from features.profile import QUANTILES, Profile
from features.profile_record import most_moved, verdict

NOTHING = "–"  # noqa: RUF001
HIDDEN = "*"
RISEN = 0.05  # zeros that rise less may be chance or season
HISTORY = (
    "A feature that looks further back than the data reached in training (all known history, or three years where there "
    "were two) moves by itself: there is more to look back on now."
)


def html(
    profile: Profile, groups: pd.DataFrame, by_source: pd.DataFrame, about: dict[str, Any], names: dict[str, str]
) -> str:
    """Return the page.

    Parameters
    ----------
    groups, by_source
        `features.tables.PROFILE_GROUPS`, by feature and as means by source, both under disclosure control; they may
        have no rows.
    about
        `name`, `as_of`, `synthetic`, `what`, `people` (as may be shown), `index_dates`, `compared_with` (text, or None)
        and `not_compared_because`.
    names
        Names of the groupings.
    """
    sections = [_verdict(profile, about)]
    if profile.features["psi"].notna().any():
        sections += [_drift(profile), _spread(profile)]
    sections += [_sources(profile), *_by_grouping(groups, by_source, names)]
    sections += [_ranges(profile), _method(profile)]
    return document(
        f"The features: {about['name']}",
        about["what"],
        dt.date.fromisoformat(about["as_of"]),
        about["synthetic"],
        sections,
    )


def _verdict(profile: Profile, about: dict[str, Any]) -> str:
    still = about["compared_with"] and not (profile.features["shift"] == LARGE).any()
    kind = "pass" if still else ""  # what has moved is a question, not a failure
    dates = about["index_dates"]
    facts = [(about["people"], "people in a snapshot"), (str(dates), "index date" if dates == 1 else "index dates")]
    facts.append((str(len(profile.features)), "features"))
    items = "".join(f"<li><b>{escape(number)}</b>{words}</li>" for number, words in facts)
    return (
        f'<section class="verdict {kind}"><h2>{escape(verdict(profile, about))}</h2>'
        f'<ul class="facts">{items}</ul></section>'
    )


def _drift(profile: Profile) -> str:
    table = most_moved(profile, len(profile.features))
    first = table.iloc[0]
    says = (
        f"Furthest from training is {first['feature']}, with an index of {first['psi']:.2f}; chance alone would seldom give "
        f"more than {first['psi_by_chance']:.3f}. {HISTORY if first['shift'] == LARGE else ''}"
    ).strip()
    body = [
        [
            row.feature,
            row.source,
            f"{row.psi:.3f}",
            f"{row.psi_by_chance:.3f}",
            row.shift,
            _share(row.training_missing),
            _share(row.missing),
            _share(row.training_zero),
            _share(row.zero),
        ]
        for row in table.itertuples()
    ]
    head = [
        "Feature",
        "Source",
        "Index",
        "By chance",
        "Shift",
        "Missing in training",
        "Missing now",
        "Zero in training",
        "Zero now",
    ]
    return _section(
        "drift",
        "What has moved since training",
        says,
        partial(charts.drift_chart, profile),
        html_table("Every feature compared", head, body),
    )


def _spread(profile: Profile) -> str:
    names = most_moved(profile, charts.MOST_SPREAD)["feature"]
    bins = profile.bins[profile.bins["feature"].isin(names)]
    largest = bins.loc[(bins["now"] - bins["share"]).abs().idxmax()]
    words = charts.bin_words(bins.loc[[largest.name]])[0]
    says = (
        f"The largest single change among these: {largest['feature']}, {words}: {largest['share']:.0%} of rows in training, "
        f"{largest['now']:.0%} now."
    )
    body = [
        [row.feature, word, f"{row.share:.1%}", f"{row.now:.1%}"]
        for row, word in zip(bins.itertuples(), charts.bin_words(bins), strict=True)
    ]
    table = html_table("Shares of rows by bin", ["Feature", "Bin", "In training", "Now"], body)
    return _section("spread", "How the most moved are spread", says, partial(charts.spread_chart, profile), table)


def _sources(profile: Profile) -> str:
    table = charts.by_source(profile)
    top = table["missing"].idxmax() if table["missing"].notna().any() else None
    says = (
        "No feature lacks a value."
        if top is None
        else f"Most often without a value are features of {top}: {table.loc[top, 'missing']:.0%} of rows."
    )
    risen = (table["zero"] - table["training_zero"]).dropna()
    if len(risen):
        most = risen[risen > RISEN].sort_values(ascending=False)
        says += (
            f" Zeros have risen in {', '.join(f'{name} (by {100 * by:.0f} percentage points)' for name, by in most.items())}: has a feed stopped?"
            if len(most)
            else f" Zeros have risen nowhere by {RISEN:.0%} or more, as they would if a feed had stopped."
        )
    body = [
        [
            str(row.Index),
            f"{row.features}",
            _share(row.missing),
            _share(row.training_missing),
            _share(row.zero),
            _share(row.training_zero),
            f"{row.shifted}",
            f"{row.look}",
        ]
        for row in table.itertuples()
    ]
    head = ["Source", "Features", "Missing", "Missing in training", "Zero", "Zero in training", "Shifted", "To look at"]
    return _section(
        "sources",
        "Missing values and zeros, by source",
        says,
        partial(charts.sources_chart, profile),
        html_table("By source", head, body),
    )


def _by_grouping(groups: pd.DataFrame, by_source: pd.DataFrame, names: dict[str, str]) -> list[str]:
    told = [(name, groups[groups["grouping"] == name], by_source[by_source["grouping"] == name]) for name in names]
    return [_groups(by_feature, means, names[name]) for name, by_feature, means in told if len(means)]


def _groups(groups: pd.DataFrame, by_source: pd.DataFrame, name: str) -> str:
    grouping = by_source["grouping"].iloc[0]
    shares = by_source.pivot(index="source", columns="group", values="share")
    shares = shares.reindex(columns=list(dict.fromkeys(by_source["group"])))
    body = [
        [str(source), *(_share(value) if pd.notna(value) else HIDDEN for value in row)]
        for source, row in zip(shares.index, shares.to_numpy(), strict=True)
    ]
    title = f"{name}: mean share without a value, of features that anybody lacks"
    table = html_table(title, ["Source", *map(str, shares.columns)], body)
    draw = partial(charts.groups_chart, shares)
    return _section(f"group-{grouping}", f"Missing by {name.lower()}", _furthest_apart(groups), draw, table)


def _furthest_apart(groups: pd.DataFrame) -> str:
    """Say for which feature the groups lie furthest apart, of shares that may be shown."""
    apart = groups.groupby("feature")["share"].agg(lambda share: share.max() - share.min()).dropna()
    if not len(apart) or apart.max() == 0:
        return "No two groups differ, of those large enough to show."
    of = groups[groups["feature"] == apart.idxmax()].dropna(subset="share")
    least, most = of.loc[of["share"].idxmin()], of.loc[of["share"].idxmax()]
    return (
        f"Groups lie furthest apart in {most['feature']}: without a value for {most['share']:.0%} in the group "
        f"'{most['group']}' and {least['share']:.0%} in '{least['group']}'. What is not measured cannot speak for a "
        "group's need."
    )


def _ranges(profile: Profile) -> str:
    columns = ["low", *QUANTILES, "high"]
    body = [
        [
            row["feature"],
            _share(row["missing"]),
            _share(row["zero"]),
            *(NOTHING if pd.isna(row[c]) else f"{row[c]:.4g}" for c in columns),
        ]
        for row in profile.features.to_dict("records")
    ]
    never = int((profile.features["missing"] == 1).sum()) + int((profile.features["zero"] == 1).sum())
    says = f"{never or 'No'} feature{'' if never == 1 else 's'} say{'s' if never == 1 else ''} nothing about anybody (always missing, or always 0)."
    table = html_table(
        "Shares and quantiles of the values",
        ["Feature", "Missing", "Zero", "Low", "5 %", "25 %", "Median", "75 %", "95 %", "High"],
        body,
    )
    return f'<section><h2>Ranges</h2><p class="says">{says}</p><details><summary>Every feature</summary>{table}</details></section>'


def _method(profile: Profile) -> str:
    points = [
        "The population stability index adds up, over bins, (share now - share in training) x ln(share now / share in "
        "training). The bins are tenths of the training rows, and one for missing. That above "
        f"{LOOK} deserves a look and above {SHIFTED} is a large shift is a convention of credit scoring, not a test "
        "(Lewis 1994; Siddiqi 2006); so a shift is told only where it is also more than chance gives one time in twenty "
        "(Yurdakul and Naranjo 2020).",
        HISTORY,
        "A feature that has moved is a question, not an error: a feed may have stopped, a coding habit changed, or the "
        "people. `casewell sources check` says which feeds fell silent.",
        "Low and high are values that at least 8 people reach; a quantile with fewer than 8 people beyond it is left out. "
        "Of groups, counts from 1 to 7 are hidden (*), and so is what would tell of as few with a value; shares come "
        "from counts rounded to the nearest 5.",
    ]
    return f"<section><h2>How to read this</h2>{''.join(f'<p>{escape(point)}</p>' for point in points)}</section>"


def _section(name: str, title: str, says: str, draw: partial[Figure], table: str) -> str:
    return (
        f'<section><h2>{escape(title)}</h2><p class="says">{escape(says)}</p>{inline_svg(draw, name, title, says)}'
        f"<details><summary>The figures behind the picture</summary>{table}</details></section>"
    )


def _share(value: float) -> str:
    return NOTHING if pd.isna(value) or np.isnan(value) else f"{value:.1%}"
