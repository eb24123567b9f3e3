"""What a feature means, as a digest: kept with a model, which may be used only while its features mean the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from features.catalogue import CATALOGUE
from features.code_groups import load_code_groups
from features.feature import Feature


def declarations(
    names: Sequence[str], catalogue: Sequence[Feature] = CATALOGUE, code_groups: pd.DataFrame | None = None
) -> dict[str, str]:
    """Return a digest of what each named feature counts; a name that the catalogue lacks is left out.

    The digest stands for the aggregation, the window, what a derived feature is made of, and every code of
    the groups it rests on; not for the words in which it is shown.
    """
    table = load_code_groups() if code_groups is None else code_groups
    codes = {
        name: sorted(zip(rows["match"], rows["code_prefix"], strict=True)) for name, rows in table.groupby("group")
    }
    known = {feature.name: feature for feature in catalogue}
    return {name: _digest(_meaning(known[name], codes)) for name in names if name in known}


def _meaning(feature: Feature, codes: dict[str, list[tuple[str, str]]]) -> list[Any]:
    parts = [
        [part.weight, _meaning(part.feature, codes), _meaning(part.unless, codes) if part.unless else None]
        for part in feature.parts
    ]
    own = codes.get(feature.group or "", [])
    return [feature.aggregation, feature.group, feature.window_days, feature.threshold, own, parts]


def _digest(meaning: list[Any]) -> str:
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:12]
