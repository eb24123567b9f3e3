"""The section of `evaluation.html` about sensitive attributes: whom other choices of them would find."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd

from casewell.page import html_table
from models.evaluation.attributes import COMPARED
from models.evaluation.page_risk import TOO_FEW, folded, section
from models.evaluation.verdicts import GROUPING_WORDS

SHORT = {
    "auroc": "Area under the ROC curve",
    "observed_over_expected": "Observed over predicted",
    "sensitivity_at_capacity": "Outcomes found at capacity",
}


def attributes_section(compared: pd.DataFrame, owner: str | None) -> str:
    """Say for which groups the model that is used surely does better or worse than one with other attributes."""
    decided = f"{owner} decided on the attributes." if owner else "The attributes are those of the default."
    sentences = [_sentence(other, rows) for other, rows in compared.groupby("other", sort=False)]
    tables = [
        folded(f"Used, beside a model {other}", _table(rows)) for other, rows in compared.groupby("other", sort=False)
    ]
    body = "".join(f"<p>{escape(words)}</p>{table}" for words, table in zip(sentences, tables, strict=True))
    return section(
        "Sensitive attributes", f"{decided} Ethnic group is never used; a model with it is only compared.", body
    )


def _sentence(other: str, rows: pd.DataFrame) -> str:
    found = rows[rows["measure"] == "sensitivity_at_capacity"]
    named = [
        f"{GROUPING_WORDS.get(row.grouping, row.grouping)} {row.group!r} ({row.value:.1%} instead of {row.other_value:.1%})"
        for row in found[(found["low"] > 0) | (found["high"] < 0)].itertuples()
    ]
    if not named:
        return f"Beside a model {other}: in no group does the interval of the difference in outcomes found leave out nought."
    return f"Beside a model {other}, the share of outcomes found at capacity surely differs for {'; '.join(named)}."


def _table(rows: pd.DataFrame) -> str:
    wide = rows.set_index(["grouping", "group", "measure"])
    cells = []
    for grouping, group in dict.fromkeys(zip(rows["grouping"], rows["group"], strict=True)):
        line = [GROUPING_WORDS.get(grouping, grouping), str(group)]
        for measure in COMPARED:
            row = wide.loc[(grouping, group, measure)]
            line.append(
                TOO_FEW
                if np.isnan(row["value"])
                else f"{row['value']:.3f} against {row['other_value']:.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
            )
        cells.append(line)
    head = ["By", "Group", *(SHORT[measure] for measure in COMPARED)]
    return html_table("The model that is used, the other, and the 95 % interval of the difference", head, cells)
