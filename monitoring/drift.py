"""How far features and risks have moved since the champion learned, source by source and for everybody."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casewell.settings import Monitoring
from features.drift import LARGE, NOT_COMPARED, by_chance, psi
from monitoring.findings import FEATURES, LOOK, PAST, SCORES, Finding

TENTHS = 10
FEWEST_FEATURES = 3  # of a source, to speak of a share of them
SCORE_COLUMNS = ["bin", "above", "up_to", "people_then", "people_now", "then", "now", "psi", "chance"]


def by_source(profile: pd.DataFrame, used: list[str], rests_on: pd.DataFrame) -> pd.DataFrame:
    """Count, of the features that the model uses, how many have shifted, by the source that most of each comes from.

    Parameters
    ----------
    profile
        features.tables.PROFILE, compared with what the champion learned from.
    rests_on
        `features.fed.rests_on`: `feature`, `source`, `share`.

    Returns
    -------
    `source`, `features` (compared), `shifted`, `share`, `furthest` (the feature that moved most), `psi` (of that one).
    """
    main = rests_on.sort_values(["feature", "share", "source"], ascending=[True, False, True]).drop_duplicates(
        "feature"
    )
    table = profile[profile["feature"].isin(used) & (profile["shift"] != NOT_COMPARED)].drop(columns="source")
    table = table.merge(main[["feature", "source"]], on="feature")
    table = table.sort_values(["source", "psi", "feature"], ascending=[True, False, True])
    by = table.assign(large=(table["shift"] == LARGE).astype("int64")).groupby("source")
    found = by.agg(
        features=("feature", "size"), shifted=("large", "sum"), furthest=("feature", "first"), psi=("psi", "first")
    )
    found["share"] = found["shifted"] / found["features"]
    return found.reset_index()


def shifted_sources(found: pd.DataFrame, limits: Monitoring) -> list[str]:
    """Return the sources of which more features have shifted than the limit."""
    enough = found["features"] >= FEWEST_FEATURES
    return found.loc[enough & (found["share"] > limits.maximum_shifted_features), "source"].tolist()


def about_features(found: pd.DataFrame, limits: Monitoring) -> list[Finding]:
    """Say of which sources too many features have shifted since training."""
    past = set(shifted_sources(found, limits))
    enough = found[found["features"] >= FEWEST_FEATURES]
    return [
        Finding(
            FEATURES,
            PAST if row.source in past else LOOK,
            f"{row.source}: {row.shifted} of the model's {row.features} features from it have shifted since training "
            f"({row.share:.0%}); {_against(limits, row.source in past)}. Furthest: {row.furthest}, with a population "
            f"stability index of {row.psi:.2f}.",
            "Look at profile.html: a feed that thins out shows as zeros, a change of unit or coding as a jump. Train anew when "
            "the change is understood.",
            row.source,
        )
        for row in enough[enough["share"] > limits.shifted_features_to_look_at].itertuples()
    ]


def _against(limits: Monitoring, past: bool) -> str:
    """Say which limit the share is beyond, and which one it is not."""
    told, failed = f"{limits.shifted_features_to_look_at:.0%}", f"{limits.maximum_shifted_features:.0%}"
    if past:
        return f"above {failed} the feed has failed"
    return f"above {told} it is told, above {failed} the feed would have failed"


def score_drift(then: np.ndarray, now: np.ndarray) -> pd.DataFrame:
    """Compare risks with earlier ones over the tenths of the earlier.

    A row a tenth: `bin`, `above`, `up_to`, how many `people_then` and `people_now`, `then` and `now` as shares, and `psi` and
    `chance` of the whole. Without anybody on either side there is no row.
    """
    if not len(then) or not len(now):
        return pd.DataFrame(columns=SCORE_COLUMNS)
    edges = np.unique(np.quantile(then, np.linspace(0, 1, TENTHS + 1)[1:-1]))
    number = len(edges) + 1
    people = [np.bincount(np.searchsorted(edges, risks, side="left"), minlength=number) for risks in (then, now)]
    before, after = people[0] / len(then), people[1] / len(now)
    return pd.DataFrame(
        {
            "bin": np.arange(number),
            "above": [0.0, *edges],
            "up_to": [*edges, 1.0],
            "people_then": people[0],
            "people_now": people[1],
            "then": before,
            "now": after,
            "psi": psi(before, after, min(len(then), len(now))),
            "chance": by_chance(number, len(then), len(now)),
        }
    )


def about_scores(found: dict[str, pd.DataFrame], limits: Monitoring) -> list[Finding]:
    """Say whether risks have moved; `found` has a `score_drift` for each set of earlier risks, by its name in plain words."""
    return [
        Finding(
            SCORES,
            LOOK,
            f"The risks have moved since {since}: population stability index {table['psi'].iloc[0]:.2f}, "
            f"and {limits.score_shift:.2f} is the limit.",
            "Look at what else moved: features, people, or the model itself. A new model may score otherwise with reason.",
        )
        for since, table in found.items()
        if len(table) and table["psi"].iloc[0] > max(limits.score_shift, table["chance"].iloc[0])
    ]
