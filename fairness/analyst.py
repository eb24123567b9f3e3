"""`fairness_tables.html`: every figure of the audit in tables, for an analyst, under the same disclosure control."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html import escape
from pathlib import Path

from casewell.page import document
from casewell.settings import Fairness
from fairness.audit import Audit
from fairness.further import further_section
from fairness.gate import RULE, Verdict
from fairness.groups import GROUPING_NAMES, GROUPINGS
from fairness.page import verdict_section
from fairness.sentences import about_calibration, about_lost, about_need, about_places, about_practices, about_recording
from fairness.tables import (
    lost_differences_table,
    lost_table,
    need_table,
    outcomes_table,
    places_table,
    recording_table,
)
from records.lost import GROUPINGS as LOST_BY

Table = Callable[[Audit, str], str]
_WHOLE = tuple(name for name in GROUPINGS if not name.startswith("imd_by") and name != "practice")


def write_tables_page(
    audit: Audit, verdict: Verdict, path: Path, *, title: str, as_of: dt.date, synthetic: bool
) -> Path:
    """Write the page; equal audits give equal bytes. Every count is under disclosure control, every text escaped."""
    sections = [
        verdict_section(verdict),
        _section(audit, "places", "Share of places against share of need", about_places(audit), places_table, _WHOLE),
        _section(audit, "need", "Need at the same risk", about_need(audit), need_table, _WHOLE),
        _section(
            audit, "calibration", "Predicted and observed outcomes", about_calibration(audit), outcomes_table, _WHOLE
        ),
        _section(audit, "lost", "Lost before any model", about_lost(audit), _lost_tables, tuple(LOST_BY)),
        _section(
            audit, "recording", "On record before a hospital found it", about_recording(audit), recording_table, _WHOLE
        ),
        further_section(audit),
        _folded(audit, "imd_by_ethnicity", _SMALL),
        _folded(audit, "practice", about_practices(audit)),
        _method(audit),
    ]
    page = document(title, "Every figure of the audit, for an analyst", as_of, synthetic, sections)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _lost_tables(audit: Audit, grouping: str) -> str:
    return lost_differences_table(audit, grouping) + lost_table(audit, grouping)


def _section(audit: Audit, name: str, title: str, sentence: str, table: Table, groupings: tuple[str, ...]) -> str:
    tables = "".join(table(audit, grouping) for grouping in groupings)
    return f'<section id="{name}"><h2>{title}</h2><p class="says">{escape(sentence)}</p>{tables}</section>'


_SMALL = "Small groups hide unfairness, and small numbers imitate it: where a group is too small the verdict says so."


def _folded(audit: Audit, name: str, sentence: str) -> str:
    return (
        f"<section><h2>{GROUPING_NAMES[name]}</h2><p>{escape(sentence)}</p>"
        "<details><summary>Places, need and prediction</summary>"
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
        f"between {1 / limits.maximum_calibration_ratio:.2f} and {limits.maximum_calibration_ratio:.2f}; conditions on record "
        f"before a hospital found them, over those expected, at least {limits.minimum_recording_ratio:.2f}. Intervals are "
        f"at {limits.confidence:.0%} confidence.",
        "Lost before any model: the share of people with a record that found no person, and so on, worked out from the "
        "records alone. A record that found nobody counts for the person it resembles most; it is a sign of a missed "
        "link, not proof, and those that resemble nobody and say nothing of their group are in no group. The worst "
        f"group may lie at most {100 * limits.maximum_lost_difference:g} percentage points above the best; the interval "
        "holds whichever groups these are. Differences are shown of the groups whose counts are shown; verdicts are worked "
        "out from all groups and exact counts. Opting out is a person's own choice: it is told, "
        "and the gate does not decide by it.",
        "Along deprivation, most over least deprived: of people who attend emergency departments as often, of the same need and "
        f"age, at least {limits.minimum_admission_gradient:.2f} times as many admissions; below, trouble of the most deprived may not reach "
        "the records. Of the false alarms that are tolerated this comparison has half. "
        f"Where nobody knows who attended: use at the same need between {limits.minimum_use_gradient:.2f} and {limits.maximum_use_gradient:.2f} "
        "times as often in the most as in the least deprived; below, their trouble may not reach the records, above, their illness "
        f"may be recorded too little. A practice is silent after {limits.silent_days} days; the worst group may have "
        f"{limits.maximum_silent_difference:.0%} more people with a silent practice than the best, and if more than that of everybody "
        "have one the gate cannot tell. Ethnicity may be unknown for "
        f"at most {limits.maximum_unknown_ethnicity:.0%}.",
        _whose_limits(limits),
        "Counts from 1 to 7 are hidden (*), others are rounded to the nearest 5, and shares come from rounded counts. "
        "Where one part of a whole would be hidden alone, so is the next smallest. Week on week a count is shown again as it was until "
        "it has moved by 8 or more, and one that was hidden until it is clear of the hidden range by as much: two weeks side by "
        "side tell nobody's coming or going. Ratios and intervals rest on exact counts of at least 8. "
        "A dash means that a figure cannot be worked out.",
    ]
    return f"<section><h2>How to read this</h2>{''.join(f'<p>{escape(point)}</p>' for point in points)}</section>"
