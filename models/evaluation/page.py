"""`evaluation.html`: how good the models are, for a data scientist and whoever must trust them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from casewell.page import document, html_table, inline_svg
from models.benefit.evidence import Evidence
from models.evaluation.assessment import Assessment
from models.evaluation.page_attributes import attributes_section
from models.evaluation.page_beside import beside_sections
from models.evaluation.page_groups import groups_section, months_section, practices_section
from models.evaluation.page_programmes import programmes_section
from models.evaluation.page_risk import (
    against_section,
    calibration_section,
    decision_section,
    drivers_section,
    found_section,
    measures_section,
    weakest_section,
)
from models.evaluation.pictures import benefit_figure


def write_page(
    found: Assessment,
    benefit: pd.DataFrame | None,
    tenths: pd.DataFrame | None,
    evidence: Evidence,
    path: Path,
    outcome: str,
    as_of: dt.date,
    synthetic: bool,
    beside: pd.DataFrame,
    attributes: pd.DataFrame,
    attributes_owner: str | None,
    chosen_because: str,
    programmes: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Path:
    """Write the page; equal results give equal bytes.

    Counts in `found.groups` are shown as they are given: put them under disclosure control first. `benefit` is
    `models.evaluation.evaluate.benefit_curve` and `tenths` `models.evaluation.evaluate.benefit_by_tenth`, or None where nothing was learned; `beside` is `models.beside.measure_beside`,
    `attributes` `models.evaluation.attributes.compare_attributes`, also under disclosure
    control; `chosen_because` is `models.choice.Choice.reason`; `programmes` as for
    `models.evaluation.page_programmes.programmes_section`, empty where there is case management alone.
    """
    sections = [
        measures_section(found, outcome, chosen_because),
        against_section(found),
        calibration_section(found),
        decision_section(found),
        found_section(found),
        groups_section(found),
        practices_section(found),
        months_section(found),
        drivers_section(found),
        weakest_section(found),
        attributes_section(attributes, attributes_owner),
        *beside_sections(beside),
        _evidence(evidence),
    ]
    if benefit is not None:
        sections.append(_benefit(benefit))
    if tenths is not None:
        sections.append(_tenths(tenths, evidence))
    if programmes:
        sections.append(programmes_section(programmes))
    path.write_text(document("How good are the models?", outcome, as_of, synthetic, sections), encoding="utf-8")
    return path


def _evidence(evidence: Evidence) -> str:
    rows = [[check.name, "passed" if check.passed else "failed", check.seen] for check in evidence.checks]
    table = html_table("Checks of the evidence", ["Check", "Result", "What was seen"], rows)
    return (
        f"<section><h2>Evidence of benefit: {escape(evidence.grade)}</h2>"
        f'<p class="says">{escape(evidence.sentence())}</p>{table}</section>'
    )


def _benefit(curve: pd.DataFrame) -> str:
    few = curve[curve["share"] == curve["share"].min()].set_index("rule")["gain"]
    sentence = (
        f"Judged by the past, out of fold: the 1 % chosen by learned benefit would see their risk fall by "
        f"{few['learned benefit']:.3f} on average, the 1 % at highest risk by {few['risk']:.3f}. The shaded intervals say "
        "how sure that is."
    )
    rows = [
        [row.rule, f"{row.share:.0%}", f"{row.gain:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}"]
        for row in curve.itertuples()
    ]
    table = html_table("Average fall in risk among those chosen", ["Chosen by", "Share", "Fall", "95 % interval"], rows)
    picture = inline_svg(partial(benefit_figure, curve), "benefit", "What choosing by each rule gains", sentence)
    return (
        f'<section><h2>Benefit</h2><p class="says">{escape(sentence)}</p>{picture}'
        f"<details><summary>The figures behind the picture</summary>{table}</details></section>"
    )


def _tenths(tenths: pd.DataFrame, evidence: Evidence) -> str:
    # From JSON: what could not be told is None there.
    tenths = tenths.astype("float64")
    held = int(((tenths["found_low"] <= tenths["stated"]) & (tenths["stated"] <= tenths["found_high"])).sum())
    used = (
        "Nothing of it is in this week's scores, whose benefit is assumed and has no interval."
        if evidence.grade == "assumed"
        else "It is what the scores hold."
    )
    sentence = (
        f"People of whose kind others were treated, in tenths of the learned benefit: in {held} of {len(tenths)} the "
        f"benefit that was stated lies within the interval of the one that was had. {used}"
    )
    heads = ["Tenth (10 gains most)", "Stated", "People's own intervals, on average", "Had", "95 % interval"]
    rows = [
        [
            f"{row.tenth:.0f}",
            f"{row.stated:+.3f}",
            f"{row.stated_low:+.3f} to {row.stated_high:+.3f}",
            *(
                ("cannot be told", "")
                if pd.isna(row.found)
                else (f"{row.found:+.3f}", f"{row.found_low:+.3f} to {row.found_high:+.3f}")
            ),
        ]
        for row in tenths.itertuples()
    ]
    table = html_table("Stated and found fall in risk, out of fold", heads, rows)
    return f'<section><h2>How sure each benefit is</h2><p class="says">{escape(sentence)}</p>{table}</section>'
