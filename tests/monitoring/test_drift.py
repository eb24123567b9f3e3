"""How far features and risks have moved since training."""

import numpy as np
import pandas as pd

from casewell.settings import Monitoring
from monitoring.drift import about_features, about_scores, by_source, score_drift, shifted_sources


def profile(**shifts):
    return pd.DataFrame(
        [{"feature": name, "source": "theme", "shift": shift, "psi": 0.5} for name, shift in shifts.items()]
    )


def rested(**sources):
    return pd.DataFrame([{"feature": name, "source": source, "share": 1.0} for name, source in sources.items()])


def test_a_source_fails_when_most_of_the_features_in_use_that_rest_on_it_have_shifted():
    shifts = dict.fromkeys("abcd", "shifted") | dict.fromkeys("efg", "none") | {"unused": "shifted"}
    sources = dict.fromkeys("abc", "gp") | dict.fromkeys("defg", "hospital") | {"unused": "gp"}
    found = by_source(profile(**shifts), list("abcdefg"), rested(**sources))
    assert found.set_index("source")["shifted"].to_dict() == {"gp": 3, "hospital": 1}
    assert shifted_sources(found, Monitoring()) == ["gp"]
    assert {finding.source: finding.level for finding in about_features(found, Monitoring())} == {
        "gp": "past the limit",
        "hospital": "look at it",
    }


def test_a_feature_counts_for_the_source_that_most_of_it_comes_from():
    mixed = pd.DataFrame({"feature": ["a", "a"], "source": ["gp", "hospital"], "share": [0.3, 0.7]})
    assert by_source(profile(a="none"), ["a"], mixed)["source"].tolist() == ["hospital"]


def test_risks_that_moved_are_named_and_those_that_did_not_are_not():
    draw = np.random.default_rng(1)
    then, same, other = draw.beta(1, 9, 5_000), draw.beta(1, 9, 5_000), draw.beta(2, 6, 5_000)
    assert about_scores({"the last run": score_drift(then, same)}, Monitoring()) == []
    (finding,) = about_scores({"the last run": score_drift(then, other)}, Monitoring())
    assert "since the last run" in finding.sentence
    assert score_drift(then, same)["now"].sum() == 1


def test_without_earlier_risks_nothing_is_compared():
    assert score_drift(np.array([]), np.array([0.2])).empty


def test_without_a_summary_of_training_no_source_is_judged():
    nothing = profile(a="not compared")
    found = by_source(nothing, ["a"], rested(a="gp"))
    assert found.empty
    assert about_features(found, Monitoring()) == []
    assert shifted_sources(found, Monitoring()) == []
