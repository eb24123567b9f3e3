"""Release the lists, or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from casewell.settings import Fairness, Override
from fairness.audit import Audit
from fairness.beyond import also_judged
from fairness.controlled import controlled_differences, controlled_measures
from fairness.groups import GROUPING_NAMES, is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS, REPORTED
from fairness.lost import LOSS_WORDS
from fairness.reasons import reasons_of
from fairness.rows import GATED, RECORDED

RULE = (
    "The gate looks at three figures for each group: its share of places over its share of high need (where several programmes have places, also of those of case management alone), observed over "
    "predicted outcomes in the test window, and how many of the conditions that a hospital found in it were on record before, over "
    "those expected of the same conditions and age; and at who never reached it: the difference between the best and the worst "
    "group in the share of people with a record that found no person, and in the share whose every record failed its "
    "checks. It looks besides at practices that have stopped sending records, by group; at "
    "emergency admissions of people who attend emergency departments as often, along deprivation, by "
    "which trouble shows that records hide; and at ethnicity: how much is unknown, whether what is recorded goes with age or deprivation, as it does everywhere, "
    "and whether the verdict would stand if all who are unknown were of one group, each in turn. A list fails if, on the "
    "history, those who started a programme surely fared worse than people like them; or if, for any group, the whole interval lies beyond the limit "
    "even when widened so that all comparisons together raise a false alarm no more often than the confidence allows. "
    "It passes only if no programme may have done harm (those who started fared worse by more than chance alone leaves once in twenty times) and, for every group, the whole interval lies within the limits. Anything else is 'cannot tell', as "
    "is a group with fewer people than the minimum, nobody or everybody selected, no test window, or a grouping in "
    "which fewer than two groups are recorded. People whose group is not recorded, not stated or not known are groups "
    "and are judged like any other, save by what is on record: little is, of whoever is seldom seen. Only a pass releases the lists by itself; otherwise a named owner must take responsibility, with a reason."
)


@dataclass(frozen=True)
class Verdict:
    """What the gate decided.

    Attributes
    ----------
    verdict
        `pass`, `fail` or `cannot tell`.
    reasons
        Plain sentences, failures first, each naming grouping and group; fit to be shown.
    released
        Whether the lists may go to the teams.
    override
        The override that released them; None where none was needed or none applies.
    findings
        Plain sentences on what the gate does not decide by and a reader must know.
    harms
        Of each programme on the lists that did harm on the history, or may have, that it did, a sentence each; among the reasons too.
    lapsed
        The override that would have released them, had its `review_date` not passed; usually None.
    """

    verdict: str
    reasons: tuple[str, ...]
    released: bool
    override: Override | None = None
    findings: tuple[str, ...] = ()
    harms: tuple[str, ...] = ()
    lapsed: Override | None = None

    def about_lapsed(self) -> str:
        """Say which override counts no longer and what to do; empty where none has lapsed."""
        if self.lapsed is None:
            return ""
        return (
            f"The override of {self.lapsed.owner} stood until {self.lapsed.review_date} (fairness.override.review_date) and has not "
            "been reviewed since: have whoever answers for it decide again, and give the next date, or leave the lists withheld."
        )


def decide(
    audit: Audit, settings: Fairness, harms: Sequence[tuple[bool, str]] = (), as_of: dt.date | None = None
) -> Verdict:
    """Decide on an audit by the rule in `RULE` and `fairness.levels`.

    `settings` are those the audit was made with; `harms` says of each programme that did harm on the history whether that
    is sure, and in a sentence that it did: what does harm is offered to nobody by itself, however fairly, and of what may do harm nobody can tell. Only groupings in `gate_on` count. Any fail is a fail; otherwise any cannot-tell
    is a cannot-tell. An override that covers `fail` also covers `cannot tell`, and is used
    only where the verdict is not a pass. `as_of` is the list's date, after whose `review_date` an override counts no longer;
    without a date none counts, since nobody can say whether it still stands.
    """
    judged = controlled_measures(audit)
    judged = judged[judged["measure"].isin(GATED) & judged["grouping"].isin(settings.gate_on)]
    failed = [said for sure, said in harms if sure]
    failed += reasons_of(judged[judged["verdict"] == FAIL], settings)
    unsure = [said for sure, said in harms if not sure]
    unsure += _too_little_to_judge(judged, settings)
    unsure += reasons_of(judged[judged["verdict"] == CANNOT_TELL], settings)
    lost = controlled_differences(audit)
    gated = lost[lost["grouping"].isin(settings.gate_on)]
    failed += [_lost_sentence(row, settings) for row in gated[gated["verdict"] == FAIL].itertuples()]
    unsure += [_lost_sentence(row, settings) for row in gated[gated["verdict"] == CANNOT_TELL].itertuples()]
    for verdict, sentence in also_judged(audit, settings):
        {FAIL: failed, CANNOT_TELL: unsure}[verdict].append(sentence)
    findings = _findings(lost, settings) + _not_looked_at(audit)
    verdict = FAIL if failed else CANNOT_TELL if unsure else PASS
    if verdict == PASS:
        return Verdict(PASS, (_all_clear(judged),), released=True, findings=findings)
    covering = settings.override if _covers(settings.override, verdict) else None
    stands = covering is not None and as_of is not None and as_of <= covering.review_date
    override, lapsed = (covering, None) if stands else (None, covering)
    reasons = tuple(failed + unsure)
    return Verdict(verdict, reasons, stands, override, findings, tuple(said for _, said in harms), lapsed)


def _covers(override: Override | None, verdict: str) -> bool:
    return override is not None and (verdict == CANNOT_TELL or override.covers == "fail")


def _too_little_to_judge(judged: pd.DataFrame, settings: Fairness) -> list[str]:
    groups = judged[["grouping", "group"]].drop_duplicates()
    recorded = groups["grouping"][is_recorded(groups["group"])].value_counts()
    if groups.empty:
        return ["Nobody is eligible, so there is nothing to judge."]
    return [
        f"{GROUPING_NAMES[name]}: {_recorded_groups(int(recorded.get(name, 0)))}, so groups cannot be compared."
        for name in GROUPING_NAMES
        if name in settings.gate_on and recorded.get(name, 0) < 2
    ]


def _recorded_groups(number: int) -> str:
    return "it is not recorded for anybody" if number == 0 else "only one group is recorded"


def _lost_sentence(row: Any, settings: Fairness) -> str:
    """Say how far apart the groups are in one loss, and what follows."""
    limit, what = settings.maximum_lost_difference, LOSS_WORDS[row.measure]
    start = f"{GROUPING_NAMES[row.grouping]}, lost before any model ({what})"
    if row.groups < 2:
        return f"{start}: fewer than two groups of {settings.minimum_people} people, so groups cannot be compared."
    if row.hidden:
        tolerated = "more than is" if row.verdict == FAIL else "not clearly within what is"
        return f"{start}: the difference rests on fewer than 8 people, too few to show, {tolerated} tolerated."
    if row.value == 0:
        return f"{start}: all groups lost the same share, but a difference of up to {100 * row.high:.1f} percentage points cannot be ruled out, and {100 * limit:g} are tolerated."
    seen = (
        f"{start}: {row.worst} lies {100 * row.value:.1f} percentage points above {row.best} "
        f"(interval {100 * row.low:.1f} to {100 * row.high:.1f})"
    )
    if row.verdict == CANNOT_TELL:
        return f"{seen}, not clearly within the {100 * limit:g} that are tolerated."
    return f"{seen}, more than the {100 * limit:g} that are tolerated, by more than chance."


def _findings(lost: pd.DataFrame, settings: Fairness) -> tuple[str, ...]:
    """Return a sentence for each difference beyond the tolerance that is only reported, or not gated on."""
    beyond = lost["low"] > settings.maximum_lost_difference
    told = (lost["verdict"] == REPORTED) | ~lost["grouping"].isin(settings.gate_on)
    return tuple(_lost_sentence(row, settings) for row in lost[beyond & told].itertuples())


def _not_looked_at(audit: Audit) -> tuple[str, ...]:
    if not audit.totals["eligible"]:
        return ()
    looked_at = {
        "practices have stopped sending records: no extract of GP records says what each has sent": len(audit.feeds)
        > 0,
        "illness is written down alike: no hospital's diagnoses are there to tell": (
            (audit.measures["measure"] == RECORDED) & (audit.measures["people"] > 0)
        ).any(),
    }
    return tuple(f"Nobody looked at whether {what}." for what, looked in looked_at.items() if not looked)


def _all_clear(judged: pd.DataFrame) -> str:
    names = [GROUPING_NAMES[name].lower() for name in GROUPING_NAMES if name in set(judged["grouping"])]
    number = len(judged[["grouping", "group"]].drop_duplicates())
    return f"All {number} groups, by {', '.join(names)}, lie clearly within the limits, and none is lost oftener before any model."
