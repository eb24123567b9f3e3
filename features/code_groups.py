"""Code groups: the clinical and service codes that count as one thing.

The groups are a versioned file, `data/reference/code_groups.csv`; `code_groups.md` beside
it says where each list comes from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from casewell.errors import SettingsError

CODE_GROUPS_FILE = Path(__file__).resolve().parents[1] / "data" / "reference" / "code_groups.csv"
COLUMNS = ("group", "code_prefix", "match", "label", "note")
MATCHES = ("exact", "prefix")


def load_code_groups(path: Path = CODE_GROUPS_FILE) -> pd.DataFrame:
    """Read and check a code group file: group, code_prefix, match, label, note (all text).

    Raises
    ------
    SettingsError
        The file cannot be read, or every broken rule at once.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise SettingsError(f"code group file {path.name!r} cannot be read: {type(error).__name__}") from None
    problems = _problems(table)
    if problems:
        raise SettingsError(
            [f"code group file {path.name!r}: {problem}" for problem in problems],
            "data/reference/code_groups.md says what each column holds.",
        )
    return table[list(COLUMNS)]


def _problems(table: pd.DataFrame) -> list[str]:
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        return [f"missing column {name!r}" for name in missing]
    if table.empty:
        return ["it holds no group"]
    problems = [
        f"unknown match {match!r}; use {' or '.join(MATCHES)}"
        for match in sorted(set(table["match"]))
        if match not in MATCHES
    ]
    repeated = table[table.duplicated(["group", "code_prefix", "match"])]
    problems += [f"group {row.group!r} holds {row.code_prefix!r} twice" for row in repeated.itertuples()]
    nameless = table.index[table["group"].str.strip() == ""]
    problems += [f"line {line + 2} names no group" for line in nameless]
    empty = sorted(set(table.loc[table["code_prefix"].str.strip() == "", "group"]))
    problems += [f"group {name!r} has an entry without a code" for name in empty]
    outside = table[~table["code_prefix"].str.contains("//", regex=False) & (table["code_prefix"].str.strip() != "")]
    problems += [f"group {row.group!r}: {row.code_prefix!r} lacks VOCABULARY//" for row in outside.itertuples()]
    labels = table.groupby("group", sort=True)["label"].nunique()
    return problems + [f"group {name!r} has more than one label" for name in labels.index[labels > 1]]


def map_codes(codes: Iterable[str], code_groups: pd.DataFrame | None = None) -> pd.DataFrame:
    """Say which groups each code belongs to: columns code and group, sorted, one row a pair.

    A code may belong to several groups, or to none, in which case it has no row.
    """
    groups = load_code_groups() if code_groups is None else code_groups
    known = pd.DataFrame({"code": sorted(set(codes))}, dtype="str")
    exact = groups[groups["match"] == "exact"]
    pairs = [known.merge(exact, left_on="code", right_on="code_prefix")[["code", "group"]]]
    prefixes = groups[groups["match"] == "prefix"]
    for length, rows in prefixes.groupby(prefixes["code_prefix"].str.len(), sort=True):
        start = known.assign(code_prefix=known["code"].str.slice(0, int(str(length))))
        pairs.append(start.merge(rows, on="code_prefix")[["code", "group"]])
    return pd.concat(pairs).drop_duplicates().sort_values(["code", "group"], ignore_index=True)


def require_groups(groups: Iterable[str], code_groups: pd.DataFrame | None = None) -> None:
    """Refuse names that are no code group's; such a group would hold no event, which looks like good news.

    Raises
    ------
    SettingsError
        Every unknown name, with the nearest known one.
    """
    known = sorted(set((load_code_groups() if code_groups is None else code_groups)["group"]))
    problems = []
    for name in sorted(set(groups) - set(known)):
        near = difflib.get_close_matches(name, known, 1)
        problems.append(f"unknown code group {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    if problems:
        raise SettingsError(problems, "data/reference/code_groups.csv lists the groups.")
