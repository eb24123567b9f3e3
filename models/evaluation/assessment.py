"""Everything that the evaluation page says of a risk model, as tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.evaluation.against import ALL_MONTHS, MODEL, compare
from models.evaluation.by_group import measure_by, quantiles
from models.evaluation.cells import count
from models.evaluation.decision import decision_curve
from models.evaluation.drivers import drivers, theme_drivers
from models.evaluation.evaluate import calibration_curve, evaluate
from models.evaluation.figures import at_capacity, smooth_curve
from models.evaluation.found import BEFORE, found_early
from models.risk.baselines import Baselines
from models.risk.calibration import CalibratedRisk, log_odds
from models.risk.flexible import knots_of

MONTH = "month"
ADMITTED_BEFORE = "admitted_before"
PRACTICE = "practice"
CURVE_POINTS = 60


@dataclass(frozen=True)
class Assessment:
    """What was measured in the test months.

    Attributes
    ----------
    measures : `models.evaluation.evaluate.evaluate`
    groups : `models.evaluation.by_group.measure_by` of every grouping, named in `grouping`
    against : `models.evaluation.against.compare` with every baseline and the champion before
    absent : baseline or measure: why it could not be run
    tenths : `models.evaluation.evaluate.calibration_curve`
    smooth : `predicted`, `observed`, `low`, `high`: the flexible calibration curve
    decisions : `models.evaluation.decision.decision_curve`
    found : `models.evaluation.found.found_early`
    themes, features : `models.evaluation.drivers`
    share : places as a share of people
    """

    measures: pd.DataFrame
    groups: pd.DataFrame
    against: pd.DataFrame
    absent: dict[str, str]
    tenths: pd.DataFrame
    smooth: pd.DataFrame
    decisions: pd.DataFrame
    found: pd.DataFrame
    themes: pd.DataFrame
    features: pd.DataFrame
    share: float

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain values, missing figures as None."""
        tables = {name: value for name, value in vars(self).items() if isinstance(value, pd.DataFrame)}
        return {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()} | {
            "absent": self.absent,
            "share": self.share,
        }


def numbers(found: Assessment) -> dict[str, float]:
    """Return the figures of everybody and of every rule by name, for the books; those that are missing are left out."""
    together = found.against[found.against["month"] == ALL_MONTHS]
    named = {row.measure: row.value for row in [*found.measures.itertuples(), *found.found.itertuples()]}
    named |= {
        f"{row.measure}_of_{re.sub('[^a-z]+', '_', row.rule.lower())}": row.value
        for row in together[together["rule"] != MODEL].itertuples()
    }
    return {name: float(value) for name, value in named.items() if np.isfinite(value)}


def assess(
    model: CalibratedRisk,
    test: pd.DataFrame,
    rows: pd.DataFrame,
    simple: Baselines,
    groups: Mapping[str, pd.Series],
    themes: Mapping[str, str],
    share: float,
    seed: int,
    draws: int = 200,
) -> Assessment:
    """Measure a back-test in every way.

    Parameters
    ----------
    model : the back-test
    test : DataFrame, its `models.tables.TEST_PREDICTIONS`
    rows : DataFrame, the features and outcomes of the same rows (`models.train.tested`)
    simple : what it is compared with, for the same rows
    groups : grouping: a label for each row
    themes : feature: theme
    share : places as a share of people
    draws : bootstrap draws, of people
    """
    chosen = at_capacity(test["risk"].to_numpy(), share)
    found, unseen = found_early(rows, chosen, seed, draws)
    groupings = dict(groups) | {MONTH: test["index_date"].dt.date.astype("str")}
    if BEFORE in rows:
        labels = np.where(rows[BEFORE] > 0, "emergency admission in the 2 years before", "none")
        groupings[ADMITTED_BEFORE] = pd.Series(labels, index=test.index)
    by_group = [
        measure_by(test, label, share, seed, draws).assign(grouping=grouping) for grouping, label in groupings.items()
    ]
    risks = {MODEL: test["risk"].to_numpy()} | {rule: simple.risk[rule].to_numpy() for rule in simple.risk}
    return Assessment(
        measures=evaluate(test, share, seed, draws),
        groups=pd.concat(by_group, ignore_index=True),
        against=compare(test, simple.risk, share, seed, draws),
        absent=simple.absent | unseen,
        tenths=calibration_curve(test),
        smooth=_smooth(test, seed, draws),
        decisions=decision_curve(risks, test["outcome"].to_numpy(), test["person_id"].to_numpy(), seed, draws),
        found=found,
        themes=theme_drivers(model, rows, themes),
        features=drivers(model, rows, themes),
        share=share,
    )


def _smooth(test: pd.DataFrame, seed: int, draws: int) -> pd.DataFrame:
    """Draw the flexible calibration curve between the lowest and highest hundredth of risk, where there is data."""
    risk, outcome, person = (test[name].to_numpy() for name in ("risk", "outcome", "person_id"))
    counted = count(risk, outcome, person, np.zeros(len(test), dtype="int64"), 1, draws, seed)
    first, last = np.quantile(risk, [0.01, 0.995])
    at = np.linspace(float(first), float(last), CURVE_POINTS)
    curves = smooth_curve(counted, knots_of(log_odds(risk)), at)
    low, high = quantiles(curves[1:])
    return pd.DataFrame({"predicted": at, "observed": curves[0], "low": low, "high": high})
