"""Release the lists, or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from casewell.settings import Fairness, Override
from fairness.audit import Audit
from fairness.disclosure import controlled_measures
from fairness.groups import GROUPING_NAMES, is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS, limits_of
from fairness.rows import GATED

RULE = (
    "The gate looks at two figures for each group: its share of places over its share of high need, and observed over "
    "predicted outcomes in the test window. A list fails if, for any group, the whole interval lies beyond the limit "
    "even when widened so that all comparisons together raise a false alarm no more often than the confidence allows. "
    "It passes only if, for every group, the whole interval lies within the limits. Anything else is 'cannot tell', as "
    "is a group with fewer people than the minimum, nobody or everybody selected, no test window, or a grouping in "
    "which fewer than two groups are recorded. People whose group is not recorded are a group and are judged like any "
    "other. Only a pass releases the lists by itself; otherwise a named owner must take responsibility, with a reason."
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
    """

    verdict: str
    reasons: tuple[str, ...]
    released: bool
    override: Override | None = None


def decide(audit: Audit, settings: Fairness) -> Verdict:
    """Decide on an audit by the rule in `RULE` and `fairness.levels`.

    `settings` are those the audit was made with. Only groupings in `gate_on` count. Any fail is a fail; otherwise any cannot-tell
    is a cannot-tell. An override that covers `fail` also covers `cannot tell`, and is used
    only where the verdict is not a pass.
    """
    judged = controlled_measures(audit)
    judged = judged[judged["measure"].isin(GATED) & judged["grouping"].isin(settings.gate_on)]
    failed = [_sentence(row, settings) for row in judged[judged["verdict"] == FAIL].itertuples()]
    unsure = _too_little_to_judge(judged, settings)
    unsure += [_sentence(row, settings) for row in judged[judged["verdict"] == CANNOT_TELL].itertuples()]
    verdict = FAIL if failed else CANNOT_TELL if unsure else PASS
    if verdict == PASS:
        return Verdict(PASS, (_all_clear(judged),), released=True)
    override = settings.override if _covers(settings.override, verdict) else None
    return Verdict(verdict, tuple(failed + unsure), released=override is not None, override=override)


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


def _sentence(row: Any, settings: Fairness) -> str:
    who = f"{GROUPING_NAMES[row.grouping]}, {row.group}"
    return f"{who}: {_what_was_seen(row, settings)}"


def _what_was_seen(row: Any, settings: Fairness) -> str:
    measure, verdict = row.measure, row.verdict
    places = measure == "share_ratio"
    subject = "share of places over share of need" if places else "observed over predicted outcomes"
    if row.people < settings.minimum_people or pd.isna(row.people):
        where = "" if places else " in the test window"
        return f"fewer than {settings.minimum_people} people{where}, too few to judge {subject}."
    if row.hidden:
        seen = f"{subject} rests on fewer than 8 people, too few to show"
    elif pd.isna(row.value):
        return f"{subject} cannot be worked out."
    else:
        seen = f"{subject} is {row.value:.2f} (interval {row.low:.2f} to {row.high:.2f})"
    return f"{seen}, {_against_limits(measure, verdict, settings)}."


def _against_limits(measure: str, verdict: str, settings: Fairness) -> str:
    low, high = limits_of(settings)[measure]
    limits = f"the limit of {low:.2f}" if measure == "share_ratio" else f"the limits of {low:.2f} and {high:.2f}"
    return f"beyond {limits} by more than chance" if verdict == FAIL else f"not clearly within {limits}"


def _all_clear(judged: pd.DataFrame) -> str:
    names = [GROUPING_NAMES[name].lower() for name in GROUPING_NAMES if name in set(judged["grouping"])]
    number = len(judged[["grouping", "group"]].drop_duplicates())
    return f"All {number} groups, by {', '.join(names)}, lie clearly within the limits."
