"""What if all whose ethnicity is unknown were of one group? Each group in turn."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from fairness.groups import is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS

COLUMNS = ["assumed", "verdict", "worst_group"]

Judge = Callable[[pd.Series, pd.Series], pd.DataFrame]


def each_in_turn(people: pd.Series, test: pd.Series, judge: Judge) -> pd.DataFrame:
    """Return, first as recorded and then for each group, the verdict by ethnicity if all unknown were of that group.

    Parameters
    ----------
    people, test
        Labels of ethnic group, of those who compete and of the rows of the test window.
    judge
        Takes both, relabelled, and returns rows with `group`, `verdict` for the measures by which the gate decides.

    Returns
    -------
    DataFrame
        `assumed` (`as recorded` or the group), `verdict` of the grouping, and the first group that has it. Only groups
        that are recorded are judged: whether the unknown fare alike is another question, which the gate asks too.
    """
    known = sorted(label for label in people.unique() if is_recorded(pd.Series([label])).item())
    if len(known) < 2 or is_recorded(people).all():
        return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})
    rows = [_verdict("as recorded", judge(people, test))]
    for label in known:
        rows.append(_verdict(label, judge(*(table.where(is_recorded(table), label) for table in (people, test)))))
    return pd.DataFrame(rows, columns=COLUMNS)


def _verdict(assumed: str, judged: pd.DataFrame) -> dict[str, str]:
    recorded = judged[is_recorded(judged["group"])]
    for verdict in (FAIL, CANNOT_TELL):
        found = recorded[recorded["verdict"] == verdict]
        if len(found):
            return {"assumed": assumed, "verdict": verdict, "worst_group": str(found["group"].iloc[0])}
    return {"assumed": assumed, "verdict": PASS, "worst_group": ""}
