"""Evidence: may benefit learned from the past be believed, or must it be assumed?

The grade is earned by passing every check below on the history; one failure and it is `assumed`.
It is `randomised` where enough people were drawn by lot, and then those people alone are judged by;
otherwise `compared`. The pipeline and `BenefitEstimator` by itself (`models.benefit.graded`) are judged by this one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from casewell.settings import Benefit
from models.benefit.comparison import Estimate, History, effective_sample, imbalance, top
from models.benefit.doubly_robust import doubly_robust_scores
from models.benefit.judged import Judged
from models.targeting import calibration_of_benefit

CASE_MANAGEMENT = "case management"
"""The programme, in words, where no other is named."""
ONE_SIDED_95 = 1.645
CONTROL_MARGIN = 0.05  # a wider interval could hide confounding as large as the effects sought
FEWEST_TOLD = 8  # people, and others in fives: the sentence stands on every list
FEWEST_CONTROLS = 10  # outcomes in each arm: fewer, and an interval of nothing holds zero or not by rounding
SURE_HARM = 3.0  # standard errors: what records leave unadjusted looks like harm, since those referred are the sicker
SLOPE_LIMITS = (0.8, 1.2)  # of calibration: outside, a stated benefit is not the benefit that is had
SLOPE_ERROR = 0.15  # known less well, a slope inside the limits is luck (docs/decisions/0047-what-earns-a-grade.md)


@dataclass(frozen=True)
class Check:
    """One test of the evidence: whether it passed, and in a sentence what was seen."""

    name: str
    passed: bool
    seen: str


@dataclass(frozen=True)
class Evidence:
    """The grade, the checks it rests on, and what the history says on average.

    lots : why nothing was learned from people drawn by lot, where there were some; else empty
    harm : that the programme surely did harm, where it did and like was compared with like; else empty
    suspicion : that it may have done harm, where chance alone would seldom make it look so and it is not sure; else empty
    """

    grade: str
    checks: tuple[Check, ...]
    treated: int
    average_benefit: Estimate | None
    advantage: Estimate | None
    lots: str = ""
    harm: str = ""
    suspicion: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """Say the grade and why, in one sentence; others, that harm was seen or is suspected, and why nothing was learned from lots."""
        return " ".join(part for part in (self._why(), self.harm, self.suspicion, self.lots) if part)

    def _why(self) -> str:
        if self.grade != "assumed":
            how = {
                "compared": "comparing people who did and did not start case management",
                "randomised": "pooling the history with people whose place was drawn by lot, and checked on those",
            }[self.grade]
            return f"Benefit was learned by {how}; every check passed."
        failed = "; ".join(check.seen for check in self.checks if not check.passed)
        return f"Benefit is assumed from risk and amenability, not learned: {failed}."


def too_few(treated: int, rules: Benefit, programme: str = CASE_MANAGEMENT) -> Evidence:
    """Return the evidence of a history with hardly any of the programme in it."""
    seen = f"{_told(treated)} people started {programme} in the history, {rules.minimum_treated} are needed"
    return Evidence("assumed", (Check("enough treated", False, seen),), treated, None, None)


def _told(people: int) -> str:
    if people < FEWEST_TOLD:
        return f"fewer than {FEWEST_TOLD}" if people else "0"
    return f"at least {people // 5 * 5}"


def not_learnable(why: str) -> Evidence:
    """Return the evidence of a history that `BenefitEstimator` refused, saying why."""
    return Evidence("assumed", (Check("history", False, why),), 0, None, None)


def judge(
    told: Judged,
    share: float,
    rules: Benefit,
    *,
    randomised: np.ndarray | None = None,
    further: Sequence[Check] = (),
    programme: str = CASE_MANAGEMENT,
) -> Evidence:
    """Weigh the evidence for benefit.

    Parameters
    ----------
    told : the people to judge by
    share : places as a share of eligible people
    rules : limits of the checks
    randomised : boolean; drawn by lot, with the lot's own chance as propensity in the history and the control
    further : checks made elsewhere that `compared` must pass too
    programme : its name in sentences
    """
    if randomised is not None and _enough_drawn(told.history, randomised, rules):
        return _judge("randomised", told.where(randomised), share, rules, (), programme)
    return _judge("compared", told, share, rules, further, programme)


def _enough_drawn(history: History, randomised: np.ndarray, rules: Benefit) -> bool:
    people = (history.person[randomised & arm] for arm in _arms(history))
    return min(len(np.unique(one)) for one in people) >= rules.minimum_treated


def _arms(history: History) -> tuple[np.ndarray, np.ndarray]:
    return history.treated, ~history.treated


def by_chance(features: int, first: float, second: float) -> float:
    """Return the standardised difference that a lottery leaves in one of so many features once in twenty times.

    first, second : (effective) number of people in each arm
    """
    return float(norm.ppf(1 - 0.025 / features) * np.sqrt(1 / first + 1 / second))


def _judge(
    earned: str, told: Judged, share: float, rules: Benefit, further: Sequence[Check], programme: str
) -> Evidence:
    history = told.history
    starters = int(pd.Series(history.person[history.treated]).nunique())
    enough = _enough(starters, rules, programme)
    if not enough.passed:
        return too_few(starters, rules, programme)
    chosen = {rule: top(order, told.within, share) for rule, order in told.orders.items()}
    by_benefit = chosen["learned benefit"]
    like_with_like = [_balance(told, rules, earned), _negative_control(told.control, programme), *further]
    # Where benefit is assumed to be a share of the risk, choosing by either is one list, and is beaten once.
    once = {rule: one for rule, one in chosen.items() if rule == "risk" or not np.array_equal(one, chosen["risk"])}
    advantage = {
        rule: history.difference(by_benefit, others) for rule, others in once.items() if rule != "learned benefit"
    }
    checks = (
        enough,
        *like_with_like,
        _overlap(told, by_benefit, rules),
        *(_advantage(rule, estimate) for rule, estimate in advantage.items()),
        _helps(history.average(by_benefit), programme),
        _calibration(history, told.orders["learned benefit"]),
    )
    grade = earned if all(check.passed for check in checks) else "assumed"
    average = history.average(np.ones(len(told.within), dtype=bool))
    harm = suspicion = ""
    if grade == "assumed":
        harm, suspicion = _harm(average, all(check.passed for check in like_with_like), programme)
    return Evidence(grade, checks, starters, average, advantage["risk"], harm=harm, suspicion=suspicion)


def _harm(average: Estimate, alike: bool, programme: str) -> tuple[str, str]:
    """Say in the first place where those who started surely fared worse than people like them, in the second where they may have."""
    low, high = average.interval()
    told = (
        f"of 100 people who started, {-100 * average.value:.1f} more had the outcome than of people like them "
        f"(95 % interval {-100 * high:.1f} to {-100 * low:.1f})."
    )
    if alike and average.value + SURE_HARM * average.error < 0:
        return (
            f"On the history {programme} seems to have done harm: {told} Every check of the comparison passed; that sicker "
            "people were referred, in ways no record tells, could still be the reason."
        ), ""
    if average.value + ONE_SIDED_95 * average.error < 0:
        checks = "" if alike else "; not every check of the comparison passed"
        return "", (
            f"On the history {programme} may have done harm: {told} Chance, or sicker people having been referred, could be "
            f"the reason too{checks}."
        )
    return "", ""


def _balance(told: Judged, rules: Benefit, earned: str) -> Check:
    history = told.history
    apart = imbalance(told.matrix, history.treated, history.propensity).abs()
    limit = rules.maximum_imbalance
    if earned == "randomised":
        limit = max(limit, by_chance(len(apart), *(len(np.unique(history.person[arm])) for arm in _arms(history))))
    return Check(
        "balance",
        bool(apart.max() <= limit),
        f"after weighting, treated and untreated people differ by up to {apart.max():.2f} standard deviations "
        f"({apart.idxmax()}); the limit is {limit:.2f}",
    )


def _overlap(told: Judged, by_benefit: np.ndarray, rules: Benefit) -> Check:
    alike = float(told.supported[by_benefit].mean())
    size = effective_sample(np.where(told.history.treated, 1 - told.history.propensity, 0.0))
    return Check(
        "overlap",
        alike >= 0.5 and size >= rules.minimum_treated / 2,
        f"{alike:.0%} of the people who would be chosen have others like them among the treated "
        f"(effective number of treated {size:.0f})",
    )


def _enough(starters: int, rules: Benefit, programme: str) -> Check:
    return Check("enough treated", starters >= rules.minimum_treated, f"{_told(starters)} people started {programme}")


def _negative_control(control: History, programme: str) -> Check:
    seldom = min(int(control.outcome[control.treated].sum()), int(control.outcome[~control.treated].sum()))
    if seldom < FEWEST_CONTROLS:
        seen = (
            f"planned admissions, which {programme} should not change, are too few on record to check by "
            f"(at least {FEWEST_CONTROLS} are needed among treated and untreated)"
        )
        return Check("negative control", False, seen)
    placebo = control.average(np.ones(len(control.outcome), dtype=bool))
    low, high = placebo.interval()
    seen = (
        f"planned admissions, which {programme} should not change, appear changed by {-placebo.value:+.3f} "
        f"(interval {-high:+.3f} to {-low:+.3f}; it must hold zero and stay within {CONTROL_MARGIN:.2f} of it)"
    )
    return Check("negative control", bool(-CONTROL_MARGIN <= low <= 0 <= high <= CONTROL_MARGIN), seen)


def _advantage(rule: str, advantage: Estimate) -> Check:
    name = f"advantage over {rule}"
    lower = advantage.value - ONE_SIDED_95 * advantage.error
    if np.isnan(lower):
        return Check(
            name, False, f"nobody whose place differs from a list by {rule} was treated, so nothing can be said"
        )
    return Check(
        name,
        bool(lower > 0),
        f"choosing by learned benefit instead of {rule} changes the gain of each place that differs by "
        f"{advantage.value:+.3f} (one-sided 95 % lower bound {lower:+.3f})",
    )


def _helps(gain: Estimate, programme: str) -> Check:
    lower = gain.value - ONE_SIDED_95 * gain.error
    if np.isnan(lower):
        return Check(
            "helps the chosen", False, "nobody who would be chosen was treated, so nothing can be said of them"
        )
    return Check(
        "helps the chosen",
        bool(lower > 0),
        f"{programme} changes the outcome of the people who would be chosen for the better by {gain.value:+.3f} "
        f"(one-sided 95 % lower bound {lower:+.3f}, which must be above zero)",
    )


def _calibration(history: History, stated: np.ndarray) -> Check:
    scores = doubly_robust_scores(
        history.treated, history.outcome, history.propensity, history.without, history.with_programme
    )
    slope = calibration_of_benefit(scores, stated, history.propensity, history.person)
    if np.isnan(slope.value):
        return Check("calibration", False, "everybody is told the same benefit, so its calibration cannot be checked")
    low, high = SLOPE_LIMITS
    return Check(
        "calibration",
        bool(low <= slope.value <= high and slope.error <= SLOPE_ERROR),
        f"on people it was not learned from, the benefit had rises by {slope.value:.2f} for each 1 that the stated benefit "
        f"rises (standard error {slope.error:.2f}); the limits are {low} and {high}, and the error may be {SLOPE_ERROR} at most",
    )
