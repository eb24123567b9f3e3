from benchmarks.gate import named, rates

LOST = (
    "Ethnic group, lost before any model (a record that found no person): Asian lies 4.0 percentage points above White"
)


def test_a_wrong_is_named_by_a_fail_and_not_by_a_gate_that_cannot_tell():
    assert set(named([f"{LOST}, more than the 2 that are tolerated, by more than chance."])) == {"linkage_bias"}
    assert named([f"{LOST}, not clearly within the 2 that are tolerated."]) == {}


def test_missing_ethnicity_is_named_by_a_gate_that_cannot_tell():
    assert set(named(["Ethnic group, missing ethnicity: it is not known for 40% of the eligible people."])) == {
        "missing_ethnicity"
    }


def test_rates_stand_beside_those_of_clean_populations():
    found = {"label_bias": [{"label_bias": "said"}, {}], "clean": [{}, {}, {"label_bias": "said"}]}
    assert rates(found) == ["label_bias: named in 1 of 2 populations with it, and in 1 of 3 clean ones"]
