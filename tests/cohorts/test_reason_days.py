"""A reason says when: on a day of the feature's own events, and never on a day on which something private happened."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cohorts import side_by_side, strongest, with_days
from cohorts.private_days import private_codes
from cohorts.reasons import FALLBACK
from features import CATALOGUE, load_code_groups
from features.reference_engine import build_in_memory
from features.sensitive import SENSITIVE_GROUPS

GROUPS = load_code_groups()
BY_NAME = {feature.name: feature for feature in CATALOGUE}
AS_OF = dt.date(2026, 9, 28)

ADMITTED, DAYS_AGO, NEW = "emergency_admission_count_365d", "emergency_admission_days_since_last_ever", "2026-09-21"
ADMISSIONS = [
    {"subject_id": 1, "time": "2026-02-01", "code": "ADMISSION//21"},
    {"subject_id": 1, "time": "2026-09-04", "code": "ADMISSION//22"},
]
SAID = [
    (ADMITTED, 2, ADMISSIONS, "2 emergency admissions in the last 12 months, the latest on 4 September 2026"),
    (ADMITTED, 1, ADMISSIONS[1:], "1 emergency admission in the last 12 months, on 4 September 2026"),
    (DAYS_AGO, 24, ADMISSIONS, "Last emergency admission 24 days ago, on 4 September 2026"),
    (
        "emergency_admission_change_90d",
        1,
        ADMISSIONS,
        "1 more emergency admissions in the last 3 months than in the 3 months before, the latest on 4 September 2026",
    ),
    (
        "emergency_spell_max_1095d",
        9,
        [
            {"subject_id": 1, "time": "2025-03-02", "code": "SPELL//21", "numeric_value": 9.0, "end": "2025-03-11"},
            {"subject_id": 1, "time": "2026-05-02", "code": "SPELL//21", "numeric_value": 2.0, "end": "2026-05-04"},
        ],
        "Longest emergency stay 9 days in the last 3 years, from 2 March 2025",
    ),
    (
        "emergency_spell_days_spent_365d",
        2,
        [{"subject_id": 1, "time": "2026-05-02", "code": "SPELL//21", "numeric_value": 2.0, "end": "2026-05-04"}],
        "2 days in hospital after emergency admissions in the last 12 months, until 4 May 2026",
    ),
    (
        "home_support_running_ever",
        1,
        [{"subject_id": 1, "time": "2026-08-01", "code": "SOCIAL_CARE_SERVICE//HOME_SUPPORT"}],
        "Has home support now, since 1 August 2026",
    ),
    (
        "home_support_days_running_365d",
        20,
        [{"subject_id": 1, "time": "2026-08-01", "code": "SOCIAL_CARE_SERVICE//HOME_SUPPORT", "end": "2026-08-21"}],
        "20 days of home support in the last 12 months, until 21 August 2026",
    ),
    (
        "cms_heart_failure_any_ever",
        1,
        [
            {"subject_id": 1, "time": "2019-03-14", "code": "SNOMED//84114007"},
            {"subject_id": 1, "time": "2024-03-14", "code": "SNOMED//84114007"},
        ],
        "Has heart failure, on record since March 2019",
    ),
    (
        "hba1c_high",
        1,
        [
            {"subject_id": 1, "time": "2026-07-03", "code": "SNOMED//1003671000000109", "numeric_value": 80.0},
            {"subject_id": 1, "time": "2026-07-20", "code": "SNOMED//1003671000000109"},
        ],
        "Latest HbA1c was 75 mmol/mol or more, on 3 July 2026",
    ),
    ("lives_alone", 1, ADMISSIONS, "Nobody else is registered at the same address"),
]


def chosen(*rows: tuple[int, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=["person_id", "feature", "value"]).assign(contribution=1.0)
    return strongest(table, CATALOGUE, 3)


def said(rows: pd.DataFrame, path, since: dt.date | None = None) -> pd.DataFrame:
    return with_days(rows, CATALOGUE, path, AS_OF, GROUPS, since)


@pytest.mark.parametrize(("feature", "value", "happened", "words"), SAID, ids=[f"{name}={n}" for name, n, *_ in SAID])
def test_each_kind_of_reason_says_its_own_day(feature, value, happened, words, events):
    assert said(chosen((1, feature, value)), events(*happened))["words"].tolist() == [words]


@pytest.mark.parametrize(("feature", "value", "happened", "words"), SAID[:-1], ids=[name for name, *_ in SAID[:-1]])
def test_the_examples_have_the_values_that_the_features_have(feature, value, happened, words, events, people):
    population = pd.DataFrame({"person_id": [1], "index_date": [pd.Timestamp(AS_OF)]})
    nowhere = pd.DataFrame(columns=["person_id", "start", "household_id"])
    matrix = build_in_memory(population, pd.read_parquet(events(*happened)), people({}), nowhere, [BY_NAME[feature]])
    assert matrix[feature].tolist() == [value]


def test_what_was_not_known_yet_or_happened_before_the_window_dates_nothing(events):
    path = events(
        {"subject_id": 1, "time": "2026-09-27", "known_at": "2026-09-28", "code": "ADMISSION//21"},
        {"subject_id": 1, "time": "2026-03-05", "code": "ADMISSION//21"},
        {"subject_id": 1, "time": "2026-08-08", "known_until": "2026-08-20", "code": "ADMISSION//21"},
        {"subject_id": 1, "time": "2024-08-08", "code": "ADMISSION//21"},
        {"subject_id": 2, "time": "2026-09-20", "code": "ADMISSION//21"},
    )
    assert said(chosen((1, ADMITTED, 1)), path)["words"].tolist() == [
        "1 emergency admission in the last 12 months, on 5 March 2026"
    ]


def test_news_is_what_became_known_since_the_list_before(events):
    path = events(
        {"subject_id": 1, "time": "2026-09-04", "known_at": "2026-09-21", "code": "ADMISSION//21"},
        {"subject_id": 2, "time": "2026-09-04", "known_at": "2026-09-20", "code": "ADMISSION//21"},
    )
    table = said(chosen((1, ADMITTED, 1), (2, ADMITTED, 1)), path, dt.date(2026, 9, 21))
    assert table["news"].isna().tolist() == [False, True]
    assert said(chosen((1, ADMITTED, 1)), path)["news"].isna().all()


def test_where_nobody_has_a_reason_there_is_nothing_to_date(events):
    falling = pd.DataFrame({"person_id": [1], "feature": [ADMITTED], "value": [2.0], "contribution": [-1.0]})
    table = said(strongest(falling, CATALOGUE, 3), events(*ADMISSIONS))
    assert table.empty
    assert {"words", "day", "label", "news"} <= set(table)


def test_a_complaint_in_the_evening_hides_the_stay_that_began_after_midnight(events):
    path = events(
        {"subject_id": 1, "time": "2026-09-03", "code": "ED_COMPLAINT//248062006"},
        {"subject_id": 1, "time": "2026-09-04", "code": "ADMISSION//21"},
        {"subject_id": 1, "time": "2026-09-04", "code": "SPELL//21", "end": "2026-09-06"},
        {"subject_id": 2, "time": "2026-09-03", "code": "ED_COMPLAINT//29857009"},
        {"subject_id": 2, "time": "2026-09-04", "code": "ADMISSION//21"},
        {"subject_id": 2, "time": "2026-09-04", "code": "SPELL//21", "end": "2026-09-06"},
    )
    assert said(chosen((1, ADMITTED, 1), (2, ADMITTED, 1)), path)["day"].notna().tolist() == [False, True]


def test_the_order_of_rows_makes_no_difference(events):
    rows = chosen((1, ADMITTED, 2), (1, "hba1c_high", 1), (2, ADMITTED, 1))
    path = events(*ADMISSIONS)
    shuffled = said(rows.sample(frac=1, random_state=3), path).sort_values(["person_id", "number"], ignore_index=True)
    pd.testing.assert_frame_equal(said(rows, path), shuffled)


PRIVATE = GROUPS[GROUPS["group"].isin(SENSITIVE_GROUPS)].drop_duplicates("code_prefix")
DATES = pd.date_range("2026-08-01", "2026-09-20")


def test_no_day_of_any_sensitive_code_is_named_not_even_within_a_stay(events):
    """For every code of every sensitive group: admitted on its day, or home after a stay in which it was recorded."""
    codes = private_codes(PRIVATE["code_prefix"], GROUPS)
    on_the_day = [
        row
        for number, code in enumerate(codes)
        for row in (
            {"subject_id": number, "time": "2026-08-01", "code": "ADMISSION//21"},
            {"subject_id": number, "time": "2026-08-01", "code": code},
        )
    ]
    in_a_stay = [
        row
        for number, code in enumerate(codes, start=len(codes))
        for row in (
            {"subject_id": number, "time": "2026-08-02", "code": "ADMISSION//21"},
            {
                "subject_id": number,
                "time": "2026-08-02",
                "code": "SPELL//21",
                "numeric_value": 8.0,
                "end": "2026-08-10",
            },
            {"subject_id": number, "time": "2026-08-10", "code": code},
        )
        if code.startswith(("ICD10", "DISCHARGE"))
    ]
    path = events(*on_the_day, *in_a_stay)
    people = sorted({row["subject_id"] for row in (*on_the_day, *in_a_stay)})
    assert len(people) > 1.4 * len(codes)
    table = said(
        chosen(*[(n, ADMITTED, 1) for n in people], *[(n, "emergency_spell_max_1095d", 8) for n in people]), path
    )
    ago = said(chosen(*[(n, DAYS_AGO, 58 if n < len(codes) else 57) for n in people]), path)
    assert set(ago["words"]) == {"Last emergency admission in the last 3 months"}
    assert len(codes) > 150
    assert not table["words"].str.contains("August").any()
    assert table["day"].isna().all()


def test_days_ago_are_as_good_as_a_date_so_they_are_said_loosely_too(events):
    path = events(*ADMISSIONS, {"subject_id": 1, "time": "2026-09-04", "code": "ICD10//X78"})
    assert said(chosen((1, DAYS_AGO, 24)), path)["words"].tolist() == ["Last emergency admission in the last 30 days"]


def test_a_harmless_day_beside_a_private_one_is_named(events):
    path = events(
        {"subject_id": 1, "time": "2026-09-04", "code": "ADMISSION//21"},
        {"subject_id": 1, "time": "2026-08-04", "code": "ICD10//Z21"},
        {"subject_id": 2, "time": "2026-09-04", "code": "ICD10//Z21"},
        {"subject_id": 3, "time": "2026-09-04", "code": "ED//ARRIVAL"},
        {"subject_id": 3, "time": "2026-09-04", "code": "ED_COMPLAINT//29857009"},
        {"subject_id": 4, "time": "2026-09-04", "code": "ED//ARRIVAL"},
        {"subject_id": 4, "time": "2026-09-04", "code": "ED_COMPLAINT//248062006"},
    )
    visits = [(3, "ed_attendance_count_365d", 1), (4, "ed_attendance_count_365d", 1)]
    table = said(chosen((1, ADMITTED, 1), *visits), path)
    assert table["day"].notna().tolist() == [True, True, False]


def test_a_repeat_prescription_during_a_stay_hides_nothing_of_the_stay(events):
    path = events(
        {"subject_id": 1, "time": "2026-09-04", "code": "ADMISSION//21"},
        {"subject_id": 1, "time": "2026-09-04", "code": "SPELL//21", "end": "2026-09-14"},
        {"subject_id": 1, "time": "2026-09-08", "code": "BNF//0403010"},
        {"subject_id": 1, "time": "2026-09-14", "code": "ICD10_PRIMARY//N390"},
        {"subject_id": 1, "time": "2026-09-14", "code": "ICD10//F050"},
    )
    assert said(chosen((1, ADMITTED, 1)), path)["day"].notna().tolist() == [True]


def test_every_sensitive_group_makes_days_private():
    hidden = set(private_codes(PRIVATE["code_prefix"], GROUPS))
    by_group = GROUPS[GROUPS["group"].isin(SENSITIVE_GROUPS)].groupby("group")["code_prefix"].agg(set)
    assert by_group[[not (codes & hidden) for codes in by_group]].index.tolist() == []


# Stems, so that no form of a word slips through; each is a subject that a reason may never touch.
NEVER_SAID = (
    "sexual", "hiv", "immunodeficien", "gonorr", "syphil", "chlamyd", "terminat", "abort", "miscarr", "pregnan",
    "fertil", "contracep", "gender", "transsex", "abuse", "assault", "violen", "safeguard", "neglect", "prison",
    "custod", "police", "offend", "self-harm", "self harm", "suicid", "overdose", "poison", "alcohol", "drunk",
    "addict", "dependen", "misuse", "opioid", "methadone", "psych", "schizo", "bipolar", "manic", "depress", "anxi",
    "mental", "crisis", "homeless", "temporary accommodation", "arrears", "debt", "migrant", "asylum", "interpreter",
    "language", "autis", "learning disab", "palliative", "end of life", "last year of life", "dying", "hospice", "relative",
)  # fmt: skip


def test_no_reason_says_or_paraphrases_what_must_not_be_said():
    """Every showable feature, at values that turn each of its phrases on."""
    shown = [feature for feature in CATALOGUE if feature.showable]
    phrases = {words for feature in shown for value in (1.0, 2.0, 5.0, 40.0) if (words := feature.words(value))}
    assert len(phrases) > 300
    found = {(stem, words) for stem in NEVER_SAID for words in phrases if stem in words.casefold()}
    assert found == set()


def test_the_labels_of_sensitive_groups_are_said_by_no_reason():
    """For every sensitive group, its own label; but those that name a harmless thing (see `test_sensitive`)."""
    shown = " | ".join(feature.template.casefold() for feature in CATALOGUE if feature.showable)
    sensitive = GROUPS[GROUPS["group"].isin(SENSITIVE_GROUPS) & (GROUPS["label"] != "")]
    labels = sensitive.drop_duplicates("group").set_index("group")["label"].str.casefold()
    said_all_the_same = labels[[label in shown for label in labels]]
    assert said_all_the_same.index.tolist() == []


def test_over_100_000_people_and_every_feature_nothing_sensitive_moves_or_shows_in_a_reason():
    """Each with five features of the catalogue, a tenth with sensitive ones alone: what is not shown leaves no trace either."""
    rng = np.random.default_rng(11)
    hidden = [feature.name for feature in CATALOGUE if not feature.showable]
    everything = hidden + [feature.name for feature in CATALOGUE if feature.showable]
    person = np.repeat(np.arange(100_000), 5)
    number = np.where(
        person % 10 == 0, rng.integers(0, len(hidden), len(person)), rng.integers(0, len(everything), len(person))
    )
    given = pd.DataFrame({"person_id": person, "feature": np.array(everything)[number]})
    given = given.drop_duplicates(["person_id", "feature"], ignore_index=True)
    given = given.assign(
        value=rng.choice([0.0, 1.0, 2.0, 5.0, 40.0], len(given)), contribution=rng.normal(0.3, 1, len(given)).round(3)
    )
    assert set(given["feature"]) == set(everything)
    found = strongest(given, CATALOGUE, 3)
    assert not set(found["feature"]) & set(hidden)
    phrases = {words.casefold() for words in found["words"]}
    assert len(phrases) > 300
    assert {(stem, words) for stem in NEVER_SAID for words in phrases if stem in words} == set()
    pd.testing.assert_frame_equal(found, strongest(given[~given["feature"].isin(hidden)], CATALOGUE, 3))
    rows = side_by_side(range(100_000), found, 3)
    alone = rows[rows["person_id"] % 10 == 0]
    assert alone[["reason_1", "reason_2", "reason_3"]].drop_duplicates().to_numpy().tolist() == [[FALLBACK, "", ""]]
    assert (rows["reason_1"] != "").all()
