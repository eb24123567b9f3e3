"""`docs/reference/features.md`, written from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from features.catalogue import CATALOGUE
from features.feature import MEANINGS, Feature

HEAD = """# Features

Generated from `features/catalogue.py`; do not edit.

A feature is one number about a person on an index date. Only what had happened, and was known, before
that day counts. A window is half-open: [index date - days, index date). Counts are 0 when nothing is
recorded; values and days since are missing.

There are {features} features, {in_model} of them for models and {showable} that a coordinator may be shown as a reason.
"""


def markdown(features: Sequence[Feature] = CATALOGUE) -> str:
    """Write the reference page: what each aggregation means, then the features by source."""
    head = HEAD.format(
        features=len(features),
        in_model=sum(feature.in_model for feature in features),
        showable=sum(feature.showable for feature in features),
    )
    meanings = _table(["Aggregation", "Meaning"], [[f"`{name}`", meaning] for name, meaning in MEANINGS.items()])
    sections = [f"## Aggregations\n\n{meanings}"]
    ordered = sorted(features, key=lambda feature: feature.source)
    for source, members in groupby(ordered, key=lambda feature: feature.source):
        sections.append(f"## {source.capitalize()}\n\n{_feature_table(list(members))}")
    return "\n".join([head, *sections])


def _feature_table(features: Sequence[Feature]) -> str:
    head = ["Feature", "Code group", "Days", "Unit", "Meaning", "Shown as"]
    rows = [
        [
            f"`{feature.name}`",
            f"`{feature.group}`" if feature.group else "",
            "" if feature.window_days is None else str(feature.window_days),
            feature.unit,
            feature.description,
            feature.template if feature.showable else "not shown",
        ]
        for feature in features
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
