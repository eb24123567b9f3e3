"""`monitoring.html`: whether this week may be trusted as much as the last, for whoever answers for the model."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from casewell.page import document, html_table, inline_svg
from casewell.settings import Monitoring
from features.drift import LOOK as LOOK_AT
from features.drift import SHIFTED
from monitoring.findings import PAST
from monitoring.maturing import EARLY, IN_FULL
from monitoring.pictures import calibration_figure, causes_figure, scores_figure, shares_figure
from monitoring.record import (
    shown_calibration,
    shown_causes,
    shown_codes,
    shown_feeds,
    shown_leaks,
    shown_list,
    shown_need,
    shown_population,
    shown_scores,
)
from monitoring.week import Week

HIDDEN, NOTHING = "*", "–"  # noqa: RUF001
METHOD = (
    "Feeds: rows counted by the day on which they became known; a feed is silent for a practice from which next to nothing came "
    "where ten rows or more were to be expected. Features and risks: population stability index over bins made in training; "
    f"above {LOOK_AT} deserves a look, above {SHIFTED} is large, by convention. Codes: those in steady use that vanish in the month in "
    "which another appears. Leaks: of people with a code in the last half year, how many have had the outcome since, against the "
    "same a year before; a record that is written because of the outcome has always been followed by it. Earlier weeks: outcomes "
    "observed over predicted, with an exact Poisson interval, among people who were not taken on by case management. Counts of "
    "1 to 7 are hidden (*), others are rounded to the nearest 5, shares come from rounded counts, and where one part of a whole would "
    "be hidden alone so is the next smallest. A count stands until it has moved by 8 or more, so that two weeks side by side give "
    "nobody away. Ratios, slopes and indices are worked out from exact counts: ask whoever answers for disclosure before publishing any."
)


def write_page(week: Week, limits: Monitoring, path: Path) -> Path:
    """Write the page; equal weeks give equal bytes."""
    sections = [
        _verdict(week),
        _feeds(week, limits),
        _features(week, limits),
        _scores(week, limits),
        _calibration(week, limits),
        _list(week),
        _codes(week),
        _leaks(week),
        _population(week),
        _need(week),
        f"<section><h2>How to read this</h2><p>{escape(METHOD)}</p></section>",
    ]
    page = document(
        f"Can this week be trusted? {week.name}", f"Model {week.model}", week.as_of, week.synthetic, sections
    )
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _verdict(week: Week) -> str:
    kind = "pass" if not week.findings else "fail" if any(finding.level == PAST for finding in week.findings) else ""
    items = "".join(
        f"<li><strong>{escape(finding.check)}</strong> ({escape(finding.level)}): {escape(finding.sentence)} "
        f"{escape(finding.advice)}</li>"
        for finding in week.findings
    )
    without = (
        f'<p class="release">The scores were made by the model trained without: {escape(", ".join(week.without))}.</p>'
        if week.without
        else ""
    )
    return f'<section class="verdict {kind}"><h2>{escape(week.headline())}</h2>{without}<ul>{items}</ul></section>'


def _feeds(week: Week, limits: Monitoring) -> str:
    table = shown_feeds(week)
    silent = week.feeds[week.feeds["share"] > limits.silent_people_to_look_at]
    says = (
        f"For nearly everybody records still come from each of the {len(table)} sources that sent any in the last three years."
        if silent.empty
        else f"Records have stopped coming for some people from: {', '.join(silent['source'])}."
    )
    body = [
        [row.source, row.newest, f"{row.window_days}", _count(row.people), _count(row.silent), _tenths(row.share)]
        for row in table.itertuples()
    ]
    head = ["Source", "Newest record known", "Days judged", "People it comes for", "Of them silent", "Share"]
    picture = partial(
        shares_figure, table, limits.silent_people_to_look_at, limits.maximum_silent_people, "people with a silent feed"
    )
    return _section("feeds", "Do the feeds still come?", says, html_table("Every feed", head, body), picture)


def _features(week: Week, limits: Monitoring) -> str:
    table = week.features
    if table.empty:
        return _section(
            "features", "Have features shifted?", "Nothing was compared: the champion's training kept no summary.", ""
        )
    most = table.sort_values(["shifted", "source"], ascending=[False, True]).iloc[0]
    says = (
        f"{int(table['shifted'].sum())} of the {int(table['features'].sum())} features with a window that the model uses have shifted since "
        f"training"
        + (f", most of them in {most['source']}." if most["shifted"] else ".")
        + " profile.html has every feature."
    )
    body = [
        [row.source, f"{row.features}", f"{row.shifted}", f"{row.share:.0%}", row.furthest, f"{row.psi:.2f}"]
        for row in table.itertuples()
    ]
    head = ["Source", "Features used", "Shifted", "Share", "Furthest", "Its index"]
    picture = partial(
        shares_figure, table, limits.shifted_features_to_look_at, limits.maximum_shifted_features, "features shifted"
    )
    return _section("features", "Have features shifted?", says, html_table("Shifts by source", head, body), picture)


def _scores(week: Week, limits: Monitoring) -> str:
    scores = {since: table for since, table in shown_scores(week).items() if len(table)}
    if not scores:
        return _section("scores", "Have the risks moved?", "There is nothing to compare the risks with yet.", "")
    says = " ".join(
        f"Since {since} the index is {table['psi'].iloc[0]:.3f} (by chance alone seldom above {table['chance'].iloc[0]:.3f}); "
        f"{limits.score_shift:.2f} is the limit."
        for since, table in scores.items()
    )
    body = [
        [f"{since}: {row.above:.3f} to {row.up_to:.3f}", _tenths(row.then), _tenths(row.now)]
        for since, table in scores.items()
        for row in table.itertuples()
    ]
    return _section(
        "scores", "Have the risks moved?", says,
        html_table("Share of people by risk", ["Compared with, and risk", "Then", "Now"], body), partial(scores_figure, scores),
    )  # fmt: skip


def _calibration(week: Week, limits: Monitoring) -> str:
    title, table = "Does what was predicted come true?", shown_calibration(week)
    told = table.dropna(subset=["ratio"])
    if told.empty:
        return _section(
            "calibration",
            title,
            f"No earlier week can be judged yet: the first reading comes {limits.early_days} days after a week's list, the reading "
            "in full once its outcomes are known.",
            "",
        )
    newest = {reading: rows.iloc[-1] for reading, rows in told.groupby("reading")}
    says = " ".join(
        f"{words} of {row['week']} {row['ratio']:.2f} times as many as expected had the outcome ({row['low']:.2f} to "
        f"{row['high']:.2f}); slope {row['slope']:.2f} ({row['slope_low']:.2f} to {row['slope_high']:.2f}); 1 is right."
        for reading, words in ((IN_FULL, "In full: of the people"), (EARLY, "Early: of the people"))
        if (row := newest.get(reading)) is not None
    )
    body = [
        [
            f"{row.week}, {row.reading}",
            f"{row.days}",
            _count(row.people),
            _count(row.observed),
            _count(row.expected),
            _interval(row.ratio, row.low, row.high),
            _interval(row.slope, row.slope_low, row.slope_high),
        ]
        for row in table.itertuples()
    ]
    head = ["Week and reading", "Days", "People", "Observed", "Expected", "Observed over expected", "Slope"]
    return _section(
        "calibration", title, says, html_table("Earlier weeks", head, body), partial(calibration_figure, told)
    )


def _list(week: Week) -> str:
    title = "Who came and went, and why"
    if week.churn is None:
        return _section("list", title, "There is no earlier list to compare this one with.", "")
    causes, many = shown_causes(week), shown_list(week)
    says = (
        f"Since {week.churn.since} {many['entered']} people came onto the list and {many['left']} left it; "
        f"{many['listed_then']} were listed then, {many['listed_now']} are now."
    )
    body = [[f"{row.movement}: {row.cause}", _count(row.people)] for row in causes.itertuples()]
    picture = partial(causes_figure, causes) if len(causes) else None
    return _section("list", title, says, html_table("By cause", ["Movement and cause", "People"], body), picture)


def _codes(week: Week) -> str:
    says = (
        "No code in steady use gave way to another."
        if week.codes.empty
        else f"{len(week.codes)} code(s) in steady use gave way to others: a change of coding, not of health."
    )
    body = [
        [row.code, row.source, row.place or "everywhere", f"{row.month:%B %Y}", _count(row.usual), row.instead]
        for row in shown_codes(week).itertuples()
    ]
    head = ["Code", "Source", "Practice", "From", "Rows a month before", "Appeared instead"]
    return _section("codes", "Has coding changed?", says, html_table("Codes that gave way", head, body) if body else "")


def _leaks(week: Week) -> str:
    leaking = week.leaks.loc[week.leaks["leaks"], "code"].tolist()
    says = (
        f"Of {len(week.leaks)} codes judged none seems to be written because of the outcome."
        if not leaking
        else f"Of {len(week.leaks)} codes judged these seem to be written because of the outcome: {', '.join(leaking)}."
    )
    body = [
        [
            row.code,
            _count(row.people),
            _share(row.share),
            _share(row.share_then),
            HIDDEN if pd.isna(row.beyond_chance) else f"{row.beyond_chance:.1f}",
            "yes" if row.leaks else "no",
        ]
        for row in shown_leaks(week).itertuples()
    ]
    head = ["Code", "People, last half year", "Outcome since", "A year before", "Standard errors", "Leak"]
    table = html_table("The codes whose share has grown most", head, body)
    return _section("leaks", "Do records know what came after them?", says, table)


def _population(week: Week) -> str:
    found, table = week.composition, shown_population(week)
    admitted = (
        "how often people were admitted cannot be compared."
        if np.isnan(found.rate)
        else f"at the same ages they were admitted {found.rate:.2f} times as often as in the year before ({found.low:.2f} to {found.high:.2f})."
    )
    told = table.dropna(subset=["share", "share_then", "beyond_chance"])
    if told.empty:
        says = f"Every group of age by deprivation is too small to be shown; {admitted}"
    else:
        most = told.loc[told["beyond_chance"].abs().idxmax()]
        says = (
            f"Within a year the group of age by deprivation, of those that may be shown, that moved furthest beyond chance is "
            f"{most['age_band']}, {most['imd_quintile']}: from {most['share_then']:.1%} to {most['share']:.1%} of people; {admitted}"
        )
    body = [
        [
            f"{row.age_band}, deprivation {row.imd_quintile}",
            _count(row.people),
            _count(row.came),
            _count(row.left),
            _share(row.growth),
        ]
        for row in table.itertuples()
    ]
    head = ["Age and deprivation fifth", "People a year ago", "Came into it", "Left it", "Growth"]
    return _section("population", "Are these still the same people?", says, html_table("Groups", head, body))


def _need(week: Week) -> str:
    table = shown_need(week)
    added = table["need_expected"] - table["need"]
    if not (added > 0).any():
        says = (
            "How complete the records of illness are cannot be told: too few people have been looked at by a hospital, or are here "
            "at all."
        )
        return _section("need", "What need is likely to be missing?", says, "")
    most = table.loc[added.idxmax()]
    says = (
        "Of the conditions that hospitals find, some were not on record before. If everybody had been looked at alike, need would "
        f"be recorded as {most['need_expected']:.2f} on average in deprivation fifth {most['imd_quintile']}, where "
        f"{most['need']:.2f} is. This assumes that hospitals look at everybody they admit alike, and that whoever was not admitted "
        "is recorded like those who were and are like them."
    )
    body = [
        [row.imd_quintile, _count(row.people), _mean(row.need), _mean(row.need_expected)] for row in table.itertuples()
    ]
    head = ["Deprivation fifth", "People", "Need recorded", "Need expected"]
    return _section("need", "What need is likely to be missing?", says, html_table("Mean need", head, body))


def _mean(value: float) -> str:
    return HIDDEN if pd.isna(value) else f"{value:.2f}"


def _section(name: str, title: str, says: str, table: str, picture: partial | None = None) -> str:
    drawn = inline_svg(picture, name, title, says) if picture is not None else ""
    folded = f"<details><summary>The figures behind it</summary>{table}</details>" if table else ""
    return f'<section><h2>{escape(title)}</h2><p class="says">{escape(says)}</p>{drawn}{folded}</section>'


def _count(number: float) -> str:
    return HIDDEN if pd.isna(number) else f"{number:,.0f}"


def _tenths(share: float) -> str:
    return HIDDEN if pd.isna(share) else f"{share:.1%}"


def _share(share: float) -> str:
    return HIDDEN if pd.isna(share) else f"{share:.0%}"


def _interval(value: float, low: float, high: float) -> str:
    return "too few to tell" if pd.isna(value) else f"{value:.2f} ({low:.2f} to {high:.2f})"
