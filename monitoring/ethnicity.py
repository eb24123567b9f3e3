"""For how many people nobody knows the ethnicity: what is not recorded cannot be checked for fairness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fairness.disclosure import HIDDEN, control, share_of, shown_before, written
from monitoring.findings import ETHNICITY, LOOK, Finding
from records.tables import NOT_KNOWN

EVERYBODY = "everybody"


def nobody() -> pd.DataFrame:
    """Return the table of a week with nobody eligible."""
    return pd.DataFrame({"practice_code": [EVERYBODY], "people": [0.0], "unknown": [0.0]})


def unknown_ethnicity(people: pd.DataFrame) -> pd.DataFrame:
    """Count those of whom nobody knows the ethnicity; *not stated* is an answer.

    `people` has one row an eligible person: `ethnic_group`, `practice_code`. Returns `practice_code`, `people` and `unknown`, a row
    a practice below one for EVERYBODY.
    """
    unknown = (people["ethnic_group"] == NOT_KNOWN).astype("float64")
    by = unknown.groupby(people["practice_code"].astype("str")).agg(people="size", unknown="sum").reset_index()
    whole = nobody().assign(people=float(len(people)), unknown=unknown.sum())
    return pd.concat([whole, by.rename(columns={"index": "practice_code"})], ignore_index=True)


def shown_ethnicity(table: pd.DataFrame, earlier: Mapping[str, Any]) -> pd.DataFrame:
    """Return `unknown_ethnicity` with counts fit to show beside those of the `earlier` week's record, and the `share` of them."""
    rows = earlier.get("ethnicity", [])
    counts = {
        name: control(table[name].astype("float64"), shown_before(rows, table, ["practice_code"], name))
        for name in ("people", "unknown")
    }
    return table.assign(**counts, share=share_of(counts["unknown"], counts["people"]).round(3))


def about_ethnicity(
    table: pd.DataFrame, limit: float, fewest: int, earlier: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Say where more than the `limit` share of people have no known ethnicity.

    `table` is `unknown_ethnicity`'s, `earlier` the record of the week before. Of a practice with fewer than `fewest` people
    nothing is said: chance alone makes the worst of many small ones look bad.
    """
    exact, told = table.iloc[0], shown_ethnicity(table, earlier or {})
    if not exact["people"] or exact["unknown"] / exact["people"] <= limit:
        return []
    worst = told["share"][1:][table["people"][1:] >= fewest].max()
    most = f" In the practice with the most it is {worst:.0%}." if pd.notna(worst) else ""
    whole = told.iloc[0]
    share = HIDDEN if np.isnan(whole["share"]) else f"{whole['share']:.0%}"
    return [
        Finding(
            ETHNICITY,
            LOOK,
            f"Nobody knows the ethnicity of {share} of people ({written(whole['unknown'])} of "
            f"{written(whole['people'])}); {limit:.0%} is the limit.{most}",
            "Ask how ethnicity is asked and sent. Whoever is seldom seen is missing first, and no audit can say how the list "
            "treats them.",
        )
    ]
