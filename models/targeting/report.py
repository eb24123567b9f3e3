"""One call that judges rules by everything there is, and draws the page."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.targeting.findings import Findings, Spending, judge_rules
from models.targeting.page import write_targeting_page
from models.targeting.programmes import Offered
from models.targeting.scored import Scored, TargetingInputError, column

FEWEST_PLACES = 10


def report(
    people: Scored,
    rules: Mapping[str, Any],
    folder: Path,
    *,
    share: float,
    as_of: dt.date,
    stated: str | None = None,
    cost: Any = None,
    budget: float | None = None,
    worth: float | None = None,
    programmes: Mapping[str, tuple[Any, Any, Any]] | None = None,
    title: str = "How good is the list?",
    outcome: str = "one is one person spared the outcome",
    synthetic: bool = False,
) -> Findings:
    """Judge rules, and write `targeting.html` and the same numbers as `targeting.json` into `folder`.

    Parameters
    ----------
    people : from `models.targeting.scored.scored`, or `scored_by_history`
    rules : name to a number a row by which it chooses, highest first; the first is held against the others
    share : places as a share of people, between 0 and 1
    as_of : the day of the data
    stated : the rule whose numbers are benefits in units of the outcome, for calibration
    cost : pounds that a place costs, one number or one a row; with `budget`, pounds for each row of all of them
    worth : pounds that one outcome averted is worth, for net benefit; needs `cost`
    programmes : name to doubly robust scores against none, stated benefit, and cost (one number or one a row); needs `budget`
    title, outcome : of the page, in words
    synthetic : whether the page must say that nobody in it exists

    Raises
    ------
    TargetingInputError
        What was given means nothing; with every problem.
    """
    rows = len(people.scores)
    problems = _settings(rules, share, rows, stated, cost, budget, worth, programmes)
    if problems:
        raise TargetingInputError(problems, "docs/how-to/benefit.md says what each must be.")
    orders = {name: column(name, order, rows) for name, order in rules.items()}
    offered = {
        name: Offered(
            column(f"scores of {name}", given, rows),
            column(f"benefit of {name}", benefit, rows),
            _paid(f"cost of {name}", price, rows),
        )
        for name, (given, benefit, price) in (programmes or {}).items()
    }
    spending = None if cost is None or budget is None else Spending(_paid("cost", cost, rows), budget, worth)
    found = judge_rules(people, orders, share, stated, spending, offered, budget)
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(found.as_dict(), indent=1, allow_nan=False)
    (folder / "targeting.json").write_text(told + "\n", encoding="utf-8")
    write_targeting_page(found, folder / "targeting.html", title, outcome, as_of, synthetic)
    return found


def _paid(name: str, cost: Any, rows: int) -> Any:
    values = column(name, cost, rows)
    if wrong := int((values <= 0).sum()):
        raise TargetingInputError(
            f"`{name}` is not above 0 in {wrong} of {rows} rows", "Leave out whoever costs nothing, and give pounds."
        )
    return values


def _settings(
    rules: Mapping[str, Any],
    share: float,
    rows: int,
    stated: str | None,
    cost: Any,
    budget: float | None,
    worth: float | None,
    programmes: Mapping[str, Any] | None,
) -> list[str]:
    problems = []
    if not rules:
        problems.append("`rules` is empty; give at least one rule to choose by")
    if not 0 < share < 1:
        problems.append(f"`share` is {share}, and must lie between 0 and 1")
    elif share * rows < FEWEST_PLACES:
        problems.append(
            f"a `share` of {share} of {rows} rows is fewer than {FEWEST_PLACES} places; give more of either"
        )
    if stated is not None and stated not in rules:
        problems.append(f"`stated` names {stated!r}, which is none of the rules ({', '.join(rules)})")
    if (cost is not None or programmes) and budget is None:
        problems.append("`cost` and `programmes` need a `budget`: pounds for each row, all the money over all the rows")
    if budget is not None and not 0 < budget < float("inf"):
        problems.append(f"`budget` is {budget}, and must be above 0")
    if budget is not None and cost is None and not programmes:
        problems.append("a `budget` needs a `cost`, or `programmes`")
    if worth is not None and cost is None:
        problems.append("`worth` needs a `cost`")
    if worth is not None and not worth > 0:
        problems.append(f"`worth` is {worth}, and must be above 0")
    return problems
