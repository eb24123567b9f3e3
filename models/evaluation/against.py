"""The model against what else could be used, on the same people: everybody together, and month by month."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.evaluation import cells
from models.evaluation.by_group import draw_figures, quantiles
from models.evaluation.figures import at_capacity, figures
from models.risk.calibration import log_odds
from models.risk.flexible import knots_of

MODEL = "the model"
ALL_MONTHS = "all"
COMPARED = ("auroc", "auprc", "brier", "scaled_brier", "ppv_at_capacity", "sensitivity_at_capacity")


def compare(test: pd.DataFrame, others: pd.DataFrame, share: float, seed: int, draws: int = 200) -> pd.DataFrame:
    """Compare the model's predictions with others for the same rows.

    Parameters
    ----------
    test : DataFrame, `models.tables.TEST_PREDICTIONS`
    others : DataFrame, one column of probabilities a rule, rows as in `test`
    share : places as a share of people

    Returns
    -------
    DataFrame
        `rule` (`MODEL` first), `month` (`ALL_MONTHS`, or an index date as ISO text), `measure` (of `COMPARED`), `value`,
        `low`, `high`, and `gain`, `gain_low`, `gain_high`: the model's figure less the rule's, in the same draws of people.
    """
    model = _figures(test, test["risk"].to_numpy(), share, seed, draws)
    tables = [_table(MODEL, model, model)]
    tables += [_table(rule, _figures(test, others[rule].to_numpy(), share, seed, draws), model) for rule in others]
    return pd.concat(tables, ignore_index=True)


def _figures(
    test: pd.DataFrame, risk: np.ndarray, share: float, seed: int, draws: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return, by month and measure, the exact figure followed by that of each draw."""
    outcome, person = test["outcome"].to_numpy(), test["person_id"].to_numpy()
    chosen, knots = at_capacity(risk, share), knots_of(log_odds(risk))
    month, names = pd.factorize(test["index_date"].dt.date.astype("str"), sort=True)
    counted = cells.count(risk, outcome, person, month, len(names), draws, seed)
    by_month, together = draw_figures(counted, share, knots), draw_figures(counted.total(), share, knots)
    parts = [(ALL_MONTHS, together, 0, np.ones(len(risk), dtype=bool))]
    parts += [(name, by_month, number, month == number) for number, name in enumerate(names)]
    found = {}
    for name, drawn, column, rows in parts:
        possible = 0 < outcome[rows].sum() < rows.sum()
        exact = figures(risk[rows], outcome[rows], chosen[rows], knots) if possible else dict.fromkeys(COMPARED, np.nan)
        found[name] = {measure: np.append(exact[measure], drawn[measure][1:, column]) for measure in COMPARED}
    return found


def _table(rule: str, own: dict[str, dict[str, np.ndarray]], model: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    rows = []
    for month, measures in own.items():
        for measure, values in measures.items():
            gain = model[month][measure] - values
            (low, gain_low), (high, gain_high) = quantiles(np.column_stack([values[1:], gain[1:]]))
            rows.append(
                {
                    "rule": rule,
                    "month": month,
                    "measure": measure,
                    "value": values[0],
                    "low": low,
                    "high": high,
                    "gain": gain[0],
                    "gain_low": gain_low,
                    "gain_high": gain_high,
                }
            )
    return pd.DataFrame(rows)
