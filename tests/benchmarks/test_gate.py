from benchmarks.gate import NAMES, named, rates

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


def test_rates_say_how_often_a_wrong_was_named_and_clean_populations_were_not():
    blamed, cleared = (
        {"verdict": "fail", "reasons": [f"Deprivation, {NAMES['label_bias']}: by more than chance."]},
        {"verdict": "cannot tell", "reasons": []},
    )
    told = {("label_bias", 51): blamed, ("label_bias", 52): cleared}
    told |= {("clean", 61): cleared, ("clean", 62): cleared, ("clean", 63): blamed}
    assert rates(told) == [
        "label_bias: named in 1 of 2 populations with it",
        "clean: 3 populations, 1 fail, 1 are given the name of a wrong",
    ]
