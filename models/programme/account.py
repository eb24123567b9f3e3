"""The account of a programme: what it did, for whom, what a naive account would have claimed, and whether it paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from casewell.settings import EventName, Settings
from models.benefit.comparison import Estimate
from models.benefit.evidence import CASE_MANAGEMENT, Check
from models.programme.checks import before_after, checks
from models.programme.cohort import stands_for
from models.programme.earlier import fewest, on_record_two_years, year_before_last
from models.programme.effect import LARGEST_ODDS, Arms, Effect, Nuisances, arms, effect, expected_without, imbalance
from models.programme.lots import ByLot
from models.programme.money import Money, money
from models.programme.outcomes import MONTHS, NEGATIVE_CONTROL, Course
from models.programme.uptake import Uptake
from models.targeting import e_value

SHORT_RUN = 3  # months
FEWEST_STARTERS, FEWEST_OUTCOMES = 50, 10
CONTACTS = ("gp_contacts", "community_contacts", "calls", "attendances")
LATER = ("admissions", "bed_days", *CONTACTS)


@dataclass(frozen=True)
class Account:
    """What a programme did for the people who started it; differences are with less without.

    first, last : index dates of the first and the last month of starts
    starters, compared : rows followed to the end; `people` are distinct starters
    later_starts : share of the comparators, weighted, who started later in the year
    effects : `measure`, `months`, `with_programme`, `without`, `difference`, `low`, `high`
    naive : `measure`, `before`, `after`, `change`, `low`, `high`: the same starters before and after
    groups : `grouping`, `group`, `starters`, `outcomes`, `with_programme`, `without`, `difference`, `low`, `high`;
        missing where too few to tell
    unequal : `grouping`, `p`: how likely differences between its groups as large are by chance (Cochran's Q)
    monthly : `month` from the day, `starters`, `compared`: emergency admissions a person and month
    e_values : of the outcome's risk ratio, and of the end of its interval nearest one
    uptake : who said yes; None where too few were offered a place
    lots : what an offer changed among people drawn by lot; None where too few of them can be followed
    title : the programme's name in sentences
    outcome : what the account counts, of the outcomes that can rank
    """

    first: pd.Timestamp
    last: pd.Timestamp
    people: int
    starters: int
    compared: int
    later_starts: float
    attrition: pd.DataFrame
    effects: pd.DataFrame
    ratio: Estimate
    naive: pd.DataFrame
    groups: pd.DataFrame
    unequal: pd.DataFrame
    monthly: pd.DataFrame
    checks: tuple[Check, ...]
    e_values: tuple[float, float]
    money: Money | None
    uptake: Uptake | None
    lots: ByLot | None
    title: str = CASE_MANAGEMENT
    outcome: EventName = "admission_or_death"

    @property
    def believed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def of(self, measure: str, months: int = MONTHS) -> pd.Series:
        """Return the row of `effects` of one measure over so many months."""
        table = self.effects
        return table[(table["measure"] == measure) & (table["months"] == months)].iloc[0]


def account(
    rows: pd.DataFrame,
    course: Course,
    X: pd.DataFrame,
    groups: Mapping[str, np.ndarray],
    left_out: pd.DataFrame,
    eligible: pd.Series,
    begin: pd.Timestamp,
    said_yes: Uptake | None,
    lots: ByLot | None,
    settings: Settings,
    title: str = CASE_MANAGEMENT,
) -> Account:
    """Account for a programme.

    Parameters
    ----------
    rows : `models.programme.cohort.followed`
    course : what happened to each
    X : features of each on its index date
    groups : grouping to the label of each row
    left_out : `models.programme.cohort.attrition`
    eligible : index date to the number of people eligible and not enrolled, whom its rows stand for
    begin : the day from which there are data
    said_yes : `models.programme.uptake.uptake` of the same months
    lots : `models.programme.lots.by_lot` of every list whose outcomes are known
    title : the programme's name in sentences
    """
    person, treated = rows["person_id"].to_numpy(), rows["treated"].to_numpy()
    nuisances = Nuisances(X, person, settings.seed)
    both = arms(nuisances, person, treated, course.stayed)
    happened = _happened(course)
    expected = {name: expected_without(nuisances, values, both) for name, values in happened.items()}
    found = {name: effect(both, happened[name], expected[name]) for name in happened}
    outcome, starters, others = found["outcome"], *both.weights()
    ratio = outcome.ratio(both, happened["outcome"])
    then = course.before("admissions", years_back=2) > 0
    known = on_record_two_years(rows["index_date"], treated, begin)
    told = X[known], then[known], course.stayed[known], person[known], treated[known], settings.seed
    earlier = year_before_last(*told) if known.any() else Estimate(float("nan"), float("nan"))
    weighed = checks(
        imbalance(X, both),
        both.comparable(),
        int(np.unique(person[treated]).size),
        float((both.odds[treated] >= LARGEST_ODDS).mean()),
        found[NEGATIVE_CONTROL].difference,
        earlier,
        (fewest(happened[NEGATIVE_CONTROL] > 0, person, treated), fewest(then & known, person, treated)),
        bool(known.any()),
        settings.benefit,
        title,
    )
    kept = happened["outcome"].astype(bool)
    table = by_group(both, kept, expected["outcome"], groups)
    return Account(
        first=rows["index_date"].min(),
        last=rows["index_date"].max(),
        people=int(np.unique(person[treated]).size),
        starters=int(treated.sum()),
        compared=int((~treated).sum()),
        later_starts=float(others @ course.started),
        attrition=left_out,
        effects=_effects(both, course, happened, expected, found),
        ratio=ratio,
        naive=_naive(course, person, treated & course.stayed),
        groups=table,
        unequal=unequal(table),
        monthly=pd.DataFrame(
            {
                "month": np.arange(-MONTHS, MONTHS),
                "starters": starters @ course.counts["admissions"][:, MONTHS:],
                "compared": others @ course.counts["admissions"][:, MONTHS:],
            }
        ),
        checks=weighed,
        e_values=e_value(ratio),
        money=money(both, course, expected, settings.programme.costs, stands_for(rows, eligible)),
        uptake=said_yes,
        lots=lots,
        title=title,
        outcome=course.ranks,
    )


def by_group(both: Arms, happened: np.ndarray, expected: np.ndarray, groups: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Estimate the effect on the outcome in each group of starters; figures are missing where too few tell."""
    found = []
    for grouping, labels in groups.items():
        for label in sorted(set(labels)):
            inside = labels == label
            starters = inside & both.treated & (both.seen > 0)
            outcomes = int(happened[starters].sum())
            enough = (
                starters.sum() >= FEWEST_STARTERS and FEWEST_OUTCOMES <= outcomes <= starters.sum() - FEWEST_OUTCOMES
            )
            one = effect(both.where(inside), happened[inside], expected[inside]) if enough else None
            found.append(
                {"grouping": grouping, "group": label, "starters": int(starters.sum()), "outcomes": outcomes}
                | _told(one)
            )
    return pd.DataFrame(found)


def unequal(groups: pd.DataFrame) -> pd.DataFrame:
    """Test in each grouping whether the effect differs between its groups (Cochran 1954); p is missing with fewer than two."""
    rows = []
    for grouping, table in groups.dropna(subset=["difference"]).groupby("grouping", sort=False):
        weight = 1 / ((table["high"] - table["low"]) / (2 * 1.96)) ** 2
        mean = np.average(table["difference"], weights=weight)
        spread = float((weight * (table["difference"] - mean) ** 2).sum())
        rows.append({"grouping": grouping, "p": float(chi2.sf(spread, len(table) - 1)) if len(table) > 1 else np.nan})
    return pd.DataFrame(rows, columns=["grouping", "p"])


def _happened(course: Course) -> dict[str, np.ndarray]:
    return {
        "outcome": course.outcome().astype("float64"),
        "died": (~np.isnan(course.died)).astype("float64"),
        NEGATIVE_CONTROL: (course.after(NEGATIVE_CONTROL) > 0).astype("float64"),
        **{name: course.after(name).astype("float64") for name in LATER},
    }


def _effects(
    both: Arms,
    course: Course,
    happened: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    found: Mapping[str, Effect],
) -> pd.DataFrame:
    """Everything over the year, and contacts in the short run too, expected at the pace of the comparators."""
    table = [{"measure": name, "months": MONTHS} | _told(one) for name, one in found.items()]
    _, others = both.weights()
    for name in CONTACTS:
        early = course.after(name, SHORT_RUN).astype("float64")
        pace = float(others @ early) / max(float(others @ happened[name]), 1e-12)
        table.append({"measure": name, "months": SHORT_RUN} | _told(effect(both, early, pace * expected[name])))
    return pd.DataFrame(table)


def _told(one: Effect | None) -> dict[str, float]:
    if one is None:
        return dict.fromkeys(("with_programme", "without", "difference", "low", "high"), float("nan"))
    low, high = one.difference.interval()
    return {
        "with_programme": one.with_programme,
        "without": one.without,
        "difference": one.difference.value,
        "low": low,
        "high": high,
    }


def _naive(course: Course, person: np.ndarray, starters: np.ndarray) -> pd.DataFrame:
    before, after = course.before("admissions")[starters], course.after("admissions")[starters]
    pairs = {
        "outcome": (course.outcome_before()[starters], course.outcome()[starters]),
        "admissions": (before, after),
    }
    rows = []
    for name, (earlier, later) in pairs.items():
        change = before_after(earlier, later, person[starters])
        low, high = change.interval()
        told = {"before": float(earlier.mean()), "after": float(later.mean())}
        rows.append({"measure": name} | told | {"change": change.value, "low": low, "high": high})
    return pd.DataFrame(rows)
