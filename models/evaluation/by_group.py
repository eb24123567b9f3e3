"""Figures of merit of everybody, and of each group, practice or month, with intervals over people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.evaluation import cells
from models.evaluation.figures import MEASURES, at_capacity, figures, figures_of_draws, listed_in_draws
from models.risk.calibration import log_odds
from models.risk.flexible import knots_of

EVERYBODY = "everybody"
LEVELS = (0.025, 0.975)
STRATA_AT_ONCE = 20
# With fewer people, outcomes, or people without one, a figure would say more of chance than of the model.
FEWEST_PEOPLE = 100
FEWEST_OUTCOMES = 20
# A share of fewer people than this could give somebody away (NHS disclosure control: 1 to 7 are hidden).
FEWEST_LISTED = 8
OF_THE_LISTED = ("ppv_at_capacity", "sensitivity_at_capacity", "lift_at_capacity", "share_at_capacity")


def measure_by(test: pd.DataFrame, group: pd.Series | None, share: float, seed: int, draws: int = 200) -> pd.DataFrame:
    """Measure predictions against outcomes in each group.

    Parameters
    ----------
    test : DataFrame, `models.tables.TEST_PREDICTIONS`
    group : a label for each row of `test`; None for everybody as one group
    share : places as a share of people; the same threshold holds for every group
    draws : bootstrap draws, of people rather than rows

    Returns
    -------
    DataFrame
        `group`, `people` (distinct), `outcomes` (people-months with it), `measure`, `value`, `low`, `high` (95 % percentile
        interval). Where a group is too small to tell, all three are missing; where it has too few at capacity, those of
        the measures at capacity are.
    """
    labels = pd.Series(EVERYBODY, index=test.index) if group is None else group
    stratum, names = pd.factorize(labels.to_numpy(), sort=True)
    risk, outcome, person = (test[name].to_numpy() for name in ("risk", "outcome", "person_id"))
    chosen, knots = at_capacity(risk, share), knots_of(log_odds(risk))
    sizes = pd.DataFrame({"group": labels, "person": person, "outcome": outcome}).groupby("group", sort=True)
    people, outcomes = sizes["person"].nunique().to_numpy(), sizes["outcome"].sum().to_numpy()
    others = sizes["outcome"].size().to_numpy() - outcomes
    enough = (people >= FEWEST_PEOPLE) & (np.minimum(outcomes, others) >= FEWEST_OUTCOMES)
    counted = cells.count(risk, outcome, person, stratum, len(names), draws, seed)
    low, high = quantiles(np.stack(list(draw_figures(counted, share, knots).values()), axis=1)[1:])
    tables = []
    for number, name in enumerate(names):
        rows = stratum == number
        value = figures(risk[rows], outcome[rows], chosen[rows], knots) if enough[number] else {}
        few = min(chosen[rows].sum(), outcome[rows & chosen].sum()) < FEWEST_LISTED
        told = [measure in value and not (few and measure in OF_THE_LISTED) for measure in MEASURES]
        table = pd.DataFrame(
            {
                "measure": MEASURES,
                "value": [value.get(measure, np.nan) for measure in MEASURES],
                "low": low[:, number],
                "high": high[:, number],
            }
        )
        table.loc[~np.array(told), ["value", "low", "high"]] = np.nan
        tables.append(table.assign(group=name, people=people[number], outcomes=outcomes[number]))
    return pd.concat(tables, ignore_index=True)[["group", "people", "outcomes", "measure", "value", "low", "high"]]


def draw_figures(counted: cells.Cells, share: float, knots: np.ndarray) -> dict[str, np.ndarray]:
    """Return each of `MEASURES` as draws x strata, the data themselves first; a few strata at a time, for memory."""
    listed = listed_in_draws(counted, share)
    parts = [
        figures_of_draws(counted.of(slice(first, first + STRATA_AT_ONCE)), listed, knots)
        for first in range(0, counted.rows.shape[1], STRATA_AT_ONCE)
    ]
    return {measure: np.concatenate([part[measure] for part in parts], axis=1) for measure in MEASURES}


def quantiles(drawn: np.ndarray) -> np.ndarray:
    """Return the 95 % percentile limits over the first axis (2 x the rest); missing where most draws say nothing."""
    if not len(drawn):
        return np.full((2, *drawn.shape[1:]), np.nan)
    silent = np.isnan(drawn).mean(axis=0) > 0.5
    # By expected rank (Hyndman and Fan 1996, type 6): of few draws the usual interpolation gives intervals that are too narrow.
    limits = np.nanquantile(np.where(silent, 0.0, drawn), LEVELS, axis=0, method="weibull")
    return np.where(silent, np.nan, limits)
