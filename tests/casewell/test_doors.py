"""Tables at the doors that are too large to be held at once."""

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest

from casewell import doors
from casewell.doors import column, door
from casewell.errors import SourceError

VISITS = door(
    "visits",
    "a visit",
    {
        "person": column("int64", "Who"),
        "day": column("datetime64[us]", "When"),
        "kind": column("str", "What", pa.Check.isin(["home", "clinic"])),
        "share": column("float64", "How much", pa.Check.in_range(0, 1), nullable=True),
        "house": column("Int64", "Where", nullable=True),
        "first": column("bool", "Whether it was the first"),
    },
)


def visits(rows):
    chance = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "person": chance.integers(0, 2**62, rows),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(chance.integers(0, 900, rows), "D"),
            "kind": np.where(chance.random(rows) < 0.5, "home", "clinic"),
            "share": np.where(chance.random(rows) < 0.1, np.nan, chance.random(rows)),
            "house": pd.array(chance.integers(0, 2**62, rows), dtype="Int64"),
            "first": chance.random(rows) < 0.5,
        }
    ).assign(house=lambda t: t["house"].mask(t.index % 3 == 0))


def in_batches(table, size):
    return pyarrow.Table.from_pandas(table, preserve_index=False).to_batches(size)


@pytest.fixture
def small_groups(monkeypatch):
    """Row groups of 1,000, in `write` as in `write_batches`."""
    monkeypatch.setattr(doors, "GROUP", 1000)
    whole = doors.parquet.write_table
    monkeypatch.setattr(doors.parquet, "write_table", lambda *a, **k: whole(*a, **k, row_group_size=1000))


@pytest.mark.parametrize("rows", [0, 1, 999, 1000, 1001, 4567])
@pytest.mark.parametrize("size", [64, 1000, 10_000])
def test_a_table_in_batches_of_any_size_gives_the_bytes_of_the_whole_table(tmp_path, small_groups, rows, size):
    table = visits(rows)
    doors.write(table, VISITS, tmp_path / "whole.parquet")
    doors.write_batches(in_batches(table, size), VISITS, tmp_path / "batches.parquet")
    if rows:
        assert (tmp_path / "batches.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    pd.testing.assert_frame_equal(doors.read(tmp_path / "batches.parquet", VISITS), doors.check(table, VISITS))


def test_how_rows_are_cut_into_batches_makes_no_difference_to_pages_of_long_text(tmp_path):
    text = door("texts", "a text", {"text": column("str", "Anything")})
    table = pd.DataFrame({"text": [f"record {n * 7919 % 300_007:012d}" for n in range(300_000)]})
    for size in (1_000, 123_457, 300_000):
        doors.write_batches(in_batches(table, size), text, tmp_path / f"{size}.parquet")
    assert len({path.read_bytes() for path in tmp_path.glob("*.parquet")}) == 1


def test_columns_may_come_in_any_order_and_as_categories(tmp_path):
    table = visits(50)
    doors.write(table, VISITS, tmp_path / "whole.parquet")
    shuffled = table[sorted(table.columns, reverse=True)].astype({"kind": "category"})
    doors.write_batches(in_batches(shuffled, 20), VISITS, tmp_path / "batches.parquet")
    assert (tmp_path / "batches.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_whole_numbers_with_gaps_come_back_to_the_last_digit(tmp_path):
    numbers = door("numbers", "a number", {"number": column("Int64", "Any", nullable=True)})
    table = pd.DataFrame({"number": pd.array([2**62 + 1, None, 2**62 + 3], dtype="Int64")})
    doors.write(table, numbers, tmp_path / "t.parquet")
    assert list(doors.read(tmp_path / "t.parquet", numbers)["number"].dropna()) == [2**62 + 1, 2**62 + 3]
    narrow = doors.to_pandas(pyarrow.table({"number": pyarrow.array([7, None], pyarrow.int32())}))
    assert list(narrow["number"].dropna()) == [7]
    assert narrow["number"].dtype == "Int64"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda t: t.assign(kind=["elsewhere", "elsewhere", *t["kind"][2:]]), "'kind' fails isin.* in 2 row"),
        (lambda t: t.assign(share=t["share"].mask(t.index == 30, 1.5)), "'share' fails in_range.* in 1 row"),
        (lambda t: t.assign(kind=t["kind"].mask(t.index == 49)), "'kind' fails not_nullable in 1 row"),
        (lambda t: t.assign(day=t["day"].mask(t.index == 49)), "'day' fails not_nullable in 1 row"),
        (lambda t: t.drop(columns="day"), "missing column 'day'"),
        (lambda t: t.assign(name="Ada"), "unknown column 'name'"),
    ],
)
def test_rows_that_break_a_rule_are_refused_in_the_words_of_the_whole_table(tmp_path, broken, said):
    with pytest.raises(SourceError, match=said) as refusal:
        doors.write_batches(in_batches(broken(visits(50)), 20), VISITS, tmp_path / "t.parquet")
    assert "elsewhere" not in str(refusal.value)
    assert "1.5" not in str(refusal.value)


def test_a_rule_that_only_a_later_batch_breaks_is_found(tmp_path, small_groups):
    table = visits(3000)
    table.loc[2500, "kind"] = "elsewhere"
    with pytest.raises(SourceError, match="'kind' fails isin"):
        doors.write_batches(in_batches(table, 100), VISITS, tmp_path / "t.parquet")


def test_a_table_with_a_unique_column_is_not_written_in_batches(tmp_path):
    people = door("people", "a person", {"person": column("int64", "Who", unique=True)})
    with pytest.raises(ValueError, match="unique"):
        doors.write_batches([], people, tmp_path / "t.parquet")
