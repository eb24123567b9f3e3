"""From records to people: an exact match on a trusted NHS number, Splink for the rest.

No link ever joins two trusted numbers: a record without a number goes to the one numbered person it
matches best, or with other such records forms a person of its own.
"""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from casewell.settings import Settings
from records.checking import Extract
from records.probabilistic import COLUMNS, Found, same_person_pairs
from records.reading import literal
from records.sightings import find_sightings


def link(
    con: duckdb.DuckDBPyConnection, extracts: list[Extract], settings: Settings, as_of: dt.date
) -> dict[str, object]:
    """Make the table `handled`: each `who`, the `anchor` of its person, `method` and `probability`.

    Also sets `opted` (any record of the person is opted out) and `used` (any is used), and makes `candidates`:
    of each description that found nobody, whom it resembles most, and how likely. Returns the figures of linkage;
    `model` holds the parameters.
    """
    personal = [extract for extract in extracts if extract.contract.personal and extract.table != "opt_outs"]
    find_sightings(con, personal, as_of)
    nodes = con.execute(
        "SELECT DISTINCT who, number, given_name, family_name, date_of_birth::VARCHAR AS date_of_birth, sex, postcode, "
        "address FROM sightings WHERE (given_name IS NOT NULL OR family_name IS NOT NULL) AND who[1] IN ('n', 't') "
        "ORDER BY ALL"
    ).df()
    unnumbered = int(nodes["number"].isna().sum())
    found = Found.nothing()
    if unnumbered:
        found = same_person_pairs(nodes[list(COLUMNS)], settings.linkage.match_probability, settings.seed)
    named = resolve(nodes[["who", "number"]], found.pairs)
    candidates = resembling(nodes[["who", "number"]], found, named)
    second = _second_numbers(con)
    first = dict(zip(second["who"], second["anchor"], strict=True))
    named["anchor"] = pd.Series([first.get(anchor, anchor) for anchor in named["anchor"]], dtype="str")
    named["method"] = "splink" if found.method == "splink" else "demographics"
    handles = pd.concat([named, second.assign(probability=np.nan, method="demographics")], ignore_index=True)
    con.register("found_handles", handles)
    con.execute("CREATE OR REPLACE TEMP TABLE named_handles AS SELECT * FROM found_handles")
    con.unregister("found_handles")
    con.register("found_candidates", candidates)
    con.execute("CREATE OR REPLACE TEMP TABLE candidates AS SELECT * FROM found_candidates")
    con.unregister("found_candidates")
    _link_described(con, personal)
    _gather(con, personal, as_of)
    return {
        "method_for_records_without_number": found.method,
        **_conflicts(con, personal),
        "second_numbers_joined_to_a_registered_person": len(second),
        "descriptions_without_number": unnumbered,
        "descriptions_linked_to_a_numbered_person": int(named["anchor"].str.startswith("n|").sum()),
        "blocks": found.blocking,
        "model": found.model,
    }


def _second_numbers(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Find the numbers that no registration holds and whose record agrees fully with exactly one registered person.

    Fully is: both names, birth date and postcode, and the sex does not differ. Two numbers that registrations
    hold are never joined, whatever agrees.
    """
    return con.execute(
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


def resembling(nodes: pd.DataFrame, found: Found, named: pd.DataFrame) -> pd.DataFrame:
    """Return for each description that was linked to nobody its likeliest person: `who`, `candidate`, `probability`.

    That is one below the threshold, or one of several above it that are equally likely.
    """
    who, numbered = nodes["who"].to_numpy(), nodes["number"].notna().to_numpy()
    both = pd.concat([found.pairs, found.doubtful], ignore_index=True)
    both = pd.concat([both, both.rename(columns={"left": "right", "right": "left"})], ignore_index=True)
    both = both.assign(who=who[both["left"]], candidate=who[both["right"]])[~numbered[both["left"]]]
    both = both[~both["who"].isin(named["who"])].sort_values(
        ["who", "weight", "candidate"], ascending=[True, False, True]
    )
    return both.drop_duplicates("who")[["who", "candidate", "probability"]].reset_index(drop=True)


def resolve(nodes: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Decide which person each description without a number belongs to.

    Parameters
    ----------
    nodes
        `who` and `number` (null for descriptions without one), by position.
    pairs
        `left`, `right` (positions), `weight`, `probability`.

    Returns
    -------
    One row a linked description without a number: `who`, `anchor` (another `who`), `probability`.
    """
    who, numbered = nodes["who"].to_numpy(), nodes["number"].notna().to_numpy()
    swapped = pairs.rename(columns={"left": "right", "right": "left"})
    links = pd.concat([pairs, swapped], ignore_index=True)
    links = links[~numbered[links["left"]]].drop_duplicates(["left", "right"])
    links = links.assign(mine=who[links["left"]], theirs=who[links["right"]], to_number=numbered[links["right"]])
    direct, undecided = _best(links[links["to_number"]])
    rest = links[~links["to_number"] & ~links["mine"].isin(direct["who"]) & ~links["mine"].isin(undecided)]
    # One step further: a description that matches one which has found its number.
    through = rest.merge(direct[["who", "anchor"]].rename(columns={"who": "theirs", "anchor": "number"}), on="theirs")
    adopted, torn = _best(through.assign(theirs=through["number"]))
    left_over = rest[~rest["mine"].isin(adopted["who"]) & ~rest["mine"].isin(torn)]
    left_over = left_over[left_over["theirs"].isin(left_over["mine"])]
    return pd.concat([direct, adopted, _groups(left_over)], ignore_index=True).sort_values("who", ignore_index=True)


def _best(links: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return the best link of each description, and the descriptions whose best links tie between two people."""
    strongest = links.groupby(["mine", "theirs"], as_index=False)[["weight", "probability"]].max()
    top = strongest[strongest["weight"] == strongest.groupby("mine")["weight"].transform("max")]
    tied = top["mine"].duplicated(keep=False)
    chosen = top[~tied].rename(columns={"mine": "who", "theirs": "anchor"})
    return chosen[["who", "anchor", "probability"]], top.loc[tied, "mine"]


def _groups(links: pd.DataFrame) -> pd.DataFrame:
    """Join descriptions that match each other and nobody with a number; the anchor is the smallest."""
    codes, names = pd.factorize(pd.concat([links["mine"], links["theirs"]], ignore_index=True), sort=True)
    half = len(links)
    graph = coo_matrix((np.ones(half), (codes[:half], codes[half:])), shape=(len(names), len(names)))
    _, group = connected_components(graph, directed=False)
    strongest = links.groupby("mine")["probability"].max()
    found = pd.DataFrame({"who": np.asarray(names, dtype=object), "group": group}).astype({"who": "str"})
    found["anchor"] = found.groupby("group")["who"].transform("min")
    found["probability"] = found["who"].map(strongest)
    return found[["who", "anchor", "probability"]]


def _link_described(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> None:
    """Birth date, sex and postcode find a person if they fit exactly one; if they fit several, nobody."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE described AS
        SELECT 'd|' || date_of_birth || '|' || sex || '|' || postcode AS who,
            count(DISTINCT coalesce(anchor, sightings.who)) AS people, min(coalesce(anchor, sightings.who)) AS anchor
        FROM sightings LEFT JOIN named_handles USING (who)
        WHERE sightings.who[1] IN ('n', 't') AND date_of_birth IS NOT NULL AND sex IS NOT NULL AND postcode IS NOT NULL
        GROUP BY 1"""
    )
    ambiguous = "WHERE who IN (SELECT who FROM described WHERE people > 1)"
    con.execute(f"UPDATE sightings SET who = 'r|' || source || '|' || record {ambiguous}")
    for extract in extracts:
        if extract.contract.demographic:
            con.execute(
                f"UPDATE {extract.rows} SET who = {literal(f'r|{extract.name}|')} || {extract.contract.key} {ambiguous}"
            )


def _gather(con: duckdb.DuckDBPyConnection, extracts: list[Extract], as_of: dt.date) -> None:
    """Collect every distinct handle; people whose every row is in quarantine are there to be counted."""
    parts = [
        f"SELECT who, {literal(extract.name + '|')} || {extract.contract.key} AS record, fate = 'used' AS used, "
        f"fate = 'opted_out' AS opted FROM {extract.rows} WHERE fate = 'used' "
        f"OR (fate = 'opted_out' AND known < DATE '{as_of}') "
        f"OR (fate = 'quarantined' AND known < DATE '{as_of}' AND (who[1] = 'n' OR "
        f"(who[1] = 't' AND {str(extract.table == 'demographics').lower()})))"
        for extract in extracts
    ]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE handled AS
        WITH handles AS (
            SELECT who, CASE WHEN who[1] <> 'n' THEN min('r|' || record) END AS record, bool_or(used) AS used,
                bool_or(opted) AS opted
            FROM ({" UNION ALL ".join(parts)}) GROUP BY who
        ), joined AS (
            SELECT handles.*, coalesce(named.anchor, described.anchor, who) AS root,
                CASE WHEN named.anchor IS NOT NULL THEN named.method WHEN who[1] = 'n' THEN 'nhs_number'
                     WHEN described.anchor IS NOT NULL THEN 'demographics' ELSE 'alone' END AS method,
                CASE WHEN named.anchor IS NOT NULL THEN named.probability WHEN who[1] = 'n' THEN 1.0 END AS probability
            FROM handles LEFT JOIN named_handles AS named USING (who)
            LEFT JOIN (SELECT who, anchor FROM described WHERE people = 1) AS described USING (who)
        )
        SELECT who, method, probability, bool_or(used) OVER person AS used, bool_or(opted) OVER person AS opted,
            CASE WHEN root[1] = 'n' THEN root ELSE min(record) OVER person END AS anchor
        FROM joined WINDOW person AS (PARTITION BY root) ORDER BY who"""
    )


def no_links(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """Make empty `handled` and `sightings`, for sources that bring their own person ids."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE handled (who VARCHAR, method VARCHAR, probability DOUBLE, used BOOLEAN, "
        "opted BOOLEAN, anchor VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE candidates (who VARCHAR, candidate VARCHAR, probability DOUBLE)")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE sightings (who VARCHAR, known DATE, source VARCHAR, record VARCHAR, "
        "date_of_birth DATE, sex VARCHAR)"
    )
    return {"method_for_records_without_number": "not needed"}
