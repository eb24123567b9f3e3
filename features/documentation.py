"""`docs/reference/features.md`, written from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from features.catalogue import CATALOGUE
from features.code_groups import load_code_groups, load_lists
from features.feature import MEANINGS, Feature, Part

PARTS_NAMED = 4
HEAD = """# Features

Generated from `features/themes/`; do not edit.

A feature is one number about a person on an index date. Only what had happened, and was known, before
that day counts. A window is half-open: [index date - days, index date). Counts are 0 when nothing is
recorded; values and days since are missing.

There are {features} features, {in_model} of them for models and {showable} that a coordinator may be shown as a reason.
"""
GROUPS = """A code group is a set of codes that count as one thing. Each is kept in one of these lists, in
`data/reference/code_groups/`; `data/reference/code_groups.md` says how to change one. Groups with codes of SNOMED,
RxNorm, LOINC or OMOP are those that OMOP data can feed.
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
    return "\n".join([head, *sections, f"## Code groups\n\n{GROUPS}\n{_list_table()}\n{_group_table(features)}"])


def _list_table() -> str:
    """Say of every list of code groups where it is from."""
    about = load_lists()
    head = ["List", "Name", "Version", "Date", "Code systems", "Source", "Licence"]
    rows = [[f"`{row[0]}`", *row[1:]] for row in about.astype(str).itertuples(index=False)]
    return _table(head, rows)


def _group_table(features: Sequence[Feature]) -> str:
    """Say of every code group that a feature rests on which lists and code systems it has codes in."""
    groups = load_code_groups()
    used = groups[groups["group"].isin({group for feature in features for group in feature.groups()})]
    used = used.assign(system=used["code_prefix"].str.split("//").str[0])
    rows = [
        [
            f"`{name}`",
            members["label"].iloc[0],
            ", ".join(f"`{which}`" for which in sorted(set(members["list"]))),
            ", ".join(f"{system} {count}" for system, count in members["system"].value_counts().sort_index().items()),
        ]
        for name, members in used.groupby("group", sort=True)
    ]
    return _table(["Code group", "What it is", "List", "Codes, or beginnings of codes"], rows)


def _feature_table(features: Sequence[Feature]) -> str:
    head = ["Feature", "Code group", "Days", "Unit", "Meaning", "Shown as"]
    rows = [
        [
            f"`{feature.name}`",
            f"`{feature.group}`" if feature.group else "",
            "" if feature.window_days is None else str(feature.window_days),
            feature.unit,
            _meaning(feature),
            feature.template if feature.showable else "not shown" if feature.in_model else "not shown; not in models",
        ]
        for feature in features
    ]
    return _table(head, rows)


def _meaning(feature: Feature) -> str:
    """Say what a feature is, and what a derived one is made of: the first few parts, and how many there are."""
    if not feature.parts:
        return feature.description
    named = [_part(part) for part in feature.parts]
    more = f" and {len(named) - PARTS_NAMED} more" if len(named) > PARTS_NAMED else ""
    limit = "" if feature.threshold is None else f"at least {feature.threshold:.10g} in all: "
    return f"{feature.description} ({limit}{', '.join(named[:PARTS_NAMED])}{more})"


def _part(part: Part) -> str:
    weight = "" if part.weight == 1 else f"{part.weight:.3g} x "
    unless = f" unless `{part.unless.name}`" if part.unless else ""
    return f"{weight}`{part.feature.name}`{unless}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
