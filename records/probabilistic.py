"""Which records describe the same person: Splink, with parameters estimated on the records themselves."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.exceptions import EMTrainingException

from records.reading import connect

# Fewer records than this cannot tell agreement by chance from agreement of one person.
MINIMUM_RECORDS = 500
RANDOM_PAIRS = 2e6
# Share of true pairs that agree on names and birth date; only sets the starting point.
CERTAIN_PAIRS_RECALL = 0.7
SOMEBODY_WITHOUT_NUMBER = "(l.number IS NULL OR r.number IS NULL)"
BLOCKS = (
    "l.date_of_birth = r.date_of_birth AND substr(l.family_name, 1, 2) = substr(r.family_name, 1, 2)",
    "l.date_of_birth = r.date_of_birth AND substr(l.given_name, 1, 2) = substr(r.given_name, 1, 2)",
    "l.date_of_birth = r.date_of_birth AND l.postcode = r.postcode",
    "l.date_of_birth = r.date_of_birth AND l.given_name = r.family_name",
    "l.date_of_birth = r.date_of_birth AND l.family_name = r.given_name",
    "l.family_name = r.family_name AND l.postcode = r.postcode",
    "l.given_name = r.given_name AND l.postcode = r.postcode",
    "l.family_name = r.family_name AND l.given_name = r.given_name AND l.birth_year = r.birth_year",
)
PREDICTION_BLOCKS: list[Any] = [f"{block} AND {SOMEBODY_WITHOUT_NUMBER}" for block in BLOCKS]
PAIR_COLUMNS = ["left", "right", "weight", "probability"]


def same_person_pairs(nodes: pd.DataFrame, threshold: float, seed: int) -> tuple[pd.DataFrame, str]:
    """Find pairs of records of one person, at least one of which has no number.

    Parameters
    ----------
    nodes
        One row a distinct description, in a total order: `number`, `given_name`, `family_name`,
        `date_of_birth` (text), `sex`, `postcode`. Its position is its name in the result.
    threshold
        Match probability from which a pair counts.
    seed
        Of the random pairs on which chance agreement is measured.

    Returns
    -------
    Pairs (`left`, `right` positions; `weight` in bits; `probability`) and the method used: `splink`, or
    `exact` where there are too few records to estimate on.
    """
    if len(nodes) < MINIMUM_RECORDS:
        return exact_pairs(nodes), "exact"
    try:
        return _splink_pairs(nodes, threshold, seed), "splink"
    except EMTrainingException:
        return exact_pairs(nodes), "exact"


def exact_pairs(nodes: pd.DataFrame) -> pd.DataFrame:
    """Pair descriptions that agree exactly on both names and the birth date; no probability is claimed."""
    keys = ["given_name", "family_name", "date_of_birth"]
    whole = nodes.reset_index(names="position").dropna(subset=keys)
    pairs = whole[whole["number"].isna()].merge(whole, on=keys, suffixes=("_left", "_right"))
    pairs = pairs[pairs["position_left"] != pairs["position_right"]]
    return pd.DataFrame(
        {"left": pairs["position_left"], "right": pairs["position_right"], "weight": 0.0, "probability": float("nan")}
    ).reset_index(drop=True)


def _splink_pairs(nodes: pd.DataFrame, threshold: float, seed: int) -> pd.DataFrame:
    con = connect()
    # Sums in another order differ in the last bit, and sampling is repeatable only on one thread.
    con.execute("SET threads = 1")
    records = nodes.reset_index(names="unique_id").assign(birth_year=lambda t: t["date_of_birth"].str[:4])
    linker = Linker(DuckDBAPI(con).register(records), _settings(), log_level=logging.ERROR)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("given_name", "family_name", "date_of_birth")], recall=CERTAIN_PAIRS_RECALL
    )
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed)
    for rule in (block_on("date_of_birth"), block_on("family_name", "given_name"), block_on("postcode", "given_name")):
        training.estimate_parameters_using_expectation_maximisation(rule, estimate_without_term_frequencies=True)
    found = linker.inference.predict(threshold_match_probability=threshold).as_pandas_dataframe()
    con.close()
    pairs = found.rename(
        columns={
            "unique_id_l": "left",
            "unique_id_r": "right",
            "match_weight": "weight",
            "match_probability": "probability",
        }
    )[PAIR_COLUMNS]
    return pairs.round({"weight": 6, "probability": 6}).sort_values(["left", "right"], ignore_index=True)


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            _name("given_name", "family_name"),
            _name("family_name", "given_name"),
            _birth(),
            _postcode(),
            comparisons.ExactMatch("sex"),
        ],
        blocking_rules_to_generate_predictions=PREDICTION_BLOCKS,
        retain_matching_columns=False,
    )


def _name(column: str, other: str) -> comparisons.CustomComparison:
    return comparisons.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            levels.NullLevel(column),
            levels.ExactMatchLevel(column, term_frequency_adjustments=True),
            levels.JaroWinklerLevel(column, 0.92),
            levels.CustomLevel(
                f"{column}_l = {other}_r OR {column}_r = {other}_l", label_for_charts="written in the other's place"
            ),
            levels.JaroWinklerLevel(column, 0.8),
            levels.ElseLevel(),
        ],
    )


def _birth() -> comparisons.CustomComparison:
    return comparisons.CustomComparison(
        output_column_name="date_of_birth",
        comparison_levels=[
            levels.NullLevel("date_of_birth"),
            levels.ExactMatchLevel("date_of_birth"),
            # One part mistyped, or day and month changed over; edit distance finds the same at ten times the cost.
            levels.CustomLevel(
                f"{_same_part(1, 7)} OR ({_same_part(1, 4)} AND {_same_part(9, 2)}) OR {_same_part(6, 5)} OR "
                f"({_same_part(1, 4)} AND substr(date_of_birth_l, 6, 2) = substr(date_of_birth_r, 9, 2) "
                "AND substr(date_of_birth_l, 9, 2) = substr(date_of_birth_r, 6, 2))",
                label_for_charts="two of year, month and day agree, or day and month are changed over",
            ),
            # Where only the year is known, the first of January is written.
            levels.CustomLevel(
                f"{_same_part(1, 4)} AND (right(date_of_birth_l, 5) = '01-01' OR right(date_of_birth_r, 5) = '01-01')",
                label_for_charts="same year, day and month unknown",
            ),
            levels.ElseLevel(),
        ],
    )


def _postcode() -> comparisons.CustomComparison:
    return comparisons.CustomComparison(
        output_column_name="postcode",
        comparison_levels=[
            levels.NullLevel("postcode"),
            levels.ExactMatchLevel("postcode"),
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


def _same_part(start: int, length: int) -> str:
    return f"substr(date_of_birth_l, {start}, {length}) = substr(date_of_birth_r, {start}, {length})"
