"""Need as it would be recorded if everybody had been looked at alike."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.need import COUNTED, PASSING, Looks, completeness, expected_need, second_looks

AS_OF = dt.date(2026, 10, 1)
CONDITIONS = ["cms_copd", "cms_diabetes", "cms_heart_failure", "cms_dementia"]
COMPLETE = {1.0: 0.45, 9.0: 0.9}  # by decile of deprivation


@pytest.fixture(scope="module")
def town():
    """6,000 people with conditions by age, of which records hold fewer in the deprived half; some are admitted."""
    draw = np.random.default_rng(7)
    n = 6_000
    age, decile = draw.uniform(20, 95, n), draw.choice([1.0, 9.0], n)
    ill = draw.random((n, 4)) < (0.05 + 0.5 * (age[:, None] > 60))
    known = ill & (draw.random((n, 4)) < pd.Series(decile).map(COMPLETE).to_numpy()[:, None])
    admitted = draw.random(n) < 0.4
    again = ill & admitted[:, None] & (draw.random((n, 4)) < 0.8)
    person, which = np.nonzero((known & admitted[:, None]) | again)
    looks = pd.DataFrame({"person_id": person, "condition": np.array(CONDITIONS)[which]})
    looks = looks.assign(first=known[person, which], second=again[person, which])
    matrix = pd.DataFrame(
        {
            "person_id": np.arange(n), "age": age, "sex_female": draw.integers(0, 2, n).astype(float), "imd_decile": decile,
            "admitted": admitted.astype(float), PASSING["cms_cancer_last_5y"]: 0.0, **dict.fromkeys(COUNTED, 4.0),
            "cms_score": (known | again).sum(axis=1).astype(float), "cms_conditions": (known | again).sum(axis=1).astype(float),
        }
    )  # fmt: skip
    looks = Looks(looks, np.flatnonzero(admitted))
    return matrix, looks, ill.sum(axis=1), pd.Series("A", index=range(n))


def correlation(one, other):
    return pd.Series(np.asarray(one, float)).corr(pd.Series(np.asarray(other, float)), method="spearman")


def test_completeness_is_found_by_group_from_what_a_second_look_finds(town):
    matrix, looks, _, practice = town
    found = completeness(looks, matrix, practice)
    at_home = matrix["admitted"] == 0
    for decile, share in COMPLETE.items():
        assert found.share[at_home & (matrix["imd_decile"] == decile)].mean() == pytest.approx(share, abs=0.05)
    assert found.share[~at_home].mean() > found.share[at_home].mean() + 0.1


def test_expected_need_is_nearer_the_truth_where_little_is_recorded_and_never_below_what_is(town):
    matrix, looks, ill, practice = town
    expected = expected_need(matrix, completeness(looks, matrix, practice))
    need = matrix["cms_score"].to_numpy()
    assert (expected >= need).all()
    deprived = (matrix["imd_decile"] == 1).to_numpy()
    assert need[deprived].mean() < 0.8 * ill[deprived].mean()
    assert expected[deprived].mean() == pytest.approx(ill[deprived].mean(), rel=0.08)
    assert expected[~deprived].mean() == pytest.approx(ill[~deprived].mean(), rel=0.08)
    assert correlation(expected[deprived], ill[deprived]) > correlation(need[deprived], ill[deprived]) + 0.01
    assert ((expected - ill) ** 2).mean() < 0.9 * ((need - ill) ** 2).mean()


def test_where_hardly_anybody_was_looked_at_twice_need_stays_as_recorded(town):
    matrix, looks, _, practice = town
    found = completeness(replace(looks, conditions=looks.conditions.head(100)), matrix, practice)
    assert (found.share == 1).all()
    assert (expected_need(matrix, found) == matrix["cms_score"]).all()


def test_the_order_of_rows_does_not_matter(town):
    matrix, looks, _, practice = town
    order = np.random.default_rng(2).permutation(len(matrix))
    one = completeness(looks, matrix, practice).share
    other = completeness(looks, matrix.iloc[order].reset_index(drop=True), practice.iloc[order]).share
    assert other == pytest.approx(one[order], abs=1e-6)


def event(person, code, day):
    time = pd.Timestamp(day)
    return {"subject_id": person, "code": code, "time": time, "known_at": time, "known_until": pd.NaT}


def test_a_first_record_counts_only_if_it_came_before_the_second_look(tmp_path):
    events = pd.DataFrame(
        [
            event(1, "SNOMED//44054006", "2024-01-01"),
            event(1, "ICD10//E119", "2025-01-01"),
            event(2, "ICD10//E119", "2025-01-01"),
            event(2, "SNOMED//44054006", "2025-03-01"),
            event(3, "SNOMED//44054006", "2024-01-01"),
            event(3, "ICD10//Z999", "2025-01-01"),
            event(4, "SNOMED//44054006", "2024-01-01"),
            event(5, "ICD10//E119", "2026-10-01"),
        ]
    ).astype({"known_until": "datetime64[us]"})
    events.to_parquet(tmp_path / "events.parquet")
    found = second_looks(tmp_path / "events.parquet", AS_OF)
    assert found.people.tolist() == [1, 2, 3]
    found = found.conditions.set_index("person_id")
    assert found[["first", "second"]].to_dict("index") == {
        1: {"first": True, "second": True},
        2: {"first": False, "second": True},
        3: {"first": True, "second": False},
    }
