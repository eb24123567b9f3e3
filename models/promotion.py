"""When a challenger becomes champion: a stated rule, applied by nobody's taste."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.metrics import brier_score_loss

from models.evaluation.by_group import FEWEST_OUTCOMES
from models.evaluation.figures import at_capacity

SLOPE = (0.8, 1.25)
OBSERVED_OVER_EXPECTED = (0.8, 1.25)
# The chance of calling a group harmed when none is, over all groups together.
FALSE_ALARM = 0.05
RULE = (
    "A challenger becomes champion when, in the newest months whose outcomes are known, its calibration slope and "
    "its observed over expected outcomes both lie between 0.8 and 1.25, its area under the ROC curve is surely above "
    "one half, it finds at least as many of the outcomes within the teams' capacity as the champion (of equals, the "
    "one with the lower Brier score), and no deprivation fifth, ethnic group, sex or age band surely has fewer of its "
    "outcomes found. Both are judged by their back-tests, which had not seen those months."
)


@dataclass(frozen=True)
class Promotion:
    """The decision and its reason, in a sentence."""

    promoted: bool
    reason: str


def decide(
    measures: pd.DataFrame,
    test: pd.DataFrame,
    champion_risk: np.ndarray | None,
    share: float,
    groups: Mapping[str, pd.Series],
    surely: bool = False,
    rival: str = "the champion",
) -> Promotion:
    """Apply the rule.

    Parameters
    ----------
    measures : DataFrame from `models.evaluation.evaluate.evaluate` for the challenger
    test : `models.tables.TEST_PREDICTIONS` of the challenger's back-test
    champion_risk : the champion's back-test predictions on the same rows; None when there is no
        champion, or it needs features that are no longer built
    share : places as a share of eligible people
    groups : grouping: a label for each row of `test`
    surely : finding fewer within capacity counts against the challenger only where it is sure
    rival : what the champion is called in the reason
    """
    value, low = (dict(zip(measures["measure"], measures[end], strict=True)) for end in ("value", "low"))
    limits = {
        "calibration slope": (value["calibration_slope"], SLOPE),
        "ratio of observed to expected outcomes": (value["observed_over_expected"], OBSERVED_OVER_EXPECTED),
    }
    if unknown := [name for name, (seen, _) in limits.items() if not np.isfinite(seen)]:
        return Promotion(
            False,
            f"its {' and its '.join(unknown)} could not be measured: the test months hold too few people, or too few with "
            "or without the outcome",
        )
    for name, (seen, (least, most)) in limits.items():
        if not least <= seen <= most:
            return Promotion(False, f"its {name} is {seen:.2f}, outside {least:g} to {most:g}")
    if not low["auroc"] > 0.5:
        return Promotion(False, "it may do no better than chance: the interval of its area under the curve reaches 0.5")
    if champion_risk is None:
        return Promotion(True, "there was no champion whose features are still built, and it is calibrated")
    return _against_champion(test, champion_risk, share, groups, surely, rival)


def _against_champion(
    test: pd.DataFrame,
    champion_risk: np.ndarray,
    share: float,
    groups: Mapping[str, pd.Series],
    surely: bool,
    rival: str,
) -> Promotion:
    outcome, risk = test["outcome"].to_numpy(), test["risk"].to_numpy()
    ours, theirs = (at_capacity(each, share) for each in (risk, champion_risk))
    found, before = int((ours & outcome).sum()), int((theirs & outcome).sum())
    said = f"within capacity it finds {found / outcome.sum():.2%} of the outcomes, {rival} {before / outcome.sum():.2%}"
    moved = pd.Series(ours.astype("int64") - theirs.astype("int64"), index=test.index)[test["outcome"]]
    if found < before and not (surely and not _surely_fewer(moved, test["person_id"])):
        return Promotion(False, said)
    old, new = (float(brier_score_loss(outcome, each)) for each in (champion_risk, risk))
    if found == before and new > old and not surely:
        return Promotion(False, f"{said}, and its Brier score is {new:.5f}, that of {rival} {old:.5f}")
    if harmed := _harmed(moved, test["person_id"], groups):
        return Promotion(False, f"{said}, but surely fewer than now would be found in {' and in '.join(harmed)}")
    return Promotion(True, f"{said}; no group surely has fewer of its outcomes found")


def _surely_fewer(moved: pd.Series, person: pd.Series) -> bool:
    """Say whether fewer are found: a one-sided test clustered by person; `moved` as for `_harmed`."""
    of_person = moved.groupby(person.loc[moved.index]).sum()
    return bool(of_person.sum() < -norm.isf(FALSE_ALARM) * np.sqrt((of_person**2).sum()))


def _harmed(moved: pd.Series, person: pd.Series, groups: Mapping[str, pd.Series]) -> list[str]:
    """Name the groups that surely lose: `moved` is 1 where an outcome is newly found, -1 where it no longer is.

    A one-sided test clustered by person, strict enough for all groups together (Bonferroni).
    """
    tested = []
    for grouping, label in groups.items():
        table = pd.DataFrame({"group": label.loc[moved.index], "person": person.loc[moved.index], "moved": moved})
        of_person = table.groupby(["group", "person"])["moved"].sum()
        sums = (
            of_person.groupby("group").agg(["sum", "size"]).assign(error=np.sqrt((of_person**2).groupby("group").sum()))
        )
        tested.append(sums[sums["size"] >= FEWEST_OUTCOMES].assign(grouping=grouping))
    every = pd.concat(tested) if tested else pd.DataFrame()
    if every.empty:
        return []
    lost = every[every["sum"] < -norm.isf(FALSE_ALARM / len(every)) * every["error"].where(every["error"] > 0, np.inf)]
    return [f"{row.grouping.replace('_', ' ')} {group!r}" for group, row in lost.iterrows()]
