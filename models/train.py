"""From features and outcomes to models: a back-test first, then the models that will score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.errors import TrainingError
from casewell.settings import Benefit, OutcomeName, Settings
from features import CATALOGUE, Feature, model_columns
from models.against import compare
from models.attributes import allowed
from models.baselines import Baselines, run_baselines
from models.benefit import EffectModel, assumed_benefit, fit_effect, released_benefit
from models.beside import Beside, fit_beside, measure_beside
from models.by_group import FEWEST_OUTCOMES, FEWEST_PEOPLE
from models.comparison import History
from models.evaluation import benefit_curve, calibration_curve, evaluate
from models.evidence import Evidence, judge, too_few
from models.index_dates import Split
from models.propensity import fit_propensity
from models.rising import rising
from models.risk import fit_risk, person_folds
from models.tables import BENEFIT_EVIDENCE
from models.trees import CalibratedTrees

# The one part with a window of the scores and numbers of lasting conditions.
RECENT_CANCER = "cms_cancer_last_5y_any_1826d"


@dataclass(frozen=True)
class Models:
    """What scores people: risk, where the history supports it the effect and its support, the rules of benefit, and the outcomes beside."""

    risk: CalibratedTrees
    backtest: CalibratedTrees
    propensity: CalibratedTrees | None
    effect: EffectModel | None
    evidence: Evidence
    rules: Benefit
    beside: Mapping[OutcomeName, Beside] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """Models and how they did in the test months."""

    models: Models
    test: pd.DataFrame
    measures: pd.DataFrame
    calibration: pd.DataFrame
    against: pd.DataFrame
    benefit: pd.DataFrame | None
    benefit_evidence: pd.DataFrame | None
    beside: pd.DataFrame


def train(
    rows: pd.DataFrame,
    split: Split,
    history_days: int,
    share: float,
    settings: Settings,
    progress: Callable[[str], None] = lambda _: None,
    without: Collection[str] = (),
) -> Trained:
    """Fit and test every model.

    Parameters
    ----------
    rows : DataFrame
        The feature matrix joined to `models.tables.OUTCOMES`, one row a person and index date.
    split : index dates by use
    history_days : days of data before the first of them
    share : places as a share of eligible people, for figures at capacity
    without : features that no model may learn from

    Raises
    ------
    TrainingError
        Too few outcomes to learn from or to test on.
    """
    require_enough_outcomes(rows, split, settings)
    known = [name for name in columns_with_history(history_days) if name not in without]
    columns = allowed(known, settings.training.attributes)
    folds = person_folds(rows["person_id"], settings.benefit.folds, settings.seed)
    outcome, acted = rows["outcome"].to_numpy(), case_management_could_act(rows).to_numpy()

    progress("back-test: a model that knew only the earlier months")
    early, when, bounds = known_before_test(rows, split), rows["index_date"].to_numpy(), rising(CATALOGUE)
    backtest, _ = fit_risk(
        rows.loc[early, columns],
        outcome[early],
        acted[early],
        folds[early],
        settings.training,
        settings.seed,
        when[early],
        bounds,
        crossed=False,
    )
    test = predict_test(backtest, rows, split)

    progress("the simple rules that a model must beat")
    simple = baselines_on_test(rows, split, columns)

    progress("risk, on every month whose outcomes are known")
    risk, out_of_fold = fit_risk(rows[columns], outcome, acted, folds, settings.training, settings.seed, when, bounds)

    beside = fit_beside(rows, columns, acted, folds, early, settings, progress)

    progress("benefit, and whether it may be believed")
    propensity, effect, evidence, curve, promised = _learn_benefit(rows, columns, out_of_fold, folds, share, settings)
    return Trained(
        Models(risk, backtest, propensity, effect, evidence, settings.benefit, beside),
        test,
        evaluate(test, share, settings.seed),
        calibration_curve(test),
        compare(test, simple.risk, share, settings.seed),
        curve,
        promised,
        measure_beside({name: one.backtest for name, one in beside.items()}, tested(rows, split), share, settings.seed),
    )


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


def baselines_on_test(rows: pd.DataFrame, split: Split, columns: list[str]) -> Baselines:
    """Fit every baseline on what the back-test learned from, and predict the tested rows."""
    learn = rows[known_before_test(rows, split) & ~case_management_could_act(rows).to_numpy()]
    return run_baselines(
        learn, learn["outcome"].to_numpy(), learn["person_id"].to_numpy(), tested(rows, split), columns
    )


def case_management_could_act(rows: pd.DataFrame) -> pd.Series:
    """Mark rows whose outcome says nothing of life without case management.

    Somebody admitted first and enrolled because of it is not among them: what happened came
    before anything that case management could do.
    """
    return rows["treated"] & ~rows["early"]


def columns_with_history(days: int) -> list[str]:
    """Return the model features that mean the same at the first index date as they do now.

    A window much longer than the data counts less in early months than in late ones, and the
    time since a first record measures where the data begin; a model would take either for a trend.
    A feature made of others is as steady as all of them. Whether something is on record at all
    stays, though it too fills up with the years: what is known of lasting illness is not to be done without.
    For the same reason the scores and numbers of such conditions (`cms_*`) stay with their one part that has
    a window, cancer in the last five years.
    """
    known = {feature.name: feature for feature in CATALOGUE}

    def steady(feature: Feature) -> bool:
        if feature.parts:
            return all(steady(part) or part.name == RECENT_CANCER for part in feature.made_of())
        looks_back = (feature.window_days or 0) * (2 if feature.aggregation == "change" else 1)
        return feature.aggregation != "days_since_first" and looks_back <= 1.1 * days

    return [name for name in model_columns(CATALOGUE) if steady(known[name])]


def predict_test(model: CalibratedTrees, rows: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Score those who could be offered a place in the test months, and see what happened without one.

    Returns the table `models.tables.TEST_PREDICTIONS`.
    """
    late = tested(rows, split)
    return pd.DataFrame(
        {
            "index_date": late["index_date"],
            "person_id": late["person_id"],
            "risk": model.predict(late),
            "outcome": late["outcome"],
            "need": late["cms_score"].astype("float64"),
        }
    )


def require_enough_outcomes(rows: pd.DataFrame, split: Split, settings: Settings) -> None:
    """Refuse rows that hold too little to learn from, or to test on; parameters as for `train`.

    Raises
    ------
    TrainingError
        Naming each number that is too small, and how many are needed; or everybody had the outcome.
    """
    columns = ["index_date", "person_id", "treated", "early", "offerable", "outcome"]
    untouched = rows.loc[~case_management_could_act(rows), columns]
    test = tested(rows[columns], split)
    happened, people = int(test["outcome"].sum()), int(test["person_id"].nunique())
    # What the test must hold is what its figures need; without them no rule could promote the model.
    held = [
        (
            int(untouched.loc[known_before_test(untouched, split), "outcome"].sum()),
            "outcomes in the training months",
            settings.training.minimum_events,
        ),
        (happened, "outcomes in the test months", FEWEST_OUTCOMES),
        (len(test) - happened, "people-months without the outcome in the test months", FEWEST_OUTCOMES),
        (people, "people in the test months", FEWEST_PEOPLE),
    ]
    if whole := [
        name for name, table in (("training", untouched), ("test", test)) if len(table) and table["outcome"].all()
    ]:
        raise TrainingError(
            [f"everybody in the {name} months had the outcome" for name in whole],
            "Look at the outcome: outcome.admission_group must name admissions that not everybody has.",
        )
    if short := [f"{number} {what}, {needed} are needed" for number, what, needed in held if number < needed]:
        raise TrainingError(
            short,
            "Give more people or more history; for the training months training.minimum_events can be lowered, knowing "
            "what it costs, and for the test training.test_index_dates raised.",
        )


def _learn_benefit(
    rows: pd.DataFrame, columns: list[str], risk: np.ndarray, folds: np.ndarray, share: float, settings: Settings
) -> tuple[CalibratedTrees | None, EffectModel | None, Evidence, pd.DataFrame | None, pd.DataFrame | None]:
    """Learn from people without an outcome before the grace period was over, in both arms.

    Otherwise whoever is admitted first and enrolled because of it would count against case
    management. Judge on those among them who could be offered a place, as the list is drawn.
    """
    landmark = ~rows["early"].to_numpy()
    rows, risk, folds = rows[landmark], risk[landmark], folds[landmark]
    person, treated, outcome = (rows[name].to_numpy() for name in ("person_id", "treated", "outcome"))
    starters = int(pd.Series(person[treated]).nunique())
    if starters < settings.benefit.minimum_treated:
        return None, None, too_few(starters, settings.benefit), None, None
    matrix = rows[columns]
    propensity, chance = fit_propensity(matrix, treated, folds, settings.seed)
    effect, fitted = fit_effect(matrix, outcome, treated, risk, chance, folds, settings.seed)
    history = History(person, treated, outcome, chance, fitted.without, fitted.with_programme)
    level = np.full(len(rows), rows["negative_control"].mean())
    control = History(person, treated, rows["negative_control"].to_numpy(), chance, level, level)
    assumed = assumed_benefit(rows, risk, settings.benefit)
    supported = fitted.reached & (chance >= settings.benefit.minimum_propensity)
    orders = {
        "learned benefit": released_benefit(fitted.benefit, assumed, supported),
        "assumed benefit": assumed,
        "risk": risk,
    }
    offerable = rows["offerable"].to_numpy()
    orders = {name: order[offerable] for name, order in orders.items()}
    dates = rows["index_date"].to_numpy()[offerable]
    history, control = history.where(offerable), control.where(offerable)
    evidence = judge(history, control, matrix[offerable], orders, supported[offerable], dates, share, settings.benefit)
    said = orders["assumed benefit" if evidence.grade == "assumed" else "learned benefit"]
    promised = pd.DataFrame({"index_date": dates, "person_id": history.person, **_columns(history), "benefit": said})
    return propensity, effect, evidence, benefit_curve(history, dates, orders), check(promised, BENEFIT_EVIDENCE)


def _columns(history: History) -> dict[str, np.ndarray]:
    return {name: values for name, values in vars(history).items() if name != "person"}
