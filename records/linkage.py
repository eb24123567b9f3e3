"""From records to people: an exact match on a trusted NHS number, Splink for the rest.

No link ever joins two trusted numbers, unless a person decided so: a record without a number goes to the one numbered
person it matches best, or with other such records forms a person of its own.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from casewell.settings import Settings
from records import decisions
from records.comparing import COLUMNS
from records.estimating import DRIFT_BITS
from records.extracts import Extract
from records.probabilistic import Found, Memory, same_person_pairs
from records.reading import literal
from records.register import Entry, nobody_parted, node_hashes
from records.resolving import broken_by, resembling, resolve_apart
from records.ruling import Ruling, find_returned, rule
from records.sightings import find_sightings

NOBODY = "SELECT NULL::VARCHAR AS who WHERE false"
FITS_SEVERAL = "what they say fits several people now"


@dataclass(frozen=True)
class Linkage:
    """What was compared, and what came of it.

    Attributes
    ----------
    nodes
        One row a distinct description: `who`, COLUMNS, the `source` and `record` that stand for it, `node` (its keyed
        hash), and `fresh` where it was not compared before.
    found
        Pairs of them, by position.
    ruling
        What people decided.
    since
        The day for which the model was estimated, as text; empty without one.
    figures
        For the report; `model` holds the parameters.
    """

    nodes: pd.DataFrame
    found: Found
    ruling: Ruling
    since: str
    figures: dict[str, object]


def link(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    settings: Settings,
    as_of: dt.date,
    start: Entry | None,
    key: bytes,
) -> Linkage:
    """Make the table `handled`: each `who`, the `anchor` of its person, `method` and `probability`.

    Also sets `opted` (any record of the person is opted out), `used` (any is used), `rows` (of this `who`) and `record`
    (its first one, if it has no number), and makes `candidates`: of each description that found nobody, whom it
    resembles most, and how likely. Descriptions that `start` knows are not compared again.
    """
    personal = [extract for extract in extracts if extract.contract.personal and extract.table != "opt_outs"]
    find_sightings(con, personal, as_of)
    ruling = rule(con, personal, decisions.read(settings, as_of))
    nodes = _described_by_name(con, ruling)
    nodes["node"] = node_hashes(key, nodes)
    unnumbered = int(nodes["number"].isna().sum())
    found, memory = Found.nothing(), _memory(settings, as_of, start, key, nodes)
    nodes["fresh"] = True if memory is None else ~memory.known
    if unnumbered:
        found = same_person_pairs(
            nodes[list(COLUMNS)],
            settings.linkage.match_probability,
            settings.seed,
            memory=memory,
            engine=settings.linkage.engine,
        )
    since = "" if found.fitted is None else str(as_of)
    if found.compared.get("descriptions_known") and start is not None:
        since = start.since
    named = resolve_apart(nodes[["who", "number"]], found.pairs, ruling.apart, ruling.single)
    candidates = resembling(nodes[["who", "number"]], found, named)
    named["method"] = "splink" if found.method == "splink" else "demographics"
    second = _second_numbers(con, named, ruling)
    first = second.set_index("who")["anchor"]
    named["anchor"] = named["anchor"].map(first).fillna(named["anchor"]).astype("str")
    handles = pd.concat([named, second.assign(probability=np.nan, method="demographics")], ignore_index=True)
    for name, table in (("named_handles", handles), ("candidates", candidates), ("joined_handles", ruling.joined)):
        con.register("found_here", table)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM found_here")
        con.unregister("found_here")
    _link_described(con, personal, handles, ruling)
    find_returned(con, personal, nobody_parted() if start is None else start.parted())
    _gather(con, personal, as_of)
    figures: dict[str, object] = {
        "method_for_records_without_number": found.method,
        **_conflicts(con, personal),
        "second_numbers_joined_to_a_registered_person": len(second),
        "descriptions_without_number": unnumbered,
        "descriptions_linked_to_a_numbered_person": int(named["anchor"].str.startswith("n|").sum()),
        **ruling.figures,
        **found.compared,
        "model_estimated_for": since,
        **_drift(found),
        "blocks": found.blocking,
        "model": found.model,
    }
    return Linkage(nodes, found, ruling, since, figures)


def _memory(settings: Settings, as_of: dt.date, start: Entry | None, key: bytes, nodes: pd.DataFrame) -> Memory | None:
    """Return what the week before compared, unless everything is to be compared anew from a day since then."""
    anew = settings.linkage.anew_on
    if start is None or (anew is not None and start.as_of < anew <= as_of):
        return None
    hashed = nodes if start.key == key else nodes.assign(node=node_hashes(start.key, nodes))
    return start.memory(hashed)


def _drift(found: Found) -> dict[str, object]:
    """Say how far the new pairs are from the remembered model, and what to do if that is too far."""
    far = sorted(name for name, change in found.moved.items() if change["bits"] > DRIFT_BITS)
    if not far:
        return {"model_moved_on_new_pairs": found.moved} if found.moved else {}
    warning = (
        f"the week's new pairs differ from the remembered model by more than {DRIFT_BITS:g} bit in {', '.join(far)}: "
        "set linkage.anew_on to the day of the next run, which then estimates the model and compares everything anew"
    )
    return {"model_moved_on_new_pairs": found.moved, "warning": warning}


def _described_by_name(con: duckdb.DuckDBPyConnection, ruling: Ruling) -> pd.DataFrame:
    """Return the distinct descriptions with a name, in a total order; whom people joined goes by one handle."""
    con.register("joined_by_decision", ruling.joined)
    nodes = con.sql(
        f"""SELECT * EXCLUDE (first), first.source AS source, first.record AS record FROM (
            SELECT coalesce(j.canonical, s.who) AS who,
                coalesce(number, CASE WHEN j.canonical[1] = 'n' THEN substr(j.canonical, 3) END) AS number,
                given_name, family_name, date_of_birth::VARCHAR AS date_of_birth, sex, postcode, address,
                min({{'source': source, 'record': record}}) AS first
            FROM sightings AS s LEFT JOIN joined_by_decision AS j USING (who)
            WHERE (given_name IS NOT NULL OR family_name IS NOT NULL) AND s.who[1] IN ('n', 't') GROUP BY ALL
        ) ORDER BY who, {", ".join(COLUMNS)}"""
    ).to_arrow_table()
    con.unregister("joined_by_decision")
    return nodes.to_pandas()


def _second_numbers(con: duckdb.DuckDBPyConnection, named: pd.DataFrame, ruling: Ruling) -> pd.DataFrame:
    """Find the numbers that no registration holds and whose record agrees fully with exactly one registered person.

    Fully is: both names, birth date and postcode, and the sex does not differ. Two numbers that registrations
    hold are never joined, whatever agrees.
    """
    found = con.execute(
        """WITH registered AS (
            SELECT DISTINCT number, given_name, family_name, date_of_birth, postcode, sex FROM sightings
            WHERE spine AND number IS NOT NULL
        )
        SELECT s.who, min('n|' || registered.number) AS anchor
        FROM sightings AS s JOIN registered USING (given_name, family_name, date_of_birth, postcode)
        WHERE s.number IS NOT NULL AND s.number NOT IN (SELECT number FROM registered)
        GROUP BY s.who
        HAVING count(DISTINCT registered.number) = 1 AND NOT bool_or(coalesce(s.sex <> registered.sex, false))
        ORDER BY s.who"""
    ).df()
    name = ruling.joined.set_index("who")["canonical"]
    found = found.apply(lambda whos: whos.map(name).fillna(whos)).drop_duplicates("who")
    found = found[found["who"] != found["anchor"]]
    root = named.set_index("who")["anchor"]
    first = found.set_index("who")["anchor"]
    joined = named.assign(anchor=named["anchor"].map(first).fillna(named["anchor"]))
    broken = broken_by(pd.concat([joined, found], ignore_index=True), ruling.apart, ruling.single)
    ends = [broken[side].map(root).fillna(broken[side]) for side in ("one", "two")]
    parted = ends[1].where(ends[1].isin(found["who"]), ends[0])
    return found[~found["who"].isin(parted)].reset_index(drop=True)


def _conflicts(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> dict[str, object]:
    """Count the numbers that were not believed, and the rows that bear a number which two registered people hold.

    Those rows stay with the person registered first; who else they might be of cannot be told.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE held_twice AS SELECT DISTINCT number FROM conflicts WHERE spine")
    whys = con.execute("SELECT why, count(*) FROM conflicts GROUP BY 1 ORDER BY 1").fetchall()
    bare = [
        f"SELECT count(*) AS rows FROM {extract.rows} JOIN held_twice USING (number) WHERE fate = 'used'"
        for extract in extracts
        if extract.contract.numbered and not extract.contract.demographic
    ]
    both = con.execute("SELECT count(*) FROM held_twice").fetchall()[0][0]
    rows = con.execute(f"SELECT sum(rows) FROM ({' UNION ALL '.join(bare)})").fetchall()[0][0] if bare else 0
    return {
        "numbers_disbelieved_for_conflicting_demographics": sum(count for _, count in whys),
        "numbers_disbelieved_because": dict(whys),
        "numbers_of_two_registered_people": int(both),
        "rows_with_nothing_but_such_a_number": int(rows or 0),
    }


def _link_described(
    con: duckdb.DuckDBPyConnection, extracts: list[Extract], named: pd.DataFrame, ruling: Ruling
) -> None:
    """Birth date, sex and postcode find a person if they fit exactly one; if they fit several, nobody."""
    demographic = [extract.rows for extract in extracts if extract.contract.demographic]
    asked = " UNION ".join(f"SELECT who FROM {rows} WHERE starts_with(who, 'd|')" for rows in demographic)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE described AS
        SELECT asked, count(DISTINCT coalesce(n.anchor, j.canonical, s.who)) AS people,
            min(coalesce(n.anchor, j.canonical, s.who)) AS anchor
        FROM (
            SELECT who AS asked, split_part(who, '|', 2)::DATE AS date_of_birth, split_part(who, '|', 3) AS sex,
                split_part(who, '|', 4) AS postcode FROM ({asked or NOBODY})
        ) JOIN sightings AS s USING (date_of_birth, sex, postcode) LEFT JOIN joined_handles AS j USING (who)
        LEFT JOIN named_handles AS n ON n.who = coalesce(j.canonical, s.who)
        WHERE s.who[1] IN ('n', 't') GROUP BY asked"""
    )
    con.execute("ALTER TABLE described RENAME COLUMN asked TO who")
    ambiguous = "WHERE who IN (SELECT who FROM described WHERE people > 1)"
    con.execute(f"UPDATE sightings SET who = 'r|' || source || '|' || record {ambiguous}")
    for extract in extracts:
        if extract.contract.demographic:
            own = f"{literal(f'r|{extract.name}|')} || {extract.contract.key}"
            con.execute(
                f"INSERT INTO parted_records SELECT {own}, who, {literal(FITS_SEVERAL)} FROM {extract.rows} "
                f"{ambiguous} AND fate = 'used'"
            )
            con.execute(f"UPDATE {extract.rows} SET who = {own} {ambiguous}")
    con.execute("DELETE FROM described WHERE people > 1")
    if len(ruling.apart) or len(ruling.single):
        fits = con.execute("SELECT who, anchor, NULL::DOUBLE AS probability FROM described ORDER BY who").df()
        broken = broken_by(pd.concat([named, fits], ignore_index=True), ruling.apart, ruling.single)
        parted = broken["two"].where(broken["two"].str.startswith("d|"), broken["one"])
        con.register("parted", pd.DataFrame({"who": parted.astype("str")}))
        con.execute("DELETE FROM described WHERE who IN (SELECT who FROM parted)")
        con.unregister("parted")


def _gather(con: duckdb.DuckDBPyConnection, extracts: list[Extract], as_of: dt.date) -> None:
    """Collect every distinct handle; people whose every row is in quarantine are there to be counted."""
    parts = []
    for extract in extracts:
        own = f"{literal(f'r|{extract.name}|')} || min({extract.contract.key})"
        quarantined = f"fate = 'quarantined' AND coalesce(known < DATE '{as_of}', true)"
        opted_out = f"fate = 'opted_out' AND known < DATE '{as_of}'"
        described = f"OR ({quarantined} AND starts_with(who, 't|'))" if extract.table == "demographics" else ""
        numbered, bare = "starts_with(who, 'n|')", "NOT starts_with(who, 'n|')"
        # Of rows with a number, nearly all, nothing but the number is looked at: their own identifiers are long to read.
        parts += [
            f"SELECT who, NULL::VARCHAR AS record, count(*) AS rows, true AS used, false AS opted FROM {extract.rows} "
            f"WHERE fate = 'used' AND {numbered} GROUP BY who",
            f"SELECT who, {own}, count(*), true, false FROM {extract.rows} WHERE fate = 'used' AND {bare} GROUP BY who",
            f"SELECT who, NULL, count(*), false, bool_or(fate = 'opted_out') FROM {extract.rows} "
            f"WHERE {numbered} AND (({opted_out}) OR ({quarantined})) GROUP BY who",
            f"SELECT who, {own}, count(*), false, bool_or(fate = 'opted_out') FROM {extract.rows} "
            f"WHERE {bare} AND (({opted_out}) {described}) GROUP BY who",
        ]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE handled AS
        WITH handles AS (
            SELECT who, min(record) AS record, sum(rows)::BIGINT AS rows, bool_or(used) AS used, bool_or(opted) AS opted
            FROM ({" UNION ALL ".join(parts)}) GROUP BY who
        ), joined AS (
            SELECT handles.*, coalesce(named.anchor, described.anchor, j.canonical, handles.who) AS root,
                CASE WHEN j.canonical <> handles.who THEN 'decision' WHEN named.anchor IS NOT NULL THEN named.method
                     WHEN handles.who[1] = 'n' THEN 'nhs_number'
                     WHEN described.anchor IS NOT NULL THEN 'demographics' ELSE 'alone' END AS method,
                CASE WHEN j.canonical <> handles.who THEN NULL WHEN named.anchor IS NOT NULL THEN named.probability
                     WHEN handles.who[1] = 'n' THEN 1.0 END AS probability
            FROM handles LEFT JOIN joined_handles AS j USING (who)
            LEFT JOIN named_handles AS named ON named.who = coalesce(j.canonical, handles.who)
            LEFT JOIN described ON described.who = coalesce(j.canonical, handles.who)
        )
        SELECT who, method, probability, bool_or(used) OVER person AS used, bool_or(opted) OVER person AS opted,
            CASE WHEN root[1] = 'n' THEN root ELSE min(record) OVER person END AS anchor, record, rows
        FROM joined WINDOW person AS (PARTITION BY root)"""
    )


def no_links(con: duckdb.DuckDBPyConnection) -> Linkage:
    """Make empty `handled` and `sightings`, for sources that bring their own person ids."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE handled (who VARCHAR, method VARCHAR, probability DOUBLE, used BOOLEAN, "
        "opted BOOLEAN, anchor VARCHAR, record VARCHAR, rows BIGINT)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE candidates (who VARCHAR, candidate VARCHAR, probability DOUBLE)")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE sightings (who VARCHAR, known DATE, source VARCHAR, record VARCHAR, number VARCHAR, "
        "given_name VARCHAR, family_name VARCHAR, date_of_birth DATE, sex VARCHAR, postcode VARCHAR, address VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE parted_records (who VARCHAR, was VARCHAR, why VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE left_handles (source VARCHAR, record VARCHAR, was VARCHAR, why VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE returned (source VARCHAR, record VARCHAR, who VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE conflicts (place VARCHAR, record VARCHAR, number VARCHAR, why VARCHAR)")
    nodes = pd.DataFrame({name: [] for name in ("who", *COLUMNS, "source", "record")}, dtype="str")
    nodes = nodes.assign(node=pd.Series([], dtype="int64"), fresh=pd.Series([], dtype="bool"))
    joined, apart, single = (
        pd.DataFrame(columns=list(names)) for names in (("who", "canonical"), ("one", "two"), ("source", "who"))
    )
    nobody = Ruling(joined, apart, single, {})
    return Linkage(nodes, Found.nothing(), nobody, "", {"method_for_records_without_number": "not needed"})
