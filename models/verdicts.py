"""What the figures say in plain sentences: is the model worth its trees, and where is it weakest?"""

from __future__ import annotations

import pandas as pd

from models.against import ALL_MONTHS, MODEL
from models.assessment import ADMITTED_BEFORE, MONTH, PRACTICE, Assessment
from models.baselines import ENOUGH_BETTER, LOGISTIC

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


def simpler_is_enough(against: pd.DataFrame) -> bool | None:
    """Say whether logistic regression on the same features ranks as well, within `ENOUGH_BETTER`; None if that is not known."""
    found = _of(against, LOGISTIC, "auroc", ALL_MONTHS).dropna(subset=["gain"])
    return None if found.empty else bool(found["gain"].iloc[0] < ENOUGH_BETTER)


def on_logistic(against: pd.DataFrame) -> str:
    """Say what the trees gain over logistic regression on the same features."""
    found = _of(against, LOGISTIC, "auroc", ALL_MONTHS).dropna(subset=["gain"])
    if found.empty:
        return (
            "Logistic regression on the same features could not be run, or there was too little to compare it by, so what "
            "the trees gain is not known."
        )
    row = found.iloc[0]
    gain = f"{row['gain']:.3f} (95 % interval {row['gain_low']:.3f} to {row['gain_high']:.3f})"
    if simpler_is_enough(against):
        return (
            f"The simpler model is enough: the trees' area under the ROC curve is only {gain} above that of logistic "
            f"regression on the same features, less than {ENOUGH_BETTER}."
        )
    return f"The trees earn their keep: their area under the ROC curve is {gain} above that of logistic regression."


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


def _of(against: pd.DataFrame, rule: str, measure: str, month: str) -> pd.DataFrame:
    return against[(against["rule"] == rule) & (against["measure"] == measure) & (against["month"] == month)]
