"""The section of `evaluation.html` about the outcomes that are predicted beside the one that ranks."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd

from casewell.page import html_table
from models.declared_outcomes import DECLARED
from models.evaluation.page_risk import TOO_FEW, WORDS, section

WORDS_OF_DAYS = {
    "observed_over_expected": "Days that were over days predicted (1 is right)",
    "mean_absolute_error": "Mean distance between predicted days and those that were",
    "explained": "Share of the variance explained (1 is best)",
    "rank_correlation": "Rank correlation (0 is chance, 1 is best)",
    "days_at_capacity": "Mean days that were, of the people with the most predicted, as many as there are places",
}


def beside_sections(measures: pd.DataFrame) -> list[str]:
    """Return the section for `models.beside.measure_beside`, or none where nothing was predicted beside."""
    if measures.empty:
        return []
    tables = [_table(rows.set_index("measure")) for _, rows in measures.groupby("outcome", sort=False)]
    sentences = [_sentence(rows.set_index("measure")) for _, rows in measures.groupby("outcome", sort=False)]
    body = "".join(f"<p>{escape(sentence)}</p>{table}" for sentence, table in zip(sentences, tables, strict=True))
    return [section("What else is predicted", "None of these decides who is listed.", body)]


def _sentence(figures: pd.DataFrame) -> str:
    declared = DECLARED[figures["outcome"].iloc[0]]
    happened, died = figures.loc["happened", "value"], figures.loc["died_without", "value"]
    if declared.counts_days:
        said = (
            f"{declared.words.capitalize()}: {happened:.1f} on average; {_share(died)} of people-months ended in death"
        )
    elif declared.name in ("death", "admission_or_death"):
        said = f"{declared.words.capitalize()}: {_share(happened)} of people-months"
    else:
        said = (
            f"{declared.words.capitalize()}: {_share(happened)} of people-months had it, {_share(died)} died without it"
        )
    return f"{said}. Here {declared.death}."


def _share(value: float) -> str:
    return TOO_FEW if np.isnan(value) else f"{value:.1%}"


def _table(figures: pd.DataFrame) -> str:
    declared = DECLARED[figures["outcome"].iloc[0]]
    words = WORDS_OF_DAYS if declared.counts_days else WORDS
    rows = [
        [words[row.Index], TOO_FEW, ""]
        if np.isnan(row.value)
        else [words[row.Index], f"{row.value:.4f}", f"{row.low:.4f} to {row.high:.4f}"]
        for row in figures[figures.index.isin(list(words))].itertuples()
    ]
    if not rows:
        rows = [["Every figure of merit", TOO_FEW, ""]]
    title = f"Prediction of {declared.words} in the test months"
    return html_table(title, ["Measure", "Value", "95 % interval, over people"], rows)
