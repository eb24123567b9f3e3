"""What people decided about pairs of records, and sources with one row a person, in terms of handles.

A handle (`who`) stands for all records that bear one number or say the same. A record that must be kept apart from
others under its handle takes another: first by what it says without its number, then one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from records.decisions import DIFFERENT, PAIR, SAME
from records.extracts import Extract
from records.reading import literal
from records.sightings import without_number

# Each of two records can leave its number, then what it says: after so many steps nobody shares a handle.
STEPS = 5
# Why a record takes another handle, in words for the record of changes.
DECIDED, ONE_ROW = "a person's decision", "the source has one row a person"


@dataclass(frozen=True)
class Ruling:
    """Who is one person, and who is not, whatever else links them or keeps them apart.

    Attributes
    ----------
    joined
        `who`, `canonical`: handles that decisions make one, and the name they go by; a numbered one if there is any.
    apart
        `one`, `two`: canonical handles; the second leaves the first one's person.
    single
        `source`, `who` (canonical): who has a row in a source that has one row a person.
    figures
        How many decisions held, how many had lost a record, how many rows of such sources took another handle.
    """

    joined: pd.DataFrame
    apart: pd.DataFrame
    single: pd.DataFrame
    figures: dict[str, int]


def rule(con: duckdb.DuckDBPyConnection, extracts: list[Extract], decided: pd.DataFrame) -> Ruling:
    """Give records that must be kept apart handles of their own, and return what holds of the others.

    Parameters
    ----------
    con
        Holds `sightings` and the rows of every extract, both with `who`; changed where needed.
    extracts
        Those about people.
    decided
        What `records.decisions.read` returned.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE left_handles (source VARCHAR, record VARCHAR, was VARCHAR, why VARCHAR)")
    moved = _part_rows_of_single_sources(con, extracts, decided)
    for _ in range(STEPS):
        whos = _whos(con, extracts, decided)
        _take_handles_away(con, extracts, _shared_by_many(whos, decided), DECIDED)
        whos = _whos(con, extracts, decided)
        held = decided.merge(whos.add_suffix("_1"), on=list(PAIR[:2])).merge(whos.add_suffix("_2"), on=list(PAIR[2:]))
        joined = _joined(held[held["decision"] == SAME])
        name = joined.set_index("who")["canonical"]
        parted = held[held["decision"] == DIFFERENT]
        one, two = (parted[side].map(name).fillna(parted[side]) for side in ("who_1", "who_2"))
        leaving = parted[one == two]
        if leaving.empty:
            break
        # Who has a handle of its own already cannot leave it; then the other one does.
        alone = leaving["who_2"].str.startswith("r|")
        sides = [
            leaving.loc[rows, [source, record]].set_axis(["source", "record"], axis=1)
            for rows, (source, record) in ((~alone, PAIR[2:]), (alone, PAIR[:2]))
        ]
        _take_handles_away(con, extracts, pd.concat(sides).drop_duplicates(), DECIDED)
    _remember_what_was_left(con, extracts)
    apart = pd.DataFrame({"one": one, "two": two}).drop_duplicates(ignore_index=True)
    single = _single(con, extracts)
    figures = {"decisions_held": len(held), "decisions_without_their_record": len(decided) - len(held)}
    if any(extract.source.one_row_a_person for extract in extracts):
        figures["rows_of_one_row_sources_parted"] = moved
    return Ruling(joined, apart, single.assign(who=single["who"].map(name).fillna(single["who"])), figures)


def _whos(con: duckdb.DuckDBPyConnection, extracts: list[Extract], decided: pd.DataFrame) -> pd.DataFrame:
    """Return `source`, `record` and `who` of the records that decisions are about, of those that take part."""
    if decided.empty:
        return pd.DataFrame({"source": [], "record": [], "who": []}, dtype="str")
    ends = [decided[list(side)].set_axis(["source", "record"], axis=1) for side in (PAIR[:2], PAIR[2:])]
    con.register("asked_records", pd.concat(ends).drop_duplicates().astype("str"))
    parts = [
        f"SELECT source, record, min(who) AS who FROM {extract.rows} AS r JOIN asked_records AS a "
        f"ON a.source = {literal(extract.name)} AND a.record = r.{extract.contract.key} "
        f"WHERE r.fate IN ('used', 'opted_out') GROUP BY ALL"
        for extract in extracts
    ]
    found = con.execute(f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY ALL").df().astype("str")
    con.unregister("asked_records")
    return found


def _shared_by_many(whos: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return the records that are somebody's by decision and whose handle, without names, can be many people's."""
    same = decided[decided["decision"] == SAME]
    ends = [same[list(side)].set_axis(["source", "record"], axis=1) for side in (PAIR[:2], PAIR[2:])]
    named = pd.concat(ends).drop_duplicates().astype("str").merge(whos, on=["source", "record"])
    return named.loc[named["who"].str[0].isin(["d", "w"]), ["source", "record"]]


def _joined(same: pd.DataFrame) -> pd.DataFrame:
    if same.empty:
        return pd.DataFrame({"who": [], "canonical": []}, dtype="str")
    codes, names = pd.factorize(pd.concat([same["who_1"], same["who_2"]], ignore_index=True), sort=True)
    left, right = codes[: len(same)], codes[len(same) :]
    graph = coo_matrix((np.ones(len(same)), (left, right)), shape=(len(names), len(names)))
    _, group = connected_components(graph, directed=False)
    found = pd.DataFrame({"who": pd.Series(names, dtype="str"), "group": group})
    found["bare"] = ~found["who"].str.startswith("n|")
    found = found.sort_values(["group", "bare", "who"], ignore_index=True)
    found["canonical"] = found.groupby("group")["who"].transform("first")
    return found[["who", "canonical"]]


def _take_handles_away(
    con: duckdb.DuckDBPyConnection, extracts: list[Extract], records: pd.DataFrame, why: str
) -> None:
    """Have records go by what they say without their number; those that do already, by nothing but themselves."""
    con.register("leaving_records", records.astype("str"))
    touched = set(records["source"])
    for extract in (extract for extract in extracts if extract.name in touched):
        mine = f"(SELECT record FROM leaving_records WHERE source = {literal(extract.name)})"
        own = f"{literal(f'r|{extract.name}|')} || {extract.contract.key}"
        con.execute(
            f"INSERT INTO left_handles SELECT {literal(extract.name)}, {extract.contract.key}, min(who), {literal(why)} "
            f"FROM {extract.rows} WHERE {extract.contract.key} IN {mine} GROUP BY {extract.contract.key}"
        )
        if extract.contract.demographic:
            con.execute(
                f"""UPDATE sightings SET number = NULL, who = CASE WHEN who[1] = 'n' THEN {without_number()}
                    ELSE 'r|' || source || '|' || record END
                WHERE source = {literal(extract.name)} AND record IN {mine}"""
            )
            con.execute(
                f"UPDATE {extract.rows} SET who = s.who FROM sightings AS s WHERE s.source = {literal(extract.name)} "
                f"AND s.record = {extract.rows}.{extract.contract.key} AND {extract.contract.key} IN {mine}"
            )
        else:
            con.execute(f"UPDATE {extract.rows} SET who = {own} WHERE {extract.contract.key} IN {mine}")
    con.unregister("leaving_records")


def _remember_what_was_left(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> None:
    """Make the table `parted_records`: the handle of each record that took another (`who`), what it `was` under, and `why`."""
    parts = [
        f"SELECT r.who, l.was, l.why FROM left_handles AS l JOIN {extract.rows} AS r "
        f"ON l.source = {literal(extract.name)} AND l.record = r.{extract.contract.key}"
        for extract in extracts
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE parted_records AS {' UNION '.join(parts)}")


def find_returned(con: duckdb.DuckDBPyConnection, extracts: list[Extract], parted: pd.DataFrame) -> None:
    """Make the table `returned`: `who` now bears each record that took another handle the week before, and takes none now.

    Parameters
    ----------
    con
        Holds `left_handles` of this week, and the rows of every extract.
    extracts
        Those about people.
    parted
        `source` and `record` of those of the week before.
    """
    con.register("parted_before", parted.astype("str"))
    here = set(parted["source"])
    parts = ["SELECT NULL::VARCHAR AS source, NULL::VARCHAR AS record, NULL::VARCHAR AS who WHERE false"]
    parts += [
        f"SELECT p.source, p.record, min(r.who) FROM {extract.rows} AS r JOIN parted_before AS p "
        f"ON p.source = {literal(extract.name)} AND p.record = r.{extract.contract.key} "
        f"WHERE r.fate IN ('used', 'opted_out') AND NOT starts_with(r.who, 'r|') GROUP BY ALL"
        for extract in extracts
        if extract.name in here
    ]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE returned AS SELECT * FROM ({' UNION ALL '.join(parts)}) "
        "WHERE (source, record) NOT IN (SELECT (source, record) FROM left_handles)"
    )
    con.unregister("parted_before")


def _part_rows_of_single_sources(con: duckdb.DuckDBPyConnection, extracts: list[Extract], decided: pd.DataFrame) -> int:
    """Leave one row under each handle where the source has one row a person; return how many rows left."""
    same = decided[decided["decision"] == SAME]
    ends = [same[list(side)].set_axis(["source", "record"], axis=1) for side in (PAIR[:2], PAIR[2:])]
    con.register("joined_by_people", pd.concat(ends).drop_duplicates().astype("str"))
    left = 0
    for extract in extracts:
        if not extract.source.one_row_a_person:
            continue
        # Twice: from the number to what it says, and from that to itself.
        for _ in range(2):
            extra = con.execute(
                f"""SELECT {literal(extract.name)} AS source, record FROM (
                    SELECT {extract.contract.key} AS record, who, min(known) AS known FROM {extract.rows}
                    WHERE fate = 'used' AND who[1] <> 'r' GROUP BY ALL
                ) WHERE ({literal(extract.name)}, record) NOT IN (SELECT (source, record) FROM joined_by_people)
                QUALIFY row_number() OVER (PARTITION BY who ORDER BY known, record) > 1 ORDER BY record"""
            ).df()
            left += len(extra)
            _take_handles_away(con, [extract], extra, ONE_ROW)
    con.unregister("joined_by_people")
    return left


def _single(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> pd.DataFrame:
    parts = [
        f"SELECT DISTINCT {literal(extract.name)} AS source, who FROM {extract.rows} WHERE fate = 'used'"
        for extract in extracts
        if extract.source.one_row_a_person
    ]
    if not parts:
        return pd.DataFrame({"source": [], "who": []}, dtype="str")
    return con.execute(f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY ALL").df().astype("str")
