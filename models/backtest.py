"""The back-test: a model that knew only the earlier months, and the later ones that it is tested on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casewell.settings import Kind, Settings
from features import CATALOGUE
from models.index_dates import Split
from models.risk.baselines import Baselines, run_baselines
from models.risk.calibration import CalibratedRisk
from models.risk.estimator import fit_risk, person_folds
from models.risk.kinds import NAMES
from models.risk.rising import rising
from models.tables import BEFORE_GROUPS


def case_management_could_act(rows: pd.DataFrame) -> pd.Series:
    """Mark rows whose outcome says nothing of life without case management.

    Somebody admitted first and enrolled because of it is not among them: what happened came
    before anything that case management could do.
    """
    return rows["treated"] & ~rows["early"]


def known_before_test(rows: pd.DataFrame, split: Split) -> np.ndarray:
    """Mark the rows whose outcomes were known on the first test date (boolean)."""
    return rows["index_date"].isin(split.known).to_numpy()


def tested(rows: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Return the rows of the test months that say what happens without case management, to people who could be offered it."""
    return rows[is_tested(rows, split)].reset_index(drop=True)


def is_tested(rows: pd.DataFrame, split: Split) -> np.ndarray:
    """Mark the rows that `tested` returns (boolean)."""
    late = rows["index_date"].isin(split.test) & rows["offerable"] & ~case_management_could_act(rows)
    return late.to_numpy()


def fit_backtest(
    rows: pd.DataFrame, early: np.ndarray, matrix: pd.DataFrame, settings: Settings, kind: Kind
) -> CalibratedRisk:
    """Fit a risk model on what was known on the first test date.

    Parameters
    ----------
    rows : the keys of each row and `models.tables.OUTCOMES`
    early : boolean, one a row, from `known_before_test`
    matrix : the features to learn from, of the early rows alone
    kind : what it is learned by
    """
    learn = rows.loc[early, ["person_id", "index_date", "outcome", "treated", "early"]]
    model, _ = fit_risk(
        matrix,
        learn["outcome"].to_numpy(),
        case_management_could_act(learn).to_numpy(),
        person_folds(learn["person_id"], settings.benefit.folds, settings.seed),
        settings.training,
        settings.seed,
        learn["index_date"].to_numpy(),
        rising(CATALOGUE),
        crossed=False,
        kind=kind,
    )
    return model


def predict_test(model: CalibratedRisk, late: pd.DataFrame) -> pd.DataFrame:
    """Score those who could be offered a place in the test months, and see what happened without one.

    `late` is what `tested` returned. Returns the table `models.tables.TEST_PREDICTIONS`.
    """
    unmended, risk = model.predict_both(late)
    return pd.DataFrame(
        {
            "index_date": late["index_date"],
            "person_id": late["person_id"],
            "risk": risk,
            **({BEFORE_GROUPS: unmended} if model.mended else {}),
            "outcome": late["outcome"],
            "need": late["cms_score"].astype("float64"),
        }
    )


def baselines_on_test(
    rows: pd.DataFrame, split: Split, late: pd.DataFrame, others: dict[Kind, np.ndarray]
) -> Baselines:
    """Fit every baseline on what a back-test learned from, and predict the tested rows, `late`.

    `others` holds what back-tests of another kind than the model's predicted for them.
    """
    learn = known_before_test(rows, split) & ~case_management_could_act(rows).to_numpy()
    return run_baselines(rows, learn, late, {NAMES[kind]: risk for kind, risk in others.items()})
