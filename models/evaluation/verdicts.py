"""What the figures say in plain sentences: is the model better than simple rules, and where is it weakest?"""

from __future__ import annotations

import pandas as pd

from models.evaluation.against import ALL_MONTHS, MODEL
from models.evaluation.assessment import ADMITTED_BEFORE, MONTH, PRACTICE, Assessment

GROUPING_WORDS = {
    "imd_quintile": "deprivation fifth",
    "ethnic_group": "ethnic group",
    "sex": "sex",
    "age_band": "age",
    MONTH: "month",
    PRACTICE: "practice",
    ADMITTED_BEFORE: "admissions before",
}
MISCALIBRATED_NAMED = 5


def not_beaten(against: pd.DataFrame) -> list[str]:
    """Name every rule and month in which the model does not rank better."""
    rivals = _rivals(against)
    return [
        f"{row.rule} ({_month(row.month)}): {row.value:.3f} against {row.value + row.gain:.3f}"
        for row in rivals[rivals["gain"] <= 0].itertuples()
    ]


def months_unjudged(against: pd.DataFrame) -> list[str]:
    """Name every month in which the ranking cannot be compared, since nobody had the outcome, or everybody."""
    rivals = _rivals(against)
    return [_month(month) for month in dict.fromkeys(rivals.loc[rivals["gain"].isna(), "month"])]


def on_rivals(against: pd.DataFrame) -> str:
    """Say whether the model ranks better than every rule it is compared with, and in which months that cannot be told."""
    if _rivals(against)["gain"].isna().all():
        return "Whether the model ranks better than any other rule cannot be told."
    lost, unjudged = not_beaten(against), months_unjudged(against)
    if lost:
        said = f"The model does not rank better than: {'; '.join(lost)}."
    else:
        months = "test month in which that can be told" if unjudged else "test month"
        said = f"The model ranks better than every rule it is compared with, in every {months}."
    return f"{said} It cannot be told in: {', '.join(unjudged)}." if unjudged else said


def weakest(assessment: Assessment) -> list[str]:
    """Say where the model ranks least well, and for whom it predicts too much or too little."""
    groups = assessment.groups
    people = groups[~groups["grouping"].isin([MONTH, PRACTICE])]
    sentences = _ranks_least(people, assessment.measures) + _miscalibrated(people)
    practices = groups[(groups["grouping"] == PRACTICE) & (groups["measure"] == "observed_over_expected")].dropna()
    if len(practices):
        off = int(((practices["low"] > 1) | (practices["high"] < 1)).sum())
        sentences.append(
            f"In {off} of {len(practices)} practices large enough to tell, the interval of observed over expected "
            f"outcomes leaves out 1; by chance alone about {0.05 * len(practices):.0f} would."
        )
    few = people[people["measure"] == "auroc"]["value"].isna().sum()
    if few:
        sentences.append(f"{few} group(s) are too small to tell.")
    return sentences


def _ranks_least(people: pd.DataFrame, measures: pd.DataFrame) -> list[str]:
    areas = people[people["measure"] == "auroc"].dropna(subset=["value"])
    if areas.empty:
        return []
    least = areas.sort_values(["value", "grouping", "group"]).iloc[0]
    overall = measures.set_index("measure").loc["auroc", "value"]
    return [
        f"It ranks least well in {GROUPING_WORDS.get(least['grouping'], least['grouping'])} {least['group']!r}: area under "
        f"the ROC curve {least['value']:.3f} ({least['low']:.3f} to {least['high']:.3f}), everybody {overall:.3f}. Within an "
        "age band it must be lower, since age itself no longer tells people apart."
    ]


def _miscalibrated(people: pd.DataFrame) -> list[str]:
    ratio = people[people["measure"] == "observed_over_expected"].dropna(subset=["low", "high"])
    off = ratio[(ratio["low"] > 1) | (ratio["high"] < 1)]
    off = off.assign(far=(off["value"] - 1).abs()).sort_values(
        ["far", "grouping", "group"], ascending=[False, True, True]
    )
    if off.empty:
        return ["For no group does the interval of observed over expected outcomes leave out 1."]
    return [
        f"It predicts too {'little' if row.value > 1 else 'much'} for {GROUPING_WORDS.get(row.grouping, row.grouping)} "
        f"{row.group!r}: {row.value:.2f} outcomes for each one expected ({row.low:.2f} to {row.high:.2f})."
        for row in off.head(MISCALIBRATED_NAMED).itertuples()
    ]


def _rivals(against: pd.DataFrame) -> pd.DataFrame:
    return against[(against["measure"] == "auroc") & (against["rule"] != MODEL)]


def _month(month: str) -> str:
    return "all months" if month == ALL_MONTHS else month
