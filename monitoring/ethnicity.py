"""For how many people nobody knows the ethnicity: what is not recorded cannot be checked for fairness."""

from __future__ import annotations

import pandas as pd

from fairness.disclosure import control, share_of, shown, shown_share
from monitoring.findings import ETHNICITY, LOOK, Finding
from records.tables import NOT_KNOWN


def about_ethnicity(people: pd.DataFrame, limit: float, fewest: int) -> list[Finding]:
    """Say where more than the `limit` share of people have no known ethnicity; *not stated* is an answer.

    `people` has one row an eligible person: `ethnic_group`, `practice_code`. Of a practice with fewer than `fewest` people
    nothing is said: chance alone makes the worst of many small ones look bad.
    """
    unknown = people["ethnic_group"] == NOT_KNOWN
    if not len(people) or unknown.mean() <= limit:
        return []
    practices = unknown.groupby(people["practice_code"]).agg(["sum", "size"]).astype("float64")
    large = practices[practices["size"] >= fewest]
    worst = share_of(control(large["sum"]), control(large["size"])).max()
    most = f" In the practice with the most it is {worst:.0%}." if pd.notna(worst) else ""
    return [
        Finding(
            ETHNICITY,
            LOOK,
            f"Nobody knows the ethnicity of {shown_share(unknown.sum(), len(people))} of people ({shown(unknown.sum())} of "
            f"{shown(len(people))}); {limit:.0%} is the limit.{most}",
            "Ask how ethnicity is asked and sent. Whoever is seldom seen is missing first, and no audit can say how the list "
            "treats them.",
        )
    ]
