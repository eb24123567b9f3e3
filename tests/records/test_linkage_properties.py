"""Whatever the records: their order does not matter, people are a partition, and no source joins two numbered people."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import records
from records.resolving import resolve
from tests.records.conftest import NUMBERS, settle, whole_system

AS_OF = dt.date(2022, 10, 5)
# Each example links several systems from their files; a failure is not worth shrinking by hundreds of builds.
FEW = settings(
    max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
MANY = settings(max_examples=60, deadline=None)
NAMES, FAMILIES = ["Ada", "Bola", "Adah"], ["Eze", "Bello"]
BIRTHS = ["1930-01-10", "1930-10-01", "1961-05-12"]
POSTCODES = ["ZZ1 1AA", "ZZ1 1AB"]


@st.composite
def rows_without_order(draw):
    """A housing list about the same few people, known and unknown, spelled as it comes."""
    count = draw(st.integers(1, 12))
    return pd.DataFrame(
        {
            "record_id": [f"U{n}" for n in range(count)],
            "given_name": [draw(st.sampled_from([*NAMES, None])) for _ in range(count)],
            "family_name": [draw(st.sampled_from(FAMILIES)) for _ in range(count)],
            "date_of_birth": [draw(st.sampled_from(BIRTHS)) for _ in range(count)],
            "postcode": [draw(st.sampled_from([*POSTCODES, None])) for _ in range(count)],
            "address_line": "1 High Street",
            "event_type": "arrears",
            "event_date": "2022-08-01",
            "received_date": "2022-09-01",
        }
    )


@st.composite
def care(draw):
    """A social care list of the same people; some with a number, maybe not their own."""
    rows = draw(rows_without_order()).drop(columns=["address_line", "event_date"])
    numbers = [draw(st.sampled_from([None, *NUMBERS[:6], "9434765919"])) for _ in rows.index]
    return rows.assign(
        record_id=[f"S{n}" for n in rows.index],
        nhs_number=numbers,
        sex=[draw(st.sampled_from(["1", "2", None])) for _ in rows.index],
        event_type="request",
        service_type=None,
        start_date="2022-05-01",
        end_date=None,
    )


@st.composite
def registered(draw):
    """Registrations of people who are hard to tell apart but for their numbers."""
    known = whole_system()["demographics"].head(6)
    size = len(known)
    return known.assign(
        given_name=[draw(st.sampled_from(NAMES)) for _ in range(size)],
        family_name=[draw(st.sampled_from(FAMILIES)) for _ in range(size)],
        date_of_birth=[draw(st.sampled_from(BIRTHS)) for _ in range(size)],
        postcode=[draw(st.sampled_from(POSTCODES)) for _ in range(size)],
    )


def people(tables, names=None):
    """Link tables and return the partition of their records: a set of sets."""
    with tempfile.TemporaryDirectory() as folder:
        told = settle(Path(folder), tables)
        if names:
            renamed = {
                names.get(name, name): source.model_copy(update={"table": name})
                for name, source in told.sources.items()
            }
            told = told.model_copy(update={"sources": renamed})
        linked = records.build(told, AS_OF, Path(folder) / "linked")
        found = pd.read_parquet(linked.identities)
    back = {new: old for old, new in (names or {}).items()}
    found["record"] = found["source"].map(lambda name: back.get(name, name)) + "|" + found["source_record"]
    return {frozenset(part) for _, part in found.groupby("person_id")["record"]}


def system(demographics, **more):
    whole = whole_system()
    # Without an event that is newer than the list's date the records would end too early.
    events = whole["gp_events"].assign(received_date=AS_OF.isoformat())
    return {"demographics": demographics, "practices": whole["practices"], "gp_events": events, **more}


@FEW
@given(registered(), rows_without_order(), care(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_sources_does_not_matter(demographics, housing, social_care, random):
    tables = system(demographics, housing=housing, social_care=social_care)
    mixed = {name: table.sample(frac=1, random_state=random.randrange(1000)) for name, table in tables.items()}
    shuffled = dict(random.sample(sorted(mixed.items(), key=lambda item: item[0]), len(mixed)))
    names = {"demographics": "zz_register", "housing": "aa_homes", "social_care": "mm_care"}
    assert people(tables) == people(shuffled) == people(tables, names)


@FEW
@given(registered(), rows_without_order(), care())
def test_no_source_joins_two_people_whom_numbered_registrations_keep_apart(demographics, housing, social_care):
    alone = people(system(demographics))
    assert len(alone) == len(demographics)
    for part in people(system(demographics, housing=housing, social_care=social_care)):
        assert len([record for record in part if record.startswith("demographics|")]) <= 1


@st.composite
def nodes_and_pairs(draw):
    numbers = draw(st.lists(st.sampled_from([None, "1", "2", "3"]), min_size=2, max_size=9))
    place = st.integers(0, len(numbers) - 1)
    drawn = draw(st.lists(st.tuples(place, place, st.integers(1, 4)), max_size=20))
    kept = {(a, b): float(w) for a, b, w in drawn if a < b and (numbers[a] is None or numbers[b] is None)}
    nodes = pd.DataFrame(
        {"who": [f"n|{n}" if n else f"t|{i}" for i, n in enumerate(numbers)], "number": numbers}
    ).astype({"who": "str"})
    pairs = pd.DataFrame([(*pair, weight) for pair, weight in kept.items()], columns=["left", "right", "weight"])
    return nodes, pairs.astype({"left": "int64", "right": "int64", "weight": "float64"}).assign(probability=0.99)


@MANY
@given(nodes_and_pairs())
def test_linking_is_a_partition_without_two_numbers_in_a_part(drawn):
    nodes, pairs = drawn
    got = resolve(nodes, pairs)
    assert got["who"].is_unique
    assert not got["who"].str.startswith("n|").any()
    anchors = got.set_index("who")["anchor"]
    # An anchor is a number, or a description that is its own: nothing has to be followed twice.
    for anchor in anchors:
        assert anchor.startswith("n|") or anchors[anchor] == anchor


@MANY
@given(nodes_and_pairs(), st.randoms(use_true_random=False))
def test_the_order_of_pairs_and_of_descriptions_does_not_matter(drawn, random):
    nodes, pairs = drawn
    order = random.sample(range(len(nodes)), len(nodes))
    new_place = {old: new for new, old in enumerate(order)}
    moved = pairs.assign(left=pairs["left"].map(new_place), right=pairs["right"].map(new_place))
    moved = moved.sample(frac=1, random_state=random.randrange(1000)).astype({"left": "int64", "right": "int64"})
    one, other = resolve(nodes, pairs), resolve(nodes.iloc[order].reset_index(drop=True), moved)
    pd.testing.assert_frame_equal(one, other)
