"""Who is lost before any model sees them, by group: the door table `linkage`, and where each description stands.

People are counted, not rows: the rows of one person are found or lost together. A description (one NHS number, or
one way of writing down who a record is about) that found nobody counts against the person it resembles most; one
that resembles nobody is a person of its own, as far as can be known.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from casewell.doors import check
from records.gaps import best_and_worst, wilson
from records.reading import literal
from records.tables import ETHNIC_GROUPS, LINKAGE, LOSSES, NO_ETHNIC_GROUP, NOT_RECORDED

FIFTHS = ("1 most deprived", "2", "3", "4", "5 least deprived", NOT_RECORDED)
GROUPINGS = {"imd_quintile": FIFTHS, "ethnic_group": ETHNIC_GROUPS}
NO_GROUP = (NOT_RECORDED, *NO_ETHNIC_GROUP)
LEVEL = 0.95
SMALLEST_COMPARED = 100


def place(con: duckdb.DuckDBPyConnection, people: pd.DataFrame, described: bool) -> None:
    """Make the table `placed`: one row a handle of somebody who may be used, with its groups.

    `lone` says that it found nobody, and nobody of its person is registered; `unit` is the person that it counts
    for; `doubtful` is the probability that this is whose it is. A lone handle takes the ethnic group that it states
    itself, else that of whom it resembles, and the deprivation of whom it resembles, else of the registered people
    of its postcode. `described` says whether there are sightings to take postcodes from.
    """
    known = ", ".join(literal(group) for group in ETHNIC_GROUPS if group not in NO_ETHNIC_GROUP)
    seen = "SELECT DISTINCT who, postcode FROM sightings WHERE postcode IS NOT NULL"
    con.register("people_here", people[["person_id", "ethnic_group", "imd_decile", "in_spine"]])
    con.execute(
        f"""CREATE OR REPLACE TABLE placed AS
        WITH seen AS ({seen if described else "SELECT NULL::VARCHAR AS who, NULL::VARCHAR AS postcode"}),
        found AS (
            SELECT who, person_id, method, probability, ethnic_group, imd_decile, in_spine,
                method = 'alone' AND NOT in_spine AS lone
            FROM persons JOIN people_here USING (person_id) WHERE used AND NOT opted
        ),
        lived AS (
            SELECT who, min(postcode) AS postcode FROM seen
            WHERE who IN (SELECT who FROM found WHERE lone) GROUP BY who
        ),
        neighbours AS (
            SELECT seen.postcode, median(imd_decile) AS imd_decile FROM seen JOIN found USING (who)
            WHERE in_spine AND seen.postcode IN (SELECT postcode FROM lived) GROUP BY ALL
        ),
        resembled AS (
            SELECT c.who, c.probability AS doubtful, p.person_id, p.ethnic_group, p.imd_decile
            FROM candidates AS c JOIN persons ON persons.who = c.candidate
            JOIN people_here AS p ON p.person_id = persons.person_id
            WHERE c.who IN (SELECT who FROM found WHERE lone)
            QUALIFY row_number() OVER (PARTITION BY c.who ORDER BY c.probability DESC, c.candidate) = 1
        )
        SELECT f.who, f.person_id, f.method, f.probability, f.lone, r.doubtful,
            coalesce(r.person_id, f.person_id) AS unit,
            if(f.ethnic_group IN ({known}), f.ethnic_group, coalesce(r.ethnic_group, f.ethnic_group)) AS ethnic_group,
            {_fifth("coalesce(f.imd_decile, r.imd_decile, neighbours.imd_decile)")} AS imd_quintile
        FROM found AS f LEFT JOIN resembled AS r USING (who) LEFT JOIN lived USING (who)
        LEFT JOIN neighbours USING (postcode)"""
    )
    con.unregister("people_here")


def _fifth(decile: str) -> str:
    named = " ".join(f"WHEN {place} THEN {literal(name)}" for place, name in enumerate(FIFTHS[:5]))
    return f"CASE floor(({decile} - 1) / 2) {named} ELSE {literal(NOT_RECORDED)} END"


def lost_table(con: duckdb.DuckDBPyConnection, people: pd.DataFrame, removed: pd.DataFrame) -> pd.DataFrame:
    """Return the door table `linkage`, of everybody in `people` and `removed`; needs the table `placed`."""
    con.register("people_here", people[["person_id", "ethnic_group", "imd_decile", "in_spine", "sources"]])
    con.register("people_gone", removed[["person_id", "ethnic_group", "imd_decile", "door"]])
    parts = [part for grouping in GROUPINGS for part in _parts(grouping)]
    counted = con.execute(f"SELECT * FROM ({' UNION ALL '.join(parts)})").df()
    for name in ("people_here", "people_gone"):
        con.unregister(name)
    every = [(grouping, group, loss) for grouping, groups in GROUPINGS.items() for group in groups for loss in LOSSES]
    keys = ["grouping", "group", "measure"]
    table = pd.DataFrame(every, columns=keys).merge(counted, how="left", on=keys)
    table = table.fillna({"base": 0.0, "count": 0.0})
    table = table[table["base"] > 0].reset_index(drop=True)
    count, base = table["count"].to_numpy(), table["base"].to_numpy()
    low, high = wilson(count, base, LEVEL)
    return check(table.assign(share=count / base, low=low, high=high), LINKAGE)


def _parts(grouping: str) -> list[str]:
    """Return the queries that count each loss by one grouping: grouping, group, measure, base, count."""
    of_person = _fifth("imd_decile") if grouping == "imd_quintile" else grouping

    def counted(loss: str, base: str, count: str, tables: str, group: str = grouping) -> str:
        return (
            f'SELECT {literal(grouping)} AS grouping, {group} AS "group", {literal(loss)} AS measure, '
            f'({base})::DOUBLE AS base, coalesce({count}, 0)::DOUBLE AS "count" FROM {tables} GROUP BY 2'
        )

    # A person's own group goes before that of a description which only resembles them.
    units = (
        f"(SELECT bool_or(lone) AS lost, coalesce(min({grouping}) FILTER (NOT lone), min({grouping})) AS {grouping} "
        "FROM placed GROUP BY unit)"
    )
    persons = (
        f"(SELECT min(p.{grouping}) AS {grouping}, any_value(NOT h.in_spine AND h.sources = 1) AS single "
        "FROM placed AS p JOIN people_here AS h USING (person_id) GROUP BY p.person_id)"
    )
    came_in = (
        "(SELECT ethnic_group, imd_decile, NULL AS door FROM people_here "
        "UNION ALL SELECT ethnic_group, imd_decile, door FROM people_gone)"
    )
    linked = "sum(probability) FILTER (method = 'splink')"
    return [
        counted("no_person_found", "count(*)", "count(*) FILTER (lost)", units),
        counted("likely_missed", f"coalesce({linked}, 0) + coalesce(sum(doubtful), 0)", "sum(doubtful)", "placed"),
        counted("one_service_only", "count(*)", "count(*) FILTER (single)", persons),
        *(
            counted(door, "count(*)", f"count(*) FILTER (door = {literal(door)})", came_in, of_person)
            for door in ("opted_out", "quarantined")
        ),
    ]


def compared(table: pd.DataFrame, level: float = LEVEL, minimum: int = SMALLEST_COMPARED) -> pd.DataFrame:
    """Return the best and the worst group of every grouping and measure of the door table `linkage`.

    People whose group nobody knows are no group: those whose records found nobody are mostly there, and by
    definition.
    """
    return best_and_worst(table[~table["group"].isin(NO_GROUP)], level, minimum)
