"""What moves the predictions: SHAP values, gathered by theme."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.risk.calibration import CalibratedRisk

# More rows would move no figure that is shown.
SAMPLE = 20_000


def drivers(model: CalibratedRisk, matrix: pd.DataFrame, themes: Mapping[str, str]) -> pd.DataFrame:
    """Say how much each feature moves the log odds, on average over people.

    Parameters
    ----------
    matrix : DataFrame with the model's features; at most `SAMPLE` rows of it are used, evenly taken
    themes : feature: theme

    Returns
    -------
    DataFrame
        `feature`, `theme`, `effect` (mean absolute SHAP value), `more_means` (`more` risk or `less`, where the feature is
        higher; empty when it never varies), most moving first.
    """
    shap = model.contributions(_sample(matrix))
    values = _sample(matrix)[list(shap.columns)].astype("float64")
    together = ((values - values.mean()) * (shap - shap.mean())).sum()
    table = pd.DataFrame({"effect": shap.abs().mean(), "together": together})
    table["more_means"] = np.select([table["together"] > 0, table["together"] < 0], ["more", "less"], "")
    table["theme"] = [themes.get(name, "not in the catalogue") for name in table.index]
    table = table.rename_axis("feature").reset_index().sort_values(["effect", "feature"], ascending=[False, True])
    return table[["feature", "theme", "effect", "more_means"]].reset_index(drop=True)


def theme_drivers(model: CalibratedRisk, matrix: pd.DataFrame, themes: Mapping[str, str]) -> pd.DataFrame:
    """Say how much each theme's features together move the log odds: `theme`, `features`, `effect`, most moving first."""
    shap = model.contributions(_sample(matrix))
    theme = np.array([themes.get(name, "not in the catalogue") for name in shap.columns])
    moved = {name: float(shap.loc[:, theme == name].sum(axis=1).abs().mean()) for name in sorted(set(theme))}
    table = pd.DataFrame(
        {"theme": list(moved), "features": [int((theme == name).sum()) for name in moved], "effect": moved.values()}
    )
    return table.sort_values(["effect", "theme"], ascending=[False, True]).reset_index(drop=True)


def _sample(matrix: pd.DataFrame) -> pd.DataFrame:
    return matrix.iloc[:: -(-len(matrix) // SAMPLE)]
