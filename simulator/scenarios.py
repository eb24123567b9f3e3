"""Wrongs that can be planted in a population, each of which a good pipeline must catch. They combine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

NULL_EFFECT = "null_effect"
HARM = "harm"
NO_OVERLAP = "no_overlap"
HIDDEN_CONFOUNDER = "hidden_confounder"
LABEL_BIAS = "label_bias"
UNDER_DIAGNOSIS = "under_diagnosis"
LINKAGE_BIAS = "linkage_bias"
MISSING_ETHNICITY = "missing_ethnicity"
FEED_OUTAGE = "feed_outage"
CODING_CHANGE = "coding_change"
POPULATION_SHIFT = "population_shift"
LEAK = "leak"

WORDS = {
    NULL_EFFECT: "Case management changes nothing for anybody.",
    HARM: "Case management raises everybody's chance of emergency admission by a fifth.",
    NO_OVERLAP: "Everybody above a fixed score is enrolled at once and nobody below it: nobody comparable is left untreated.",
    HIDDEN_CONFOUNDER: "GPs refer by what they see in people and no record shows: latent frailty and approaching death.",
    LABEL_BIAS: "At equal need, Asian and Black people and the most deprived three tenths are admitted 40 % less often.",
    UNDER_DIAGNOSIS: "The same people's conditions are far less often written down.",
    LINKAGE_BIAS: "Services write the names, birth dates and numbers of people not White wrong six times as often as usual.",
    MISSING_ETHNICITY: "Ethnicity is unknown for most people seldom seen, and oftener for those not White.",
    FEED_OUTAGE: "GP records of practices in the most deprived third stop arriving thirteen weeks before the cut-off.",
    CODING_CHANGE: "From April 2025 GP systems write consultations, diabetes and HbA1c in other codes and units.",
    POPULATION_SHIFT: "In the last year many young people move to deprived areas, and all emergency admissions rise by a quarter.",
    LEAK: "A GP code that follows an emergency admission is dated, and stamped as received, weeks before it.",
}
BARRED_FROM = 3  # tenths of deprivation
SHIFT_FROM = 36  # month in which the population's shift begins


def chosen(names: Iterable[str]) -> frozenset[str]:
    """Return the scenarios of these names.

    Raises
    ------
    ValueError
        There is none of such a name.
    """
    wanted = frozenset(names)
    unknown = sorted(wanted - set(WORDS))
    if unknown:
        raise ValueError(f"there is no scenario {unknown[0]!r}; there are {', '.join(WORDS)}")
    return wanted


def barred(group: np.ndarray, imd_decile: np.ndarray) -> np.ndarray:
    """Mark the people that `label_bias` and `under_diagnosis` wrong."""
    return np.isin(group, ("asian", "black")) | (imd_decile <= BARRED_FROM)
