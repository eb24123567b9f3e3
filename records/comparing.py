"""What of two records is compared, and which records are compared at all."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import SettingsCreator

from records.births import is_near_in_year, is_slip, is_year_alone

COLUMNS = ("number", "given_name", "family_name", "date_of_birth", "sex", "postcode", "address")
# At least one of a pair has no number, and at least one was not compared before.
WORTH_COMPARING = "(l.number IS NULL OR r.number IS NULL) AND (l.fresh OR r.fresh)"
# Of records that share a block, those of a block larger than this are told apart by one thing more, and left
# to the other blocks if that is not enough: the pairs compared grow with the records, not with their square.
LARGEST_BLOCK = 400
_FIRST, _LAST = "substr(given_name, 1, 2)", "substr(family_name, 1, 2)"
# Both names, whichever was written first.
_BOTH = "given_name IS NOT NULL AND family_name IS NOT NULL"
_NAMES = f"if({_BOTH}, least(given_name, family_name) || ' ' || greatest(given_name, family_name), NULL)"
_INITIALS = f"if({_BOTH}, least({_FIRST}, {_LAST}) || greatest({_FIRST}, {_LAST}), NULL)"
_DISTRICT = "substr(postcode, 1, length(postcode) - 3)"
_YEAR, _DAY = "substr(date_of_birth, 1, 4)", "substr(date_of_birth, 6)"
# What a block shares, and what a large block is refined by.
BLOCKS = (
    (("date_of_birth", _LAST), "postcode"),
    (("date_of_birth", _FIRST), "postcode"),
    (("date_of_birth", _INITIALS), "family_name"),
    (("date_of_birth", "postcode"), "family_name"),
    (("family_name", "postcode"), _YEAR),
    (("given_name", "postcode"), _YEAR),
    ((_INITIALS, "postcode"), _YEAR),
    ((_NAMES, _YEAR), "postcode"),
    ((_NAMES, _DAY), "postcode"),
    ((_NAMES, _DISTRICT), _YEAR),
    ((_INITIALS, _YEAR, _DISTRICT), _DAY),
    (("postcode", _YEAR), _INITIALS),
    (("postcode", _DAY), _INITIALS),
    (("date_of_birth", _DISTRICT), _INITIALS),
    (("address", _INITIALS), _YEAR),
    (("address", "date_of_birth"), _INITIALS),
)
_PARTS = tuple(dict.fromkeys(part for parts, more in BLOCKS for part in (*parts, more)))
IN_A_BLOCK = f"coalesce({', '.join(f'block_{place}' for place in range(len(BLOCKS)))}) IS NOT NULL"
# Agreement on a rare one says more than on a common one.
WEIGHED_BY_FREQUENCY = ("given_name", "family_name", "postcode")
NEAR, FAR = "address_in_the_same_postcode", "address_in_another_postcode"


@dataclass(frozen=True)
class Spelling:
    """How an engine's SQL writes what engines write differently."""

    jaro_winkler: str
    split: str
    shared: str
    length: str


SPELLINGS = {
    "duckdb": Spelling("jaro_winkler_similarity", "string_split", "list_intersect", "len"),
    "spark": Spelling("jaro_winkler", "split", "array_intersect", "size"),
}


def compared(nodes: pd.DataFrame) -> list[str]:
    """Return the names of the comparisons that descriptions with the columns COLUMNS allow."""
    names = ["given_name", "family_name", "date_of_birth", "postcode"]
    names += ["sex"] if nodes["sex"].nunique() > 1 else []
    return names + ([NEAR, FAR] if nodes["address"].notna().sum() > 1 else [])


def settings_for(names: list[str], dialect: str = "duckdb") -> SettingsCreator:
    """Return Splink's settings for the comparisons of these names, in the SQL of an engine of SPELLINGS."""
    spelling = SPELLINGS[dialect]
    every = {
        "given_name": _name("given_name", "family_name", spelling),
        "family_name": _name("family_name", "given_name", spelling),
        "date_of_birth": _birth(),
        "postcode": _postcode(),
        "sex": comparisons.ExactMatch("sex"),
        NEAR: _address(NEAR, "postcode_l = postcode_r", spelling),
        FAR: _address(FAR, "postcode_l <> postcode_r", spelling),
    }
    told: list[Any] = [every[name] for name in names]
    rules: list[Any] = [f"l.block_{n} = r.block_{n} AND {WORTH_COMPARING}" for n in range(len(BLOCKS))]
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=told,
        blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
    )


def in_dialect(model: dict[str, Any], dialect: str) -> dict[str, Any]:
    """Return a model in the SQL of another engine, with its parameters as they were estimated."""
    if model["sql_dialect"] == dialect:
        return model
    names = [comparison["output_column_name"] for comparison in model["comparisons"]]
    told: dict[str, Any] = settings_for(names, dialect).get_settings(dialect).as_dict()
    learned = ("m_probability", "u_probability")
    for mine, theirs in zip(told["comparisons"], model["comparisons"], strict=True):
        for level, known in zip(mine["comparison_levels"], theirs["comparison_levels"], strict=True):
            level |= {name: known[name] for name in learned if name in known}
    prior = "probability_two_random_records_match"
    return {**told, prior: model[prior]}


def specification(nodes: pd.DataFrame, seed: int) -> str:
    """Return a digest of all that decides which pairs are compared and how, before anything is estimated."""
    told = settings_for(compared(nodes)).get_settings("duckdb").as_dict()
    text = json.dumps([told, BLOCKS, LARGEST_BLOCK, seed], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def add_blocks(con: duckdb.DuckDBPyConnection, nodes: pd.DataFrame, fresh: np.ndarray) -> dict[str, dict[str, int]]:
    """Make the table `blocked`: the descriptions, with a column a block; IN_A_BLOCK are those with any.

    Left out are known descriptions that share nothing with a fresh one. A column is null where the description is in
    no block of the kind, in too large a one, or in one without a pair worth comparing. `unique_id` is the position.
    Returns how many descriptions were in blocks that were refined, and in blocks left out.
    """
    con.register("described", nodes[list(COLUMNS)].assign(fresh=fresh).reset_index(names="unique_id"))
    # Each part is hashed once, whatever blocks it is of; a block is known by its parts' hashes together, and is null
    # where one of them is.
    hashes = [f"if({part} IS NULL, NULL, hash({n}, {part})) AS part_{n}" for n, part in enumerate(_PARTS)]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE parts AS SELECT unique_id, fresh, {', '.join(COLUMNS)}, {', '.join(hashes)} FROM "
        f"(SELECT unique_id, fresh, {', '.join(f'{name}::VARCHAR AS {name}' for name in COLUMNS)} FROM described)"
    )
    con.unregister("described")
    wides = [_hash_of(parts) for parts, _ in BLOCKS]
    narrows = [_hash_of((*parts, more)) for parts, more in BLOCKS]
    # Only descriptions that share something with one not compared before; few in most weeks.
    near = " OR ".join(f"{wide} IN (SELECT {wide} FROM parts WHERE fresh)" for wide in wides)
    kinds = [
        f"{wide} AS wide_{n}, {narrow} AS narrow_{n}"
        for n, (wide, narrow) in enumerate(zip(wides, narrows, strict=True))
    ]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT unique_id, fresh, {', '.join(COLUMNS)}, {', '.join(kinds)} "
        f"FROM parts WHERE fresh OR {near}; DROP TABLE parts"
    )
    counts = {
        " + ".join(parts): found for place, (parts, _) in enumerate(BLOCKS) if (found := _size_blocks(con, place))
    }
    blocks = ", ".join(f"(block_{place}.block >> 1)::BIGINT AS block_{place}" for place in range(len(BLOCKS)))
    joins = " ".join(f"LEFT JOIN block_{place} USING (unique_id)" for place in range(len(BLOCKS)))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE blocked AS SELECT unique_id, fresh, {', '.join(COLUMNS)}, {blocks} FROM keyed {joins}"
    )
    return counts


def _hash_of(parts: tuple[str, ...]) -> str:
    """Return the SQL of a block's hash: two that share every part have the same one."""
    return functools.reduce(lambda one, two: f"xor({one}, {two})", (f"part_{_PARTS.index(part)}" for part in parts))


def _size_blocks(con: duckdb.DuckDBPyConnection, place: int) -> dict[str, int]:
    """Make the table `block_<place>`, which description is in which block; return what was refined and left out."""
    sizes = "count(*) AS records, bool_or(fresh) AS fresh, bool_or(number IS NULL) AS unnumbered"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE wide_sizes AS SELECT wide_{place} AS block, {sizes} FROM keyed
            WHERE wide_{place} IN (SELECT wide_{place} FROM keyed WHERE fresh)
            GROUP BY 1 HAVING count(*) > 1 AND bool_or(number IS NULL)"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE narrow_sizes AS SELECT narrow_{place} AS block, {sizes} FROM keyed
            WHERE wide_{place} IN (SELECT block FROM wide_sizes WHERE records > {LARGEST_BLOCK}) GROUP BY 1"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE block_{place} AS
        SELECT unique_id, block FROM keyed JOIN wide_sizes ON block = wide_{place} WHERE records <= {LARGEST_BLOCK}
        UNION ALL
        SELECT unique_id, block FROM keyed JOIN narrow_sizes ON block = narrow_{place}
        WHERE records BETWEEN 2 AND {LARGEST_BLOCK} AND narrow_sizes.fresh AND unnumbered"""
    )
    ((refined, left_out),) = con.execute(
        f"""SELECT coalesce(sum(records) FILTER (block IS NOT NULL AND records <= {LARGEST_BLOCK}), 0),
            coalesce(sum(records) FILTER (block IS NULL OR records > {LARGEST_BLOCK}), 0) FROM narrow_sizes"""
    ).fetchall()
    return {"refined": int(refined), "left_out": int(left_out)} if refined or left_out else {}


def _name(column: str, other: str, spelling: Spelling) -> comparisons.CustomComparison:
    crossed = [
        f"{column}_l = {other}_r OR {column}_r = {other}_l",
        f"{spelling.jaro_winkler}({column}_l, {other}_r) >= 0.92 AND "
        f"{spelling.jaro_winkler}({other}_l, {column}_r) >= 0.92",
    ]
    return comparisons.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            levels.NullLevel(column),
            levels.ExactMatchLevel(column, term_frequency_adjustments=True),
            levels.JaroWinklerLevel(column, 0.92),
            levels.CustomLevel(" OR ".join(crossed), label_for_charts="written in the other's place"),
            levels.JaroWinklerLevel(column, 0.8),
            levels.ElseLevel(),
        ],
    )


def _birth() -> comparisons.CustomComparison:
    slip = is_slip("date_of_birth_l", "date_of_birth_r")
    return comparisons.CustomComparison(
        output_column_name="date_of_birth",
        comparison_levels=[
            levels.NullLevel("date_of_birth"),
            levels.ExactMatchLevel("date_of_birth"),
            levels.CustomLevel(
                f"{slip} AND (damerau_levenshtein(date_of_birth_l, date_of_birth_r) <= 1 "
                "OR (substr(date_of_birth_l, 6, 2) = substr(date_of_birth_r, 9, 2) "
                "AND substr(date_of_birth_l, 9, 2) = substr(date_of_birth_r, 6, 2)))",
                label_for_charts="one digit, or day and month changed over",
            ),
            levels.CustomLevel(slip, label_for_charts="another day, month or year"),
            # Where only the year is known, the first of January is written.
            levels.CustomLevel(
                is_year_alone("date_of_birth_l", "date_of_birth_r"), label_for_charts="same year, day and month unknown"
            ),
            levels.CustomLevel(
                is_near_in_year("date_of_birth_l", "date_of_birth_r"), label_for_charts="two digits, same month"
            ),
            levels.ElseLevel(),
        ],
    )


def _postcode() -> comparisons.CustomComparison:
    return comparisons.CustomComparison(
        output_column_name="postcode",
        comparison_levels=[
            levels.NullLevel("postcode"),
            levels.ExactMatchLevel("postcode", term_frequency_adjustments=True),
            levels.CustomLevel(
                "(substr(postcode_l, 1, 3) = substr(postcode_r, 1, 3) OR right(postcode_l, 3) = right(postcode_r, 3)) "
                "AND damerau_levenshtein(postcode_l, postcode_r) <= 1",
                label_for_charts="one slip",
            ),
            levels.CustomLevel(
                "substr(postcode_l, 1, length(postcode_l) - 3) = substr(postcode_r, 1, length(postcode_r) - 3)",
                label_for_charts="same district",
            ),
            levels.ElseLevel(),
        ],
    )


def _address(name: str, applies: str, spelling: Spelling) -> comparisons.CustomComparison:
    """Compare addresses only where `applies`: given the postcodes, so that what goes together does not count twice."""
    left, right = f"{spelling.split}(address_l, ' ')", f"{spelling.split}(address_r, ' ')"
    shared = f"{spelling.length}({spelling.shared}({left}, {right}))"
    words = f"least({spelling.length}({left}), {spelling.length}({right}))"
    alike = f"{spelling.jaro_winkler}(address_l, address_r)"
    return comparisons.CustomComparison(
        output_column_name=name,
        comparison_levels=[
            levels.CustomLevel(
                f"address_l IS NULL OR address_r IS NULL OR NOT ({applies})", label_for_charts="not compared"
            ).configure(is_null_level=True),
            levels.CustomLevel("address_l = address_r", label_for_charts="same"),
            # Of the words of the shorter one, two thirds occur in the other; or a few letters differ.
            levels.CustomLevel(
                f"{shared} * 3 >= {words} * 2 OR {alike} >= 0.92",
                label_for_charts="alike",
            ),
            levels.CustomLevel(
                f"{shared} * 3 >= {words} OR {alike} >= 0.8",
                label_for_charts="something alike",
            ),
            levels.ElseLevel(),
        ],
    )
