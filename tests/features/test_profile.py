"""The profile of a matrix: what is told of it, what is hidden, and how far it has moved."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from casewell import doors
from casewell.errors import SourceError
from features import Feature
from features.drift import FEWEST, LARGE, NONE, NOT_COMPARED, by_chance, psi
from features.matrix import open_matrix
from features.profile import by_source, compare, missing_by_group, profile, reference
from features.profile_charts import bin_words
from features.profile_page import html
from features.profile_record import as_json, numbers, verdict
from features.tables import PROFILE, REFERENCE
from features.tally import coarse, edges, in_bins, tally

DATE = pd.Timestamp("2026-07-01")
NAMES = ("count", "flag", "measured", "steady")
DECLARED = [Feature(name, "a source", None, "age", None, "unit", name) for name in NAMES]
ABOUT = {
    "name": "demo",
    "as_of": "2026-07-01",
    "synthetic": True,
    "what": "A test",
    "people": "2,000",
    "index_dates": 1,
    "compared_with": "the training of 2026-01-01 (model 1)",
    "not_compared_because": None,
}


def table_of(people: int = 2000, seed: int = 1, dates: int = 1, shift: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = people * dates
    measured = random.normal(50 + shift, 10, rows).astype(np.float32)
    measured[random.random(rows) < 0.2] = np.nan
    return pd.DataFrame(
        {
            "index_date": np.repeat(pd.date_range(DATE, periods=dates, freq="-1MS").to_numpy()[::-1], people),
            "person_id": np.tile(np.arange(people), dates),
            "count": random.poisson(0.4, rows).astype(np.float32),
            "flag": (random.random(rows) < 0.03).astype(np.float32),
            "measured": measured,
            "steady": random.random(rows).astype(np.float32),
        }
    ).astype({"index_date": "datetime64[us]", "person_id": "int64"})


@pytest.fixture
def matrix(tmp_path):
    """Write a matrix, as one file or as a folder of several, and open it."""

    def written(table: pd.DataFrame, pieces: int = 1, name: str = "matrix"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*"):
            old.unlink()
        for number, part in enumerate(np.array_split(np.arange(len(table)), pieces)):
            table.iloc[part].to_parquet(folder / f"{number:03}.parquet", index=False)
        return open_matrix(folder)

    return written


def test_the_same_rows_in_one_file_or_in_many_give_the_same_profile(matrix, tmp_path):
    table = table_of(dates=3)
    one, many = (profile(matrix(table, pieces, str(pieces)), features=DECLARED) for pieces in (1, 7))
    pd.testing.assert_frame_equal(one.features, many.features)
    pd.testing.assert_frame_equal(one.reference, many.reference)
    table.to_parquet(tmp_path / "single.parquet", index=False)
    single = profile(open_matrix(tmp_path / "single.parquet"), features=DECLARED)
    pd.testing.assert_frame_equal(one.features, single.features)
    assert single.people == 2000


def test_columns_are_read_in_small_steps_where_there_are_many_rows(matrix, monkeypatch):
    opened = matrix(table_of())
    whole = profile(opened, features=DECLARED).features
    monkeypatch.setattr("features.matrix.CELLS_AT_ONCE", 1)
    pd.testing.assert_frame_equal(profile(opened, features=DECLARED).features, whole)


def test_shares_and_quantiles_are_those_of_the_rows(matrix):
    table = table_of()
    told = profile(matrix(table), features=DECLARED).features.set_index("feature")
    assert told.loc["measured", "missing"] == pytest.approx(table["measured"].isna().mean())
    assert told.loc["count", "zero"] == pytest.approx((table["count"] == 0).mean())
    for name, share in {"p05": 0.05, "median": 0.5, "p95": 0.95}.items():
        expected = np.nanquantile(table["measured"], share, method="inverted_cdf")
        assert told.loc["measured", name] == pytest.approx(expected)
    ordered = np.sort(table["measured"].dropna())
    assert (told.loc["measured", "low"], told.loc["measured", "high"]) == (ordered[7], ordered[-8])


def test_nothing_told_rests_on_fewer_than_eight_people(matrix):
    table = table_of(200)
    table["flag"] = np.where(np.arange(200) < 7, 1.0, 0.0)
    table["measured"] = np.where(np.arange(200) < 7, 999.0, np.nan)
    table["steady"] = table["steady"].where(np.arange(200) >= 7)
    told = profile(matrix(table), features=DECLARED).features.set_index("feature")
    assert told.loc["flag", "zero"] == 1
    assert told.loc["measured", "missing"] == 1
    assert told.loc["measured", ["low", "median", "high"]].isna().all()
    assert told.loc["steady", "missing"] == 0
    # 8 of 193 lie below 4.1 %, so that 5 % of them are more, and 5 % of 150 are not.
    assert np.isfinite(told.loc["steady", "p05"])
    fewer = profile(matrix(table_of(150)), features=DECLARED).features.set_index("feature")
    assert np.isnan(fewer.loc["steady", "p05"])
    assert np.isfinite(fewer.loc["steady", "p25"])


def test_the_bins_told_rest_on_eight_people_each_and_the_index_on_all(matrix):
    learned = reference(matrix(table_of(), name="then"), DECLARED)
    now = table_of(200)
    now["flag"] = np.where(np.arange(200) < 7, 1.0, 0.0)
    few = profile(matrix(now, name="now"), learned, DECLARED)
    now["flag"] = np.where(np.arange(200) < 8, 1.0, 0.0)
    enough = profile(matrix(now, name="again"), learned, DECLARED)
    assert few.bins.loc[few.bins["feature"] == "flag", "now"].tolist() == [0, 1, 0]
    assert enough.bins.loc[enough.bins["feature"] == "flag", "now"].tolist() == [0, 0.96, 0.04]
    then = learned.loc[learned["feature"] == "flag", "share"].to_numpy()
    index = few.features.set_index("feature").loc["flag", "psi"]
    assert index == pytest.approx(psi(then, np.array([0, 193, 7]) / 200, 200))
    assert few.bins.groupby("feature")["now"].sum().to_numpy() == pytest.approx(1)


def test_psi_is_the_sum_that_its_definition_says():
    then, now = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.4, 0.2])
    assert psi(then, now, 1000) == pytest.approx(-0.1 * np.log(0.8) + 0.1 * np.log(4 / 3))
    assert psi(then, then, 1000) == 0
    assert psi(then, now, 1000) == pytest.approx(psi(now, then, 1000))


def test_an_empty_bin_counts_as_one_ten_thousandth_or_as_half_a_person():
    then, now = np.array([0.9, 0.1]), np.array([1.0, 0.0])
    for people, floor in ((10_000, 1e-4), (100, 0.005)):
        assert psi(then, now, people) == pytest.approx(0.1 * np.log(1 / 0.9) + (floor - 0.1) * np.log(floor / 0.1))


@pytest.mark.parametrize(("people", "tolerance"), [(800, 0.015), (50, 0.05), (15, 0.05)])
def test_chance_exceeds_what_is_said_of_it_one_time_in_twenty(people, tolerance):
    random = np.random.default_rng(4)
    then, now = (random.multinomial(size, [0.1] * 10, 4000) / size for size in (3000, people))
    moved = np.array([psi(*pair, people) for pair in zip(then, now, strict=True)])
    assert (moved > by_chance(10, 3000, people)).mean() == pytest.approx(0.05, abs=tolerance)
    assert by_chance(10, 3000, people) == pytest.approx(stats.chi2.ppf(0.95, 9) * (1 / 3000 + 1 / people))


def test_a_matrix_like_the_one_learned_from_has_not_moved(matrix):
    learned = reference(matrix(table_of(dates=4), name="then"), DECLARED)
    found = compare(learned, matrix(table_of(seed=9), name="now"), DECLARED)
    assert (found["shift"] == NONE).all()
    assert (found["psi"] < 0.1).all()


def test_a_shift_is_found_where_it_is_and_nowhere_else(matrix):
    learned = reference(matrix(table_of(), name="then"), DECLARED)
    moved = table_of(seed=9, shift=12)
    moved["flag"] = 0.0  # a feed that stopped
    found = compare(learned, matrix(moved, name="now"), DECLARED).set_index("feature")
    assert found.loc["measured", "shift"] == LARGE
    assert found.loc["flag", "psi"] > 0.1
    assert found.loc["flag", "training_zero"] == pytest.approx(0.97, abs=0.02)
    assert found.loc["flag", "zero"] == 1
    assert (found.loc[["count", "steady"], "shift"] == NONE).all()


def test_missing_values_are_a_bin_of_their_own(matrix):
    learned = reference(matrix(table_of(), name="then"), DECLARED)
    gone = table_of(seed=9).assign(steady=np.float32("nan"))
    assert compare(learned, matrix(gone, name="now"), DECLARED).set_index("feature").loc["steady", "shift"] == LARGE


def test_a_small_population_is_not_said_to_have_shifted_by_chance(matrix):
    learned = reference(matrix(table_of(), name="then"), DECLARED)
    found = compare(learned, matrix(table_of(15, seed=9), name="now"), DECLARED)
    assert (found["psi"] > 0.25).any()
    assert (found["shift"] == NONE).all()


def test_a_feature_that_was_not_learned_from_is_not_compared(matrix):
    learned = reference(matrix(table_of(), name="then"), DECLARED)
    found = compare(learned[learned["feature"] != "count"], matrix(table_of(), name="now"), DECLARED)
    assert found.set_index("feature")["shift"].eq(NOT_COMPARED).to_dict() == dict.fromkeys(NAMES, False) | {
        "count": True
    }


@pytest.mark.parametrize("dates", [1, 3])
def test_what_is_kept_of_training_holds_bins_of_ten_people_and_nobodys_value(matrix, dates):
    table = table_of(300, dates=dates)
    rare = np.tile(np.arange(300) < FEWEST - 1, dates)
    table["flag"] = np.where(rare, 1.0, 0.0)
    table["count"] = np.where(rare, np.nan, table["count"])
    learned = reference(matrix(table), DECLARED)
    rows = learned["share"] * len(table)
    told = rows[rows > 0]
    assert (told >= FEWEST * dates - 1e-6).all()
    assert learned.groupby("feature")["share"].sum().to_numpy() == pytest.approx(1)
    bounds = learned[["above", "up_to"]].to_numpy().ravel()
    assert not set(bounds[np.isfinite(bounds)]) & set(table[list(NAMES)].to_numpy().ravel())
    assert (learned.loc[learned["feature"] == "flag", "zero"] == 1).all()
    doors.check(learned, REFERENCE)


def test_a_value_that_most_share_has_a_bin_of_its_own_and_the_rest_are_told_apart():
    found = tally(array([0] * 800 + [1] * 100 + [2] * 60 + [3] * 40))
    assert edges(found, 10).tolist() == [0.5, 1.5]
    assert in_bins(found, edges(found, 10)).tolist() == [0, 800, 100, 100]
    mostly_one = tally(array([0] * 30 + [1] * 970))
    assert edges(mostly_one, 10).tolist() == [0.5]
    assert edges(mostly_one, 40).tolist() == []


def array(values):
    import pyarrow

    return pyarrow.chunked_array([pyarrow.array(values, pyarrow.float32())])


def test_bins_are_of_about_a_tenth_and_cover_every_value():
    values = np.random.default_rng(2).normal(size=5000).astype(np.float32)
    found = tally(array(values))
    inner = edges(found, 10)
    assert len(inner) == 9
    assert in_bins(found, inner)[1:].tolist() == pytest.approx([500] * 10, abs=2)
    assert in_bins(tally(array([-1e9, 1e9, np.nan])), inner)[[0, 1, 10]].tolist() == [1, 1, 1]


def test_zero_and_minus_zero_are_one_value_and_what_is_not_finite_is_missing():
    found = tally(array([0.0, -0.0, np.inf, np.nan, None, 3.0]))
    assert found.values.tolist() == [0, 3]
    assert (found.counts.tolist(), found.missing, found.zeros) == ([2, 1], 3, 2)


@pytest.mark.parametrize(("rows", "told"), [(0, 0.0), (7, 0.0), (8, 0.08), (92, 0.92), (93, 1.0), (100, 1.0)])
def test_a_share_is_coarse_where_few_people_make_the_difference(rows, told):
    assert coarse(rows, 100, 8) == told


def test_missing_by_group_counts_people_of_a_snapshot(matrix):
    table = table_of(400, dates=2)
    groups = pd.DataFrame({"person_id": range(400), "fifth": np.where(np.arange(400) < 100, "1", "2")})
    found = missing_by_group(matrix(table.sample(frac=1, random_state=1)), groups, DECLARED)
    assert set(found["feature"]) == {"measured"}
    expected = (
        table.assign(fifth=np.tile(groups["fifth"], 2)).groupby("fifth")["measured"].agg(lambda c: c.isna().sum() / 2)
    )
    assert found.set_index("group")["missing"].to_dict() == expected.to_dict()
    assert found.set_index("group")["people"].to_dict() == {"1": 100, "2": 300}
    assert by_source(found)["missing"].tolist() == found["missing"].tolist()


@pytest.mark.parametrize("name", ["nothing", "empty", "other"])
def test_what_is_no_matrix_is_refused(tmp_path, name):
    if name != "nothing":
        (tmp_path / name).mkdir()
    if name == "other":
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / name / "a.parquet")
    with pytest.raises(SourceError, match="matrix"):
        open_matrix(tmp_path / name)


@pytest.fixture
def moved(matrix):
    """A profile with one feature that has shifted."""
    learned = reference(matrix(table_of(), name="then"), DECLARED)
    return profile(matrix(table_of(seed=9, shift=12), name="now"), learned, DECLARED)


GROUPS = pd.DataFrame(
    {
        "feature": "measured",
        "source": "a source",
        "grouping": "fifth",
        "group": ["1", "2", "not recorded"],
        "people": [100.0, 300.0, np.nan],
        "missing": [50.0, 60.0, np.nan],
        "share": [0.5, 0.2, np.nan],
    }
)


def test_every_picture_has_a_title_a_sentence_and_a_table_and_ids_are_unique(moved):
    page = html(moved, GROUPS, GROUPS, ABOUT, {"fifth": "Deprivation fifth"})
    assert page.count("<svg") == page.count("<desc") == page.count('role="img"') == 4
    assert page.count("The figures behind the picture") == 4
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "SYNTHETIC" in page
    assert "<script" not in page
    assert not re.findall(r'(?:href|src)="(?!#)', page)
    assert "without a value for 50% in the group" in page
    assert page == html(moved, GROUPS, GROUPS, ABOUT, {"fifth": "Deprivation fifth"})


def test_the_verdict_names_what_has_shifted(moved):
    assert verdict(moved, ABOUT).endswith(
        "1 has shifted (index above 0.25), and none deserve a look (above 0.1). Shifted: measured."
    )
    assert as_json(moved, ABOUT)["shifted"] == ["measured"]
    told = numbers(moved)
    assert (told["features"], told["features_shifted"]) == (4, 1)
    assert told["psi_largest"] == moved.features["psi"].max()


def test_what_chance_could_have_given_is_not_named_however_large(moved):
    table = moved.features.assign(psi=[3.0, 0.1, 0.9, 0.2], psi_by_chance=[4.0, 0.1, 0.1, 0.1])
    unlucky = dataclasses.replace(moved, features=table)
    assert table["shift"].tolist() == ["none", "none", "shifted", "none"]
    assert as_json(unlucky, ABOUT)["shifted"] == ["measured"]
    assert verdict(unlucky, ABOUT).endswith("Shifted: measured.")


def test_a_page_is_written_where_there_is_nothing_to_compare_with(matrix):
    about = ABOUT | {"compared_with": None, "not_compared_because": "no model is champion yet"}
    found = profile(matrix(table_of()), features=DECLARED)
    page = html(found, GROUPS.head(0), GROUPS.head(0), about, {"fifth": "Deprivation fifth"})
    assert "Nothing was compared: no model is champion yet." in page
    assert page.count("<svg") == 1
    assert "psi_largest" not in numbers(found)
    assert dt.date.fromisoformat(as_json(found, about)["as_of"]) == DATE.date()


def test_a_matrix_of_nobody_has_a_profile(matrix):
    found = profile(matrix(table_of().head(0)), features=DECLARED)
    doors.check(found.features, PROFILE)
    assert len(found.features) == 4
    assert html(found, GROUPS.head(0), GROUPS.head(0), ABOUT | {"compared_with": None}, {})


def test_bins_are_said_in_few_words(matrix):
    learned = reference(matrix(table_of()), DECLARED)
    words = bin_words(learned[learned["feature"] == "count"])
    assert words[:2] == ["missing", "to 0.5"]
    assert words[-1].startswith("over ")
