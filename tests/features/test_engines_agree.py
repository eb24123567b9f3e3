"""What `build` writes and what the reference engine says are the same cells, on tables made to break them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import CATALOGUE
from features.feature import LIVING, MEANINGS, STATIC
from features.reference_engine import AGGREGATIONS, build_in_memory
from tests.features.drawn import populations_of, tables_of
from tests.features.tiny import (
    feature,
    people_table,
    residences_of,
    write_and_build,
)

# One of each rule by which features are made of others: points, points that others rule out, bands, shares, limits.
MADE_OF_OTHERS = (
    "cms_score",
    "charlson_score",
    "physical_and_mental",
    "gp_missed_share_365d",
    "bp_systolic_low",
    "anticoagulant_with_antiplatelet_unprotected",
)
VALUED, STAYS, CODED = "bp_systolic", "home_support", "any_prescription"
GROUPS = dict.fromkeys(("distinct_codes", "usual_provider", "bice_boxerman"), CODED)
GROUPS |= {"days_spent": STAYS, "days_running": STAYS, "running": STAYS}
FEATURES = [
    feature(how, window, GROUPS.get(how, VALUED))
    for how in AGGREGATIONS
    for window in (1, 30, None)
    if not (how == "change" and window is None) and not (how == "periods_with" and window != 30)
] + [
    f for f in CATALOGUE if f.aggregation in (*STATIC, "household_size") or f.name in MADE_OF_OTHERS
]  # the rest of homes is compared in `test_households`, where homes differ
CODES = [
    "SNOMED//271649006",
    "SOCIAL_CARE_SERVICE//HOME_SUPPORT",
    "BNF//0106A",
    "BNF//0407020A",
    "BNF//0208020A",
    "BNF//0209000A",
    "BNF//0103050A",
    "ICD10//E109",
    "ICD10//E102",
    "SNOMED//35489007",
    "SNOMED//11429006",
    "SNOMED//281399006",
    "RxNorm//1",
    "SNOMED//84114007",
    "ICD10//I500",
    "SNOMED//not-in-any-narrow-group",
]
INDEX_DATES = ["2026-01-01", "2026-01-31", "2026-03-01"]
PEOPLE = [-5, 0, 2**60]
# Days on and around the edges of every window of every index date, so that ties and boundaries are common.
EDGES = sorted(
    {
        str((pd.Timestamp(day) - pd.Timedelta(days=back)).date())
        for day in INDEX_DATES
        for back in (-2, -1, 0, 1, 2, 30, 31, 60, 61, 366)
    }
)
moments = st.builds(
    lambda day, hour: f"{day} {hour}", st.sampled_from(EDGES), st.sampled_from(["00:00", "13:30", "23:59:59"])
)
values = st.one_of(
    st.none(),
    st.integers(-3000, 3000).map(lambda tenths: tenths / 10),
    st.sampled_from([float("inf"), float("-inf"), 1e12, 0.0]),
)
event_rows = st.fixed_dictionaries(
    {
        "subject_id": st.sampled_from([*PEOPLE, 99]),
        "time": st.one_of(moments, st.none()),
        "known_at": moments,
        "known_until": st.one_of(st.none(), moments),
        "code": st.sampled_from(CODES),
        "numeric_value": values,
        "end": st.one_of(st.none(), moments),
        "source": st.just("made up"),
    }
)


event_tables = tables_of(event_rows, 30)
populations = populations_of(INDEX_DATES, PEOPLE)
people = people_table(
    [
        {"person_id": -5, "birth_month": "1946-07-01", "sex": "female", "imd_decile": 1.0},
        {"person_id": 0, "birth_month": None, "sex": "male", "imd_decile": None},
        {"person_id": 2**60, "birth_month": "2001-02-01", "sex": "not recorded", "imd_decile": 10.0},
    ]
)


# Few examples: `test_kernel` holds single cells to the reference on more; this is about their way into the matrix.
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=event_tables, population=populations)
def test_the_matrix_equals_the_reference_cell_by_cell(tmp_path_factory, events, population):
    path = write_and_build(tmp_path_factory.mktemp("made"), population, events, people, FEATURES)
    built, expected = (
        pd.read_parquet(path),
        build_in_memory(population, events, people, residences_of(people), FEATURES),
    )
    assert built.columns.tolist() == expected.columns.tolist()
    assert len(built) == len(population)
    pd.testing.assert_frame_equal(built[["index_date", "person_id"]], expected[["index_date", "person_id"]])
    for declared in FEATURES:
        np.testing.assert_array_equal(built[declared.name], expected[declared.name], err_msg=declared.name)


def test_every_aggregation_is_compared():
    assert {declared.aggregation for declared in FEATURES} == set(MEANINGS) - set(LIVING) | {"household_size"}
