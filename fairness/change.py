"""What has changed since an earlier week's audit, group by group, from what the two weeks show.

Most people and most places are the same in both weeks, so that two intervals that overlap may still hide a real move, and
two that do not are no proof of one. Changes of verdict are told, and the largest move; nothing decides by it.
"""

from __future__ import annotations

import pandas as pd

from fairness.audit import Audit
from fairness.controlled import controlled_measures, earlier_rows
from fairness.groups import GROUPING_NAMES
from fairness.levels import REPORTED
from fairness.rows import GATED

KEYS = ["grouping", "group", "measure"]
COLUMNS = [*KEYS, "before", "now", "verdict_before", "verdict_now"]


def change_rows(audit: Audit) -> pd.DataFrame:
    """Return one row per group and measure of the gate, fit to show: `before` and `now`, and the two verdicts.

    Groups of one week only have a missing value, and no verdict, in the other. Without an earlier week there is no row.
    """
    earlier = earlier_rows(audit, "measures")
    if not {*KEYS, "value", "verdict"} <= set(earlier.columns):
        return pd.DataFrame(columns=COLUMNS)

    def gated(table: pd.DataFrame, when: str) -> pd.DataFrame:
        rows = table.loc[table["measure"].isin(GATED), [*KEYS, "value", "verdict"]]
        return rows.rename(columns={"value": when, "verdict": f"verdict_{when}"})

    both = gated(controlled_measures(audit), "now").merge(gated(earlier, "before"), on=KEYS, how="outer")
    both["before"] = both["before"].astype("float64")
    return both.fillna({"verdict_before": "", "verdict_now": ""})[COLUMNS]


def about_change(audit: Audit, verdict: str) -> str:
    """Say in plain words what has changed; `verdict` is this week's."""
    if not audit.earlier:
        return "There is no earlier audit to hold this one against."
    then = audit.earlier["verdict"]
    said = f"Since {audit.earlier['as_of']} the verdict " + (
        f"is as it was: {then}." if then == verdict else f"has gone from {then} to {verdict}."
    )
    rows = change_rows(audit)
    rows = rows[rows["grouping"].isin(audit.settings.gate_on) & (rows["verdict_before"] != REPORTED)]
    other = rows[rows["verdict_before"] != rows["verdict_now"]]
    named = "; ".join(
        f"{_who(row)}, {GATED[row['measure']]}: {row['verdict_before'] or 'not there'} before, {row['verdict_now'] or 'not there'} now"
        for _, row in other.iterrows()
    )
    said += f" Of {len(rows)} figures {len(other) or 'none'} changed verdict{f' ({named})' if named else ''}."
    moved = rows.assign(by=(rows["now"] - rows["before"]).abs()).dropna(subset=["by"])
    if moved.empty:
        return said
    most = moved.loc[moved["by"].idxmax()]
    return f"{said} The furthest moved is {_who(most)}, {GATED[most['measure']]}: {most['before']:.2f} before, {most['now']:.2f} now."


def _who(row: pd.Series) -> str:
    return f"{GROUPING_NAMES[row['grouping']].lower()} {row['group']}"
