"""What else is predicted beside the outcome that ranks: trained, tested and kept by one code path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.errors import TrainingError
from casewell.settings import OutcomeName, Settings
from features import CATALOGUE
from models.declared_outcomes import DECLARED, DeclaredOutcome
from models.evaluation.by_group import FEWEST_LISTED, FEWEST_OUTCOMES, FEWEST_PEOPLE
from models.evaluation.days import evaluate_days
from models.evaluation.evaluate import evaluate
from models.risk.calibration import CalibratedRisk
from models.risk.days import CalibratedDays
from models.risk.estimator import fit_days, fit_risk
from models.risk.rising import rising

Predictor = CalibratedRisk | CalibratedDays
MEASURED = ["outcome", "measure", "value", "low", "high"]


@dataclass(frozen=True)
class Beside:
    """A model of one outcome, and its back-test, which had not seen the test months."""

    model: Predictor
    backtest: Predictor


def fit_beside(
    rows: pd.DataFrame,
    columns: list[str],
    acted: np.ndarray,
    folds: np.ndarray,
    early: np.ndarray,
    settings: Settings,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[OutcomeName, Beside]:
    """Fit every outcome of `outcome.beside` twice: on the rows known before the test, and on all.

    Parameters
    ----------
    rows : features joined to `models.tables.OUTCOMES`
    columns : the features that the models may use
    acted : boolean, rows whose outcome says nothing of life without case management
    folds : from `models.risk.person_folds`
    early : boolean, rows whose outcomes were known on the first test date

    Raises
    ------
    TrainingError
        Naming the outcome that nobody had, or everybody, or that too few had before the test.
    """
    if not settings.outcome.beside:
        return {}
    _require_enough(rows.loc[early & ~acted, [DECLARED[name].column for name in settings.outcome.beside]], settings)
    found = {}
    for declared in (DECLARED[name] for name in settings.outcome.beside):
        progress(f"beside it: {declared.words}")
        found[declared.name] = Beside(
            model=_fitted(declared, rows, columns, acted, folds, np.ones(len(rows), dtype=bool), settings),
            backtest=_fitted(declared, rows, columns, acted, folds, early, settings),
        )
    return found


def _fitted(
    declared: DeclaredOutcome,
    rows: pd.DataFrame,
    columns: list[str],
    acted: np.ndarray,
    folds: np.ndarray,
    taken: np.ndarray,
    settings: Settings,
) -> Predictor:
    matrix, happened = rows.loc[taken, columns], rows.loc[taken, declared.column].to_numpy()
    when = rows.loc[taken, "index_date"].to_numpy()
    who = (acted[taken], folds[taken], settings.training, settings.seed, when)
    if declared.counts_days:
        return fit_days(matrix, happened, settings.outcome.horizon_days, declared.from_most, *who)
    return fit_risk(matrix, happened, *who, rising(CATALOGUE), crossed=False)[0]


def _require_enough(rows: pd.DataFrame, settings: Settings) -> None:
    """Refuse every outcome that too few had, before anything is fitted."""
    needed, short = settings.training.minimum_events, []
    for name in settings.outcome.beside:
        nothing = settings.outcome.horizon_days if DECLARED[name].from_most else 0
        if (number := int((rows[DECLARED[name].column] != nothing).sum())) < needed:
            short.append(f"outcome {name!r}: {number} people-months with it before the test, {needed} are needed")
    if short:
        raise TrainingError(
            short,
            "Leave it out of outcome.beside, look at its codes in the sources, or give more people or more history.",
        )


def measure_beside(
    models: Mapping[OutcomeName, Predictor], tested: pd.DataFrame, share: float, seed: int
) -> pd.DataFrame:
    """Measure the back-tests of the outcomes beside in the test months.

    Parameters
    ----------
    models : outcome: its back-test
    tested : features and outcomes of the tested rows (`models.train.tested`)
    share : places as a share of people

    Returns
    -------
    DataFrame
        `outcome`, `measure`, `value`, `low`, `high` (95 %, over people): first of all `happened` (the share who had it, or
        mean days) and `died_without` (the share who died without it, or died), then figures of merit of its prediction.
        Where there are too few to tell, only those two are given; one of fewer than 8 people-months is missing.
    """
    tables = [_measured(DECLARED[name], model, tested, share, seed) for name, model in models.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=MEASURED)


def _measured(
    declared: DeclaredOutcome, model: Predictor, tested: pd.DataFrame, share: float, seed: int
) -> pd.DataFrame:
    happened, died = tested[declared.column].to_numpy(), tested["died"].to_numpy()
    shares = {"happened": happened, "died_without": died if declared.counts_days else died & ~happened}
    table = pd.DataFrame({"measure": list(shares), "value": [_not_of_few(each) for each in shares.values()]})
    test = tested[["person_id"]].assign(outcome=happened)
    if _enough(test, declared.counts_days):
        predicted = model.predict(tested)
        merit = (
            evaluate_days(test.assign(days=predicted), share, seed)
            if declared.counts_days
            else evaluate(test.assign(risk=predicted), share, seed)
        )
        table = pd.concat([table, merit], ignore_index=True)
    return table.assign(outcome=declared.name).reindex(columns=MEASURED)


def _not_of_few(happened: np.ndarray) -> float:
    """Return the mean, missing where it is that of a few people, whom it could give away."""
    return np.nan if 0 < (happened > 0).sum() < FEWEST_LISTED else float(happened.mean())


def _enough(test: pd.DataFrame, days: bool) -> bool:
    with_it = int((test["outcome"] > 0).sum())
    fewest = with_it if days else min(with_it, len(test) - with_it)
    return test["person_id"].nunique() >= FEWEST_PEOPLE and fewest >= FEWEST_OUTCOMES


def numbers_beside(measures: pd.DataFrame) -> dict[str, float]:
    """Return the figures of `measure_beside` by name, for the books; those that are missing are left out."""
    return {f"{row.outcome}_{row.measure}": float(row.value) for row in measures.dropna(subset="value").itertuples()}


def predict_beside(models: Mapping[OutcomeName, Predictor], matrix: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the prediction of each outcome by its column of the scores."""
    return {DECLARED[name].predicted: model.predict(matrix) for name, model in models.items()}
