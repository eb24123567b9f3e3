"""Which sources a feature rests on."""

import pandas as pd
import pytest

from features import CATALOGUE
from features.fed import resting_on, rests_on


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    events = pd.DataFrame(
        [("SNOMED//44054006", "gp")] * 95
        + [("ICD10//E119", "hospital")] * 5
        + [("ICD10//J440", "hospital")] * 10
        + [("SNOMED//13645005", "gp")] * 10
        + [("ADMISSION//21", "hospital")] * 40,
        columns=["code", "source"],
    )
    path = tmp_path_factory.mktemp("fed") / "events.parquet"
    events.to_parquet(path)
    return rests_on(path)


def share(found, feature):
    return found[found["feature"] == feature].set_index("source")["share"].to_dict()


def test_the_share_of_each_source_is_that_of_the_events_it_sends(found):
    assert share(found, "cms_diabetes_any_ever") == {"gp": 0.95, "hospital": 0.05}
    assert share(found, "cms_copd_any_ever") == {"gp": 0.5, "hospital": 0.5}
    assert share(found, "emergency_admission_count_365d") == {"hospital": 1.0}


def test_a_feature_made_of_others_rests_on_all_that_they_rest_on(found):
    assert set(share(found, "cms_score")) == {"gp", "hospital"}


def test_what_counts_no_events_rests_on_nothing(found):
    assert share(found, "age") == {}
    assert share(found, "imd_decile") == {}


def test_a_model_without_a_source_leaves_out_what_more_than_a_tenth_of_comes_from_it(found):
    without_hospital = resting_on(found, ["hospital"])
    assert {"emergency_admission_count_365d", "cms_copd_any_ever"} <= without_hospital
    assert "cms_diabetes_any_ever" not in without_hospital
    assert "cms_diabetes_any_ever" in resting_on(found, ["gp"])
    assert not without_hospital & {"age", "sex_female"}
    assert without_hospital < {feature.name for feature in CATALOGUE}
