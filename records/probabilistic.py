"""Which records describe the same person: Splink, with parameters estimated on the records themselves.

Works on any plain table of `COLUMNS`. No label is used: m and u of every level, and the share of pairs
that are one person's, come from the records that are to be linked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.exceptions import EMTrainingException

from records.births import is_near_in_year, is_slip, is_year_alone
from records.reading import connect

COLUMNS = ("number", "given_name", "family_name", "date_of_birth", "sex", "postcode", "address")
# Fewer records than this cannot tell agreement by chance from agreement of one person.
MINIMUM_RECORDS = 500
RANDOM_PAIRS = 2e6
TRAINING_PAIRS = 1e6
# Share of true pairs that agree on names and birth date; only sets the starting point.
CERTAIN_PAIRS_RECALL = 0.7
# Pairs less likely than this are not kept; those between here and the threshold are the doubtful ones.
DOUBTFUL = 0.01
SOMEBODY_WITHOUT_NUMBER = "(l.number IS NULL OR r.number IS NULL)"
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
NEAR, FAR = "address_in_the_same_postcode", "address_in_another_postcode"
PAIR_COLUMNS = ["left", "right", "weight", "probability"]
Model = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """Pairs of records of one person, and how they were found.

    Attributes
    ----------
    pairs
        `left`, `right` (positions), `weight` (bits), `probability`; those at the threshold or above.
    doubtful
        The same of pairs below the threshold, down to `DOUBTFUL`.
    method
        `splink`, or `exact` where there are too few records to estimate on.
    model
        Estimated parameters; empty for `exact`.
    blocking
        Records in blocks that were refined, and in blocks left out, by what the block shares.
    """

    pairs: pd.DataFrame
    doubtful: pd.DataFrame
    method: str
    model: Model
    blocking: dict[str, dict[str, int]]

    @classmethod
    def nothing(cls) -> Found:
        """Return what is found where nothing is looked for."""
        pairs = pd.DataFrame({"left": [], "right": [], "weight": [], "probability": []})
        pairs = pairs.astype({"left": "int64", "right": "int64"})
        return cls(pairs, pairs, "not needed", {}, {})


def same_person_pairs(nodes: pd.DataFrame, threshold: float, seed: int, one_each: str | None = None) -> Found:
    """Find pairs of records of one person, at least one of which has no number.

    Parameters
    ----------
    nodes
        One row a distinct description, in a total order, with the columns COLUMNS (birth dates as text,
        names, postcode and address in capitals). Its position is its name in the result.
    threshold
        Match probability from which a pair counts.
    seed
        Of the random pairs on which chance agreement is measured.
    one_each
        A column that names each record's source, where every source has one row a person; of the pairs
        that would give a person two rows of a source, the best is kept.
    """
    nodes = nodes.reset_index(drop=True)
    if len(nodes) < MINIMUM_RECORDS:
        return _exact(nodes)
    try:
        pairs, model, blocking = _splink_pairs(nodes, seed)
    except EMTrainingException:
        return _exact(nodes)
    if one_each is not None:
        pairs = one_to_one(pairs, nodes[one_each])
    sure = pairs["probability"] >= threshold
    parts = [pairs[part].reset_index(drop=True) for part in (sure, ~sure)]
    return Found(parts[0], parts[1], "splink", model, blocking)


def _exact(nodes: pd.DataFrame) -> Found:
    pairs = exact_pairs(nodes)
    return Found(pairs, pairs.head(0), "exact", {}, {})


def exact_pairs(nodes: pd.DataFrame) -> pd.DataFrame:
    """Pair descriptions that agree exactly on both names and the birth date; no probability is claimed."""
    keys = ["given_name", "family_name", "date_of_birth"]
    whole = nodes.reset_index(names="position").dropna(subset=keys)
    pairs = whole[whole["number"].isna()].merge(whole, on=keys, suffixes=("_left", "_right"))
    pairs = pairs[pairs["position_left"] != pairs["position_right"]]
    return pd.DataFrame(
        {"left": pairs["position_left"], "right": pairs["position_right"], "weight": 0.0, "probability": float("nan")}
    ).reset_index(drop=True)


def one_to_one(pairs: pd.DataFrame, source: pd.Series) -> pd.DataFrame:
    """Keep pairs, the best first, so that no record is paired with two of one source, nor with its own source's."""
    names = source.to_numpy()
    ordered = pairs.sort_values(["weight", "left", "right"], ascending=[False, True, True])
    taken: set[tuple[int, Any]] = set()
    kept = []
    for row in ordered.itertuples():
        left, right = (int(row.left), names[int(row.right)]), (int(row.right), names[int(row.left)])
        if left[1] != right[1] and left not in taken and right not in taken:
            taken |= {left, right}
            kept.append(row.Index)
    return pairs.loc[sorted(kept)].reset_index(drop=True)


def drift(before: Model, now: Model) -> dict[str, Any]:
    """Return, for each comparison, the level whose match weight moved most since another run, and by how much."""
    moved: dict[str, Any] = {}
    for name, comparison in now.get("comparisons", {}).items():
        old = before.get("comparisons", {}).get(name, {})
        changes = {
            level: abs(found["weight"] - old[level]["weight"])
            for level, found in comparison.items()
            if level in old and found["weight"] is not None and old[level]["weight"] is not None
        }
        if changes:
            level = max(sorted(changes), key=lambda item: changes[item])
            moved[name] = {"level": level, "bits": round(changes[level], 3)}
    return moved


def _splink_pairs(nodes: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, Model, dict[str, dict[str, int]]]:
    con = connect()
    # Sums in another order differ in the last bit, and sampling is repeatable only on one thread.
    con.execute("SET threads = 1")
    blocking = _add_blocks(con, nodes)
    records = con.sql("SELECT * FROM blocked ORDER BY unique_id").to_arrow_table()
    linker = Linker(DuckDBAPI(con).register(records), _settings(nodes), log_level=logging.ERROR)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("given_name", "family_name", "date_of_birth")], recall=CERTAIN_PAIRS_RECALL
    )
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed)
    for rule in (block_on("date_of_birth"), block_on("family_name", "given_name"), block_on("postcode", "given_name")):
        training.estimate_parameters_using_expectation_maximisation(
            rule,
            estimate_without_term_frequencies=True,
            max_pairs=TRAINING_PAIRS,
            record_sample_proportion=min(1.0, 20_000 / len(records)),
        )
    chance = _levels(linker, "u_probability")
    _take_matches_out_of_chance(linker, chance, _share(linker))
    share = _learn_from_compared(con, linker, nodes["number"])
    _take_matches_out_of_chance(linker, chance, share)
    model = _model(linker)
    found = _predict(con, linker, "unique_id_l", "unique_id_r", "match_weight")
    con.close()
    pairs = found.rename(
        columns={
            "unique_id_l": "left",
            "unique_id_r": "right",
            "match_weight": "weight",
            "match_probability": "probability",
        }
    )[PAIR_COLUMNS]
    pairs = pairs.round({"weight": 6, "probability": 6}).sort_values(["left", "right"], ignore_index=True)
    return pairs, model, blocking


def _comparisons(linker: Linker) -> dict[str, list[Any]]:
    return {
        comparison.output_column_name: [level for level in comparison.comparison_levels if not level.is_null_level]
        for comparison in linker._settings_obj.comparisons
    }


def _levels(linker: Linker, what: str) -> dict[str, list[float]]:
    return {name: [getattr(level, what) or 0.0 for level in found] for name, found in _comparisons(linker).items()}


def _share(linker: Linker) -> float:
    """Return the share of all pairs that are one person's, as estimated so far."""
    return float(linker._settings_obj._probability_two_random_records_match)


def _take_matches_out_of_chance(linker: Linker, chance: dict[str, list[float]], share: float) -> None:
    """Correct u: some random pairs are one person's, and where chance hardly ever agrees they are most of what agrees.

    u never goes below its own sampling error.
    """
    found = _comparisons(linker)
    seen = {True: chance["postcode"][0], False: 1 - chance["postcode"][0]}
    met = {True: found["postcode"][0].m_probability or 0.0}
    met[False] = 1 - met[True]
    for name, all_levels in found.items():
        near = name == NEAR
        pairs, matches = RANDOM_PAIRS, share
        if name in (NEAR, FAR):
            # Of pairs in one postcode, far more are one person's than of all pairs.
            pairs, matches = RANDOM_PAIRS * seen[near], min(0.9, share * met[near] / max(seen[near], 1 / RANDOM_PAIRS))
        corrected = []
        for level, observed in zip(all_levels, chance[name], strict=True):
            error = math.sqrt(max(observed, 1 / max(pairs, 1)) / max(pairs, 1))
            cleaned = (observed - matches * (level.m_probability or 0.0)) / (1 - matches)
            corrected.append(max(cleaned, min(error, 1.0)))
        for level, value in zip(all_levels, corrected, strict=True):
            level.u_probability = value / sum(corrected)


def _predict(con: duckdb.DuckDBPyConnection, linker: Linker, *columns: str) -> pd.DataFrame:
    table = linker.inference.predict(threshold_match_probability=DOUBTFUL).physical_name
    return con.sql(
        f"SELECT match_probability, {', '.join(columns)} FROM {table} ORDER BY unique_id_l, unique_id_r"
    ).df()


def _learn_from_compared(con: duckdb.DuckDBPyConnection, linker: Linker, number: pd.Series) -> float:
    """Estimate m, and the share of matches, once more on every pair that is compared; return the share among all pairs."""
    found = _predict(con, linker, *[f"gamma_{name}" for name in _comparisons(linker)])
    chance = found["match_probability"].to_numpy()
    for name, all_levels in _comparisons(linker).items():
        gamma = found[f"gamma_{name}"].to_numpy()
        weights = np.array([chance[gamma == level.comparison_vector_value].sum() for level in all_levels])
        if weights.sum() >= 1:
            # Half a pair in every level: none is impossible because it was not met.
            for level, value in zip(all_levels, (weights + 0.5) / (weights + 0.5).sum(), strict=True):
                level.m_probability = float(value)
    numbered = number.value_counts().to_numpy()
    compared = _pairs(len(number)) - _pairs(numbered.sum())
    linker._settings_obj._probability_two_random_records_match = float(max(chance.sum(), 1.0) / max(compared, 1.0))
    return float((chance.sum() + _pairs(numbered).sum()) / _pairs(len(number)))


def _pairs(count: Any) -> Any:
    return count * (count - 1) / 2


def _add_blocks(con: duckdb.DuckDBPyConnection, nodes: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Make the table `blocked`, the records with a column a block; null where the record is in none, or in too large a one."""
    con.register("described", nodes.reset_index(names="unique_id"))
    con.execute(
        "CREATE TEMP TABLE blocked AS SELECT unique_id, "
        + ", ".join(f"{name}::VARCHAR AS {name}" for name in COLUMNS)
        + " FROM described"
    )
    counts = {}
    for place, (parts, more) in enumerate(BLOCKS):
        column, shared = f"block_{place}", f"hash({place}, {', '.join(parts)})"
        present = " AND ".join(f"({part}) IS NOT NULL" for part in parts)
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE blocked AS
            WITH wide AS (
                SELECT *, if({present}, {shared}, NULL) AS wide, if({more} IS NOT NULL, hash({shared}, {more}), NULL) AS narrow
                FROM blocked
            ), sized AS (
                SELECT *, count(*) OVER (PARTITION BY wide) > {LARGEST_BLOCK} AS large,
                    count(*) OVER (PARTITION BY wide, narrow) > {LARGEST_BLOCK} AS too_large
                FROM wide
            )
            SELECT * EXCLUDE (wide, narrow, large, too_large),
                CASE WHEN wide IS NULL THEN NULL WHEN NOT large THEN wide WHEN NOT too_large THEN narrow END AS {column},
                CASE WHEN wide IS NOT NULL AND large THEN if(too_large OR narrow IS NULL, 2, 1) ELSE 0 END AS fate_{place}
            FROM sized"""
        )
        ((refined, left_out),) = con.execute(
            f"SELECT count(*) FILTER (fate_{place} = 1), count(*) FILTER (fate_{place} = 2) FROM blocked"
        ).fetchall()
        if refined or left_out:
            counts[" + ".join(parts)] = {"refined": refined, "left_out": left_out}
    return counts


def _model(linker: Linker) -> Model:
    """Return the estimated parameters, with a digest that names them."""
    told = linker.misc.save_model_to_json()
    found: Model = {}
    for comparison in told["comparisons"]:
        found[comparison["output_column_name"]] = {
            level["label_for_charts"]: _level(level)
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        }
    prior = told["probability_two_random_records_match"]
    model = {"probability_two_random_records_match": float(f"{prior:.6g}"), "comparisons": found}
    digest = hashlib.sha256(json.dumps(model, sort_keys=True).encode()).hexdigest()[:16]
    return {"digest": digest, **model}


def _level(level: dict[str, Any]) -> dict[str, float | None]:
    m, u = level.get("m_probability"), level.get("u_probability")
    weight = round(math.log2(m / u), 4) if m and u else None
    return {"m": m and float(f"{m:.6g}"), "u": u and float(f"{u:.6g}"), "weight": weight}


def _settings(nodes: pd.DataFrame) -> SettingsCreator:
    told: list[Any] = [_name("given_name", "family_name"), _name("family_name", "given_name"), _birth(), _postcode()]
    if nodes["sex"].nunique() > 1:
        told.append(comparisons.ExactMatch("sex"))
    if nodes["address"].notna().sum() > 1:
        told += [_address(NEAR, "postcode_l = postcode_r"), _address(FAR, "postcode_l <> postcode_r")]
    rules: list[Any] = [f"l.block_{n} = r.block_{n} AND {SOMEBODY_WITHOUT_NUMBER}" for n in range(len(BLOCKS))]
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=told,
        blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
    )


def _name(column: str, other: str) -> comparisons.CustomComparison:
    crossed = [
        f"{column}_l = {other}_r OR {column}_r = {other}_l",
        f"jaro_winkler_similarity({column}_l, {other}_r) >= 0.92 AND "
        f"jaro_winkler_similarity({other}_l, {column}_r) >= 0.92",
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


def _address(name: str, applies: str) -> comparisons.CustomComparison:
    """Compare addresses only where `applies`: given the postcodes, so that what goes together does not count twice."""
    left, right = "string_split(address_l, ' ')", "string_split(address_r, ' ')"
    shared, words = f"len(list_intersect({left}, {right}))", f"least(len({left}), len({right}))"
    return comparisons.CustomComparison(
        output_column_name=name,
        comparison_levels=[
            levels.CustomLevel(
                f"address_l IS NULL OR address_r IS NULL OR NOT ({applies})", label_for_charts="not compared"
            ).configure(is_null_level=True),
            levels.CustomLevel("address_l = address_r", label_for_charts="same"),
            # Of the words of the shorter one, two thirds occur in the other; or a few letters differ.
            levels.CustomLevel(
                f"{shared} * 3 >= {words} * 2 OR jaro_winkler_similarity(address_l, address_r) >= 0.92",
                label_for_charts="alike",
            ),
            levels.CustomLevel(
                f"{shared} * 3 >= {words} OR jaro_winkler_similarity(address_l, address_r) >= 0.8",
                label_for_charts="something alike",
            ),
            levels.ElseLevel(),
        ],
    )
