"""Wrongs that can be planted in a population, each of which a good pipeline must catch; and a second programme.

They combine, save that case management cannot both do nothing and do harm.
"""

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
SECOND_PROGRAMME = "second_programme"

WORDS = {
    NULL_EFFECT: "Case management changes nothing for anybody.",
    HARM: "Case management raises everybody's chance of emergency admission by a fifth.",
    NO_OVERLAP: "Everybody above a fixed score is enrolled at once and nobody below it: nobody comparable is left untreated.",
    HIDDEN_CONFOUNDER: "GPs refer by what they see in people and no record shows: latent frailty and approaching death.",
    LABEL_BIAS: "When they need an emergency admission, Asian and Black people and the most deprived three tenths "
    "are turned away in 40 % of cases; they are as ill as before, and it does not show.",
    UNDER_DIAGNOSIS: "The same people's conditions are far less often written down.",
    LINKAGE_BIAS: "Of people not White, services write names, birth dates and addresses wrong six times as often as usual, "
    "and leave numbers out with six times the odds.",
    MISSING_ETHNICITY: "Ethnicity is unknown for most people seldom seen, and oftener for those not White.",
    FEED_OUTAGE: "GP records of practices in the most deprived third stop arriving thirteen weeks before the cut-off.",
    CODING_CHANGE: "From 1 April 2025 GP systems write consultations (11429006), diabetes (44054006) and HbA1c "
    "(1003671000000109, mmol/mol) in other codes, and HbA1c in per cent.",
    POPULATION_SHIFT: "In the last year many young people move to deprived areas, and all emergency admissions rise by a quarter.",
    LEAK: "The GP code for housebound (160689007) is written because of an emergency admission, but dated, and stamped "
    "as received, three weeks to eleven months before it.",
    SECOND_PROGRAMME: "Nothing is wrong: reablement at home runs beside case management from October 2023, keeps people who live "
    "alone out of hospital, and stands in the programme source under the code `reablement`.",
}
BARRED_FROM = 3  # tenths of deprivation
SHIFT_FROM = 36  # month in which the population's shift begins


def chosen(names: Iterable[str]) -> frozenset[str]:
    """Return the scenarios of these names.

    Raises
    ------
    ValueError
        There is none of such a name, or two contradict each other.
    """
    wanted = frozenset(names)
    unknown = sorted(wanted - set(WORDS))
    if unknown:
        raise ValueError(f"there is no scenario {unknown[0]!r}; there are {', '.join(WORDS)}")
    if {NULL_EFFECT, HARM} <= wanted:
        raise ValueError(f"{NULL_EFFECT!r} and {HARM!r} contradict each other; every other scenario combines")
    return wanted


def barred(group: np.ndarray, imd_decile: np.ndarray) -> np.ndarray:
    """Mark the people that `label_bias` and `under_diagnosis` wrong."""
    return np.isin(group, ("asian", "black")) | (imd_decile <= BARRED_FROM)
