"""What people decided about pairs of records: the same person, or different people.

One CSV file holds reviews and corrections alike. It only grows: a later line about a pair replaces the earlier
one from its day on, so that a past week can be rebuilt as it was decided then.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

from casewell.errors import SettingsError, SourceError
from casewell.settings import Settings
from records.private import check_that_only_its_owner_reads

PAIR = ("source_1", "record_1", "source_2", "record_2")
COLUMNS = (*PAIR, "decision", "reason", "decided_by", "decided_on")
# In the file that `casewell link review` writes: tells whether the identifiers are as they were.
MARK = "pair"
KEPT = [*PAIR, "decision", "decided_on", "line"]
SAME, DIFFERENT = "same", "different"
# How a spreadsheet set to the United Kingdom saves an ISO date.
DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y")
ADVICE = "Nothing was done. Mend the file; docs/how-to/linking.md says what each column holds."


def read(settings: Settings, as_of: dt.date) -> pd.DataFrame:
    """Return the decisions that hold at `as_of`, one row a pair, in order of the pair.

    Returns
    -------
    `source_1`, `record_1`, `source_2`, `record_2`, `decision` (same or different), `decided_on`, and `line`, where
    the file says so. Decided before `as_of`; of several about one pair the newest. None when the settings name no file.

    Raises
    ------
    SettingsError
        The file is missing, or others than its owner can read it.
    SourceError
        Every broken rule at once, with the lines; decisions that contradict each other.
    """
    path = settings.linkage.decisions
    if path is None:
        return nothing()[KEPT]
    if not path.is_file():
        raise SettingsError(
            f"linkage.decisions names {str(path)!r}, which does not exist",
            "If nobody has decided anything yet, `casewell link decide` without a file makes it. If it was lost, bring "
            "it back: without it people would be linked as if nobody had decided.",
        )
    check_that_only_its_owner_reads(path, "decisions file")
    rows = read_file(path)
    problems = problems_in(rows, settings.sources)
    if not problems:
        rows = newest(rows[rows["decided_on"] < pd.Timestamp(as_of)])
        problems = contradictions(rows)
    if problems:
        raise SourceError([f"decisions file {path.name!r}: {problem}" for problem in problems], ADVICE)
    return rows[KEPT]


def nothing() -> pd.DataFrame:
    """Return the table of a file without lines."""
    return _table([], [])


def read_file(path: Path) -> pd.DataFrame:
    """Return the lines of a CSV file with at least COLUMNS as text; `decided_on` as a day, missing where it is none.

    The encodings and delimiters are those that spreadsheets save. Empty lines are left out. `line` is where each
    begins; MARK is there if the file has it.

    Raises
    ------
    SourceError
        Not text, without the columns, or with lines that cannot be split into them.
    """
    try:
        header, rows, lines = _split(_text(path))
    except (UnicodeDecodeError, csv.Error):
        raise SourceError(f"{path.name!r} is not a CSV file", "Save it as CSV, not as a workbook.") from None
    except OSError as error:
        raise SourceError(f"{path.name!r} cannot be read: {error.strerror}") from None
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise SourceError([f"{path.name!r}: missing column {name!r}" for name in missing], ADVICE)
    ragged = [line for row, line in zip(rows, lines, strict=True) if len(row) != len(header)]
    if ragged:
        raise SourceError(f"{path.name!r}: {in_lines(ragged)}: more or fewer cells than the header", ADVICE)
    told = [*COLUMNS, MARK] if MARK in header else list(COLUMNS)
    return _table([[row[header.index(name)] for name in told] for row in rows], lines, told)


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _split(text: str) -> tuple[list[str], list[list[str]], list[int]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [name.strip().lower() for name in next(reader, [])]
    rows, lines, begins = [], [], reader.line_num + 1
    for row in reader:
        if any(cell.strip() for cell in row):
            rows.append([cell.strip() for cell in row])
            lines.append(begins)
        begins = reader.line_num + 1
    return header, rows, lines


def _table(rows: list[list[str]], lines: list[int], columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(columns)).astype("str").assign(line=pd.Series(lines, dtype="int64"))
    days = pd.Series(pd.NaT, index=table.index, dtype="datetime64[us]")
    for form in DATE_FORMATS:
        days = days.fillna(pd.to_datetime(table["decided_on"], format=form, errors="coerce"))
    return table.assign(decision=table["decision"].str.lower(), decided_on=days)


def problems_in(rows: pd.DataFrame, sources: Collection[str]) -> list[str]:
    """Return every rule that lines break by themselves, each with its lines and without what they hold."""
    itself = (rows["source_1"] == rows["source_2"]) & (rows["record_1"] == rows["record_2"])
    broken = {
        f"column {name!r} is empty": rows[name] == "" for name in ("record_1", "record_2", "reason", "decided_by")
    }
    broken |= {
        f"column {name!r} names no source of the settings ({', '.join(sorted(sources))})": ~rows[name].isin(
            list(sources)
        )
        for name in ("source_1", "source_2")
    }
    broken["column 'decision' must be same or different"] = ~rows["decision"].isin([SAME, DIFFERENT])
    broken["column 'decided_on' must be a day, YYYY-MM-DD or DD/MM/YYYY"] = rows["decided_on"].isna()
    broken["both records are one"] = itself & (rows["record_1"] != "")
    return [f"{words}, in {in_lines(rows.loc[where, 'line'])}" for words, where in broken.items() if where.any()]


def newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the newest line about each pair, whichever record stands first; on one day, the last in the file."""
    ends = [rows[source] + "\0" + rows[record] for source, record in (PAIR[:2], PAIR[2:])]
    pair = pd.Series(np.where(ends[0] < ends[1], ends[0] + "\0" + ends[1], ends[1] + "\0" + ends[0]), index=rows.index)
    held = rows.assign(pair=pair).sort_values(["pair", "decided_on", "line"]).drop_duplicates("pair", keep="last")
    return held.drop(columns="pair").sort_values(list(PAIR), ignore_index=True)


def contradictions(rows: pd.DataFrame, where: pd.Series | None = None) -> list[str]:
    """Return where lines say different of two records that other lines, taken together, say are the same.

    Parameters
    ----------
    rows
        One row a pair, by position.
    where
        How each row is named; `line 3` when left out.
    """
    named = ("line " + rows["line"].astype("str") if where is None else where).tolist()
    ends = pd.concat([rows[source] + "\0" + rows[record] for source, record in (PAIR[:2], PAIR[2:])], ignore_index=True)
    codes, records = pd.factorize(ends, sort=True)
    left, right = codes[: len(rows)], codes[len(rows) :]
    same = (rows["decision"] == SAME).to_numpy()
    # Every edge holds the place of its row, counted from one: nought would be no edge.
    edges = (np.flatnonzero(same) + 1, (left[same], right[same]))
    graph = coo_matrix(edges, shape=(len(records), len(records))).tocsr()
    _, group = connected_components(graph, directed=False)
    against = np.flatnonzero(~same & (group[left] == group[right]))
    return [
        f"{named[place]} says different, but by "
        f"{_and([named[step] for step in _chain(graph, int(left[place]), int(right[place]))])} the two records are the "
        "same; decide the wrong one again in a later line"
        for place in against
    ]


def _chain(graph: csr_matrix, start: int, end: int) -> list[int]:
    """Return the places of the rows that lead from one record to another."""
    both = graph.maximum(graph.T)
    _, before = breadth_first_order(both, start, directed=False)
    steps = []
    while end != start:
        steps.append(int(both[end, before[end]]) - 1)
        end = int(before[end])
    return sorted(steps)


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def in_lines(lines: Collection[int], most: int = 20) -> str:
    """Return the lines as words: `line 3`, or `lines 3, 5 and 9`."""
    told = [str(line) for line in sorted(lines)[:most]]
    told += [f"{len(lines) - most} more"] if len(lines) > most else []
    return f"line{'s' if len(lines) > 1 else ''} {_and(told)}"
