"""What a contract says of a single row, as SQL."""

from __future__ import annotations

import datetime as dt

import pandera.pandas as pa

from records.extracts import Extract
from records.reading import literal

UNDECLARED = "column programme names a programme that the settings do not"


def fault(extract: Extract, today: dt.date) -> str:
    """Return the SQL expression of the first rule of the contract that a row breaks, in words; null where it breaks none."""
    cases = ["WHEN wrong_type IS NOT NULL THEN wrong_type"]
    cases += [
        f"WHEN {condition} THEN {literal(words)}"
        for names, condition, words in rules(extract, today)
        if names != ("ethnic_category",)  # counts as not known; the row is used
    ]
    cases.append(f"WHEN differs THEN 'column {extract.contract.key} names rows that differ'")
    return f"CASE {' '.join(cases)} END"


def rules(extract: Extract, today: dt.date) -> list[tuple[tuple[str, ...], str, str]]:
    """Return the contract's rules about a single row: the columns, the SQL condition that breaks it, and its words."""
    contract = extract.contract
    found: list[tuple[tuple[str, ...], str, str]] = []
    for name, declared in contract.schema.columns.items():
        if not declared.nullable:
            found.append(((name,), f"{name} IS NULL", f"column {name} is empty"))
        for check in declared.checks:
            rule, condition = _allowed(name, check)
            found.append(((name,), f"NOT ({condition})", f"column {name} {rule}"))
    if extract.table == "programme":
        # Taken for case management, another programme's outcomes would be learned from as its own.
        condition = f"programme NOT IN ({', '.join(map(literal, extract.programmes))})"
        found.append((("programme",), condition, UNDECLARED))
    for earlier, later in contract.order:
        found.append(((earlier, later), f"{earlier} > {later}", f"column {earlier} is later than {later}"))
    for name in contract.schema.columns if extract.table != "opt_outs" else []:
        if name in (contract.known, contract.happened, contract.version):
            found.append(((name,), f"{name} > DATE {literal(today)}", f"column {name} lies in the future"))
    return found


def _allowed(name: str, check: pa.Check) -> tuple[str, str]:
    statistics = check.statistics or {}
    if check.name == "isin":
        values = sorted(statistics["allowed_values"])
        return "holds a value that is not allowed", f"{name} IN ({', '.join(map(literal, values))})"
    low, high = statistics["min_value"], statistics["max_value"]
    return f"is not between {low} and {high}", f"{name} BETWEEN {low} AND {high}"
