"""What the pipeline's history, and places drawn by lot, say of benefit; and whether they may be believed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.settings import Benefit, Settings
from models.benefit.comparison import History
from models.benefit.drawn_by_lot import Drawn
from models.benefit.evidence import CASE_MANAGEMENT, Evidence, judge, too_few
from models.benefit.fit import Lottery, fit_effect
from models.benefit.judged import Judged
from models.benefit.model import EffectModel, Foretold, assumed_benefit, released_benefit
from models.benefit.pre_period import LAST_YEAR, TWO_YEARS, pre_period
from models.benefit.propensity import fit_propensity
from models.evaluation.evaluate import benefit_by_tenth, benefit_curve
from models.risk.calibration import CalibratedRisk
from models.tables import BENEFIT_EVIDENCE

ROWS_AT_ONCE = 100_000
LABELS = (
    *("index_date", "person_id", "treated", "outcome", "offerable", "negative_control"),
    *(LAST_YEAR, TWO_YEARS),  # features too, by which a year is told from the year before
)


@dataclass(frozen=True)
class Programme:
    """Whose benefit is learned: its name in sentences, and from features and risk what is assumed of it."""

    title: str
    assumed: Callable[[pd.DataFrame, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class LearnedBenefit:
    """What scores benefit, and what is known of it; parts are None where hardly anybody was treated.

    propensity : of being chosen for the programme
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

    labels : index date, outcome and the like, without features
    matrix : features
    dose : share of case management that `treated` stands for, against not being treated
    """

    labels: pd.DataFrame
    matrix: pd.DataFrame
    history: History
    told: Foretold
    supported: np.ndarray
    assumed: np.ndarray
    risk: np.ndarray
    dose: float

    def where(self, rows: slice | np.ndarray) -> _Rows:
        """Return some of them; a slice copies no features."""
        told = Foretold(*(values[rows] for values in vars(self.told).values()))
        others = self.supported[rows], self.assumed[rows], self.risk[rows]
        return _Rows(self.labels[rows], self.matrix[rows], self.history.where(rows), told, *others, self.dose)

    def orders(self) -> dict[str, np.ndarray]:
        """Return the score by which each rule would choose; benefits as far as `treated` stands for case management."""
        return {
            "learned benefit": self.dose * released_benefit(self.told.benefit, self.assumed, self.supported),
            "assumed benefit": self.dose * self.assumed,
            "risk": self.risk,
        }

    def to_judge_by(self, within: np.ndarray) -> Judged:
        """Return them as they are judged by; `within` says on which list each row would be."""
        happened = self.labels["negative_control"].to_numpy()
        level, of = np.full(len(happened), happened.mean()), self.history
        control = History(of.person, of.treated, happened, of.propensity, level, level)
        return Judged(of, control, self.matrix, self.orders(), self.supported, within)


def learn_benefit(
    rows: pd.DataFrame,
    columns: list[str],
    risk: np.ndarray,
    folds: np.ndarray,
    share: float,
    begin: pd.Timestamp,
    settings: Settings,
    drawn: Drawn | None = None,
    programme: Programme | None = None,
) -> LearnedBenefit:
    """Learn from people without an outcome before the grace period was over, in both arms; drawn by lot or not.

    Otherwise whoever is admitted first and enrolled because of it would count against the programme. Judge on those
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
    programme : case management unless given; then `treated` says who started it, and the other columns are about it too
    """
    rules, seed = settings.benefit, settings.seed
    programme = programme or Programme(CASE_MANAGEMENT, functools.partial(assumed_benefit, rules=rules))
    every = [rows] if drawn is None else [rows, drawn.rows]
    labels = _pooled(rows, drawn, rules)
    place, ours = labels["place"].to_numpy(), np.arange(len(risk)) < len(rows)
    assumed = np.concatenate(
        [programme.assumed(some, risk[of]) for some, of in zip(every, (ours, ~ours), strict=False)]
    )
    risk, folds, assumed = risk[place], folds[place], assumed[place]
    person, treated, outcome = (labels[name].to_numpy() for name in ("person_id", "treated", "outcome"))
    starters = int(pd.Series(person[treated]).nunique())
    if starters < rules.minimum_treated:
        return LearnedBenefit(too_few(starters, rules, programme.title))
    matrix, dose = _features(every, columns, place), drawn.dose.value if drawn else 1.0
    lottery = Lottery(labels["chance"].to_numpy("float64"), dose)
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
    everybody = _Rows(labels, matrix, history, told, supported, assumed, risk, 1.0)
    from_history = everybody.where(slice(int(labels["to_judge_by"].sum())))
    if drawn:
        judged = _Rows(**vars(everybody.where(by_lot)) | {"dose": dose})
        evidence = _judged_by_lot(judged, rules, programme.title)
    else:
        judged = from_history
        evidence = _judged_by_history(judged, share, begin, settings, programme.title)
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


def _pooled(rows: pd.DataFrame, drawn: Drawn | None, rules: Benefit) -> pd.DataFrame:
    """Return what is known, beside features, of the rows to learn from, with `chance`, and `place` in both tables together.

    Those of the history to judge by (`to_judge_by`) come first: a slice of the features is no copy of them.
    """
    kept = ~rows["early"].to_numpy()
    if drawn is not None:
        kept &= ~drawn.tell_again(rows, rules.grace_days)
    first = kept & rows["offerable"].to_numpy()
    place = np.concatenate([np.flatnonzero(first), np.flatnonzero(kept & ~first)])
    told = rows[list(LABELS)].iloc[place].assign(chance=np.nan, place=place, to_judge_by=first[place])
    if drawn is None:
        return told.reset_index(drop=True)
    others = np.flatnonzero(~drawn.rows["early"].to_numpy())
    of_lots = drawn.rows[[*LABELS, "chance"]].iloc[others].assign(place=len(rows) + others, to_judge_by=False)
    return pd.concat([told, of_lots], ignore_index=True)


def _features(tables: Sequence[pd.DataFrame], columns: list[str], place: np.ndarray) -> pd.DataFrame:
    """Return features at each place of all tables together: copied once, and piece by piece, because they are gigabytes."""
    values = np.empty((len(place), len(columns)), dtype="float32")
    begin = 0
    for table in tables:
        mine = np.flatnonzero((place >= begin) & (place < begin + len(table)))
        for at in range(0, len(mine), ROWS_AT_ONCE):
            piece = mine[at : at + ROWS_AT_ONCE]
            values[piece] = table.iloc[place[piece] - begin][columns].to_numpy("float32")
        begin += len(table)
    return pd.DataFrame(values, columns=columns, copy=False)


def _judged_by_lot(judged: _Rows, rules: Benefit, title: str) -> Evidence:
    """Judge by people in lots: had as many of them been chosen as were drawn, whom would each rule have chosen?"""
    told, everybody = judged.to_judge_by(_dates(judged, by_lot=True)), np.ones(len(judged.labels), dtype=bool)
    return judge(told, float(judged.history.treated.mean()), rules, randomised=everybody, programme=title)


def _judged_by_history(judged: _Rows, share: float, begin: pd.Timestamp, settings: Settings, title: str) -> Evidence:
    earlier = pre_period(judged.labels, judged.matrix, begin, settings.seed)
    told = judged.to_judge_by(_dates(judged, by_lot=False))
    return judge(told, share, settings.benefit, further=[earlier], programme=title)


def _dates(judged: _Rows, by_lot: bool) -> np.ndarray:
    """Return within what lists are drawn: an index date, or all lots together, each of which holds few people."""
    dates = judged.labels["index_date"].to_numpy()
    return np.zeros(len(dates)) if by_lot else dates


def _promised(judged: _Rows, grade: str) -> pd.DataFrame:
    said = judged.orders()["assumed benefit" if grade == "assumed" else "learned benefit"]
    told = {name: values for name, values in vars(judged.history).items() if name != "person"}
    keys = {"index_date": judged.labels["index_date"].to_numpy(), "person_id": judged.history.person}
    return check(pd.DataFrame(keys | told | {"benefit": said}), BENEFIT_EVIDENCE)
