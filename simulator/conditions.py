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
    Condition("alcohol_problems", 0.085, 36, 9, 19, 0.65, 0.55, 0.50, "7200002", ("F102", "K703"), ("0410010",)),
    Condition("anxiety_depression", 0.262, 31, 14, 26, 0.50, 0.22, 0.05, "35489007", ("F329", "F411"), ("0403030",)),
    Condition("atrial_fibrillation", 0.28, 82, 7, 3, 1.34, 0.25, 0.25, "49436004", ("I48X",), ("0208020", "0204000")),
    Condition("cancer", 0.22, 76, 12, 1, 1.53, 0.40, 0.70, "363346000", ("C349", "C509", "C189"), ("0803040",)),
    Condition("ckd", 0.42, 80, 8, 4, 0.53, 0.15, 0.20, "709044004", ("N183", "N189"), ("0205051",)),
    Condition("connective_tissue_disorder", 0.06, 54, 13, 5, 0.43, 0.15, 0.10, "69896004", ("M069",), ("1001030",)),
    Condition("copd", 0.14, 64, 9, 15, 1.46, 0.50, 0.35, "13645005", ("J440", "J441"), ("0301011", "0302000"), 0.9),
    Condition(
        "coronary_heart_disease", 0.22, 72, 9, 6, 0.49, 0.28, 0.15, "53741008", ("I209", "I251"), ("0206010", "0209000")
    ),
    Condition("dementia", 0.4, 88, 5, 3, 2.50, 0.35, 0.60, "52448006", ("F03X", "G309"), ("0411000",)),
    Condition("diabetes", 0.24, 60, 11, 8, 0.75, 0.25, 0.20, "44054006", ("E119", "E116"), ("0601022", "0601012"), 0.7),
    Condition("epilepsy", 0.018, 25, 20, 12, 0.92, 0.45, 0.25, "84757009", ("G409",), ("0408010",)),
    Condition("hearing_loss", 0.58, 77, 10, 2, 0.09, 0.00, 0.00, "15188001", ("H919",), ()),
    Condition(
        "heart_failure", 0.24, 82, 8, 5, 1.18, 0.50, 0.50, "84114007", ("I500", "I501"), ("0202020", "0205051"), 1.0
    ),
    Condition("irritable_bowel_syndrome", 0.13, 30, 11, 2, 0.21, 0.08, 0.00, "10743008", ("K589",), ("0102000",)),
    Condition("psychosis_bipolar", 0.02, 32, 9, 20, 0.64, 0.40, 0.40, "58214004", ("F209", "F319"), ("0402010",)),
    Condition("stroke_tia", 0.2, 79, 9, 6, 0.80, 0.25, 0.25, "230690007", ("I639", "G459"), ("0209000",)),
    Condition("asthma", 0.18, 14, 18, 6, 0.19, 0.22, 0.00, "195967001", ("J459", "J46X"), ("0301011",), 0.6),
    Condition("hypertension", 0.9, 62, 11, 3, 0.08, 0.04, 0.00, "38341003", ("I10X",), ("0205051", "0206020")),
    Condition("constipation_treated", 0.26, 70, 13, 7, 1.12, 0.20, 0.20, "14760008", ("K590",), ("0106040",)),
    Condition("painful_condition", 0.28, 50, 14, 18, 0.92, 0.22, 0.05, "82423001", ("M545", "R521"), ("0407020",)),
)
NAMES = tuple(condition.name for condition in CONDITIONS)
SCORES = np.array([condition.score for condition in CONDITIONS])
AMENABLE = np.array([condition.amenable for condition in CONDITIONS])

FRAILTY_ODDS = 0.5  # log odds of having a condition by any age, for each standard deviation of latent frailty
EARLIER_BY_GROUP = {("asian", "diabetes"): 15.0, ("asian", "coronary_heart_disease"): 4.0, ("black", "diabetes"): 17.0}
EARLIER_BY_GROUP |= {("black", "hypertension"): 7.0}
# Share among women relative to all; among men the same the other way round.
WOMEN = {
    "anxiety_depression": 1.3, "painful_condition": 1.2, "irritable_bowel_syndrome": 1.35, "alcohol_problems": 0.6,
    "connective_tissue_disorder": 1.35, "coronary_heart_disease": 0.75, "constipation_treated": 1.2, "dementia": 1.1,
    "asthma": 1.1, "diabetes": 0.88,
}  # fmt: skip
# Share ever written down by a practice, and how that share moves with deprivation (log odds from the middle to
# the most deprived). Deprived people's raised blood pressure is found oftener and their depression less often
# (BMJ Open 6/2/e010155 and the like); no condition is like another.
DIAGNOSED = {
    "hypertension": (0.58, 0.25), "copd": (0.60, 0.05), "anxiety_depression": (0.62, -0.20), "diabetes": (0.80, 0.0),
    "coronary_heart_disease": (0.83, -0.05), "heart_failure": (0.75, -0.10), "dementia": (0.68, -0.20),
    "atrial_fibrillation": (0.78, -0.10), "ckd": (0.60, 0.0), "hearing_loss": (0.55, -0.15),
    "alcohol_problems": (0.40, 0.10), "asthma": (0.85, 0.0),
}  # fmt: skip
USUALLY_DIAGNOSED = (0.82, -0.05)
DIAGNOSED_BY_GROUP = {("asian", "diabetes"): 0.35, ("black", "diabetes"): 0.85, ("black", "anxiety_depression"): -0.5}
DIAGNOSED_BY_GROUP |= {("asian", "anxiety_depression"): -0.4, ("asian", "dementia"): -0.3, ("black", "dementia"): -0.4}
KEEPING_AWAY = 2.2  # log odds of never being diagnosed, from those seen often to those never seen
FOUND_LATE_IN_LIFE = 0.03  # log odds of being diagnosed, a year of age after 60
BARRED = 1.8  # the same, under the scenario `under_diagnosis`
YEARS_TO_DIAGNOSIS = 0.7


def onset_months(
    streams: Streams,
    birth: np.ndarray,
    deprivation: np.ndarray,
    frailty: np.ndarray,
    group: np.ndarray,
    female: np.ndarray,
) -> np.ndarray:
    """Month in which each condition begins, people x conditions; `NEVER` for most.

    `deprivation` runs from -1 (least) to 1 (most), `group` holds the ethnic group's name.
    """
    draw = streams("onset").random((len(birth), len(CONDITIONS)))
    age_now = age_at(birth, START)
    months = np.full(draw.shape, NEVER, dtype=np.int32)
    for column, condition in enumerate(CONDITIONS):
        women = WOMEN.get(condition.name, 1.0)
        chance = draw[:, column] / (condition.share * np.where(female, women, 2 - women))
        gets = chance < 0.999
        age = condition.age + condition.spread * np.log(chance[gets] / (1 - chance[gets]))
        age -= condition.deprivation_years * deprivation[gets] + FRAILTY_ODDS * condition.spread * frailty[gets]
        for (name, which), years in EARLIER_BY_GROUP.items():
            if which == condition.name:
                age -= years * (group[gets] == name)
        months[gets, column] = np.round((np.maximum(age, 1.0) - age_now[gets]) * 12).clip(-1200, NEVER)
    return months


def diagnosis_months(
    streams: Streams,
    onset: np.ndarray,
    age: np.ndarray,
    female: np.ndarray,
    group: np.ndarray,
    deprivation: np.ndarray,
    low_use: np.ndarray,
    access: np.ndarray,
    barred: np.ndarray,
) -> np.ndarray:
    """Month in which each condition is written down by a practice, people x conditions; `NEVER` for many.

    Whether it ever is depends on the condition, the group, deprivation, access and how readily the person sees
    a doctor; young men's blood pressure is seldom measured. `barred` marks people found far less often.
    """
    random = streams("diagnosis")
    wait = random.exponential(YEARS_TO_DIAGNOSIS * 12, onset.shape) * (0.5 + 3.0 * low_use[:, None])
    found = random.random(onset.shape)
    when = np.full(onset.shape, NEVER, dtype=np.int32)
    for column, name in enumerate(NAMES):
        share, slope = DIAGNOSED.get(name, USUALLY_DIAGNOSED)
        odds = np.log(share / (1 - share)) + slope * deprivation - KEEPING_AWAY * (low_use - 0.23) + 0.5 * access
        odds += FOUND_LATE_IN_LIFE * np.maximum(age - 60, 0) - BARRED * barred
        for (ethnic, which), more in DIAGNOSED_BY_GROUP.items():
            if which == name:
                odds += more * (group == ethnic)
        if name == "hypertension":
            odds -= 0.9 * (~female & (age < 45))
        known = (onset[:, column] != NEVER) & (found[:, column] < logistic(odds))
        month = onset[known, column] + wait[known, column].astype(np.int32) + 1
        when[known, column] = np.minimum(month, NEVER)
    return when


def deficits(age: np.ndarray, conditions: np.ndarray, frailty: np.ndarray) -> np.ndarray:
    """Share of health deficits, as an electronic frailty index counts them (0 to 1; 0.36 and over is severe)."""
    return logistic(-3.47 + 0.037 * np.maximum(age - 50, 0) + 0.21 * conditions.sum(axis=1) + 0.61 * frailty)
