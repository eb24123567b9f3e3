"""`fairness.html`: one self-contained page for a board, without script or network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html import escape
from pathlib import Path

from fairness.audit import Audit
from fairness.charts import inline_svg
from fairness.disclosure import controlled_totals
from fairness.gate import RULE, Verdict
from fairness.groups import GROUPING_NAMES
from fairness.levels import CANNOT_TELL, FAIL, PASS
from fairness.sentences import SHOWN, about_calibration, about_need, about_places
from fairness.tables import need_table, outcomes_table, places_table

Table = Callable[[Audit, str], str]
HEADLINES = {
    PASS: "Pass: every group lies clearly within the limits",
    FAIL: "Fail: at least one group is beyond a limit, by more than chance",
    CANNOT_TELL: "Cannot tell: there is not enough data to call this list fair",
}
GRADES = {
    "randomised": "learned from places given by lot",
    "compared": "learned by comparing like with like",
    "assumed": "assumed, not learned from this population",
}
STYLE = """
body{margin:0;background:#f0f4f5;color:#212b32;font:17px/1.5 Arial,sans-serif}
header{background:#005eb8;color:#fff;padding:20px 0}
header p,h1{margin:0}h1{font-size:30px}
.wide{max-width:1000px;margin:0 auto;padding:0 20px}
.synthetic{background:#ffeb3b;color:#212b32;font-weight:bold;padding:10px 0;border-bottom:4px solid #212b32}
section{background:#fff;border:1px solid #d8dde0;margin:24px 0;padding:20px 24px}
h2{font-size:23px;margin:0 0 8px}h3{font-size:18px}
.verdict{border-left:12px solid #425563}.verdict h2{font-size:27px}
.pass{border-left-color:#007f3b}.pass h2{color:#00662f}.fail{border-left-color:#d5281b}.fail h2{color:#b4160a}
.verdict li{margin:4px 0}.release{font-weight:bold}
.says{font-size:19px;max-width:46em}
.facts{display:flex;flex-wrap:wrap;gap:8px 36px;margin:0;padding:0;list-style:none}.facts b{display:block;font-size:24px}
svg{width:100%;height:auto;display:block;margin:12px 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;margin:12px 0}
caption{text-align:left;font-weight:bold;padding:6px 0}
th,td{text-align:right;padding:5px 8px;border-bottom:1px solid #d8dde0;vertical-align:top}
th:first-child{text-align:left}thead th{border-bottom:2px solid #425563}
summary{cursor:pointer;color:#005eb8;font-weight:bold;padding:6px 0}
:focus{outline:3px solid #ffeb3b;outline-offset:2px;box-shadow:0 0 0 3px #212b32}
@media print{body{background:#fff}section{border:0;break-inside:avoid}}
"""


def write_page(
    audit: Audit,
    verdict: Verdict,
    path: Path,
    *,
    title: str,
    as_of: dt.date,
    synthetic: bool,
    evidence_grade: str,
) -> Path:
    """Write the page; equal audits give equal bytes. Every count is under disclosure control.

    `title` is plain text and is escaped, as is everything else. `evidence_grade` is one of
    models.tables.GRADES.
    """
    parts = [
        _head(title, as_of, synthetic),
        _verdict(verdict),
        _facts(audit, evidence_grade),
        _section(audit, "places", "Share of places against share of need", about_places(audit), places_table, SHOWN),
        _section(
            audit, "need", "Need at the same risk", about_need(audit), need_table, ("imd_quintile", "ethnic_group")
        ),
        _section(
            audit, "calibration", "Predicted and observed outcomes", about_calibration(audit), outcomes_table, SHOWN
        ),
        _crossing(audit),
        _method(audit),
        "</main></body></html>\n",
    ]
    path.write_text("\n".join(parts), encoding="utf-8", newline="\n")
    return path


def _head(title: str, as_of: dt.date, synthetic: bool) -> str:
    banner = (
        '<div class="synthetic" role="note"><div class="wide">SYNTHETIC: no real person is behind these figures</div></div>'
        if synthetic
        else ""
    )
    day = f"{as_of.day} {as_of:%B %Y}"
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}, {day}</title>'
        f'<style>{STYLE}</style></head><body>{banner}<header><div class="wide"><h1>{escape(title)}</h1>'
        f'<p>Is the list of {day} fair?</p></div></header><main class="wide">'
    )


def _verdict(verdict: Verdict) -> str:
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    released = "The lists are released." if verdict.released else "The lists are withheld."
    if verdict.override:
        released = (
            f"The lists are released all the same, by decision of {escape(verdict.override.owner)}: "
            f"{escape(verdict.override.reason)}"
        )
    return (
        f'<section class="verdict {verdict.verdict.replace(" ", "-")}"><h2>{HEADLINES[verdict.verdict]}</h2>'
        f'<p class="release">{released}</p><h3>Why</h3><ul>{reasons}</ul></section>'
    )


def _facts(audit: Audit, evidence_grade: str) -> str:
    totals = controlled_totals(audit)
    facts = [
        ("eligible", "people eligible"),
        ("listed", "places on the lists"),
        ("high_need", "people in high need"),
        ("tested", "people in the test window"),
    ]
    items = "".join(f"<li><b>{totals[name]}</b>{words}</li>" for name, words in facts)
    grade = GRADES.get(evidence_grade, "of unknown origin")
    return (
        f'<section><ul class="facts">{items}</ul><p>The benefit by which people are ranked is '
        f"<strong>{escape(grade)}</strong> (grade: {escape(evidence_grade)}).</p></section>"
    )


def _section(audit: Audit, name: str, title: str, sentence: str, table: Table, groupings: tuple[str, ...]) -> str:
    tables = "".join(table(audit, grouping) for grouping in groupings)
    return (
        f'<section><h2>{title}</h2><p class="says">{escape(sentence)}</p>'
        f"{inline_svg(audit, name, title, escape(sentence))}"
        f"<details><summary>The figures behind the picture</summary>{tables}</details></section>"
    )


def _crossing(audit: Audit) -> str:
    name = "imd_by_ethnicity"
    return (
        f"<section><h2>{GROUPING_NAMES[name]}</h2><p>Small groups hide unfairness, and small numbers imitate it: "
        "where a group is too small the verdict says so.</p><details><summary>Places, need and prediction</summary>"
        f"{places_table(audit, name)}{outcomes_table(audit, name)}</details></section>"
    )


def _method(audit: Audit) -> str:
    limits = audit.settings
    gated = ", ".join(GROUPING_NAMES[name].lower() for name in GROUPING_NAMES if name in limits.gate_on)
    points = [
        RULE,
        f"The gate decides on {gated}: {audit.totals['comparisons']} comparisons in groups of at least "
        f"{limits.minimum_people} people. Other groupings are shown with the verdict they would have had.",
        f"High need is the top {limits.need_share:.0%} of eligible people by need score, ties included. When there are "
        "fewer places than people in high need, most go without in every group: compare the groups, not the level.",
        f"Limits: share of places over share of need at least {limits.minimum_share_ratio:.2f}; observed over predicted "
        f"between {1 / limits.maximum_calibration_ratio:.2f} and {limits.maximum_calibration_ratio:.2f}. Intervals are "
        f"at {limits.confidence:.0%} confidence.",
        "Counts from 1 to 7 are hidden (*), others are rounded to the nearest 5, and shares come from rounded counts. "
        "A dash means that a figure cannot be worked out.",
    ]
    return f"<section><h2>How to read this</h2>{''.join(f'<p>{escape(point)}</p>' for point in points)}</section>"
