"""`policy.html` and `policy.json`: what the policy on places costs and moves, for a board."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from casewell.page import document, html_table, inline_svg
from casewell.settings import CASE_MANAGEMENT, CASE_MANAGEMENT_TITLE, Policy
from cohorts.policy import FLOORS, MOST_DEPRIVED, asked, deprivation_weights
from cohorts.price import Price
from cohorts.team_lists import GRADES_IN_WORDS
from fairness.charts import BLUE, DARK, GREY, PALE
from fairness.disclosure import HIDDEN, control, control_parts, shown_before, written

_COUNTS = ("people", "high_need", "before", "after", "entered", "left")


def sentences(found: Price, outcome: str, earlier: Mapping[str, Any] | None = None) -> list[str]:
    """Say in plain words what the policy costs and moves, counts under disclosure control.

    `earlier` is as for `controlled`.
    """
    moves = places_moved(found, earlier)
    besides = _beyond_policy(found, moves)
    before, after = found.row("by benefit alone"), found.row("chosen")
    lost = before["benefit"] - after["benefit"]
    if after["moved"] == 0:
        alone = "it would choose the list" if besides else "the list is the one"
        return [f"The policy moves no place: {alone} by benefit alone.", *besides]
    direction = "to" if after["core20"] >= before["core20"] else "away from"
    leave = "as many" if _leaving(before, after) == after["moved"] else _about(moves["left"])
    said = [
        f"This policy costs {lost:.2f} of the {before['benefit']:.2f} people expected to be spared the outcome "
        f"({outcome}), and moves {_about(moves['core20'])} places {direction} the most deprived fifth.",
        f"{_about(moves['entered']).capitalize()} people are listed who would not be by benefit alone, and {leave} are not who would be.",
    ]
    if before["small"] or after["small"]:
        return [
            *said,
            *besides,
            "Some fifth has too few places, or people in high need, to show how places lean along deprivation.",
        ]
    leaning = (
        "Horizontal inequity (0: places follow need along deprivation; below 0: they lean to the most deprived) goes "
        f"from {before['inequity']:+.3f} to {after['inequity']:+.3f}."
    )
    return [*said, *besides, leaning]


def places_moved(found: Price, earlier: Mapping[str, Any] | None = None) -> pd.Series:
    """Return what the policy moves, fit to show (hidden counts missing): `core20`, places to or from the most deprived fifth;
    `entered` and `left`, people; `besides`, places moved by the limit on changes and lots. `earlier` is as for `controlled`.
    """
    before, after = found.row("by benefit alone"), found.row("chosen")
    listed = found.frontier.loc[found.frontier["policy"] == "as listed", "moved"]
    counts = {
        "core20": abs(after["core20"] - before["core20"]),
        "entered": after["moved"],
        "left": _leaving(before, after),
        "besides": listed.sum(),
    }
    exact = pd.DataFrame({"what": list(counts), "count": list(counts.values())}).astype({"count": "float64"})
    then = shown_before((earlier or {}).get("moves", []), exact, ["what"], "count")
    return control(exact["count"], then).set_axis(exact["what"])


def _leaving(before: pd.Series, after: pd.Series) -> int:
    # With several programmes a policy may fill more places or fewer.
    return int(before["places"] - after["places"] + after["moved"])


def of_programmes(found: Price, titles: Mapping[str, str], earlier: Mapping[str, Any] | None = None) -> list[str]:
    """Say what each programme's places bring and cost, and what the budgets cost; nothing where there is only case management.

    `earlier` is as for `controlled`.
    """
    fit = controlled(found, earlier)
    said = []
    for _, row in fit.programmes.iterrows():
        filled = f"{written(row['filled'])} of {written(row['places'])} places filled"
        brings = "" if pd.isna(row["benefit"]) else f", {row['benefit']:.2f} people expected to be spared"
        costs = f", about £{row['pounds']:,.0f}" if row["pounds"] > 0 else ""
        said.append(f"{titles.get(row['programme'], CASE_MANAGEMENT_TITLE)}: {filled}{brings}{costs}.")
    if found.budgets_cost is not None:
        said.append(
            f"The teams' budgets cost {found.budgets_cost:.2f} people expected to be spared, under the same policy."
        )
    return said


def _policy_alone(found: Price) -> bool:
    return not (found.frontier["policy"] == "as listed").any()


def _beyond_policy(found: Price, moves: pd.Series) -> list[str]:
    """Say what the limit on changes, and lots, cost and move besides the policy; nothing where they move no place."""
    if _policy_alone(found):
        return []
    policy, listed = found.row("chosen"), found.row("as listed")
    return [
        f"The limit on changes since the last list, or a lot at a team's margin, moves {_about(moves['besides'])} places "
        f"besides, and costs {policy['benefit'] - listed['benefit']:.2f} people expected to be spared: no part of the policy's price."
    ]


def controlled(found: Price, earlier: Mapping[str, Any] | None = None) -> Price:
    """Return the figures fit to show: counts under disclosure control, hidden ones missing.

    `earlier` is what the week before showed (its `to_json`): a fifth's or a programme's count stands until it has moved far enough, or
    two weeks held side by side would tell of single people.

    Where the most deprived fifth's places are hidden among the fifths, they are in no list: several lists are the same.
    An index is hidden where a fifth's count is, which it could give away.
    """
    fifths = found.fifths.assign(
        **{name: control_parts(found.fifths[name], before=_shown_before(found, name, earlier)) for name in _COUNTS}
    )
    hidden = fifths.loc[fifths["fifth"] == MOST_DEPRIVED, ["before", "after"]].isna().any(axis=None)
    then = {name: _frontier_before(found, name, earlier) for name in ("places", "core20")}
    frontier = found.frontier.drop(columns="moved").assign(
        places=control(found.frontier["places"].astype("float64"), then["places"]),
        core20=np.nan if hidden else control(found.frontier["core20"].astype("float64"), then["core20"]),
        benefit=found.frontier["benefit"].round(3),
        **found.frontier[["concentration", "inequity"]].mask(found.frontier["small"]).round(3),
    )
    told = (earlier or {}).get("programmes", [])
    programmes = found.programmes.assign(
        **{
            name: control_parts(
                found.programmes[name], before=shown_before(told, found.programmes, ["programme"], name)
            )
            for name in ("places", "filled")
        }
    )
    # What a place costs is known, so that pounds would give a hidden count away.
    pounds = (programmes["pounds"] / found.programmes["filled"] * programmes["filled"]).round(2)
    benefit = programmes["benefit"].round(3).where(programmes["filled"].notna())
    programmes = programmes.assign(benefit=benefit, pounds=pounds)
    return Price(frontier, fifths, programmes, found.budgets_cost)


def _shown_before(found: Price, name: str, earlier: Mapping[str, Any] | None) -> pd.Series:
    """Return what the earlier week showed of each fifth's count, as `control_parts` takes it."""
    return shown_before((earlier or {}).get("fifths", []), found.fifths, ["fifth"], name)


def _frontier_before(found: Price, name: str, earlier: Mapping[str, Any] | None) -> pd.Series:
    rows = (earlier or {}).get("frontier", [])
    return shown_before(rows, found.frontier, ["policy", "inequality_aversion"], name)


def to_json(
    found: Price,
    policy: Policy,
    outcome: str,
    grade: str,
    titles: Mapping[str, str] | None = None,
    beside: Mapping[str, Mapping[str, Any]] | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the page says as plain values; hidden counts are null. What is given is as for `write_price_page`."""
    fit = controlled(found, earlier)
    several = {"programmes": json.loads(fit.programmes.to_json(orient="records"))} if len(fit.programmes) else {}
    return several | {
        "policy": policy.model_dump(mode="json"),
        "weights": {fifth: round(weight, 4) for fifth, weight in deprivation_weights(policy).items()},
        "evidence_grade": grade,
        "evidence_grades": {CASE_MANAGEMENT: grade} | {code: told["grade"] for code, told in (beside or {}).items()},
        "outcome": outcome,
        "moves": json.loads(places_moved(found, earlier).rename("count").reset_index().to_json(orient="records")),
        "says": [*sentences(found, outcome, earlier), *of_programmes(found, titles or {}, earlier)],
        "frontier": json.loads(fit.frontier.to_json(orient="records")),
        "fifths": json.loads(fit.fifths.to_json(orient="records")),
    }


def write_price_page(
    found: Price,
    policy: Policy,
    path: Path,
    *,
    name: str,
    as_of: dt.date,
    synthetic: bool,
    outcome: str,
    grade: str,
    titles: Mapping[str, str] | None = None,
    beside: Mapping[str, Mapping[str, Any]] | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> Path:
    """Write the page; equal figures give equal bytes.

    `grade` is case management's, one of models.tables.GRADES; `titles` are those of several programmes, and `beside` says of each but case
    management its `grade`, and in one `sentence` where its benefit comes from. `earlier` is as for `controlled`.
    """
    said = " ".join(sentences(found, outcome, earlier))
    fit = controlled(found, earlier)
    sections = [
        f'<section><h2>{escape(_headline(policy, found))}</h2><p class="says">{escape(said)}</p>'
        f"<p>{escape(GRADES_IN_WORDS[grade])} The cost is counted in that benefit, and is no surer than it is.</p></section>",
        *([_programmes(found, titles or {}, beside or {}, earlier)] if len(found.programmes) else []),
        _rules(policy),
        _section(
            "fifths",
            "Who has the places",
            "Places of each deprivation fifth by benefit alone and as listed, beside its people in high need.",
            partial(_fifths_chart, fit),
            _fifths_table(fit),
        ),
        _section(
            "frontier",
            "What more or less inequality aversion would cost",
            "Each point is a list that could be made this week under the policy's other rules: further right is more benefit, "
            "further down leans more to the most deprived.",
            partial(_frontier_chart, fit),
            _frontier_table(fit),
        ),
    ]
    page = document(
        f"The price of the policy on places: {name}", "What it costs, and whom it moves", as_of, synthetic, sections
    )
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _about(controlled: float) -> str:
    return "a few" if pd.isna(controlled) else f"about {written(controlled)}" if controlled else "no"


def _headline(policy: Policy, found: Price) -> str:
    if not policy.chosen:
        return "No policy is set: places go by benefit alone" if _policy_alone(found) else "No policy is set"
    return f"A policy of {policy.owner}, to be reviewed by {policy.review_date}"


def _programmes(
    found: Price,
    titles: Mapping[str, str],
    beside: Mapping[str, Mapping[str, Any]],
    earlier: Mapping[str, Any] | None,
) -> str:
    said = [
        *of_programmes(found, titles, earlier),
        *(f"{told['sentence']} (grade: {told['grade']})" for told in beside.values()),
    ]
    lines = "".join(f"<li>{escape(line)}</li>" for line in said)
    return f"<section><h2>What the programmes bring, and cost</h2><ul>{lines}</ul></section>"


def _rules(policy: Policy) -> str:
    weights = ", ".join(f"{fifth}: {weight:.2f}" for fifth, weight in deprivation_weights(policy).items())
    rules = [
        f"Inequality aversion ({policy.welfare.capitalize()}) {policy.inequality_aversion:g}. A benefit counts, by deprivation fifth: {weights}."
    ]
    rules += [f"Floor {key.removeprefix(FLOORS)}: {value:g}." for key, value in asked(policy).items()]
    rules += [f"Benefit by {grouping}: {given}." for grouping, given in sorted(policy.group_weights.items())]
    if policy.legal_basis:
        rules.append(f"Legal basis for protected characteristics: {policy.legal_basis}.")
    return f"<section><h2>The rules</h2><ul>{''.join(f'<li>{escape(rule)}</li>' for rule in rules)}</ul></section>"


def _section(name: str, title: str, sentence: str, draw: Any, table: str) -> str:
    return (
        f'<section><h2>{title}</h2><p class="says">{escape(sentence)}</p>{inline_svg(draw, name, title, sentence)}'
        f"<details><summary>The figures behind the picture</summary>{table}"
        "<p>Counts from 1 to 7 are hidden (*), others are rounded to the nearest 5; where one count of a column is hidden, "
        "so is the next smallest.</p></details></section>"
    )


def _fifths_table(fit: Price) -> str:
    head = [
        "Deprivation fifth",
        "People",
        "High need",
        "Places by benefit alone",
        "Places as listed",
        "Enter",
        "Leave",
    ]
    body = [[row["fifth"], *(written(row[name]) for name in _COUNTS)] for _, row in fit.fifths.iterrows()]
    return html_table("Places by deprivation fifth", head, body)


def _frontier_table(fit: Price) -> str:
    head = [
        "List",
        "Inequality aversion",
        "People expected to be spared",
        "Places of the most deprived fifth",
        "Concentration index of places",
        "Horizontal inequity",
    ]
    body = [
        [
            row["policy"],
            f"{row['inequality_aversion']:g}",
            f"{row['benefit']:.2f}",
            written(row["core20"]),
            _index(row["concentration"]),
            _index(row["inequity"]),
        ]
        for _, row in fit.frontier.iterrows()
    ]
    return html_table("Lists that could be made", head, body)


def _index(value: float) -> str:
    return HIDDEN if pd.isna(value) else f"{value:+.3f}"


def _fifths_chart(fit: Price) -> Figure:
    figure = Figure(figsize=(9.4, 3.6), layout="constrained")
    axes = figure.subplots()
    table = fit.fifths.fillna(0)
    need = table["high_need"] / max(table["high_need"].sum(), 1) * table["after"].sum()
    for shift, values, colour, label in (
        (-0.27, need, PALE, "places in proportion to high need"),
        (0.0, table["before"], GREY, "by benefit alone"),
        (0.27, table["after"], BLUE, "as listed"),
    ):
        axes.bar(
            [at + shift for at in range(len(table))],
            values,
            0.25,
            color=colour,
            edgecolor=DARK,
            linewidth=0.4,
            label=label,
        )
    axes.set_xticks(range(len(table)), table["fifth"])
    axes.set_ylabel("places (hidden counts are not drawn)")
    axes.legend(frameon=False)
    return figure


def _frontier_chart(fit: Price) -> Figure:
    figure = Figure(figsize=(9.4, 4.0), layout="constrained")
    axes = figure.subplots()
    tried = fit.frontier[fit.frontier["policy"] == "tried"]
    axes.plot(
        tried["benefit"], tried["inequity"], color=GREY, marker="o", markersize=4, label="inequality aversion tried"
    )
    for _, row in tried.dropna(subset=["inequity"]).drop_duplicates(["benefit", "inequity"]).iterrows():
        axes.annotate(
            f"{row['inequality_aversion']:g}",
            (row["benefit"], row["inequity"]),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
        )
    for policy, marker, colour in (("by benefit alone", "s", DARK), ("chosen", "D", BLUE)):
        row = fit.row(policy)
        axes.plot(
            [row["benefit"]],
            [row["inequity"]],
            linestyle="none",
            marker=marker,
            markersize=8,
            color=colour,
            label=policy,
        )
    axes.axhline(0, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xlabel("people expected to be spared the outcome")
    axes.set_ylabel("horizontal inequity")
    axes.grid(color=PALE)
    axes.legend(frameon=False)
    return figure
