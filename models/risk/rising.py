"""Where risk may only rise: few features, of which it would be a fault of the model if it fell.

Without these, trees fitted on few people may say that somebody admitted four times is safer than
somebody admitted three times, which is noise and costs the trust of whoever reads it. Nothing that
also measures how well a person is looked after (prescriptions, appointments, coded diseases one by
one) is here: more of it may well mean less risk.
"""

from __future__ import annotations

from collections.abc import Iterable

from features import Feature

# (code group, aggregation), whatever the window, or the name of a feature made of others: 1 if risk may only rise with
# it, -1 if it may only fall.
RISES_WITH: dict[tuple[str, str] | str, int] = {
    ("emergency_admission", "count"): 1,
    ("emergency_admission", "days_since_last"): -1,
    ("emergency_spell", "days_spent"): 1,
    ("ed_ambulance", "count"): 1,
    ("end_of_life", "any"): 1,
    ("severe_frailty", "any"): 1,
    "cms_score": 1,
    "cms_conditions": 1,
}


def rising(features: Iterable[Feature]) -> dict[str, int]:
    """Return, for the features concerned, whether risk may only rise (1) or only fall (-1) with them."""
    return {feature.name: RISES_WITH[_key(feature)] for feature in features if _key(feature) in RISES_WITH}


def _key(feature: Feature) -> tuple[str, str] | str:
    return feature.name if feature.group is None else (feature.group, feature.aggregation)
