"""The estimator of benefit, alone: on made-up people whose true benefit is known, and on histories that cannot teach."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import clone

from models.benefit import BenefitEstimator
from models.benefit.doubly_robust import doubly_robust_scores
from models.benefit.effect import reading_weights
from models.benefit.horseshoe import horseshoe_draws
from models.benefit.requirements import BenefitInputError

QUICK = {"folds": 3, "rounds": 40}


def people(number: int, seed: int, effect: str = "some gain", lot: int = 0) -> dict:
    """Four in ten gain much, the rest nothing; the treated are sicker; nobody in a care home is treated."""
    random = np.random.default_rng(seed)
    illness, gains = random.normal(size=number), random.random(number) < 0.4
    care_home, hidden = random.random(number) < 0.03, random.normal(size=number) * (lot > 0)
    without = expit(-1.6 + illness + 0.8 * hidden + 1.5 * care_home)
    relative = {"some gain": np.where(gains, 0.35, 1.0), "alike": np.full(number, 0.7)}[effect]
    drawn = np.arange(number) < lot
    chance = np.where(drawn, 0.5, expit(-2.2 + 0.8 * illness + 1.2 * hidden) * ~care_home)
    treated = random.random(number) < chance
    outcome = random.random(number) < np.where(treated, without * relative, without)
    features = {"illness": illness, "gains": gains, "care_home": care_home}
    features |= {f"noise_{i}": random.normal(size=number) for i in range(4)}
    return {
        "X": pd.DataFrame(features).astype("float64"),
        "treated": treated,
        "outcome": outcome,
        "drawn": drawn,
        "without": without,
        "benefit": without * (1 - relative),
    }


@pytest.fixture(scope="module")
def learned():
    made = people(12_000, 1)
    return made, BenefitEstimator(**QUICK).fit(made["X"], made["treated"], made["outcome"])


def captured(score: np.ndarray, benefit: np.ndarray, share: float = 0.1) -> float:
    places = int(share * len(score))
    return benefit[np.argsort(-score)[:places]].sum() / np.sort(benefit)[-places:].sum()


def test_who_gains_is_found_where_risk_does_not_show_it(learned):
    _, estimator = learned
    fresh = people(6_000, 2)
    assert captured(estimator.predict(fresh["X"]), fresh["benefit"]) > 0.85
    assert captured(fresh["without"], fresh["benefit"]) < 0.7
    assert estimator.weights_[0] < 0.01


def test_components_add_up_and_intervals_hold_the_prediction(learned):
    _, estimator = learned
    X = people(500, 3)["X"]
    parts, ends = estimator.components(X), estimator.predict_interval(X)
    assert np.allclose(parts["risk_without"] - parts["risk_with"], estimator.predict(X))
    known = parts["supported"].to_numpy()
    assert (ends[known, 0] < parts["benefit"][known]).all()
    assert (parts["benefit"][known] < ends[known, 1]).all()
    assert (ends[~known] == [-1, 1]).all()


def test_nobody_in_a_care_home_was_treated_so_nothing_is_claimed_of_them(learned):
    _, estimator = learned
    fresh = people(6_000, 4)
    parts, home = estimator.components(fresh["X"]), fresh["X"]["care_home"] == 1
    assert not parts["supported"][home].any()
    assert (parts["benefit"][home] == 0).all()
    assert parts["supported"][~home].mean() > 0.9


def test_the_mean_score_is_the_average_benefit_although_the_treated_were_sicker(learned):
    made, estimator = learned
    could = ~(made["X"]["care_home"] == 1).to_numpy()
    scores, truth = estimator.scores_[could], made["benefit"][could].mean()
    error = scores.std() / np.sqrt(could.sum())
    crude = made["outcome"][~made["treated"]].mean() - made["outcome"][made["treated"]].mean()
    assert abs(scores.mean() - truth) < 3 * error
    assert abs(crude - truth) > 4 * error


def test_where_everybody_responds_alike_the_order_is_that_of_risk():
    made = people(8_000, 5, "alike")
    estimator = BenefitEstimator(**QUICK).fit(made["X"], made["treated"], made["outcome"])
    parts = estimator.components(made["X"])
    assert estimator.weights_[0] > 0.5
    assert parts["benefit"].rank().corr(parts["risk_without"].rank()) > 0.999
    assert 0.15 < parts["benefit"].sum() / parts["risk_without"].sum() < 0.45


def test_a_lottery_mends_what_a_hidden_cause_would_reverse():
    made, fresh = people(12_000, 6, lot=3_000), people(6_000, 7, lot=1)
    told = made["X"], made["treated"], made["outcome"]
    chance = np.where(made["drawn"], 0.5, np.nan)
    pooled = BenefitEstimator(**QUICK).fit(*told, randomised=made["drawn"], propensity=chance)
    known = pooled.components(fresh["X"])["supported"].to_numpy()
    error = pooled.predict(fresh["X"])[known].mean() - fresh["benefit"][known].mean()
    fooled = BenefitEstimator(**QUICK).fit(*told).predict(fresh["X"])[known].mean() - fresh["benefit"][known].mean()
    assert abs(error) < 0.03
    assert fooled < -0.05


def test_numpy_and_pandas_and_a_second_time_give_the_same_numbers(learned):
    made, estimator = learned
    again = clone(estimator).fit(made["X"].to_numpy(), made["treated"].astype(int), made["outcome"].astype(int))
    fresh = people(300, 8)["X"]
    assert np.array_equal(again.predict(fresh.to_numpy()), estimator.predict(fresh[fresh.columns[::-1]]))
    assert estimator.get_params() == {
        "folds": 3,
        "rounds": 40,
        "maximum_controls": 200_000,
        "minimum_propensity": 0.002,
        "seed": 0,
    }


def test_one_person_is_never_in_two_folds():
    made = people(3_000, 9)
    twice = pd.concat([made["X"], made["X"]])
    person, both = np.tile(np.arange(3_000), 2), {name: np.tile(made[name], 2) for name in ("treated", "outcome")}
    estimator = BenefitEstimator(**QUICK).fit(twice, both["treated"], both["outcome"], groups=person)
    assert np.allclose(estimator.without_[:3_000], estimator.without_[3_000:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: {"treated": np.zeros(3_000)}, "nobody was treated"),
        (lambda m: {"treated": np.ones(3_000)}, "nobody was untreated"),
        (lambda m: {"treated": np.arange(3_000) < 7}, "7 people are treated, 20 are needed"),
        (lambda m: {"outcome": np.zeros(3_000)}, "the outcome is 0 in every row"),
        (lambda m: {"outcome": np.where(m["treated"], 0, m["outcome"])}, "0 outcomes among the treated"),
        (lambda m: {"outcome": np.full(3_000, 7.5)}, "outcome must be 0 or 1"),
        (lambda m: {"treated": m["treated"][:-1]}, "treatment has shape"),
        (
            lambda m: {"propensity": np.where(m["drawn"], 1.0, np.nan)},
            "1000 given propensities are not between 0 and 1",
        ),
        (
            lambda m: {"randomised": np.arange(3_000) < 12},
            r"12 rows are randomised \(.* treated\); 100 with 20 in each",
        ),
        (lambda m: {"X": m["X"].assign(known_later=m["treated"] * 1.0)}, "separate treated and untreated"),
        (lambda m: {"X": m["X"].assign(word="a")}, "1 column.* not numbers, among them 'word'"),
        (lambda m: {"X": m["X"].assign(limit=np.inf)}, "3000 infinite"),
        (lambda m: {"sample_weight": -np.ones(3_000)}, "sample_weight must be"),
        (lambda m: {"X": m["X"][[]]}, "X has no columns"),
        (lambda m: {"groups": np.where(m["treated"], np.arange(3_000), -1)}, "1 people are untreated, 20 are needed"),
        (lambda m: {"groups": np.arange(3_000) % 2}, "2 people cannot be cut into 3 fold"),
        (
            lambda m: {"groups": np.where(np.arange(3_000) < 2, None, np.arange(3_000))},
            "groups names no person in 2 row",
        ),
    ],
)
def test_a_history_that_cannot_teach_is_refused_with_the_reason(change, message):
    made = people(3_000, 10, lot=1_000)
    told = made | dict.fromkeys(("propensity", "randomised", "sample_weight", "groups")) | change(made)
    rest = {name: told[name] for name in ("propensity", "randomised", "sample_weight", "groups")}
    with pytest.raises(BenefitInputError, match=message):
        BenefitEstimator(**QUICK).fit(told["X"], told["treated"], told["outcome"], **rest)


def test_a_table_of_nobody_gives_empty_answers(learned):
    made, estimator = learned
    nobody = made["X"][:0]
    assert estimator.predict(nobody).shape == (0,)
    assert estimator.predict_interval(nobody).shape == (0, 2)
    assert estimator.components(nobody).shape == (0, 6)


def test_a_column_missing_at_prediction_is_named(learned):
    _, estimator = learned
    with pytest.raises(BenefitInputError, match="among them 'gains'"):
        estimator.predict(people(20, 11)["X"].drop(columns="gains"))


def test_the_scores_of_two_people_are_those_worked_by_hand():
    scores = doubly_robust_scores(
        np.array([True, False]), np.array([1, 0]), np.array([0.2, 0.2]), np.array([0.5, 0.4]), np.array([0.3, 0.3])
    )
    assert scores == pytest.approx([0.2 - 0.7 / 0.2, 0.1 - 0.4 / 0.8])


def test_few_that_matter_are_kept_and_the_rest_are_shrunk():
    random = np.random.default_rng(12)
    columns = np.column_stack([np.ones(400), random.normal(size=(400, 40))])
    true = np.zeros(41)
    true[[0, 1, 2]] = 1.0, 0.6, -0.6
    seen = columns @ true + random.normal(size=400)
    free = np.arange(41) == 0
    draws = horseshoe_draws(columns.T @ columns, columns.T @ seen, free, 300, 100, np.random.default_rng(1))
    mean, plain = draws.mean(axis=0), np.linalg.lstsq(columns, seen, rcond=None)[0]
    assert np.abs(mean[:3] - true[:3]).max() < 0.15
    assert np.abs(mean[3:]).mean() < 0.5 * np.abs(plain[3:]).mean()


def test_readings_count_in_proportion_to_the_likelihood_they_gave_to_people_held_out():
    level = np.full(400, 1.0)
    better = level - np.log(3) / 400
    assert reading_weights(np.stack([level, better])) == pytest.approx([0.25, 0.75])
    assert reading_weights(np.stack([level, level + 1])).tolist() == [1, 0]
