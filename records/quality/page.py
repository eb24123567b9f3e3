"""What the check found, as JSON and as one self-contained HTML page with pictures."""

from __future__ import annotations

import json
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from casewell.page import document, html_table, inline_svg
from records.quality import charts
from records.quality.check import Report
from records.quality.findings import INFORM, LOOK, SEVERITIES, STOP, shown

HEADINGS = {
    STOP: "Stops the run",
    LOOK: "Look at it",
    INFORM: "For information",
}
SMALL = "Counts of rows from 1 to 7 are shown as *fewer than 8* or not drawn, and nobody's values are on this page."


def verdict(report: Report) -> str:
    """Say in one sentence what follows."""
    stops, looks = ((report.findings["severity"] == severity).sum() for severity in (STOP, LOOK))
    look = "1 finding deserves" if looks == 1 else f"{looks} findings deserve"
    if stops:
        mend = "1 finding must be mended first" if stops == 1 else f"{stops} findings must be mended first"
        return f"A run would stop: {mend}" + (f", and {look} a look." if looks else ".")
    if looks:
        return f"A run would go through; {look} a look before its lists are believed."
    return "A run would go through, and nothing unusual was found."


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON can hold it; `rows` is null where it says nothing or is 1 to 7."""
    return {
        "as_of": report.as_of.isoformat(),
        "purpose": report.purpose,
        "synthetic": report.synthetic,
        "stops_the_run": report.stops,
        "verdict": verdict(report),
        "findings": [
            {
                **row,
                "month": None if pd.isna(row["month"]) else f"{row['month']:%Y-%m}",
                "rows": None if pd.isna(row["rows"]) else int(row["rows"]),
            }
            for row in report.findings.to_dict("records")
        ],
        "freshness": [
            {
                "source": one.source,
                "newest": one.newest.isoformat() if one.newest else None,
                "age_days": one.age_days,
                "usual_days": one.usual_days,
                "expected_every_days": one.expected_days,
                "stale": one.stale,
            }
            for one in report.freshness
        ],
    }


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write `sources.json` and `sources.html`; equal reports give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    told, page = folder / "sources.json", folder / "sources.html"
    told.write_text(json.dumps(as_json(report), indent=2) + "\n", encoding="utf-8", newline="\n")
    page.write_text(html(report), encoding="utf-8", newline="\n")
    return told, page


def html(report: Report) -> str:
    """Return the page."""
    sections = [_verdict(report), *(_findings(report, severity) for severity in SEVERITIES)]
    sections += [_freshness(report), _volumes(report), *_coverages(report), _missing(report), _method()]
    return document(
        "Sources checked",
        f"Every problem of every source, for {report.purpose.replace('_', ' ')}",
        report.as_of,
        report.synthetic,
        [section for section in sections if section],
    )


def _verdict(report: Report) -> str:
    looks = bool((report.findings["severity"] == LOOK).any())
    kind = "fail" if report.stops else "" if looks else "pass"
    return f'<section class="verdict {kind}"><h2>{escape(verdict(report))}</h2><p>{escape(SMALL.replace("*", ""))}</p></section>'


def _findings(report: Report, severity: str) -> str:
    rows = report.findings[report.findings["severity"] == severity]
    if rows.empty:
        return ""
    body = [(row.source or "all sources", row.check, row.sentence, row.advice) for row in rows.itertuples()]
    table = html_table(HEADINGS[severity], ("source", "check", "what was found", "what to do"), body)
    table = table.replace("<table>", '<table class="words">')
    if severity == INFORM:
        table = f"<details><summary>{len(body)} findings</summary>{table}</details>"
    return f"<style>.words td{{text-align:left}}</style><section><h2>{HEADINGS[severity]}</h2>{table}</section>"


def _freshness(report: Report) -> str:
    known = [one for one in report.freshness if one.age_days is not None]
    if not known:
        return ""
    stale = [one.source for one in known if one.stale]
    oldest = max(known, key=lambda one: one.age_days or 0)
    says = (
        f"Older than the settings expect: {', '.join(stale)}."
        if stale
        else f"No source is older than the settings expect; the oldest is {oldest.source}, {oldest.age_days} days."
    )
    body = [
        (one.source, str(one.newest or "none"), _days(one.age_days), _days(one.usual_days), _days(one.expected_days))
        for one in report.freshness
    ]
    head = ("source", "newest record", "age in days", "seldom older than", "expected every")
    return _section(
        "freshness",
        "How old each source is",
        says,
        partial(charts.freshness_chart, report.freshness),
        html_table("Age of each source", head, body),
    )


def _days(days: int | None) -> str:
    return "" if days is None else str(days)


def _volumes(report: Report) -> str:
    listed = ("demographics", "opt_outs")
    profiles = [p for p in report.profiles if not p.months.empty and p.about.table not in listed]
    if not profiles:
        return ""
    body = [
        (
            p.about.title,
            shown(p.rows),
            f"{p.months['month'].min():%b %Y}",
            f"{p.months['month'].max():%b %Y}",
            str(p.places["place"].replace("", None).nunique() or ""),
        )
        for p in profiles
    ]
    head = ("source", "rows", "first month drawn", "last month", "practices, hospitals or teams")
    says = "Rows by the month in which they happened. The newest months are lower where records take weeks to come."
    return _section(
        "volumes",
        "How much came each month",
        says,
        partial(charts.volume_chart, profiles),
        html_table("Rows of each source", head, body),
    )


def _coverages(report: Report) -> list[str]:
    sections = []
    for number, profile in enumerate(report.profiles):
        if profile.about.table == "demographics" or not profile.place_column or profile.months.empty:
            continue
        table = charts.coverage(profile)
        if len(table) < 2:
            continue
        says = (
            f"{profile.about.title}: each month of each {profile.place_column.removesuffix('_code')} against its own usual month. "
            "Red months have fewer rows, grey ones are too small to show"
            + (f"; the {charts.MOST_PLACES} with most missing." if len(table) == charts.MOST_PLACES else ".")
        )
        body = [
            (str(place), *(("" if pd.isna(value) else f"{value:.0%}") for value in row))
            for place, row in zip(table.index, table.to_numpy()[:, -12:], strict=True)
        ]
        head = (profile.place_column, *(f"{month:%b %y}" for month in table.columns[-12:]))
        sections.append(
            _section(
                f"coverage{number}",
                f"Coverage by place and month: {profile.about.title}",
                says,
                partial(charts.coverage_chart, profile),
                html_table("Share of the usual month, last twelve months", head, body),
            )
        )
    return sections


def _missing(report: Report) -> str:
    profiles = [p for p in report.profiles if not p.months.empty and (p.has("ethnic_category") or p.has("nhs_number"))]
    if not profiles:
        return ""
    body = [
        (
            p.name,
            _share(p.places["no_ethnicity"].sum(), p.places["rows"].sum()) if p.has("ethnic_category") else "",
            _share(p.places["no_number"].sum(), p.places["rows"].sum()) if p.has("nhs_number") else "",
            _share(p.bad_numbers, p.numbered) if p.has("nhs_number") else "",
        )
        for p in profiles
    ]
    head = ("source", "ethnicity not known", "without NHS number", "number fails its check")
    says = "By quarter. Whose ethnicity is not known cannot be checked for fairness; who has no NHS number is linked less surely."
    return _section(
        "missing",
        "What is missing",
        says,
        partial(charts.missing_chart, profiles),
        html_table("Share of rows", head, body),
    )


def _share(part: float, whole: float) -> str:
    return "" if not whole else "0.0%" if not part else "very few" if part < 8 else f"{part / whole:.1%}"


def _section(name: str, title: str, says: str, draw: Any, table: str) -> str:
    return (
        f'<section><h2>{escape(title)}</h2><p class="says">{escape(says)}</p>{inline_svg(draw, name, title, says)}'
        f"<details><summary>The figures behind the picture</summary>{table}</details></section>"
    )


def _method() -> str:
    points = [
        "A finding stops the run where the weekly run itself would refuse the source; everything else is for a person to judge.",
        "Months are judged once nine tenths of their records usually have come, each against the same place's other months "
        "and, with three places or more, against the others' same month. Limits stand under `quality` in the settings.",
        "A feed has stopped when nothing came for far longer than it was ever used to; how often it should come can be "
        "said with expected_every_days.",
    ]
    return f"<section><h2>How to read this</h2>{''.join(f'<p>{escape(point)}</p>' for point in points)}</section>"
