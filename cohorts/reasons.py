"""Why a person is on the list, in plain words and true values.

A reason can only come from a feature that the catalogue marks as showable; sensitive
features may move a score but never show, and when nothing else can be said the list says
"recent pattern of care".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from features.feature import Feature

FALLBACK = "recent pattern of care"


def strongest(contributions: pd.DataFrame, catalogue: Sequence[Feature], count: int) -> pd.DataFrame:
    """Choose the strongest reasons of each person, and put them into words.

    Shown are features that are on the allow-list, raised the risk, and have a value other
    than zero or missing; one for each code group, so that no reason repeats another.

    Parameters
    ----------
    contributions
        The `contributions` table.
    catalogue
        Every feature the model was trained on.
    count
        Most reasons for each person.

    Returns
    -------
    DataFrame
        `person_id`, `number` (1 is the strongest), `feature`, `value`, `words` and `group`; sorted by person and number.
        Somebody about whom nothing can be said has no row.
    """
    declared = {feature.name: feature for feature in catalogue}
    unknown = sorted(set(contributions["feature"]) - set(declared))
    if unknown:
        raise RuntimeError(f"features that the catalogue does not declare: {', '.join(unknown)}")
    showable = [name for name, feature in declared.items() if feature.showable]
    raising = contributions[(contributions["contribution"] > 0) & contributions["feature"].isin(showable)]
    worded = raising.merge(_words(raising, declared), on=["feature", "value"])
    ordered = worded.sort_values(
        ["person_id", "contribution", "feature"], ascending=[True, False, True], ignore_index=True
    ).drop_duplicates(["person_id", "group"])
    table = ordered.assign(number=ordered.groupby("person_id").cumcount() + 1)
    return table.loc[
        table["number"] <= count, ["person_id", "number", "feature", "value", "words", "group"]
    ].reset_index(drop=True)


def side_by_side(people: Iterable[int], chosen: pd.DataFrame, count: int) -> pd.DataFrame:
    """Put each person's reasons into one row.

    Returns
    -------
    DataFrame
        `person_id`, `reason_1` to `reason_<count>`; one row for each of `people`, sorted; reasons that do not exist are
        empty, and the first never is.
    """
    columns = [f"reason_{number}" for number in range(1, count + 1)]
    everybody = pd.Index(sorted(set(people)), name="person_id", dtype="int64")
    numbered = chosen.assign(column="reason_" + chosen["number"].astype("str"))
    table = numbered.pivot(index="person_id", columns="column", values="words")
    table = table.reindex(index=everybody, columns=columns).fillna("").astype("str")
    table["reason_1"] = table["reason_1"].mask(table["reason_1"] == "", FALLBACK)
    return table.rename_axis(columns=None).reset_index()


def _words(raising: pd.DataFrame, declared: dict[str, Feature]) -> pd.DataFrame:
    said = raising.loc[raising["value"].notna() & (raising["value"] != 0), ["feature", "value"]].drop_duplicates()
    said["words"] = [declared[name].words(value) for name, value in zip(said["feature"], said["value"], strict=True)]
    said["group"] = said["feature"].map({name: feature.group or name for name, feature in declared.items()})
    # Where nothing can be said pandas takes the empty columns for numbers.
    return said.dropna(subset="words").astype({"words": "str", "group": "str"})
