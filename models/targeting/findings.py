"""Everything that `models.targeting` can say of some rules, as tables of one form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.benefit.comparison import Estimate
from models.targeting.budget import gain_at_budget, net_benefit_at_budget
from models.targeting.calibration import calibration_of_benefit
from models.targeting.capacity import advantage, gain_at_capacity, gain_per_pound
from models.targeting.clusters import clustered_error
from models.targeting.falsification import overlap, placebo_effect, risk_ratio
from models.targeting.programmes import Offered, advantage_of_programmes, cost_curve
from models.targeting.rank import area_under_toc, qini
from models.targeting.scored import Scored
from models.targeting.sensitivity import e_value, people_needed

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
BUDGETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)  # of what is asked about, and beyond it
TENTHS = 10
EVERYBODY = "everybody"


@dataclass(frozen=True)
class Spending:
    """Places that cost money.

    cost : pounds that a place for each row costs, above nought
    budget : pounds for each row: all the money over all the rows
    worth : pounds that one outcome averted is worth; None where nobody has said
    """

    cost: np.ndarray
    budget: float
    worth: float | None = None


@dataclass(frozen=True)
class Findings:
    """What was found; each table holds `value`, `low`, `high` (95 %, clustered by person) unless it says otherwise.

    rules : `rule`, `measure`
    curve : `rule`, `share`
    advantages : `rule` that the first is held against, and `people_needed` to tell that the first gains more (NaN where it does not seem to)
    tenths : `tenth` of the stated benefit (10 gains most), `stated`; None where no rule states a benefit
    slope : of calibration; None likewise
    money : `rule`, `measure`; None without costs
    programmes : `models.targeting.programmes.cost_curve`; None without programmes
    together : `programme`: what all programmes gain more than it alone at the budget; None likewise
    overlap : one row for everybody and one for those chosen by each rule; None where only scores were given
    placebos : `placebo`, `among`; None likewise
    hidden : `among`, risk ratio, and both E-values (`e_value`, `e_value_interval`); None likewise
    """

    share: float
    rows: int
    people: int
    stated: str | None
    spending_budget: float | None
    rules: pd.DataFrame
    curve: pd.DataFrame
    advantages: pd.DataFrame
    slope: Estimate | None
    tenths: pd.DataFrame | None
    money: pd.DataFrame | None
    programmes: pd.DataFrame | None
    together: pd.DataFrame | None
    overlap: pd.DataFrame | None
    placebos: pd.DataFrame | None
    hidden: pd.DataFrame | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what could not be told is None."""
        return {name: _plain(value) for name, value in vars(self).items()}


def judge_rules(
    people: Scored,
    rules: Mapping[str, np.ndarray],
    share: float,
    stated: str | None,
    spending: Spending | None,
    programmes: Mapping[str, Offered],
    budget: float | None,
) -> Findings:
    """Judge rules, the first of which is held against the others; what it takes is checked by `models.targeting.report`."""
    scores, person = people.scores, people.person
    first = next(iter(rules))
    chosen = {EVERYBODY: np.ones(len(scores), dtype=bool)}
    chosen |= {rule: _highest(order, share) for rule, order in rules.items()}
    gains = {
        (rule, measure): estimate
        for rule, order in rules.items()
        for measure, estimate in (
            ("gain", gain_at_capacity(scores, order, share, person)),
            ("autoc", area_under_toc(scores, order, person)),
            ("qini", qini(scores, order, person)),
        )
    }
    curve = {
        (rule, one): gain_at_capacity(scores, order, one, person) for rule, order in rules.items() for one in SHARES
    }
    number = len(np.unique(person))
    more = {
        (rule,): advantage(scores, rules[first], order, share, person) for rule, order in rules.items() if rule != first
    }
    propensity = people.compared.propensity if people.compared else np.full(len(scores), 0.5)
    return Findings(
        share,
        len(scores),
        number,
        stated,
        budget if spending is None else spending.budget,
        _table(gains, ["rule", "measure"]),
        _table(curve, ["rule", "share"]),
        _table(more, ["rule"]).assign(people_needed=[_needed(one, number) for one in more.values()]),
        None if stated is None else calibration_of_benefit(scores, rules[stated], propensity, person),
        None if stated is None else _by_tenth(scores, rules[stated], person),
        None if spending is None else _table(_money(people, rules, share, spending), ["rule", "measure"]),
        *_several(programmes, budget, person),
        *_compared(people, chosen),
    )


def _money(
    people: Scored, rules: Mapping[str, np.ndarray], share: float, spending: Spending
) -> dict[tuple[str, str], Estimate]:
    found = {}
    for rule, order in rules.items():
        given = people.scores, order, spending.cost
        found[rule, "gain_at_budget"] = gain_at_budget(*given, spending.budget, people.person)
        found[rule, "gain_per_pound"] = gain_per_pound(*given, share, people.person)
        if spending.worth is not None:
            net = net_benefit_at_budget(*given, spending.budget, spending.worth, people.person)
            found[rule, "net_benefit"] = net
    return found


def _several(
    programmes: Mapping[str, Offered], budget: float | None, person: np.ndarray
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    if not programmes or budget is None:
        return None, None
    together = list(programmes.values())
    alone = {(name,): advantage_of_programmes(together, [one], budget, person) for name, one in programmes.items()}
    budgets = [2 * budget * part for part in BUDGETS]
    return cost_curve(programmes, budgets, person), _table(alone, ["programme"])


def _compared(
    people: Scored, chosen: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame | None, pd.DataFrame | None, pd.DataFrame | None]:
    told = people.compared
    if told is None:
        return None, None, None
    alike = pd.DataFrame(
        [{"among": name} | overlap(told.treated, told.propensity, rows) for name, rows in chosen.items()]
    )
    placebos = {
        (placebo, name): placebo_effect(happened, told.treated, told.propensity, people.person, rows)
        for placebo, happened in people.placebos.items()
        for name, rows in chosen.items()
    }
    ratios = {
        (name,): risk_ratio(told.outcome, told.treated, told.propensity, people.person, rows)
        for name, rows in chosen.items()
    }
    strengths = [e_value(ratio) for ratio in ratios.values()]
    hidden = _table(ratios, ["among"]).assign(
        e_value=[point for point, _ in strengths], e_value_interval=[end for _, end in strengths]
    )
    return alike, _table(placebos, ["placebo", "among"]), hidden


def _by_tenth(scores: np.ndarray, stated: np.ndarray, person: np.ndarray) -> pd.DataFrame:
    tenth = pd.qcut(pd.Series(stated).rank(method="first"), TENTHS, labels=False).to_numpy() + 1
    found = {}
    for number in range(1, TENTHS + 1):
        inside = tenth == number
        mean = float(scores[inside].mean())
        found[(number,)] = Estimate(mean, clustered_error(scores[inside] - mean, person[inside]))
    means = pd.Series(stated).groupby(tenth).mean()
    return _table(found, ["tenth"]).assign(stated=means.to_numpy())


def _highest(order: np.ndarray, share: float) -> np.ndarray:
    return order >= np.sort(order)[::-1][max(0, int(np.ceil(share * len(order))) - 1)]


def _needed(estimate: Estimate, people: int) -> float:
    return (
        float(people_needed(estimate.value, estimate.error, people)) if estimate.value > 0 < estimate.error else np.nan
    )


def _table(estimates: Mapping[Any, Estimate], names: list[str]) -> pd.DataFrame:
    rows = [(*key, one.value, *one.interval()) for key, one in estimates.items()]
    return pd.DataFrame(rows, columns=[*names, "value", "low", "high"])


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return value.astype(object).where(value.notna(), None).to_dict("records")
    if isinstance(value, Estimate):
        low, high = value.interval()
        return None if np.isnan(value.value) else {"value": value.value, "low": low, "high": high}
    return value
