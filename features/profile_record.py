"""What a profile found, in a sentence, in numbers for the books, and as JSON."""

from __future__ import annotations

from typing import Any

import pandas as pd

from features.drift import LARGE, LOOK, SHIFTED, SOME
from features.profile import Profile

MOST_NAMED = 3


def most_moved(profile: Profile, most: int) -> pd.DataFrame:
    """Return the features compared, the furthest moved first."""
    compared = profile.features.dropna(subset="psi")
    return compared.sort_values(["psi", "feature"], ascending=[False, True]).head(most)


def shifted(profile: Profile) -> list[str]:
    """Return the features that have shifted by more than chance, the furthest moved first."""
    table = most_moved(profile, len(profile.features))
    return table.loc[table["shift"] == LARGE, "feature"].tolist()


def numbers(profile: Profile) -> dict[str, float]:
    """Return what stands for a profile in the books: counts and extremes, never a value of a feature."""
    table = profile.features
    told = {
        "features": float(len(table)),
        "features_shifted": float((table["shift"] == LARGE).sum()),
        "features_to_look_at": float((table["shift"] == SOME).sum()),
        "missing_mean": float(table["missing"].mean()) if len(table) else 0.0,
    }
    if table["psi"].notna().any():
        told["psi_largest"] = float(table["psi"].max())
        told["psi_median"] = float(table["psi"].median())
    return told


def as_json(profile: Profile, about: dict[str, Any]) -> dict[str, Any]:
    """Return the profile as JSON can hold it: `about`, the numbers, what follows, and each feature compared."""
    columns = [
        "feature",
        "source",
        "missing",
        "training_missing",
        "zero",
        "training_zero",
        "psi",
        "psi_by_chance",
        "shift",
    ]
    table = profile.features[columns].round(4)
    return about | {
        "verdict": verdict(profile, about),
        "shifted": shifted(profile),
        "numbers": {name: round(value, 4) for name, value in numbers(profile).items()},
        "features": table.astype("object").where(table.notna(), None).to_dict("records"),
    }


def verdict(profile: Profile, about: dict[str, Any]) -> str:
    """Say in a sentence or two how far the features have moved."""
    table = profile.features
    if about["compared_with"] is None:
        return f"Nothing was compared: {about['not_compared_because']}."
    names, look = shifted(profile), int((table["shift"] == SOME).sum())
    said = (
        f"Of {int(table['psi'].notna().sum())} features compared with {about['compared_with']}, {len(names) or 'none'} "
        f"{'has' if len(names) == 1 else 'have'} shifted (index above {SHIFTED}), and {look or 'none'} "
        f"{'deserves' if look == 1 else 'deserve'} a look (above {LOOK})."
    )
    return f"{said} Shifted: {_listed(names)}." if names else said


def _listed(names: list[str]) -> str:
    first = ", ".join(names[:MOST_NAMED])
    return f"{first} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else first
