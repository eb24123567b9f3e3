"""For how many people nobody knows the ethnicity: what is not recorded cannot be checked for fairness."""

from __future__ import annotations

import pandas as pd

from fairness.disclosure import shown
from monitoring.findings import ETHNICITY, LOOK, Finding
from records.tables import NOT_KNOWN


def about_ethnicity(people: pd.DataFrame, limit: float) -> list[Finding]:
    """Say where more than the `limit` share of people have no known ethnicity; *not stated* is an answer.

    `people` has one row an eligible person: `ethnic_group`, `practice_code`.
    """
    unknown = people["ethnic_group"] == NOT_KNOWN
    if not len(people) or unknown.mean() <= limit:
        return []
    worst = unknown.groupby(people["practice_code"]).mean().max()
    return [
        Finding(
            ETHNICITY,
            LOOK,
            f"Nobody knows the ethnicity of {unknown.mean():.0%} of people ({shown(unknown.sum())} of {shown(len(people))}); "
            f"{limit:.0%} is the limit. In the practice with the most it is {worst:.0%}.",
            "Ask how ethnicity is asked and sent. Whoever is seldom seen is missing first, and no audit can say how the list "
            "treats them.",
        )
    ]
