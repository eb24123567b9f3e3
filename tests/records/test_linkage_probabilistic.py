"""Splink on a plain table: what it finds, what it compares, and what it keeps of its parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casewell.errors import SettingsError
from records.births import is_near_in_year, is_slip, is_year_alone
from records.comparing import BLOCKS, COLUMNS, LARGEST_BLOCK, add_blocks
from records.probabilistic import NOT_COMPARED, Memory, compare, drift, one_to_one, same_person_pairs
from records.reading import connect
from tests.records.descriptions import PEOPLE, everybody_twice, scored


@pytest.fixture(scope="module")
def table():
    return everybody_twice()


@pytest.fixture(scope="module")
def found(table):
    return same_person_pairs(table[[*COLUMNS, "file"]], 0.99, 1, one_each="file")


def test_people_are_found_in_spite_of_faults(table, found):
    assert found.method == "splink"
    person = table["person"].to_numpy()
    right = person[found.pairs["left"]] == person[found.pairs["right"]]
    assert right.mean() >= 0.999
    assert right.sum() >= 0.97 * PEOPLE


def test_nobody_is_paired_twice_with_a_file_that_has_one_row_a_person(table, found):
    taken = pd.concat([found.pairs["left"], found.pairs["right"], found.doubtful["left"], found.doubtful["right"]])
    assert taken.is_unique


@pytest.fixture(scope="module")
def whole(table):
    return same_person_pairs(table[[*COLUMNS]], 0.99, 1)


def remembered(table, whole, known):
    pairs = scored(whole)
    return Memory(whole.fitted, known, pairs[known[pairs["left"]] & known[pairs["right"]]])


def test_scoring_only_what_is_new_finds_what_scoring_all_does(table, whole):
    known = np.random.default_rng(2).random(len(table)) > 0.1
    again = same_person_pairs(table[[*COLUMNS]], 0.99, 1, memory=remembered(table, whole, known))
    pd.testing.assert_frame_equal(scored(again), scored(whole))
    assert again.model == whole.model
    assert again.compared["descriptions_new"] == (~known).sum()
    assert 0 < again.compared["pairs_scored"] < 0.3 * len(scored(whole))


def test_spark_where_it_is_not_installed_is_refused_in_plain_words(table, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="and PySpark"):
        same_person_pairs(table[[*COLUMNS]], 0.99, 1, engine="spark")


def test_nothing_is_scored_where_everything_is_known(table, whole):
    again = same_person_pairs(table[[*COLUMNS]], 0.99, 1, memory=remembered(table, whole, np.ones(len(table), bool)))
    assert again.compared["pairs_scored"] == 0
    pd.testing.assert_frame_equal(scored(again), scored(whole))


def test_a_memory_of_other_comparisons_is_left_aside(table, whole):
    memory = remembered(table, whole, np.ones(len(table), bool))
    for nodes, seed in ((table.assign(address=None), 1), (table, 2)):
        again = same_person_pairs(nodes[[*COLUMNS]], 0.99, seed, memory=memory)
        assert again.compared["descriptions_known"] == 0
        assert again.fitted.specification != whole.fitted.specification


def test_drift_is_told_from_new_pairs_alone(table, whole):
    spoiled = table.copy()
    late = np.flatnonzero((table["file"] == "b").to_numpy())
    spoiled.loc[late, "given_name"] = spoiled.loc[late, "given_name"].str[:4] + "ZQ"
    known = (table["file"] == "a").to_numpy()
    usual = same_person_pairs(table[[*COLUMNS]], 0.99, 1, memory=remembered(table, whole, known))
    other = same_person_pairs(spoiled[[*COLUMNS]], 0.99, 1, memory=remembered(table, whole, known))
    assert usual.moved["given_name"]["bits"] < 1 < other.moved["given_name"]["bits"]


def test_the_weights_of_a_comparison_add_up_to_what_the_pair_was_given(table, whole):
    asked = whole.pairs.head(30)
    told = compare(table[[*COLUMNS]], asked, whole.fitted)
    assert set(told["comparison"]) >= {"given_name", "family_name", "date_of_birth", "postcode"}
    total = told.groupby(["left", "right"]).agg(
        bits=("bits", "sum"), more=("frequency_bits", "sum"), prior=("prior_bits", "first"), weight=("weight", "first")
    )
    assert (total["bits"] + total["more"] + total["prior"]).to_numpy() == pytest.approx(total["weight"], abs=1e-4)
    given = asked.set_index(["left", "right"])["weight"]
    assert total["weight"].to_numpy() == pytest.approx(given[total.index].to_numpy(), abs=1e-4)
    silent = told[told["level"] == NOT_COMPARED]
    assert len(silent)
    assert (silent["bits"] == 0).all()


def test_doubtful_pairs_lie_below_the_threshold(found):
    assert (found.pairs["probability"] >= 0.99).all()
    assert (found.doubtful["probability"] < 0.99).all()


def test_the_parameters_are_named_by_their_digest(table, found):
    again = same_person_pairs(table[[*COLUMNS, "file"]], 0.99, 1, one_each="file")
    assert again.model == found.model
    pd.testing.assert_frame_equal(again.pairs, found.pairs)
    exact = found.model["comparisons"]["date_of_birth"]["Exact match on date_of_birth"]
    assert exact["weight"] == pytest.approx(np.log2(exact["m"] / exact["u"]), abs=1e-3)
    # 30,000 days are likely: matches among the random pairs would make chance look far likelier.
    assert 12 < exact["weight"] < 16


def test_numbered_records_are_not_compared_with_each_other(table):
    numbered = table.assign(number=[str(n) for n in range(len(table))])
    numbered.loc[0, "number"] = None
    got = same_person_pairs(numbered[list(COLUMNS)], 0.99, 1)
    assert set(got.pairs["left"]) | set(got.pairs["right"]) <= {0, *got.pairs["right"], *got.pairs["left"]}
    assert ((got.pairs["left"] == 0) | (got.pairs["right"] == 0)).all()


def test_few_records_are_paired_only_if_they_agree_exactly(table):
    few = table[list(COLUMNS)].head(3).copy()
    few.loc[3] = few.loc[0]
    got = same_person_pairs(few, 0.99, 1)
    assert got.method == "exact"
    assert {frozenset(pair) for pair in zip(got.pairs["left"], got.pairs["right"], strict=True)} == {frozenset({0, 3})}


def pairs(*rows):
    return pd.DataFrame(rows, columns=["left", "right", "weight"]).assign(probability=0.99)


def test_one_to_one_keeps_the_best_and_never_two_of_one_source():
    got = one_to_one(pairs((0, 2, 5.0), (0, 3, 9.0), (1, 3, 7.0), (1, 2, 4.0), (0, 1, 20.0)), pd.Series(list("aabb")))
    assert set(zip(got["left"], got["right"], strict=True)) == {(0, 3), (1, 2)}


def test_a_record_may_be_paired_with_one_of_each_source():
    got = one_to_one(pairs((0, 1, 5.0), (0, 2, 9.0)), pd.Series(list("abc")))
    assert len(got) == 2


def blocks_of(nodes):
    con = connect()
    counts = add_blocks(con, nodes, np.ones(len(nodes), dtype=bool))
    made = con.sql("SELECT * FROM blocked ORDER BY unique_id").df()
    con.close()
    return made, counts


def test_a_large_block_is_refined_or_left_out():
    many = 3 * LARGEST_BLOCK
    nodes = pd.DataFrame(
        {
            "number": None,
            "given_name": "MARY",
            "family_name": "SMITH",
            "date_of_birth": "1900-01-01",
            "sex": None,
            "postcode": [f"ZZ{n % 300}1AA" for n in range(many)],
            "address": None,
        }
    ).astype(object)
    made, counts = blocks_of(nodes)
    for place in range(len(BLOCKS)):
        sizes = made[f"block_{place}"].value_counts()
        assert sizes.empty or sizes.max() <= LARGEST_BLOCK
    assert counts["date_of_birth + substr(family_name, 1, 2)"] == {"refined": many, "left_out": 0}
    assert any(found["left_out"] == many for found in counts.values())


def test_a_record_that_lacks_a_part_is_in_no_such_block():
    nodes = pd.DataFrame([dict.fromkeys(COLUMNS) | {"given_name": "MARY", "postcode": "ZZ11AA"}] * 2)
    made, counts = blocks_of(nodes.astype(object))
    place = next(n for n, (parts, _) in enumerate(BLOCKS) if parts == ("given_name", "postcode"))
    assert made[f"block_{place}"].notna().all()
    assert made[[f"block_{n}" for n in range(len(BLOCKS)) if n != place]].isna().all(axis=None)
    assert counts == {}


def test_drift_names_the_level_that_moved_most():
    def model(**weights):
        return {"comparisons": {"sex": {name: {"weight": weight} for name, weight in weights.items()}}}

    assert drift(model(same=1.0, other=-5.0, new=None), model(same=1.25, other=-4.0, new=2.0, more=1.0)) == {
        "sex": {"level": "other", "bits": 1.0}
    }
    assert drift({}, model(same=1.0)) == {}


@pytest.mark.parametrize(
    ("left", "right", "slip", "year_alone", "near"),
    [
        ("1970-03-04", "1970-03-05", True, False, True),
        ("1970-03-04", "1970-04-03", True, False, False),
        ("1970-03-04", "1971-03-04", True, False, True),
        ("1971-03-04", "1970-03-03", False, False, True),
        ("1970-03-04", "1970-01-01", False, True, False),
        ("1970-03-04", "1985-11-23", False, False, False),
    ],
)
def test_what_counts_as_a_slip(left, right, slip, year_alone, near):
    rules = ", ".join(rule("l", "r") for rule in (is_slip, is_year_alone, is_near_in_year))
    for pair in ((left, right), (right, left)):
        con = connect()
        got = con.execute(f"SELECT {rules} FROM (SELECT ? AS l, ? AS r)", pair).fetchall()
        assert got == [(slip, year_alone, near)]
