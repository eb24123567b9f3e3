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
from records.probabilistic import exact_pairs, same_person_pairs
from records.reading import literal
from records.sightings import find_sightings

NODE_COLUMNS = ["number", "given_name", "family_name", "date_of_birth", "sex", "postcode"]


def link(
    con: duckdb.DuckDBPyConnection, extracts: list[Extract], settings: Settings, as_of: dt.date
) -> dict[str, object]:
    """Make the table `handled`: each `who`, the `anchor` of its person, `method` and `probability`.

    Also sets `opted` (any record of the person is opted out) and `used` (any is used). Returns the
    figures of linkage for the summary.
    """
    personal = [extract for extract in extracts if extract.contract.personal and extract.table != "opt_outs"]
    disbelieved = find_sightings(con, personal, as_of)
    nodes = con.execute(
        "SELECT DISTINCT who, number, given_name, family_name, date_of_birth::VARCHAR AS date_of_birth, sex, postcode "
        "FROM sightings WHERE (given_name IS NOT NULL OR family_name IS NOT NULL) AND who[1] IN ('n', 't') ORDER BY ALL"
    ).df()
    unnumbered = int(nodes["number"].isna().sum())
    if unnumbered:
        pairs, method = same_person_pairs(nodes[NODE_COLUMNS], settings.linkage.match_probability, settings.seed)
    else:
        pairs, method = exact_pairs(nodes[NODE_COLUMNS].head(0)), "not needed"
    named = resolve(nodes[["who", "number"]], pairs)
    con.register("named_handles", named.assign(method="splink" if method == "splink" else "demographics"))
    _link_described(con, personal)
    _gather(con, personal, as_of)
    con.unregister("named_handles")
    return {
        "method_for_records_without_number": method,
        "numbers_disbelieved_for_conflicting_demographics": disbelieved,
        "descriptions_without_number": unnumbered,
        "descriptions_linked_to_a_numbered_person": int(named["anchor"].str.startswith("n|").sum()),
    }


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
                CASE WHEN who[1] = 'n' THEN 'nhs_number' WHEN named.anchor IS NOT NULL THEN named.method
                     WHEN described.anchor IS NOT NULL THEN 'demographics' ELSE 'alone' END AS method,
                CASE WHEN who[1] = 'n' THEN 1.0 ELSE named.probability END AS probability
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
    con.execute(
        "CREATE OR REPLACE TEMP TABLE sightings (who VARCHAR, known DATE, source VARCHAR, record VARCHAR, "
        "date_of_birth DATE, sex VARCHAR)"
    )
    return {"method_for_records_without_number": "not needed"}
