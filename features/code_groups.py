"""Code groups: the clinical and service codes that count as one thing.

The groups are versioned lists, one file each in `data/reference/code_groups/`: `lists.csv` says of every list its
version, date, source and code systems, and `code_systems.csv` what stands before the `//` of a code. All of it is
checked whenever it is read.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import pandas as pd

from casewell.errors import SettingsError

CODE_GROUPS = Path(__file__).resolve().parents[1] / "data" / "reference" / "code_groups"
COLUMNS = ("group", "code_prefix", "match", "label", "note")
LIST_COLUMNS = ("list", "name", "version", "date", "code_systems", "source", "licence")
SYSTEM_COLUMNS = ("code_system", "name", "edition", "events_have")
ABOUT = ("lists", "code_systems")  # the two files of the folder that hold no groups
MATCHES = ("exact", "prefix")
HAVE = ("values", "ends")  # what events may have besides a day and a code


def load_code_groups(folder: Path = CODE_GROUPS) -> pd.DataFrame:
    """Read and check a folder of code group lists: group, code_prefix, match, label, note and list (all text).

    Raises
    ------
    SettingsError
        A file cannot be read, or every broken rule of every file at once.
    """
    about, systems = _read(folder / "lists.csv", LIST_COLUMNS), _read(folder / "code_systems.csv", SYSTEM_COLUMNS)
    present = sorted(path.stem for path in folder.glob("*.csv") if path.stem not in ABOUT)
    problems = _system_problems(systems) + _list_problems(about, present, set(systems["code_system"]))
    tables = [_read(folder / f"{name}.csv", COLUMNS).assign(list=name) for name in present]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, "list"], dtype="str")
    problems += _group_problems(table, about)
    if problems:
        raise SettingsError(problems, "data/reference/code_groups.md says what each file holds.")
    return table


def load_lists(folder: Path = CODE_GROUPS) -> pd.DataFrame:
    """Read what is known of each list: its name, version, date, code systems (set apart by spaces), source and licence."""
    return _read(folder / "lists.csv", LIST_COLUMNS)


def _read(path: Path, columns: Collection[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise SettingsError(f"code group file {path.name!r} cannot be read: {type(error).__name__}") from None
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise SettingsError([f"code group file {path.name!r}: missing column {name!r}" for name in missing])
    return table[list(columns)].apply(lambda column: column.str.strip())


def _system_problems(systems: pd.DataFrame) -> list[str]:
    return [
        f"code_systems.csv: events of {system!r} have {word!r}, of which nothing is known{_nearest(word, HAVE)}"
        for system, words in zip(systems["code_system"], systems["events_have"], strict=True)
        for word in words.split()
        if word not in HAVE
    ]


def _list_problems(about: pd.DataFrame, present: Collection[str], systems: Collection[str]) -> list[str]:
    named = set(about["list"])
    problems = [
        f"list {name!r} is in lists.csv, but there is no file {name}.csv" for name in sorted(named - set(present))
    ]
    problems += [f"file {name}.csv is not in lists.csv{_nearest(name, named)}" for name in sorted(set(present) - named)]
    problems += [
        f"lists.csv names {name!r} twice" for name in sorted(set(about.loc[about["list"].duplicated(), "list"]))
    ]
    for row in about.to_dict("records"):
        empty = [column for column in LIST_COLUMNS[1:] if not row[column]]
        problems += [f"list {row['list']!r} has no {column}" for column in empty]
        if row["date"] and pd.isna(pd.to_datetime(row["date"], format="%Y-%m-%d", errors="coerce")):
            problems.append(f"list {row['list']!r}: date {row['date']!r} is not of the form 2026-11-22")
        problems += [
            f"list {row['list']!r}: unknown code system {system!r}{_nearest(system, systems)}"
            for system in row["code_systems"].split()
            if system not in systems
        ]
    return problems


def _group_problems(table: pd.DataFrame, about: pd.DataFrame) -> list[str]:
    if table.empty:
        return ["the folder holds no group"]
    code, group = table["code_prefix"], table["group"]
    system = code.str.split("//").str[0]
    declared = {row["list"]: row["code_systems"].split() for row in about.to_dict("records")}
    undeclared = pd.Series(
        [which in declared and name not in declared[which] for which, name in zip(table["list"], system, strict=True)]
    )
    whole = code.str.contains("//", regex=False)
    labels = table[table["label"] != ""].groupby("group", sort=True)["label"].nunique()
    again = table.duplicated(["group", "code_prefix", "match"])
    return [
        *_rows(
            table[~table["match"].isin(MATCHES)], lambda r: f"unknown match {r['match']!r}; use {' or '.join(MATCHES)}"
        ),
        *_rows(table[again], lambda r: f"group {r['group']!r} holds {r['code_prefix']!r} twice"),
        *_rows(table[group == ""], lambda r: "an entry names no group"),
        *_rows(table[code == ""], lambda r: f"group {r['group']!r} has an entry without a code"),
        *_rows(table[~whole & (code != "")], lambda r: f"group {r['group']!r}: {r['code_prefix']!r} lacks SYSTEM//"),
        *_rows(
            table[whole & undeclared],
            lambda r: (
                f"group {r['group']!r}: lists.csv does not give the code system of {r['code_prefix']!r}"
                f"{_nearest(r['code_prefix'].split('//')[0], declared[r['list']])}"
            ),
        ),
        *[f"group {name!r} has more than one label" for name in labels.index[labels > 1]],
    ]


def _rows(rows: pd.DataFrame, say: Callable[[dict[str, str]], str]) -> list[str]:
    return [f"list {row['list']!r}: {say(row)}" for row in rows.to_dict("records")]


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
    problems = [f"unknown code group {name!r}{_nearest(name, known)}" for name in sorted(set(groups) - set(known))]
    if problems:
        raise SettingsError(problems, "data/reference/code_groups/ lists the groups.")


def events_have(code_groups: pd.DataFrame, folder: Path = CODE_GROUPS) -> dict[str, frozenset[str]]:
    """Say of each group what its events may have, of `HAVE`, by the code systems it draws on; of an undeclared one, all."""
    systems = _read(folder / "code_systems.csv", SYSTEM_COLUMNS)
    by_system = {row["code_system"]: frozenset(row["events_have"].split()) for row in systems.to_dict("records")}
    own = code_groups.assign(system=code_groups["code_prefix"].str.split("//").str[0])
    return {
        str(group): frozenset().union(*(by_system.get(system, frozenset(HAVE)) for system in set(members)))
        for group, members in own.groupby("group")["system"]
    }


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
