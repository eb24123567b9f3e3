"""`evaluation.html`: how good the models are, for a data scientist and whoever must trust them."""

from __future__ import annotations

import datetime as dt
from functools import partial
from html import escape
from pathlib import Path

import pandas as pd

from casewell.page import document, html_table, inline_svg
from models.evidence import Evidence
from models.pictures import benefit_figure, calibration_figure

WORDS = {
    "auroc": "Area under the ROC curve (0.5 is chance)",
    "auprc": "Area under the precision-recall curve",
    "brier": "Brier score (0 is best)",
    "observed_over_expected": "Outcomes observed over predicted (1 is right)",
    "calibration_intercept": "Calibration in the large, log odds (0 is right)",
    "calibration_slope": "Calibration slope (1 is right)",
    "ppv_at_capacity": "Share with the outcome among those at highest risk, at the teams' capacity",
    "sensitivity_at_capacity": "Share of all outcomes that fall among them",
    "lift_at_capacity": "Their rate over everybody's",
}


def write_page(
    measures: pd.DataFrame,
    calibration: pd.DataFrame,
    benefit: pd.DataFrame | None,
    evidence: Evidence,
    path: Path,
    outcome: str,
    as_of: dt.date,
    synthetic: bool,
) -> Path:
    """Write the page; equal results give equal bytes. The tables are those of `models.evaluation`."""
    sections = [_measures(measures, outcome), _calibration(calibration), _evidence(evidence)]
    if benefit is not None:
        sections.append(_benefit(benefit))
    path.write_text(document("How good are the models?", outcome, as_of, synthetic, sections), encoding="utf-8")
    return path


def _measures(measures: pd.DataFrame, outcome: str) -> str:
    value = dict(zip(measures["measure"], measures["value"], strict=True))
    sentence = (
        f"Of two people, one who went on to have the outcome ({outcome}) and one who did not, the model ranked the first "
        f"higher {value['auroc']:.0%} of the time, in months it had not seen."
    )
    rows = [
        [WORDS[row.measure], f"{row.value:.3f}", f"{row.low:.3f} to {row.high:.3f}"] for row in measures.itertuples()
    ]
    table = html_table("Figures of merit in the test months", ["Measure", "Value", "95 % interval"], rows)
    return f'<section><h2>Risk</h2><p class="says">{escape(sentence)}</p>{table}</section>'


def _calibration(curve: pd.DataFrame) -> str:
    top = curve.iloc[-1]
    sentence = f"Of the tenth at highest risk, {top['predicted']:.1%} were predicted to have the outcome and {top['observed']:.1%} did."
    rows = [[str(int(row.tenth)), f"{row.predicted:.3f}", f"{row.observed:.3f}"] for row in curve.itertuples()]
    table = html_table("Predicted and observed, by tenth of risk", ["Tenth", "Predicted", "Observed"], rows)
    picture = inline_svg(partial(calibration_figure, curve), "calibration", "Calibration", sentence)
    return (
        f'<section><h2>Calibration</h2><p class="says">{escape(sentence)}</p>{picture}'
        f"<details><summary>The figures behind the picture</summary>{table}</details></section>"
    )


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
