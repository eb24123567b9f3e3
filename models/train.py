"""From features and outcomes to models: a back-test first, then the models that will score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from casewell.errors import TrainingError
from casewell.settings import CASE_MANAGEMENT, Benefit, Kind, OutcomeName, Settings
from features import CATALOGUE, Feature, model_columns
from models.attributes import allowed
from models.backtest import (
    baselines_on_test,
    case_management_could_act,
    fit_backtest,
    known_before_test,
    predict_test,
    tested,
)
from models.benefit.drawn_by_lot import Drawn
from models.benefit.evidence import Evidence
from models.benefit.model import EffectModel
from models.beside import Beside, fit_beside, measure_beside
from models.choice import choose
from models.evaluation.against import compare
from models.evaluation.by_group import FEWEST_OUTCOMES, FEWEST_PEOPLE
from models.evaluation.evaluate import calibration_curve, evaluate
from models.index_dates import Split
from models.learn_benefit import learn_benefit
from models.other_programmes.learn import LearnedProgramme, Past, learn_programmes
from models.risk.calibration import CalibratedRisk
from models.risk.estimator import fit_risk, person_folds
from models.risk.kinds import NAMES
from models.risk.rising import rising

# The one part with a window of the scores and numbers of lasting conditions.
RECENT_CANCER = "cms_cancer_last_5y_any_1826d"


@dataclass(frozen=True)
class Models:
    """What scores people: risk, where the history supports it the effect and its support, the rules of benefit, the outcomes beside, and by code what was learned of other programmes."""

    risk: CalibratedRisk
    backtest: CalibratedRisk
    propensity: CalibratedRisk | None
    effect: EffectModel | None
    evidence: Evidence
    rules: Benefit
    beside: Mapping[OutcomeName, Beside] = field(default_factory=dict)
    offered: CalibratedRisk | None = None
    chosen_because: str = ""
    programmes: Mapping[str, LearnedProgramme] = field(default_factory=dict)


def harms(told: Models, offered: Collection[str]) -> list[tuple[bool, str]]:
    """Say of each programme offered (its code, `case_management` among them) that it did harm on the history, if so, and whether that is sure."""
    every = {CASE_MANAGEMENT: told.evidence} | {code: one.evidence for code, one in sorted(told.programmes.items())}
    asked = [evidence for code, evidence in every.items() if code in offered]
    sure = [(True, evidence.harm) for evidence in asked if evidence.harm]
    return sure + [(False, evidence.suspicion) for evidence in asked if evidence.suspicion]


@dataclass(frozen=True)
class Trained:
    """Models and how they did in the test months."""

    models: Models
    test: pd.DataFrame
    measures: pd.DataFrame
    calibration: pd.DataFrame
    against: pd.DataFrame
    benefit: pd.DataFrame | None
    benefit_tenths: pd.DataFrame | None
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
    drawn: Drawn | None = None,
    groups: Callable[[pd.DataFrame], Mapping[str, pd.Series]] = lambda _: {},
    standing: Kind | None = None,
    pasts: Mapping[str, Past] = MappingProxyType({}),
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
    drawn : people whose place was drawn by lot, for benefit to learn from
    groups : gives, for test predictions, by grouping a label for each row; the simpler model may surely harm none
    standing : what the champion is learned by; None without one
    pasts : by the code of each programme of the settings, what is on record of it

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

    backtests, tests = {}, {}
    early = known_before_test(rows, split)
    matrix = rows.loc[early, columns]
    late = tested(rows, split)
    for kind, name in NAMES.items():
        progress(f"back-test of {name}, which knew only the earlier months")
        backtests[kind] = fit_backtest(rows, early, matrix, settings, kind)
        tests[kind] = predict_test(backtests[kind], late)
    del matrix
    choice = choose(tests, settings.training.learner, standing, share, settings.seed, groups(tests["trees"]))
    progress(choice.reason)
    test = tests[choice.kind]

    progress("the simple rules that a model must beat")
    told = {kind: other["risk"].to_numpy() for kind, other in tests.items() if kind != choice.kind}
    simple = baselines_on_test(rows, split, late, told)
    # Gigabytes; the models that follow need the memory more than it costs to cut them out again.
    del late

    progress("risk, on every month whose outcomes are known")
    too_little = drawn.too_little(settings.benefit) if drawn else None
    others = None
    if too_little:
        drawn = None
    if drawn is not None:
        of_drawn = person_folds(drawn.rows["person_id"], settings.benefit.folds, settings.seed)
        others = drawn.rows[columns], of_drawn
    risk, out_of_fold = fit_risk(
        rows[columns],
        outcome,
        acted,
        folds,
        settings.training,
        settings.seed,
        rows["index_date"].to_numpy(),
        rising(CATALOGUE),
        others=others,
        kind=choice.kind,
    )

    beside = fit_beside(rows, columns, acted, folds, early, settings, progress)

    progress("benefit, and whether it may be believed")
    begin = split.mature[0] - pd.Timedelta(days=history_days)
    in_folds = folds if others is None else np.concatenate([folds, others[1]])
    learned = learn_benefit(rows, columns, out_of_fold, in_folds, share, begin, settings, drawn)
    if pasts:
        progress(f"benefit of {len(pasts)} other programme{'s' if len(pasts) > 1 else ''}")
    programmes = learn_programmes(rows, columns, out_of_fold[: len(rows)], folds, begin, settings, pasts)
    lots = f"People were drawn by lot, but nothing was learned from them: {too_little}." if too_little else ""
    scoring = learned.propensity, learned.effect, replace(learned.evidence, lots=lots)
    the_rest = learned.offered, choice.reason, programmes
    return Trained(
        Models(risk, backtests[choice.kind], *scoring, settings.benefit, beside, *the_rest),
        test,
        evaluate(test, share, settings.seed),
        calibration_curve(test),
        compare(test, simple.risk, share, settings.seed),
        learned.curve,
        learned.tenths,
        learned.promised,
        measure_beside({name: one.backtest for name, one in beside.items()}, tested(rows, split), share, settings.seed),
    )


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
