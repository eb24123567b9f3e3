"""Match weights in plain words: how two records compare, and how much each comparison says."""

from __future__ import annotations

import pandas as pd

from records.probabilistic import NOT_COMPARED

COMPARED = {
    "given_name": "given name",
    "family_name": "family name",
    "date_of_birth": "birth date",
    "address_in_the_same_postcode": "address",
    "address_in_another_postcode": "address",
}
# What a level's label begins with: how people say it.
LEVELS = {
    "exact match": "the same",
    "same year": "the same year, and of one record no more is known",
    "same district": "another in the same district",
    "same": "the same",
    "jaro-winkler distance of given_name >= 0.92": "nearly the same",
    "jaro-winkler distance of family_name >= 0.92": "nearly the same",
    "jaro-winkler": "alike",
    "one digit": "one digit differs, or day and month changed over",
    "another day": "one of day, month and year differs",
    "two digits": "two digits differ, in the same month",
    "one slip": "one slip",
    "all other": "different",
}
# A value is called rare or common here when that alone adds or takes this many bits.
TELLING = 1.0


def sentences(weights: pd.DataFrame) -> pd.Series:
    """Return for each pair its comparisons in words, what says most first, by `left` and `right`.

    Parameters
    ----------
    weights
        From `records.probabilistic.compare`. What one of two records does not say is left out.
    """
    told = weights[weights["level"] != NOT_COMPARED]
    told = told.assign(words=phrases(told), size=_bits(told).abs())
    told = told.sort_values(["left", "right", "size", "comparison"], ascending=[True, True, False, True])
    return told.groupby(["left", "right"])["words"].agg("; ".join).astype("str")


def phrases(weights: pd.DataFrame) -> pd.Series:
    """Return each comparison in words: `family name: the same, and rare here (+11.2)`."""
    level = weights["level"].str.lower()
    said = level
    for begins, words in reversed(LEVELS.items()):
        said = said.mask(level.str.startswith(begins), words)
    rarity = pd.Series("", index=weights.index)
    rarity = rarity.mask(weights["frequency_bits"] >= TELLING, ", and rare here")
    rarity = rarity.mask(weights["frequency_bits"] <= -TELLING, ", but common here")
    what = weights["comparison"].replace(COMPARED)
    return what + ": " + said + rarity + " (" + _bits(weights).map("{:+.1f}".format) + ")"


def _bits(weights: pd.DataFrame) -> pd.Series:
    return weights["bits"] + weights["frequency_bits"]
