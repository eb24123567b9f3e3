"""The parameters of linkage, estimated on the records that are to be linked, without a label."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from splink import Linker, block_on
from splink.internals.blocking_rule_creator import BlockingRuleCreator
from splink.internals.exceptions import EMTrainingException

from records.comparing import FAR, NEAR

RANDOM_PAIRS = 2e6
TRAINING_PAIRS = 1e6
# Share of true pairs that agree on names and birth date; only sets the starting point.
CERTAIN_PAIRS_RECALL = 0.7
# Pairs less likely than this are not kept; those between here and the threshold are the doubtful ones.
DOUBTFUL = 0.01
# A parameter has drifted only if this many new pairs say so, and this many of them, seen or expected, of the level.
DRIFT_PAIRS, LEVEL_PAIRS = 200, 30
# From here on a remembered model should be estimated anew.
DRIFT_BITS = 1.0


def estimate(linker: Linker, number: pd.Series, seed: int) -> None:
    """Set m and u of every level, and the share of pairs that are one person's.

    Parameters
    ----------
    linker
        Holds every description, with its blocks.
    number
        The number of each, null where there is none.
    seed
        Of the random pairs on which chance agreement is measured.

    Raises
    ------
    EMTrainingException
        The records show too few pairs of one person to learn from.
    """
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("given_name", "family_name", "date_of_birth")], recall=CERTAIN_PAIRS_RECALL
    )
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed)
    blocks = (block_on("date_of_birth"), block_on("family_name", "given_name"), block_on("postcode", "given_name"))
    taught = [_teach(linker, block, len(number)) for block in blocks]
    if not any(taught):
        raise EMTrainingException("no block of these records shows enough pairs of one person")
    chance = _levels(linker, "u_probability")
    _take_matches_out_of_chance(linker, chance, share_of(linker))
    # Splink would drop the compared pairs after the first use, and find them again for the second.
    linker.table_management.register_blocked_pairs_for_predict(linker.inference.compute_blocked_pairs_for_predict())
    share = _learn_from_compared(linker, predicted(linker), number)
    _take_matches_out_of_chance(linker, chance, share)


def _teach(linker: Linker, rule: BlockingRuleCreator, records: int) -> bool:
    """Estimate m on the pairs that share a block; say whether they could teach anything.

    Among few records a level may be met by no true pair of a block; its m then falls step by step to nothing, which
    Splink refuses. The other blocks, and every compared pair afterwards, teach instead.
    """
    before = linker._settings_obj.core_model_settings.copy()
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule,
            estimate_without_term_frequencies=True,
            max_pairs=TRAINING_PAIRS,
            record_sample_proportion=min(1.0, 20_000 / records),
        )
    except ValueError as error:
        if "below the minimum allowed value" not in str(error):
            raise
        # Splink leaves what it was estimating half done.
        linker._settings_obj.core_model_settings = before
        return False
    return True


def _comparisons(linker: Linker) -> dict[str, list[Any]]:
    return {
        comparison.output_column_name: [level for level in comparison.comparison_levels if not level.is_null_level]
        for comparison in linker._settings_obj.comparisons
    }


def _levels(linker: Linker, what: str) -> dict[str, list[float]]:
    return {name: [getattr(level, what) or 0.0 for level in found] for name, found in _comparisons(linker).items()}


def share_of(linker: Linker) -> float:
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


def predicted(linker: Linker) -> pd.DataFrame:
    """Return every compared pair from DOUBTFUL on: ids, weight, probability, and the level of each comparison."""
    gammas = [f"gamma_{name}" for name in _comparisons(linker)]
    found = linker.inference.predict(threshold_match_probability=DOUBTFUL).as_duckdbpyrelation()
    columns = ["unique_id_l", "unique_id_r", "match_weight", "match_probability", *gammas]
    return found.select(", ".join(columns)).order("unique_id_l, unique_id_r").df()


def _met(linker: Linker, found: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return for each comparison how many pairs of one person, by their probabilities, are in each level."""
    chance = found["match_probability"].to_numpy()
    return {
        name: np.bincount(
            gamma[gamma >= 0],
            chance[gamma >= 0],
            minlength=max(level.comparison_vector_value for level in all_levels) + 1,
        )[[level.comparison_vector_value for level in all_levels]]
        for name, all_levels in _comparisons(linker).items()
        for gamma in [found[f"gamma_{name}"].to_numpy()]
    }


def _smoothed(met: np.ndarray) -> np.ndarray:
    """Return the share of each level; half a pair in every one: none is impossible because it was not met."""
    shares: np.ndarray = (met + 0.5) / (met + 0.5).sum()
    return shares


def _learn_from_compared(linker: Linker, found: pd.DataFrame, number: pd.Series) -> float:
    """Estimate m, and the share of matches, once more on every pair that is compared; return the share among all pairs."""
    met = _met(linker, found)
    for name, all_levels in _comparisons(linker).items():
        if met[name].sum() >= 1:
            for level, value in zip(all_levels, _smoothed(met[name]), strict=True):
                level.m_probability = float(value)
    total = float(found["match_probability"].sum())
    numbered = number.value_counts().to_numpy()
    compared = _pairs(len(number)) - _pairs(numbered.sum())
    linker._settings_obj._probability_two_random_records_match = float(max(total, 1.0) / max(compared, 1.0))
    return float((total + _pairs(numbered).sum()) / _pairs(len(number)))


def moved(linker: Linker, found: pd.DataFrame) -> dict[str, Any]:
    """Return, for each comparison with enough new pairs, the level whose m differs most from the model's, in bits."""
    moved: dict[str, Any] = {}
    for name, met in _met(linker, found).items():
        before = np.array([level.m_probability for level in _comparisons(linker)[name]])
        enough = np.maximum(met, before * met.sum()) >= LEVEL_PAIRS
        if met.sum() >= DRIFT_PAIRS and enough.any():
            bits = np.where(enough, np.abs(np.log2(_smoothed(met) / before)), 0.0)
            level = _comparisons(linker)[name][int(bits.argmax())].label_for_charts
            moved[name] = {"level": level, "bits": round(float(bits.max()), 3)}
    return moved


def _pairs(count: Any) -> Any:
    return count * (count - 1) / 2
