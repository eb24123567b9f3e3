"""The sections of `evaluation.html` about risk: how good, against what, for whom, and why."""

from __future__ import annotations

from functools import partial
from html import escape

import numpy as np
import pandas as pd

from casewell.page import html_table, inline_svg
from models.evaluation.against import ALL_MONTHS, MODEL
from models.evaluation.assessment import Assessment
from models.evaluation.pictures import against_figure, calibration_figure, decision_figure, themes_figure
from models.evaluation.verdicts import on_rivals, weakest
from models.risk.kinds import NAMES

WORDS = {
    "auroc": "Area under the ROC curve (0.5 is chance)",
    "auprc": "Area under the precision-recall curve",
    "brier": "Brier score (0 is best)",
    "scaled_brier": "Scaled Brier score (0: no better than the average rate; 1 is best)",
    "observed_over_expected": "Outcomes observed over predicted (1 is right)",
    "calibration_intercept": "Calibration intercept (0 is right)",
    "calibration_slope": "Calibration slope (1 is right)",
    "ici": "Integrated calibration index: mean distance from the flexible curve (0 is right)",
    "share_at_capacity": "Share of people within the teams' capacity",
    "ppv_at_capacity": "Of those within capacity, the share with the outcome",
    "sensitivity_at_capacity": "Share of all outcomes that fall among them",
    "lift_at_capacity": "Their rate over everybody's",
}
FOUND_WORDS = {
    "lead_days": "Median days from the index date to the outcome",
    "lead_over_90_days": "Share with more than 90 days to it",
    "without_admission": "Share with no emergency admission in the 2 years before",
}
TOO_FEW = "too few to tell"
FEATURES_SHOWN = 20
DECISIONS_SHOWN = (0.02, 0.06, 0.1, 0.2, 0.3, 0.4, 0.5)


def section(title: str, sentence: str, body: str) -> str:
    """Return a section of the page: a heading, a plain sentence, and `body` (escaped already)."""
    return f'<section><h2>{escape(title)}</h2><p class="says">{escape(sentence)}</p>{body}</section>'


def folded(words: str, table: str) -> str:
    """Return a table that opens on demand."""
    return f"<details><summary>{escape(words)}</summary>{table}</details>"


def figure_and_interval(value: float, low: float, high: float, digits: int = 3) -> str:
    """Write a figure with its interval, or that there are too few to tell."""
    if np.isnan(value):
        return TOO_FEW
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def measures_section(found: Assessment, outcome: str, chosen_because: str) -> str:
    """How good the risk is, everybody together, and why it is learned as it is."""
    value = found.measures.set_index("measure")["value"]
    sentence = (
        f"Of two people, one who went on to have the outcome ({outcome}) and one who did not, the model ranked the first "
        f"higher {value['auroc']:.0%} of the time, in months it had not seen. Chosen in training: {chosen_because}"
    )
    rows = [
        [WORDS[row.measure], f"{row.value:.4f}", f"{row.low:.4f} to {row.high:.4f}"]
        for row in found.measures.itertuples()
    ]
    table = html_table("Figures of merit in the test months", ["Measure", "Value", "95 % interval, over people"], rows)
    return section("Risk", sentence, table)


def against_section(found: Assessment) -> str:
    """The model beside the simple rules and the champion before it."""
    sentence = on_rivals(found.against)
    if found.absent:
        reasons = "; ".join(f"{name} ({why})" for name, why in sorted(found.absent.items()))
        sentence += f" Not run: {reasons}."
    table = found.against[found.against["month"] == ALL_MONTHS].pivot(index="rule", columns="measure")
    rows = []
    for rule in dict.fromkeys(found.against["rule"]):
        row = table.loc[rule]
        cells = [
            figure_and_interval(row["value", name], row["low", name], row["high", name])
            for name in ("auroc", "auprc", "scaled_brier", "ppv_at_capacity", "sensitivity_at_capacity")
        ]
        gain = (
            ""
            if rule == MODEL
            else figure_and_interval(*(row[end, "auroc"] for end in ("gain", "gain_low", "gain_high")))
        )
        rows.append([rule, *cells, gain])
    head = [
        "Rule",
        "AUROC",
        "AUPRC",
        "Scaled Brier",
        "PPV at capacity",
        "Sensitivity at capacity",
        "AUROC gained by the model",
    ]
    monthly = found.against[(found.against["month"] != ALL_MONTHS) & (found.against["measure"] == "auroc")]
    months = [
        [f"{row.month}: {row.rule}", figure_and_interval(row.value, row.low, row.high)] for row in monthly.itertuples()
    ]
    picture = inline_svg(partial(against_figure, found.against), "against", "Ranking by test month", sentence)
    return section(
        "Against what else could be used",
        sentence,
        html_table("Everybody, all test months (95 % intervals over people)", head, rows)
        + picture
        + folded("The figures behind the picture", html_table("By month", ["Month and rule", "AUROC"], months)),
    )


def calibration_section(found: Assessment) -> str:
    """Whether a risk of one in five means one in five."""
    top, value = found.tenths.iloc[-1], found.measures.set_index("measure")["value"]
    sentence = (
        f"Of the tenth at highest risk, {top['predicted']:.1%} were predicted to have the outcome and {top['observed']:.1%} "
        f"did. On average a prediction lies {value['ici']:.3f} from what is observed at that risk."
    )
    rows = [[str(int(row.tenth)), f"{row.predicted:.3f}", f"{row.observed:.3f}"] for row in found.tenths.itertuples()]
    curve = [
        [f"{row.predicted:.3f}", f"{row.observed:.3f}", f"{row.low:.3f} to {row.high:.3f}"]
        for row in found.smooth.iloc[::6].itertuples()
    ]
    picture = inline_svg(
        partial(calibration_figure, found.tenths, found.smooth), "calibration", "Calibration", sentence
    )
    tables = html_table(
        "Predicted and observed, by tenth of risk", ["Tenth", "Predicted", "Observed"], rows
    ) + html_table("The flexible curve", ["Predicted", "Observed", "95 % interval"], curve)
    return section("Calibration", sentence, picture + folded("The figures behind the picture", tables))


def decision_section(found: Assessment) -> str:
    """Whether acting on the model is worth more than acting on everybody or nobody."""
    curve = found.decisions
    shown = tuple(rule for rule in (MODEL, *NAMES.values(), "last year's admissions") if rule in set(curve["rule"]))
    wide = curve.pivot(index="threshold", columns="rule", values="net_benefit")
    best = wide.drop(columns=MODEL).max(axis=1).clip(lower=0)
    better = wide.index[wide[MODEL] > best]
    sentence = (
        f"Acting on the model is worth more than acting on everybody, on nobody or by another rule at "
        f"{len(better)} of the {len(wide)} thresholds between {wide.index[0]:.0%} and {wide.index[-1]:.0%}."
    )
    rows = [
        [f"{row.threshold:.0%}, {row.rule}", f"{row.net_benefit:.4f} ({row.low:.4f} to {row.high:.4f})"]
        for row in curve[curve["threshold"].isin(DECISIONS_SHOWN)].sort_values(["threshold", "rule"]).itertuples()
    ]
    picture = inline_svg(partial(decision_figure, curve, shown), "decision", "Decision curve", sentence)
    table = html_table("Net benefit per person", ["Act from this risk, by", "Net benefit"], rows)
    return section("What acting on it is worth", sentence, picture + folded("The figures behind the picture", table))


def found_section(found: Assessment) -> str:
    """How early the outcomes are found, and whether they were known already."""
    value = found.found.set_index("measure")["value"] if len(found.found) else pd.Series(dtype="float64")
    if "lead_days" not in value:
        return section("Whom it finds", "Nobody within capacity had the outcome, so there is nothing to describe.", "")
    sentence = f"Half of those rightly found had the outcome more than {value['lead_days']:.0f} days later."
    if "without_admission" in value:
        sentence += f" {value['without_admission']:.0%} of them had no emergency admission in the two years before."
    rows = [
        [
            FOUND_WORDS[row.measure],
            figure_and_interval(row.value, row.low, row.high, 0 if row.measure == "lead_days" else 3),
        ]
        for row in found.found.itertuples()
    ]
    return section(
        "Whom it finds", sentence, html_table("Those within capacity who had the outcome", ["", "Value"], rows)
    )


def drivers_section(found: Assessment) -> str:
    """What moves the predictions, by theme."""
    first = found.themes.iloc[0]
    sentence = (
        f"Most of the difference between people comes from {first['theme']} ({first['features']} features). What moves a "
        "prediction is not what causes the outcome, nor what would prevent it."
    )
    picture = inline_svg(partial(themes_figure, found.themes), "themes", "What moves the predictions", sentence)
    themes = [[row.theme, str(row.features), f"{row.effect:.3f}"] for row in found.themes.itertuples()]
    features = [
        [row.feature, row.theme, f"{row.effect:.3f}", f"{row.more_means} risk" if row.more_means else ""]
        for row in found.features.head(FEATURES_SHOWN).itertuples()
    ]
    tables = html_table("By theme", ["Theme", "Features", "Mean absolute effect on the log odds"], themes)
    tables += html_table(
        f"The {len(features)} features that move most",
        ["Feature", "Theme", "Effect", "A higher value goes with"],
        features,
    )
    return section(
        "What drives it", sentence, picture + folded("The figures behind the picture, and the features", tables)
    )


def weakest_section(found: Assessment) -> str:
    """Where not to trust it."""
    sentences = weakest(found)
    listed = "".join(f"<li>{escape(each)}</li>" for each in sentences[1:])
    return section("Where it is weakest", sentences[0] if sentences else TOO_FEW, f"<ul>{listed}</ul>")
