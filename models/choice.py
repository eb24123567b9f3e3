"""Trees or the simpler model: by a stated rule that does not turn back by a hair's breadth.

Both are tested in the newest months whose outcomes are known. Logistic regression is registered where the trees' area
under the ROC curve is less than `ENOUGH_BETTER` above its own and, as a challenger of the trees, it would become champion
(`models.promotion`): it is calibrated, finds at least as many of the outcomes within the teams' capacity, and harms no
group. Once the champion is a logistic regression it stays one until the trees surely rank that much better (the lower
end of the interval), or it surely finds fewer within capacity, or surely harms a group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from casewell.settings import Kind
from models.evaluation.against import ALL_MONTHS, compare
from models.evaluation.evaluate import evaluate
from models.promotion import decide
from models.risk.kinds import NAMES

# Trees that rank no better than this above logistic regression do not pay for what cannot be read in them.
ENOUGH_BETTER = 0.005


@dataclass(frozen=True)
class Choice:
    """What the risk is learned by, and why, in a sentence."""

    kind: Kind
    reason: str


def choose(
    tests: Mapping[Kind, pd.DataFrame],
    learner: Literal["auto", "trees", "linear"],
    standing: Kind | None,
    share: float,
    seed: int,
    groups: Mapping[str, pd.Series],
) -> Choice:
    """Apply the rule.

    Parameters
    ----------
    tests : `models.tables.TEST_PREDICTIONS` of each kind's back-test, the same rows
    learner : the setting `training.learner`
    standing : what the champion is learned by; None without one
    share : places as a share of eligible people
    groups : grouping: a label for each row
    """
    trees, linear = tests["trees"], tests["linear"]
    found = compare(trees, pd.DataFrame({NAMES["linear"]: linear["risk"]}), share, seed)
    ours = found["rule"].eq(NAMES["linear"]) & found["measure"].eq("auroc") & found["month"].eq(ALL_MONTHS)
    row = found[ours].iloc[0]
    gain = f"{row['gain']:.3f} (95 % interval {row['gain_low']:.3f} to {row['gain_high']:.3f})"
    above = f"the trees' area under the ROC curve is {gain} above that of logistic regression on the same features"
    if learner != "auto":
        return Choice(learner, f"The setting training.learner asks for {NAMES[learner]}; {above}.")
    if row["gain"] >= ENOUGH_BETTER and (standing != "linear" or row["gain_low"] >= ENOUGH_BETTER):
        return Choice("trees", f"The trees earn their keep: {above}.")
    measures = evaluate(linear, share, seed)
    answer = decide(measures, linear, trees["risk"].to_numpy(), share, groups, standing == "linear", "the trees")
    if not answer.promoted:
        return Choice("trees", f"The trees are kept: {above}, but of logistic regression: {answer.reason}.")
    if row["gain"] >= ENOUGH_BETTER:
        return Choice(
            "linear",
            f"The simpler model stays: {above}, which is not surely {ENOUGH_BETTER}, and it is the champion's kind.",
        )
    return Choice("linear", f"The simpler model is enough: {above}, less than {ENOUGH_BETTER}; {answer.reason}.")
