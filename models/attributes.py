"""Sensitive attributes among the features: what states them, and which of them the models may use.

That is a setting with an owner. Ethnic group is no feature at all (docs/decisions/0007).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from casewell.settings import Attribute
from features import CATALOGUE

ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)


def features_of(attribute: Attribute) -> list[str]:
    """Return the features that state an attribute."""
    return [
        feature.name
        for feature in CATALOGUE
        if (feature.name.startswith("imd_") if attribute == "deprivation" else feature.name == "sex_female")
    ]


def allowed(columns: Sequence[str], attributes: Sequence[Attribute]) -> list[str]:
    """Return the columns without those of every attribute that is not to be used."""
    barred = {name for attribute in ATTRIBUTES if attribute not in attributes for name in features_of(attribute)}
    return [name for name in columns if name not in barred]
