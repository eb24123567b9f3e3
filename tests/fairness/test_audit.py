import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate
from sklearn.metrics import roc_auc_score

from casewell.settings import Fairness
from fairness.audit import audit
from fairness.places import in_high_need


def test_shares_add_up_to_one_in_every_grouping(small):
    shares = small.measures[small.measures["measure"].str.startswith("share_of")]
    assert np.allclose(shares.groupby(["grouping", "measure"])["value"].sum(), 1)


def test_false_negatives_are_those_that_fairlearn_finds_person_by_person(tools):
    world = tools["make_world"](2_000)
    found = tools["run"](world)
    people = world.scores.merge(world.groups, on="person_id")
    frame = MetricFrame(
        metrics=false_negative_rate,
        y_true=in_high_need(people["need"], 0.1),
        y_pred=people["person_id"].isin(world.selected),
        sensitive_features=people["ethnic_group"],
    )
    mine = {
        group: tools["row"](found, "ethnic_group", group, "false_negative_rate")["value"]
        for group in frame.by_group.index
    }
    assert mine == pytest.approx(frame.by_group.to_dict())


def test_auroc_is_the_one_that_scikit_learn_finds(tools):
    world = tools["make_world"](2_000)
    test = world.test.merge(world.groups, on="person_id")
    men = test[test["sex"] == "male"]
    found = tools["row"](tools["run"](world), "sex", "male", "auroc")
    assert found["value"] == pytest.approx(roc_auc_score(men["outcome"], men["risk"]))


def test_calibration_is_observed_over_expected(tools):
    world = tools["make_world"](2_000)
    test = world.test.merge(world.groups, on="person_id")
    women = test[test["sex"] == "female"]
    found = tools["row"](tools["run"](world), "sex", "female", "calibration_ratio")
    assert found["value"] == pytest.approx(women["outcome"].sum() / women["risk"].sum())
    assert found["people"] == women["person_id"].nunique()


def test_shuffled_rows_change_nothing(tools):
    world = tools["make_world"](3_000)
    shuffled = audit(
        world.groups.sample(frac=1, random_state=1),
        world.scores.sample(frac=1, random_state=2),
        world.selected[::-1],
        world.test.sample(frac=1, random_state=3),
        world.lost.sample(frac=1, random_state=4),
        Fairness(),
        1,
    )
    found = tools["run"](world)
    pd.testing.assert_frame_equal(found.measures, shuffled.measures, check_exact=True)
    pd.testing.assert_frame_equal(found.need_by_band, shuffled.need_by_band, check_exact=True)


def test_a_sicker_group_at_the_same_risk_is_seen(tools):
    world = tools["make_world"](20_000)
    sicker = (world.groups["ethnic_group"] == "Black").to_numpy()
    scores = world.scores.assign(need=world.scores["need"] * np.where(sicker, 1.5, 1))
    found = tools["run"](world._replace(scores=scores))
    black = tools["row"](found, "ethnic_group", "Black", "need_at_same_score")
    assert black["wide_low"] > 1.2
    assert tools["row"](found, "sex", "male", "need_at_same_score")["wide_low"] < 1


def test_people_without_a_group_are_kept_as_not_recorded(tools):
    world = tools["make_world"](2_000)
    found = tools["run"](world._replace(groups=world.groups.iloc[:1_500]))
    assert tools["row"](found, "sex", "not recorded", "share_of_people")["count"] == 500
    assert found.totals["eligible"] == 2_000


def test_a_listed_person_without_a_score_is_refused(tools):
    world = tools["make_world"](500)
    with pytest.raises(ValueError, match="1 listed people have no score"):
        tools["run"](world._replace(selected=np.append(world.selected, 7)))


def test_ties_at_the_threshold_of_need_all_count_but_the_least_needy_never_do():
    assert in_high_need(pd.Series([0, 0, 1, 1, 1, 1, 1, 1, 2, 2]), 0.3).sum() == 8
    assert in_high_need(pd.Series([0.0] * 19 + [1.0]), 0.1).sum() == 1
    assert in_high_need(pd.Series([3.0, 3.0, 3.0]), 0.1).sum() == 0
    assert in_high_need(pd.Series([], dtype=float), 0.1).empty


def test_counting_the_same_person_three_times_does_not_make_the_audit_surer(tools):
    world = tools["make_world"](4_000)
    once = world.test[world.test["index_date"] == world.test["index_date"].min()]
    three = tools["row"](tools["run"](world), "sex", "male", "calibration_ratio")
    one = tools["row"](tools["run"](world._replace(test=once)), "sex", "male", "calibration_ratio")
    assert three["high"] - three["low"] == pytest.approx(one["high"] - one["low"], rel=0.1)


@pytest.mark.parametrize("share", [0, 1])
def test_where_nobody_or_everybody_has_a_place_no_share_ratio_is_claimed(tools, share):
    world = tools["make_world"](1_000, places=share)
    measures = tools["run"](world).measures
    assert measures.loc[measures["measure"] == "share_ratio", "value"].isna().all()
