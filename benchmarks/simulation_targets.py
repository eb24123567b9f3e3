"""What is published about England (or the nearest place), and how near a simulated population must come.

One `Target` a figure. `name` is the key under which `benchmarks.simulation_measures.measure` gives the
simulated value. Tolerances leave room for chance among 60,000 people and for the differences between the
places and years of the published figures; a wrong shape is outside them. Sources are the tags of the
project's fact sheet, each spelled out in `SOURCES`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

SOURCES = {
    "census": "England, 2021 (rounded, from memory)",
    "E1": "OpenSAFELY, BMC Medicine 2024 22:288",
    "E2": "Ethnicity facts and figures, people living in deprived neighbourhoods (shares from memory)",
    "E3": "Barnett et al., Lancet 2012 (Scotland)",
    "E4": "PMC4073730 (Scotland)",
    "E5": "Cassell et al., PMC5863678 (England, GP records)",
    "E6": "Journal of Epidemiology and Community Health 78, A44.2 (England)",
    "E8": "The Health Foundation, emergency admissions 2017-18 (England)",
    "C1": "National Audit Office, Reducing emergency admissions, 2018 (England, 2016-17)",
    "E10": "NEW Devon, twelve months, BMJ Open, by age and deprivation",
    "A1": "SPARRA version 4 (Scotland): figures of the paper's repository",
    "A7": "Devon Predictive Model",
    "E12": "NHS England, accident and emergency attendances 2018-19",
    "E13": "NHS Digital, accident and emergency attendances 2019-20",
    "ONS": "ONS deaths and population (rounded, from memory)",
    "E15": "The Health Foundation, deprivation and deaths (England)",
    "E16": "Institute for Fiscal Studies 15471 (England)",
    "E17": "ONS, life expectancy by deprivation 2018-20 (England)",
    "E18": "BMC Geriatrics s12877-021-02684-y, electronic frailty index (England)",
    "eFI": "Electronic frailty index, usual split (rounded, from memory)",
    "E22": "OpenSAFELY, BMC Medicine 2024 22:288, recording of ethnicity in 2022",
    "E24": "PMC10013294, agreement of GP and hospital records",
    "E25": "BMJ Open 6/2/e010155 (England)",
    "E26": "Understanding Society 588888",
    "E27": "Health Service Journal 1889234, diagnosed share in 2007-08",
    "B8": "Telephone health coaching trial, Emergency Medicine Journal 41:51",
    "B2": "Camden Coalition trial, PMC7046127",
    "design": "This simulator's own design, not a published figure",
}

GROUPS = {
    "structure": "Who lives here",
    "morbidity": "Long-term conditions",
    "admissions": "Emergency admissions",
    "gradient": "Emergency admissions by age and deprivation",
    "repeats": "How often the admitted are admitted",
    "risk": "Emergency admission or death within twelve months",
    "capture": "How well the true risk can tell people apart",
    "departments": "Emergency departments",
    "mortality": "Mortality",
    "frailty": "Frailty",
    "recording": "What is recorded",
    "diagnosis": "What is diagnosed",
    "programme": "Case management",
}

Kind = Literal["absolute", "relative", "at least", "at most"]
Unit = Literal["share", "number", "ratio", "per 1,000", "years", "days"]


@dataclass(frozen=True)
class Target:
    """One published figure. `tolerance` is in the figure's unit, or a share of it where `kind` is relative."""

    name: str
    group: str
    label: str
    value: float
    kind: Kind
    tolerance: float
    unit: Unit
    source: str
    sentence: str

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value within the tolerance; infinite on the open side of a one-sided target."""
        if self.kind == "at least":
            return self.value - self.tolerance, math.inf
        if self.kind == "at most":
            return -math.inf, self.value + self.tolerance
        room = self.tolerance * (abs(self.value) if self.kind == "relative" else 1)
        return self.value - room, self.value + room

    def holds(self, measured: float) -> bool:
        """Whether a measured value is within the tolerance; a missing one is not."""
        low, high = self.limits
        return low <= measured <= high


AGE_BANDS = ("0-19", "20-37", "38-52", "53-66", "67+")
FIFTHS = ("least", "2", "3", "4", "most")
# Emergency admissions per 1,000 a year, NEW Devon, from the least to the most deprived fifth.
DEVON = {
    "0-19": (40, 44, 47, 57, 66),
    "20-37": (34, 43, 45, 50, 68),
    "38-52": (40, 40, 50, 60, 85),
    "53-66": (56, 64, 69, 87, 108),
    "67+": (202, 199, 206, 239, 282),
}
DEVON_RATIOS = {"0-19": 1.65, "20-37": 1.99, "38-52": 2.11, "53-66": 1.92, "67+": 1.39}
SPARRA_BY_AGE = {
    "0-20": 0.049,
    "21-30": 0.051,
    "31-40": 0.055,
    "41-50": 0.062,
    "51-60": 0.076,
    "61-70": 0.101,
    "71-80": 0.171,
    "81+": 0.329,
}
MORTALITY_BY_AGE = {"40-44": 1.7, "60-64": 8.0, "70-74": 19.0, "80-84": 60.0, "90+": 220.0}
# At 40 to 44 a seed of 60,000 people sees about 25 deaths, at 60 to 64 about 100.
MORTALITY_TOLERANCE = {"40-44": 0.40, "60-64": 0.25, "70-74": 0.25, "80-84": 0.25, "90+": 0.25}
CAPTURE = {1: (0.084, 0.75), 2: (0.149, 0.66), 5: (0.291, 0.52), 10: (0.440, 0.39)}
CAPTURE_TOLERANCE = {1: 0.03, 2: 0.045, 5: 0.07, 10: 0.08}

_AREA = "Drawn as England's in each tenth of deprivation."


def _structure() -> list[Target]:
    def shares(name: str, label: str, value: float, tolerance: float, source: str, sentence: str) -> Target:
        return Target(name, "structure", label, value, "absolute", tolerance, "share", source, sentence)

    return [
        shares(
            "aged_0_to_14", "Aged 0 to 14", 0.174, 0.02, "census", "Of everyone registered and alive at the cut-off."
        ),
        shares("aged_65_and_over", "Aged 65 and over", 0.184, 0.025, "census", _AREA),
        shares("aged_85_and_over", "Aged 85 and over", 0.024, 0.007, "census", _AREA),
        shares("female", "Female", 0.51, 0.01, "census", "Of everyone registered and alive at the cut-off."),
        shares("white", "White", 0.810, 0.04, "E1", _AREA),
        shares("asian", "Asian", 0.096, 0.03, "E1", _AREA),
        shares("black", "Black", 0.042, 0.02, "E1", _AREA),
        shares("mixed", "Mixed", 0.030, 0.012, "E1", _AREA),
        shares("other_group", "Other", 0.022, 0.012, "E1", _AREA),
        shares(
            "pakistani_in_most_deprived_tenth",
            "Pakistani people living in the most deprived tenth",
            0.31,
            0.09,
            "E2",
            "As if each tenth of deprivation held as many people, as it does in England.",
        ),
        shares(
            "white_british_in_most_deprived_tenth",
            "White British people living in the most deprived tenth",
            0.09,
            0.03,
            "E2",
            "As if each tenth of deprivation held as many people, as it does in England.",
        ),
        Target(
            "pakistani_over_white_british",
            "structure",
            "Pakistani over White British, most deprived tenth",
            3.0,
            "at least",
            0.0,
            "ratio",
            "E2",
            "Published as more than three times.",
        ),
    ]


def _morbidity() -> list[Target]:
    recorded = "Conditions written in the GP record, of the twenty simulated; the study counted 36."

    def share(name: str, label: str, value: float, tolerance: float, source: str, sentence: str) -> Target:
        return Target(name, "morbidity", label, value, "absolute", tolerance, "share", source, sentence)

    return [
        share("multimorbid_adults", "Adults with two conditions or more", 0.272, 0.03, "E5", recorded),
        share("any_condition_all_ages", "Anyone with a condition", 0.422, 0.08, "E3", recorded),
        share("multimorbid_all_ages", "Anyone with two conditions or more", 0.232, 0.04, "E3", recorded),
        share("multimorbid_women", "Women with two or more", 0.300, 0.035, "E5", recorded),
        share("multimorbid_men", "Men with two or more", 0.244, 0.035, "E5", recorded),
        share("multimorbid_most", "Adults of the most deprived fifth", 0.300, 0.045, "E5", recorded),
        share("multimorbid_least", "Adults of the least deprived fifth", 0.258, 0.045, "E5", recorded),
        Target(
            "multimorbid_ratio",
            "morbidity",
            "Most over least deprived fifth",
            1.163,
            "absolute",
            0.15,
            "ratio",
            "E5",
            "Crude: the least deprived are older, which hides most of the difference.",
        ),
        share("multimorbid_25-34", "Two or more, aged 25 to 34", 0.081, 0.03, "E4", "The figure is Scotland's."),
        share("multimorbid_75+", "Two or more, aged 75 and over", 0.761, 0.07, "E4", "The figure is Scotland's."),
        share("recorded_hypertension", "Adults with recorded hypertension", 0.182, 0.03, "E5", recorded),
        share(
            "recorded_anxiety_depression", "Adults with recorded anxiety or depression", 0.103, 0.025, "E5", recorded
        ),
        share("recorded_painful_condition", "Adults with recorded chronic pain", 0.101, 0.025, "E5", recorded),
        share(
            "physical_and_mental_most",
            "Physical and mental condition together, most deprived tenth",
            0.110,
            0.04,
            "E3",
            "All ages; the figure is Scotland's.",
        ),
        share(
            "physical_and_mental_least",
            "Physical and mental together, least deprived tenth",
            0.059,
            0.025,
            "E3",
            "All ages; the figure is Scotland's.",
        ),
        Target(
            "physical_and_mental_ratio",
            "morbidity",
            "Physical and mental together, most over least deprived tenth",
            1.86,
            "absolute",
            0.5,
            "ratio",
            "E3",
            "All ages; the figure is Scotland's.",
        ),
        share(
            "major_illness_most",
            "Major illness at 20 to 69, most deprived tenth",
            0.146,
            0.06,
            "E6",
            "A Cambridge Multimorbidity Score above 1.5; of 37 conditions there, of 20 here, so the level is lower.",
        ),
        share(
            "major_illness_least",
            "Major illness at 20 to 69, least deprived tenth",
            0.063,
            0.03,
            "E6",
            "A Cambridge Multimorbidity Score above 1.5; of 37 conditions there, of 20 here, so the level is lower.",
        ),
        Target(
            "major_illness_ratio",
            "morbidity",
            "Major illness at 20 to 69, most over least deprived tenth",
            2.32,
            "absolute",
            0.6,
            "ratio",
            "E6",
            "A Cambridge Multimorbidity Score above 1.5.",
        ),
        share(
            "consultations_of_multimorbid",
            "GP consultations that are of adults with two or more",
            0.529,
            0.07,
            "E5",
            "Adults, the last twelve months.",
        ),
        share(
            "prescriptions_of_multimorbid",
            "Prescriptions that are of adults with two or more",
            0.787,
            0.07,
            "E5",
            "Adults, the last twelve months.",
        ),
        share(
            "admissions_of_multimorbid",
            "Hospital admissions that are of adults with two or more",
            0.561,
            0.08,
            "E5",
            "Adults, every kind of admission, the last twelve months.",
        ),
    ]


def _admissions() -> list[Target]:
    return [
        Target(
            "emergency_rate",
            "admissions",
            "Emergency admissions",
            108,
            "relative",
            0.12,
            "per 1,000",
            "E8",
            "All ages and all four years, per 1,000 person-years.",
        ),
        Target(
            "bed_days",
            "admissions",
            "Bed days per emergency admission",
            5.8,
            "absolute",
            0.8,
            "days",
            "C1",
            "A stay that goes on at another hospital counts as one.",
        ),
        Target(
            "zero_day_share",
            "admissions",
            "Emergency admissions that end the same day",
            0.33,
            "absolute",
            0.05,
            "share",
            "E8",
            "Published as about a third.",
        ),
        Target(
            "emergency_rate_85+",
            "admissions",
            "Emergency admissions at 85 and over",
            420,
            "relative",
            0.25,
            "per 1,000",
            "A7",
            "The figure is Devon's.",
        ),
        Target(
            "events_per_person",
            "admissions",
            "Rows of all records per person",
            150,
            "relative",
            0.20,
            "number",
            "design",
            "Four years of every source but the registers.",
        ),
    ]


def _gradient() -> list[Target]:
    cells = [
        Target(
            f"emergency_{age}_{fifth}",
            "gradient",
            f"Aged {age}, deprivation fifth: {fifth}",
            value,
            "relative",
            0.25,
            "per 1,000",
            "E10",
            "Devon admits fewer than England, so the simulated table is brought to Devon's total before it is compared.",
        )
        for age, row in DEVON.items()
        for fifth, value in zip(FIFTHS, row, strict=True)
    ]
    ratios = [
        Target(
            f"emergency_ratio_{age}",
            "gradient",
            f"Most over least deprived fifth, aged {age}",
            value,
            "absolute",
            0.22 if age == "67+" else 0.38,
            "ratio",
            "E10",
            "The figure is Devon's; a ratio of one seed has a standard error of about a tenth.",
        )
        for age, value in DEVON_RATIOS.items()
    ]
    falls = Target(
        "emergency_ratio_fall",
        "gradient",
        "Most over least deprived fifth, at 38 to 52 less at 67 and over",
        0.72,
        "at least",
        0.42,
        "number",
        "E10",
        "The gradient must be steepest in mid-life; the published fall is 0.72.",
    )
    standardised = Target(
        "emergency_ratio_standardised",
        "gradient",
        "Most over least deprived fifth, standardised for age",
        1.63,
        "absolute",
        0.25,
        "ratio",
        "E10",
        "Derived from Devon's table; here weighted by the simulated people's ages.",
    )
    return [*cells, *ratios, falls, standardised]


def _repeats() -> list[Target]:
    stated = (
        "Of people with an emergency admission within twelve months, over the four years; the figure is Scotland's."
    )
    shares = [("one", 0.712, 0.05), ("two", 0.175, 0.03), ("three", 0.061, 0.025), ("four_or_more", 0.052, 0.025)]
    return [
        *(
            Target(
                f"admitted_{name}",
                "repeats",
                f"Admitted {name.replace('_', ' ')} time{'' if name == 'one' else 's'}",
                value,
                "absolute",
                tolerance,
                "share",
                "A1",
                stated,
            )
            for name, value, tolerance in shares
        ),
        Target(
            "admissions_per_admitted",
            "repeats",
            "Admissions per admitted person",
            1.52,
            "absolute",
            0.12,
            "number",
            "A1",
            stated,
        ),
        Target(
            "events_of_the_top_11",
            "repeats",
            "Admissions that are of the most often admitted 11%",
            0.30,
            "absolute",
            0.06,
            "share",
            "A1",
            stated,
        ),
    ]


def _risk() -> list[Target]:
    ages = [
        Target(
            f"event_{age}",
            "risk",
            f"Aged {age}",
            value,
            "relative",
            0.30,
            "share",
            "A1",
            "Scotland's rates are somewhat above England's.",
        )
        for age, value in SPARRA_BY_AGE.items()
    ]
    ratio = Target(
        "event_decile_ratio",
        "risk",
        "Most over least deprived tenth",
        1.79,
        "absolute",
        0.5,
        "ratio",
        "A1",
        "11.3% against 6.3% by the Scottish index; not standardised for age, and Devon's own such ratio is 1.38.",
    )
    return [*ages, ratio]


def _capture() -> list[Target]:
    published = "Published of a fitted model in Scotland; here people are ranked by their true chance."
    targets = []
    for top, (sensitivity, precision) in CAPTURE.items():
        targets += [
            Target(
                f"sensitivity_top_{top}",
                "capture",
                f"Share of all events in the top {top}%",
                sensitivity,
                "absolute",
                CAPTURE_TOLERANCE[top],
                "share",
                "A1",
                published,
            ),
            Target(
                f"precision_top_{top}",
                "capture",
                f"Share of the top {top}% with the event",
                precision,
                "absolute",
                0.12,
                "share",
                "A1",
                published,
            ),
        ]
    return [
        *targets,
        Target(
            "auroc_true_risk",
            "capture",
            "AUROC of the true risk, adults",
            0.825,
            "absolute",
            0.025,
            "number",
            "A1",
            "Published models of the whole population reach 0.75 to 0.80; the truth must be above them, not far above.",
        ),
        Target(
            "auroc_above_simple",
            "capture",
            "AUROC above age, sex and earlier admissions alone",
            0.03,
            "at least",
            0.0,
            "number",
            "design",
            "A rich record must be worth having.",
        ),
    ]


def _departments() -> list[Target]:
    return [
        Target(
            "ed_rate",
            "departments",
            "Attendances",
            440,
            "relative",
            0.15,
            "per 1,000",
            "E12",
            "Those that end at home and those that end in a bed.",
        ),
        Target(
            "ed_decile_ratio",
            "departments",
            "Most over least deprived tenth",
            1.94,
            "absolute",
            0.35,
            "ratio",
            "E13",
            "Crude: 3.1 against 1.6 million.",
        ),
        Target(
            "ed_most_deprived_share",
            "departments",
            "Attendances of the most deprived fifth",
            0.27,
            "absolute",
            0.03,
            "share",
            "E13",
            "As if each fifth held as many people.",
        ),
        Target(
            "ed_again_within_7_days",
            "departments",
            "Attendances followed by another within seven days",
            0.087,
            "absolute",
            0.025,
            "share",
            "E13",
            "The same person, any department.",
        ),
    ]


def _mortality() -> list[Target]:
    rates = [
        Target(
            f"mortality_{age}",
            "mortality",
            f"Deaths aged {age}",
            value,
            "relative",
            MORTALITY_TOLERANCE[age],
            "per 1,000",
            "ONS",
            "Per 1,000 person-years; the tolerance allows for the few deaths of a small population.",
        )
        for age, value in MORTALITY_BY_AGE.items()
    ]
    return [
        *rates,
        Target(
            "mortality_under_75_ratio",
            "mortality",
            "Under 75, most over least deprived tenth",
            3.0,
            "absolute",
            0.9,
            "ratio",
            "E15",
            "Standardised to the European population of 2013; one seed has a standard error of about 0.5.",
        ),
        Target(
            "mortality_men_40_to_54_ratio",
            "mortality",
            "Men aged 40 to 54, most over least deprived tenth",
            3.3,
            "absolute",
            2.0,
            "ratio",
            "E16",
            "From a straight line through the ten tenths; some seventy such deaths a population, hence the wide tolerance.",
        ),
        Target(
            "life_expectancy_gap_men",
            "mortality",
            "Gap in life expectancy between the extreme tenths, men",
            9.7,
            "absolute",
            3.0,
            "years",
            "E17",
            "One seed has a standard error of about 1.5 years.",
        ),
        Target(
            "life_expectancy_gap_women",
            "mortality",
            "Gap in life expectancy between the extreme tenths, women",
            7.9,
            "absolute",
            3.0,
            "years",
            "E17",
            "One seed has a standard error of about 1.5 years.",
        ),
    ]


def _frailty() -> list[Target]:
    def share(name: str, label: str, value: float, tolerance: float, source: str) -> Target:
        sentence = "True deficits in the bands of the electronic frailty index (0.12, 0.24, 0.36)."
        return Target(name, "frailty", label, value, "absolute", tolerance, "share", source, sentence)

    return [
        share("frail_50_to_64", "Any frailty, aged 50 to 64", 0.10, 0.03, "E18"),
        share("frail_65_and_over", "Any frailty, aged 65 and over", 0.437, 0.07, "E18"),
        share("fit", "Fit, aged 65 and over", 0.50, 0.08, "eFI"),
        share("mild", "Mild frailty, aged 65 and over", 0.35, 0.06, "eFI"),
        share("moderate", "Moderate frailty, aged 65 and over", 0.12, 0.04, "eFI"),
        share("severe", "Severe frailty, aged 65 and over", 0.03, 0.02, "eFI"),
    ]


def _recording() -> list[Target]:
    def share(name: str, label: str, value: float, tolerance: float, source: str, sentence: str) -> Target:
        return Target(name, "recording", label, value, "absolute", tolerance, "share", source, sentence)

    return [
        share(
            "ethnicity_known_gp",
            "Ethnicity known to the GP",
            0.782,
            0.04,
            "E22",
            "Registered and alive at the cut-off; not stated counts as not known.",
        ),
        share(
            "ethnicity_known_with_hospital",
            "Ethnicity known to the GP or a hospital",
            0.925,
            0.03,
            "E22",
            "Published of everyone; here hospital records of four years only.",
        ),
        share(
            "ethnicity_agreement",
            "GP and hospital agree",
            0.933,
            0.035,
            "E24",
            "On the five groups, where both know.",
        ),
        Target(
            "ethnicity_known_by_use",
            "recording",
            "Known to the GP: heaviest less lightest fifth of users",
            0.05,
            "at least",
            0.0,
            "share",
            "design",
            "Published is only that those who seldom come are missing most.",
        ),
    ]


def _diagnosis() -> list[Target]:
    def share(name: str, label: str, value: float, tolerance: float, source: str, sentence: str = "Adults.") -> Target:
        return Target(name, "diagnosis", label, value, "absolute", tolerance, "share", source, sentence)

    dated = "Of adults who have it; the figure is of 2007-08."
    return [
        share("diabetes_diagnosed", "Diabetes, diagnosed", 0.06, 0.025, "E25"),
        share("diabetes_undiagnosed", "Diabetes, undiagnosed", 0.02, 0.012, "E25"),
        share("diabetes_diagnosed_asian", "Diabetes, diagnosed, Asian", 0.12, 0.04, "E25"),
        share("diabetes_undiagnosed_asian", "Diabetes, undiagnosed, Asian", 0.03, 0.015, "E25"),
        share("diabetes_diagnosed_black", "Diabetes, diagnosed, Black", 0.14, 0.05, "E25"),
        share("diabetes_undiagnosed_black", "Diabetes, undiagnosed, Black", 0.02, 0.015, "E25"),
        share("copd_share_diagnosed", "COPD, share diagnosed", 0.52, 0.12, "E27", dated),
        share("hypertension_share_diagnosed", "Hypertension, share diagnosed", 0.52, 0.12, "E27", dated),
        share(
            "coronary_heart_disease_share_diagnosed",
            "Coronary heart disease, share diagnosed",
            0.78,
            0.10,
            "E27",
            dated,
        ),
        Target(
            "hypertension_undiagnosed_gradient",
            "diagnosis",
            "Hypertension undiagnosed, most less least deprived fifth",
            0.0,
            "at most",
            0.0,
            "share",
            "E26",
            "More deprived people are less likely to be undiagnosed; no size is published.",
        ),
        Target(
            "depression_undiagnosed_gradient",
            "diagnosis",
            "Depression undiagnosed, most less least deprived fifth",
            0.0,
            "at least",
            0.0,
            "share",
            "E26",
            "More deprived people are more likely to be undiagnosed; no size is published.",
        ),
    ]


def _programme() -> list[Target]:
    return [
        Target(
            "uptake",
            "programme",
            "Uptake among those invited",
            0.35,
            "absolute",
            0.05,
            "share",
            "B8",
            "Started, of all referred but those not drawn in a lot.",
        ),
        Target(
            "naive_fall",
            "programme",
            "Fall in admissions after the start, seen naively",
            0.38,
            "at least",
            0.13,
            "share",
            "B2",
            "Regression to the mean: 38 points in Camden, where the trial found no effect.",
        ),
        Target(
            "true_relative_effect",
            "programme",
            "True effect on admissions, average of those who started",
            1.0,
            "absolute",
            0.05,
            "ratio",
            "B2",
            "Expected admissions with case management over without; trials find an average near one.",
        ),
        Target(
            "naive_uplift_gain",
            "programme",
            "Gain that a naive uplift model finds, of what is possible",
            0.25,
            "at most",
            0.25,
            "share",
            "design",
            "Two models, of those who started and of the rest, subtracted; their top two per cent is not where the gain is.",
        ),
    ]


TARGETS: tuple[Target, ...] = (
    *_structure(),
    *_morbidity(),
    *_admissions(),
    *_gradient(),
    *_repeats(),
    *_risk(),
    *_capture(),
    *_departments(),
    *_mortality(),
    *_frailty(),
    *_recording(),
    *_diagnosis(),
    *_programme(),
)
