"""`fairness.html`: one self-contained page for a board, without script or network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

from casewell.page import document, inline_svg
from casewell.settings import Fairness
from fairness.audit import Audit
from fairness.charts import CHARTS
from fairness.disclosure import controlled_totals
from fairness.further import further_section
from fairness.gate import RULE, Verdict
from fairness.groups import GROUPING_NAMES
from fairness.levels import CANNOT_TELL, FAIL, PASS
from fairness.sentences import SHOWN, about_calibration, about_lost, about_need, about_places
from fairness.tables import lost_differences_table, lost_table, need_table, outcomes_table, places_table
from records.lost import GROUPINGS

Table = Callable[[Audit, str], str]
HEADLINES = {
    PASS: "Pass: every group lies clearly within the limits",
    FAIL: "Fail: at least one group is beyond a limit, by more than chance, in places, in risk or in its records",
    CANNOT_TELL: "Cannot tell: the data are too few, or too much is missing, to call this list fair",
}
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
) -> Path:
    """Write the page; equal audits give equal bytes. Every count is under disclosure control.

    `title` is plain text and is escaped, as is everything else. `evidence_grade` is one of
    models.tables.GRADES.
    """
    sections = [
        _verdict(verdict),
        _facts(audit, evidence_grade),
        _section(audit, "places", "Share of places against share of need", about_places(audit), places_table, SHOWN),
        _section(
            audit, "need", "Need at the same risk", about_need(audit), need_table, ("imd_quintile", "ethnic_group")
        ),
        _section(
            audit, "calibration", "Predicted and observed outcomes", about_calibration(audit), outcomes_table, SHOWN
        ),
        _section(audit, "lost", "Lost before any model", about_lost(audit), _lost_tables, tuple(GROUPINGS)),
        further_section(audit),
        _crossing(audit),
        _method(audit),
    ]
    page = document(title, "Who got places, who needed them, and how sure we can be", as_of, synthetic, sections)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _verdict(verdict: Verdict) -> str:
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    findings = "".join(f"<li>{escape(finding)}</li>" for finding in verdict.findings)
    also = f"<h3>The gate does not decide by this, and it is so</h3><ul>{findings}</ul>" if findings else ""
    released = "The lists are released." if verdict.released else "The lists are withheld."
    if verdict.override:
        released = (
            f"The lists are released all the same, by decision of {escape(verdict.override.owner)}: "
            f"{escape(verdict.override.reason)}"
        )
    return (
        f'<section class="verdict {verdict.verdict.replace(" ", "-")}"><h2>{HEADLINES[verdict.verdict]}</h2>'
        f'<p class="release">{released}</p><h3>Why</h3><ul>{reasons}</ul>{also}</section>'
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


def _lost_tables(audit: Audit, grouping: str) -> str:
    return lost_differences_table(audit, grouping) + lost_table(audit, grouping)


def _section(audit: Audit, name: str, title: str, sentence: str, table: Table, groupings: tuple[str, ...]) -> str:
    tables = "".join(table(audit, grouping) for grouping in groupings)
    return (
        f'<section><h2>{title}</h2><p class="says">{escape(sentence)}</p>'
        f"{inline_svg(partial(CHARTS[name], audit), name, title, sentence)}"
        f"<details><summary>The figures behind the picture</summary>{tables}</details></section>"
    )


def _crossing(audit: Audit) -> str:
    name = "imd_by_ethnicity"
    return (
        f"<section><h2>{GROUPING_NAMES[name]}</h2><p>Small groups hide unfairness, and small numbers imitate it: "
        "where a group is too small the verdict says so.</p><details><summary>Places, need and prediction</summary>"
        f"{places_table(audit, name)}{outcomes_table(audit, name)}</details></section>"
    )


def _whose_limits(limits: Fairness) -> str:
    if limits.limits_owner is None:
        return "Nobody has signed these limits: fairness.limits_owner and fairness.limits_review_date are not set."
    return f"The limits are those of {limits.limits_owner}, to be reviewed by {limits.limits_review_date or 'no date given'}."


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
        "Lost before any model: the share of people with a record that found no person, and so on, worked out from the "
        "records alone. A record that found nobody counts for the person it resembles most; it is a sign of a missed "
        "link, not proof, and those that resemble nobody and say nothing of their group are in no group. The worst "
        f"group may lie at most {100 * limits.maximum_lost_difference:g} percentage points above the best; the interval "
        "holds whichever groups these are. Differences are shown of the groups whose counts are shown; verdicts are worked "
        "out from all groups and exact counts. Opting out is a person's own choice: it is told, "
        "and the gate does not decide by it.",
        f"Along deprivation: use at the same need between {limits.minimum_use_gradient:.2f} and {limits.maximum_use_gradient:.2f} "
        "times as often in the most as in the least deprived; below, their trouble may not reach the records, above, their illness "
        f"may be recorded too little. A practice is silent after {limits.silent_days} days; the worst group may have "
        f"{limits.maximum_silent_difference:.0%} more people with a silent practice than the best, and if more than that of everybody "
        "have one the gate cannot tell. Ethnicity may be unknown for "
        f"at most {limits.maximum_unknown_ethnicity:.0%}.",
        _whose_limits(limits),
        "Counts from 1 to 7 are hidden (*), others are rounded to the nearest 5, and shares come from rounded counts. "
        "A dash means that a figure cannot be worked out.",
    ]
    return f"<section><h2>How to read this</h2>{''.join(f'<p>{escape(point)}</p>' for point in points)}</section>"
