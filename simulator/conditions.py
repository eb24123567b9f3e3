"""The twenty conditions of the Cambridge Multimorbidity Score: who gets which, when, and when it is diagnosed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.clock import NEVER, START, age_at
from simulator.randomness import Streams, logistic


@dataclass(frozen=True)
class Condition:
    """One condition. The share who have it by age a is `share` x logistic((a - age) / spread)."""

    name: str
    share: float
    age: float
    spread: float
    deprivation_years: float  # how many years earlier it comes in the most than in an average place
    score: float  # weight in the Cambridge score (general outcome)
    admission: float  # log hazard ratio for emergency admission
    death: float  # log hazard ratio for death
    snomed: str
    icd10: tuple[str, ...]
    medicines: tuple[str, ...]  # BNF codes, each issued in most months
    amenable: float = 0.0  # how well its course responds to case management, 0 to 1


CONDITIONS = (
    Condition("alcohol_problems", 0.045, 42, 9, 14, 0.65, 0.55, 0.50, "7200002", ("F102", "K703"), ("0410010",)),
    Condition("anxiety_depression", 0.24, 36, 14, 10, 0.50, 0.22, 0.05, "35489007", ("F329", "F411"), ("0403030",)),
    Condition("atrial_fibrillation", 0.25, 83, 7, 2, 1.34, 0.25, 0.25, "49436004", ("I48X",), ("0208020", "0204000")),
    Condition("cancer", 0.20, 77, 12, 0, 1.53, 0.40, 0.70, "363346000", ("C349", "C509", "C189"), ("0803040",)),
    Condition("ckd", 0.40, 81, 8, 3, 0.53, 0.15, 0.20, "709044004", ("N183", "N189"), ("0205051",)),
    Condition("connective_tissue_disorder", 0.05, 58, 13, 3, 0.43, 0.15, 0.10, "69896004", ("M069",), ("1001030",)),
    Condition("copd", 0.085, 66, 9, 10, 1.46, 0.50, 0.35, "13645005", ("J440", "J441"), ("0301011", "0302000"), 0.9),
    Condition(
        "coronary_heart_disease", 0.18, 73, 9, 5, 0.49, 0.28, 0.15, "53741008", ("I209", "I251"), ("0206010", "0209000")
    ),
    Condition("dementia", 0.38, 89, 5, 2, 2.50, 0.35, 0.60, "52448006", ("F03X", "G309"), ("0411000",)),
    Condition("diabetes", 0.19, 60, 11, 7, 0.75, 0.25, 0.20, "44054006", ("E119", "E116"), ("0601022", "0601012"), 0.7),
    Condition("epilepsy", 0.016, 25, 20, 4, 0.92, 0.45, 0.25, "84757009", ("G409",), ("0408010",)),
    Condition("hearing_loss", 0.50, 80, 10, 2, 0.09, 0.00, 0.00, "15188001", ("H919",), ()),
    Condition(
        "heart_failure", 0.20, 83, 8, 4, 1.18, 0.50, 0.50, "84114007", ("I500", "I501"), ("0202020", "0205051"), 1.0
    ),
    Condition("irritable_bowel_syndrome", 0.06, 36, 11, 0, 0.21, 0.08, 0.00, "10743008", ("K589",), ("0102000",)),
    Condition("psychosis_bipolar", 0.014, 32, 9, 14, 0.64, 0.40, 0.40, "58214004", ("F209", "F319"), ("0402010",)),
    Condition("stroke_tia", 0.18, 80, 9, 5, 0.80, 0.25, 0.25, "230690007", ("I639", "G459"), ("0209000",)),
    Condition("asthma", 0.13, 18, 18, 4, 0.19, 0.22, 0.00, "195967001", ("J459", "J46X"), ("0301011",), 0.6),
    Condition("hypertension", 0.66, 68, 11, 4, 0.08, 0.04, 0.00, "38341003", ("I10X",), ("0205051", "0206020")),
    Condition("constipation_treated", 0.13, 80, 9, 3, 1.12, 0.20, 0.20, "14760008", ("K590",), ("0106040",)),
    Condition("painful_condition", 0.24, 56, 14, 9, 0.92, 0.22, 0.05, "82423001", ("M545", "R521"), ("0407020",)),
)
NAMES = tuple(condition.name for condition in CONDITIONS)
SCORES = np.array([condition.score for condition in CONDITIONS])
AMENABLE = np.array([condition.amenable for condition in CONDITIONS])

FRAILTY_YEARS = 4.0  # years earlier for each standard deviation of latent frailty
EARLIER_BY_GROUP = {("asian", "diabetes"): 12.0, ("asian", "coronary_heart_disease"): 4.0, ("black", "diabetes"): 9.0}
EARLIER_BY_GROUP |= {("black", "hypertension"): 7.0}
YEARS_TO_DIAGNOSIS = 0.7


def onset_months(
    streams: Streams, birth: np.ndarray, deprivation: np.ndarray, frailty: np.ndarray, group: np.ndarray
) -> np.ndarray:
    """Month in which each condition begins, people x conditions; `NEVER` for most.

    `deprivation` runs from -1 (least) to 1 (most), `group` holds the ethnic group's name.
    """
    draw = streams("onset").random((len(birth), len(CONDITIONS)))
    age_now = age_at(birth, START)
    months = np.full(draw.shape, NEVER, dtype=np.int32)
    for column, condition in enumerate(CONDITIONS):
        chance = draw[:, column] / condition.share
        gets = chance < 0.999
        age = condition.age + condition.spread * np.log(chance[gets] / (1 - chance[gets]))
        age -= condition.deprivation_years * deprivation[gets] + FRAILTY_YEARS * frailty[gets]
        for (name, which), years in EARLIER_BY_GROUP.items():
            if which == condition.name:
                age -= years * (group[gets] == name)
        months[gets, column] = np.round((np.maximum(age, 1.0) - age_now[gets]) * 12).clip(-1200, NEVER)
    return months


def diagnosis_months(streams: Streams, onset: np.ndarray, low_use: np.ndarray) -> np.ndarray:
    """Month in which each condition is written down: later for people who seldom see a doctor."""
    wait = streams("diagnosis").exponential(YEARS_TO_DIAGNOSIS * 12, onset.shape) * (0.5 + 3.0 * low_use[:, None])
    return np.where(onset == NEVER, NEVER, np.minimum(onset + wait.astype(np.int32) + 1, NEVER)).astype(np.int32)


def deficits(age: np.ndarray, conditions: np.ndarray, frailty: np.ndarray) -> np.ndarray:
    """Share of health deficits, as an electronic frailty index counts them (0 to 1; 0.36 and over is severe)."""
    return logistic(-3.18 + 0.034 * np.maximum(age - 50, 0) + 0.17 * conditions.sum(axis=1) + 0.40 * frailty)
