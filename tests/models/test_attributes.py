"""Sensitive attributes: which the models may use is somebody's decision, and every other choice is compared by group."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.special import expit

from casewell.settings import Settings, Training
from features import model_columns
from models import backtest
from models.attributes import allowed, features_of
from models.backtest import known_before_test, predict_test
from models.evaluation.attributes import compare_attributes
from models.evaluation.page_attributes import attributes_section
from models.index_dates import Split
from models.risk.estimator import fit_risk, person_folds

DATES = tuple(pd.Timestamp(f"2024-0{month}-01").as_unit("us") for month in range(1, 5))
SPLIT = Split(DATES[:1], DATES[1:2], DATES[2:3], (), DATES[3:])
PEOPLE = 5_000
SETTINGS = Settings.model_validate(
    {
        "name": "test",
        "sources": {"demographics": {"path": "x"}},
        "training": {"trees": 40, "learning_rate": 0.1, "minimum_leaf": 50},
    }
)


def world() -> tuple[pd.DataFrame, pd.Series]:
    """People whose risk rises with deprivation and, as much, in one ethnic group; sex says nothing."""
    random = np.random.default_rng(1)
    decile, group = random.integers(1, 11, PEOPLE), random.choice(["A", "B"], PEOPLE)
    person = pd.DataFrame(
        {
            "person_id": np.arange(PEOPLE),
            "age": random.normal(size=PEOPLE).astype("float32"),
            "imd_decile": decile.astype("float32"),
            "sex_female": random.integers(0, 2, PEOPLE).astype("float32"),
            "cms_score": np.float32(0),
            "chance": expit(-2.5 + random.normal(size=PEOPLE) * 0.1 + 2.0 * (decile <= 3) + 2.0 * (group == "B")),
        }
    )
    rows = pd.concat([person.assign(index_date=date) for date in DATES], ignore_index=True)
    rows["outcome"] = random.random(len(rows)) < rows["chance"]
    rows = rows.assign(treated=False, early=False, offerable=True)
    return rows, pd.Series(np.tile(group, len(DATES)))


@pytest.fixture(scope="module")
def compared() -> pd.DataFrame:
    rows, group = world()
    used = ["age", "imd_decile"]
    early = known_before_test(rows, SPLIT)
    folds = person_folds(rows["person_id"], 4, SETTINGS.seed)[early]
    nobody = np.zeros(early.sum(), dtype=bool)
    outcome, when = rows.loc[early, "outcome"].to_numpy(), rows.loc[early, "index_date"].to_numpy()
    model, _ = fit_risk(rows.loc[early, used], outcome, nobody, folds, SETTINGS.training, SETTINGS.seed, when)
    test = predict_test(model, backtest.tested(rows, SPLIT))
    groups = {
        "ethnic_group": group[-PEOPLE:].reset_index(drop=True),
        "imd_quintile": pd.Series(np.where(rows["imd_decile"].tail(PEOPLE) <= 3, "deprived", "other")),
        "few": pd.Series(np.where(np.arange(PEOPLE) < 3, "three", "rest")),
    }
    return compare_attributes(rows, SPLIT, test, used, group, groups, 0.1, SETTINGS, "trees", draws=40)


def found(compared: pd.DataFrame, other: str, group: str) -> pd.Series:
    table = compared[compared["measure"] == "sensitivity_at_capacity"].set_index(["other", "group"])
    return table.loc[(other, group)]


def test_the_model_in_use_is_compared_without_what_it_uses_and_with_what_it_does_not(compared):
    assert list(dict.fromkeys(compared["other"])) == ["without deprivation", "with sex", "with ethnic group"]


def test_a_group_that_an_attribute_would_find_more_of_is_named_with_its_interval(compared):
    assert found(compared, "with ethnic group", "B")["high"] < 0
    assert found(compared, "without deprivation", "deprived")["low"] > 0
    page = attributes_section(compared, "Dr Owner")
    assert "Dr Owner decided" in page
    assert "deprivation fifth &#x27;deprived&#x27; (" in page


def test_an_attribute_that_says_nothing_changes_nothing_surely(compared):
    row = found(compared, "with sex", "B")
    assert row["low"] <= 0 <= row["high"]


def test_a_group_of_three_people_is_too_small_to_compare(compared):
    row = found(compared, "with sex", "three")
    assert row[["value", "other_value", "gain", "low", "high"]].isna().all()


def test_what_is_not_allowed_is_left_out_and_nothing_else():
    columns = model_columns()
    assert allowed(columns, ["deprivation", "sex"]) == columns
    left_out = set(columns) - set(allowed(columns, []))
    assert left_out == {*features_of("deprivation"), "sex_female"}
    assert {"imd_decile", "imd_health_decile"} <= left_out


def test_other_attributes_than_the_default_need_an_owner():
    with pytest.raises(ValidationError, match="attributes_owner"):
        Training(attributes=("sex",))
    assert Training(attributes=("sex",), attributes_owner="Dr Owner").attributes == ("sex",)


def test_ethnic_group_cannot_be_asked_for():
    with pytest.raises(ValidationError):
        Training(attributes=("ethnic_group",), attributes_owner="Dr Owner")
