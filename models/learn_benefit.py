"""What the pipeline's history, and places drawn by lot, say of benefit; and whether they may be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.settings import Benefit, Settings
from models.benefit.comparison import History
from models.benefit.drawn_by_lot import Drawn
from models.benefit.evidence import Evidence, judge, too_few
from models.benefit.fit import Lottery, fit_effect
from models.benefit.model import EffectModel, Foretold, assumed_benefit, released_benefit
from models.benefit.pre_period import pre_period
from models.benefit.propensity import fit_propensity
from models.evaluation.evaluate import benefit_by_tenth, benefit_curve
from models.risk.calibration import CalibratedRisk
from models.tables import BENEFIT_EVIDENCE


@dataclass(frozen=True)
class LearnedBenefit:
    """What scores benefit, and what is known of it; parts are None where hardly anybody was treated.

    propensity : of being chosen for case management
    offered : of being treated by choice or drawn by lot; None where no lots were pooled
    curve : `models.evaluation.evaluate.benefit_curve`
    tenths : `models.evaluation.evaluate.benefit_by_tenth`
    promised : `models.tables.BENEFIT_EVIDENCE`
    """

    evidence: Evidence
    propensity: CalibratedRisk | None = None
    offered: CalibratedRisk | None = None
    effect: EffectModel | None = None
    curve: pd.DataFrame | None = None
    tenths: pd.DataFrame | None = None
    promised: pd.DataFrame | None = None


@dataclass(frozen=True)
class _Rows:
    """Rows to judge by: the history as it was, and by what each rule would choose.

    dose : share of case management that `treated` stands for, against not being treated
    """

    table: pd.DataFrame
    history: History
    told: Foretold
    supported: np.ndarray
    assumed: np.ndarray
    risk: np.ndarray
    dose: float

    def where(self, rows: np.ndarray) -> _Rows:
        """Return some of them (boolean)."""
        told = Foretold(*(values[rows] for values in vars(self.told).values()))
        others = self.supported[rows], self.assumed[rows], self.risk[rows]
        return _Rows(self.table[rows], self.history.where(rows), told, *others, self.dose)

    def orders(self) -> dict[str, np.ndarray]:
        """Return the score by which each rule would choose; benefits as far as `treated` stands for case management."""
        return {
            "learned benefit": self.dose * released_benefit(self.told.benefit, self.assumed, self.supported),
            "assumed benefit": self.dose * self.assumed,
            "risk": self.risk,
        }

    def control(self) -> History:
        """Return the history of the outcome that case management should not change."""
        happened = self.table["negative_control"].to_numpy()
        level = np.full(len(happened), happened.mean())
        of = self.history
        return History(of.person, of.treated, happened, of.propensity, level, level)


def learn_benefit(
    rows: pd.DataFrame,
    columns: list[str],
    risk: np.ndarray,
    folds: np.ndarray,
    share: float,
    begin: pd.Timestamp,
    settings: Settings,
    drawn: Drawn | None = None,
) -> LearnedBenefit:
    """Learn from people without an outcome before the grace period was over, in both arms; drawn by lot or not.

    Otherwise whoever is admitted first and enrolled because of it would count against case management. Judge on those
    among them who could be offered a place, as the list is drawn; or, where people drawn by lot were pooled, on these
    alone.

    Parameters
    ----------
    rows : the feature matrix joined to `models.tables.OUTCOMES`
    columns : features to learn from
    risk, folds : out of fold, of each row and then of those of `drawn`
    share : places as a share of eligible people
    begin : the day from which there are data
    drawn : people who were in a lot, enough of them to learn from
    """
    rules, seed = settings.benefit, settings.seed
    table = _pooled(rows, drawn, columns, rules)
    risk, folds = risk[table["place"]], folds[table["place"]]
    person, treated, outcome = (table[name].to_numpy() for name in ("person_id", "treated", "outcome"))
    starters = int(pd.Series(person[treated]).nunique())
    if starters < rules.minimum_treated:
        return LearnedBenefit(too_few(starters, rules))
    matrix, dose = table[columns], drawn.dose.value if drawn else 1.0
    lottery = Lottery(table["chance"].to_numpy("float64"), dose)
    by_lot = lottery.inside
    by_choice = pd.Series(person[treated & ~by_lot]).nunique() >= rules.minimum_treated
    # Where hardly anybody was chosen yet, all that is known of who is treated is the lots.
    propensity, chosen = fit_propensity(matrix, treated, folds, seed, ~by_lot if by_choice else None)
    offered, likely = fit_propensity(matrix, treated, folds, seed) if drawn else (None, chosen)
    effect, told = fit_effect(matrix, outcome, treated, risk, chosen, folds, seed, lottery)
    chance = np.where(by_lot, lottery.chance, chosen)
    offer = np.where(by_lot, dose, 1.0)
    history = History(person, treated, outcome, chance, told.without, told.without - offer * told.benefit)
    supported = told.reached & (likely >= rules.minimum_propensity)
    assumed = assumed_benefit(table, risk, rules)
    everybody = _Rows(table, history, told, supported, assumed, risk, 1.0)
    from_history = everybody.where(~by_lot & table["offerable"].to_numpy())
    if drawn:
        judged = _Rows(**vars(everybody.where(by_lot)) | {"dose": dose})
        evidence = _judged_by_lot(judged, columns, rules)
    else:
        judged = from_history
        evidence = _judged_by_history(judged, columns, share, begin, settings)
    dates = _dates(judged, bool(drawn))
    return LearnedBenefit(
        evidence,
        propensity,
        offered,
        effect,
        benefit_curve(judged.history, dates, judged.orders()),
        benefit_by_tenth(judged.history, judged.told, judged.supported, judged.dose),
        _promised(from_history, evidence.grade),
    )


def _pooled(rows: pd.DataFrame, drawn: Drawn | None, columns: list[str], rules: Benefit) -> pd.DataFrame:
    """Return the rows to learn from, those of `drawn` last, with `chance` and `place` in both tables together."""
    kept = ~rows["early"].to_numpy()
    if drawn is None:
        return rows[kept].assign(chance=np.nan, place=np.flatnonzero(kept))
    kept &= ~drawn.tell_again(rows, rules.grace_days)
    others = ~drawn.rows["early"].to_numpy()
    needed = [name for name in rows.columns if name in drawn.rows.columns]
    return pd.concat(
        [
            rows.loc[kept, needed].assign(chance=np.nan, place=np.flatnonzero(kept)),
            drawn.rows.loc[others, [*needed, "chance"]].assign(place=len(rows) + np.flatnonzero(others)),
        ],
        ignore_index=True,
    )


def _judged_by_lot(judged: _Rows, columns: list[str], rules: Benefit) -> Evidence:
    """Judge by people in lots: had as many of them been chosen as were drawn, whom would each rule have chosen?"""
    return judge(
        judged.history,
        judged.control(),
        judged.table[columns],
        judged.orders(),
        judged.supported,
        _dates(judged, by_lot=True),
        float(judged.history.treated.mean()),
        rules,
        np.ones(len(judged.table), dtype=bool),
    )


def _judged_by_history(
    judged: _Rows, columns: list[str], share: float, begin: pd.Timestamp, settings: Settings
) -> Evidence:
    earlier = pre_period(judged.table, columns, begin, settings.seed)
    return judge(
        judged.history,
        judged.control(),
        judged.table[columns],
        judged.orders(),
        judged.supported,
        _dates(judged, by_lot=False),
        share,
        settings.benefit,
        further=[earlier],
    )


def _dates(judged: _Rows, by_lot: bool) -> np.ndarray:
    """Return within what lists are drawn: an index date, or all lots together, each of which holds few people."""
    dates = judged.table["index_date"].to_numpy()
    return np.zeros(len(dates)) if by_lot else dates


def _promised(judged: _Rows, grade: str) -> pd.DataFrame:
    said = judged.orders()["assumed benefit" if grade == "assumed" else "learned benefit"]
    told = {name: values for name, values in vars(judged.history).items() if name != "person"}
    keys = {"index_date": judged.table["index_date"].to_numpy(), "person_id": judged.history.person}
    return check(pd.DataFrame(keys | told | {"benefit": said}), BENEFIT_EVIDENCE)
