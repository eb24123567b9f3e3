"""`fairness.html`: one page for a board, pictures and plain sentences, without script or network.

Every figure behind it stands in a table of `fairness_tables.html` (`fairness.analyst`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from casewell.page import document, inline_svg
from fairness.audit import Audit
from fairness.change import about_change
from fairness.charts import CHARTS
from fairness.controlled import controlled_totals
from fairness.gate import Verdict
from fairness.levels import CANNOT_TELL, FAIL, PASS
from fairness.sentences import (
    ABOUT_REMEDIES,
    ALSO_JUDGED,
    about_calibration,
    about_lost,
    about_need,
    about_places,
    about_practices,
    about_programmes,
    about_recording,
    about_remedies,
)

TABLES_PAGE = "fairness_tables.html"
HEADLINES = {
    PASS: "Pass: every group lies clearly within the limits",
    FAIL: "Fail: at least one group is beyond a limit, by more than chance, in places, in risk or in its records, or a programme seems to have done harm",
    CANNOT_TELL: "Cannot tell: the data are too few, or too much is missing, to call this list fair",
}
READING = (
    "Pass: for every group the whole interval lies within the limits. Fail: for some group it lies beyond a limit, by more than "
    "chance, or those who started a programme surely fared worse than people like them. Cannot tell: anything else; it is not a pass. Only a pass releases the lists by itself; otherwise a named "
    "owner must take responsibility, with a reason.",
    "Counts from 1 to 7 are hidden, others are rounded to the nearest 5, and a count stands until it has moved by 8 or more.",
)
GRADES = {
    "randomised": "learned from places given by lot",
    "compared": "learned by comparing like with like",
    "assumed": "assumed, not learned from this population",
}


def write_page(
    audit: Audit,
    verdict: Verdict,
    path: Path,
    *,
    title: str,
    as_of: dt.date,
    synthetic: bool,
    evidence_grade: str,
    price: Sequence[str] = (),
    beside: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write the page; equal audits give equal bytes. Every count is under disclosure control.

    `title` is plain text and is escaped, as is everything else. `evidence_grade` is one of
    models.tables.GRADES; `price` says what the policy on places costs, in sentences fit to be shown. `beside` says of
    each programme but case management its `grade`, and in one `sentence` where its benefit comes from.
    """
    sections = [
        verdict_section(verdict),
        _facts(audit, evidence_grade, beside or {}),
        _plain("Since the last audit", [about_change(audit, verdict.verdict)]),
        *([_plain("The price of the policy on places", price)] if price else []),
        _picture(audit, "places", "Share of places against share of need", about_places(audit)),
        _plain(
            "Ethnic category, disability, severe mental illness, inclusion health", [about_places(audit, ALSO_JUDGED)]
        ),
        _plain("Practices", [about_practices(audit)]),
        *([_plain("Places of each programme", several)] if (several := about_programmes(audit)) else []),
        _plain("What would help, in this order", [ABOUT_REMEDIES, *about_remedies(audit)]),
        _picture(audit, "need", "Need at the same risk", about_need(audit)),
        _picture(audit, "calibration", "Predicted and observed outcomes", about_calibration(audit)),
        _picture(audit, "recording", "On record before a hospital found it", about_recording(audit)),
        _picture(audit, "lost", "Lost before any model", about_lost(audit)),
        _plain(
            "How to read this", [*READING, f"The figures behind every picture, and the rules, are in {TABLES_PAGE}."]
        ),
    ]
    page = document(title, "Who got places, who needed them, and how sure we can be", as_of, synthetic, sections)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def verdict_section(verdict: Verdict) -> str:
    """Return the verdict, its reasons, and whether the lists go out."""
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    findings = "".join(f"<li>{escape(finding)}</li>" for finding in verdict.findings)
    also = f"<h3>The gate does not decide by this, and it is so</h3><ul>{findings}</ul>" if findings else ""
    released = "The lists are released." if verdict.released else "The lists are withheld."
    if verdict.lapsed:
        released += f" {escape(verdict.about_lapsed())}"
    if verdict.override:
        released = (
            f"The lists are released all the same, until {verdict.override.review_date}, by decision of "
            f"{escape(verdict.override.owner)}: {escape(verdict.override.reason)}"
        )
    return (
        f'<section class="verdict {verdict.verdict.replace(" ", "-")}"><h2>{HEADLINES[verdict.verdict]}</h2>'
        f'<p class="release">{released}</p><h3>Why</h3><ul>{reasons}</ul>{also}</section>'
    )


def _facts(audit: Audit, evidence_grade: str, beside: Mapping[str, Mapping[str, Any]]) -> str:
    totals = controlled_totals(audit)
    facts = [
        ("eligible", "people eligible"),
        ("listed", "places on the lists"),
        ("high_need", "people in high need"),
        ("tested", "people in the test window"),
    ]
    items = "".join(f"<li><b>{totals[name]}</b>{words}</li>" for name, words in facts)
    grade = GRADES.get(evidence_grade, "of unknown origin")
    ranked = "benefit of case management" if beside else "benefit"
    others = "".join(f"<p>{escape(told['sentence'])} (grade: {escape(told['grade'])})</p>" for told in beside.values())
    return (
        f'<section><ul class="facts">{items}</ul><p>The {ranked} by which people are ranked is '
        f"<strong>{escape(grade)}</strong> (grade: {escape(evidence_grade)}).</p>{others}</section>"
    )


def _plain(title: str, sentences: Sequence[str]) -> str:
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f"<section><h2>{title}</h2>{said}</section>"


def _picture(audit: Audit, name: str, title: str, sentence: str) -> str:
    return (
        f'<section><h2>{title}</h2><p class="says">{escape(sentence)}</p>'
        f"{inline_svg(partial(CHARTS[name], audit), name, title, sentence)}"
        f'<p><a href="{TABLES_PAGE}#{name}">The figures behind the picture</a></p></section>'
    )
