"""A week's monitoring as JSON can hold it, and as numbers for the books: nothing of a person, no count that may not be shown."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from typing import Any

import pandas as pd

from fairness.disclosure import control
from monitoring.findings import LEVELS
from monitoring.week import Week


def numbers(week: Week) -> dict[str, float]:
    """Return what stands for the week in the books; what is not known is left out."""
    told: dict[str, float] = {
        f"findings_{level.replace(' ', '_')}": float(sum(finding.level == level for finding in week.findings))
        for level in LEVELS
    }
    told |= {f"silent_share_{row.source}": row.share for row in week.feeds.itertuples()}
    told |= {f"shifted_features_share_{row.source}": row.share for row in week.features.itertuples()}
    told |= {
        f"score_psi_since_{since.replace(' ', '_')}": float(table["psi"].iloc[0])
        for since, table in week.scores.items()
        if len(table)
    }
    told |= {
        "codes_changed": float(len(week.codes)),
        "codes_leaking": float(week.leaks["leaks"].sum()),
        "population_growth": float(week.composition.most_grown["growth"]),
        "admissions_ratio": week.composition.rate,
    }
    for reading, rows in week.calibration.groupby("reading"):
        newest = rows.sort_values("week").iloc[-1]
        told |= {f"calibration_{reading.replace(' ', '_')}_{name}": float(newest[name]) for name in ("ratio", "slope")}
    if week.churn is not None and week.churn.listed_then:
        told["list_replaced_share"] = week.churn.people("left") / week.churn.listed_then
    # MLflow allows few signs in a name, and a source may be called anything.
    return {
        re.sub(r"[^A-Za-z0-9_.:/-]", "_", name): float(value) for name, value in told.items() if math.isfinite(value)
    }


def shown_feeds(week: Week) -> pd.DataFrame:
    """Return the feeds with counts fit to show."""
    table = week.feeds.assign(newest=week.feeds["newest"].astype("str"))
    counts = {name: control(table[name].astype("float64")) for name in ("people", "silent")}
    return table.assign(**counts, share=table["share"].round(3))


def shown_calibration(week: Week) -> pd.DataFrame:
    """Return the calibration of earlier weeks with counts fit to show."""
    table = week.calibration
    counts = {name: control(table[name].astype("float64")) for name in ("people", "observed", "expected")}
    return table.assign(**counts, week=table["week"].astype("str")).round(3)


def shown_leaks(week: Week, most: int = 10) -> pd.DataFrame:
    """Return the codes whose share of people with the outcome has grown most, with counts fit to show."""
    table = week.leaks.sort_values(["beyond_chance", "code"], ascending=[False, True]).head(most)
    names = ("people", "followed", "people_then", "followed_then")
    counts = {name: control(table[name].astype("float64")) for name in names}
    hidden = counts["followed"].isna() | counts["followed_then"].isna()
    shares = {name: table[name].mask(hidden).round(3) for name in ("share", "share_then")}
    return table.assign(**counts, **shares, beyond_chance=table["beyond_chance"].round(1)).reset_index(drop=True)


def shown_population(week: Week) -> pd.DataFrame:
    """Return the groups' growth with counts fit to show; of a group with a hidden count only its size."""
    table = week.composition.cells
    counts = {name: control(table[name].astype("float64")) for name in ("people", "came", "left")}
    hidden = pd.DataFrame(counts).isna().any(axis=1)
    figures = {name: table[name].mask(hidden).round(3) for name in ("growth", "beyond_chance")}
    shares = {name: table[name].mask(counts["people"].isna()).round(3) for name in ("share", "share_then")}
    return table.assign(**counts, **figures, **shares)


def shown_causes(week: Week) -> pd.DataFrame:
    """Return the causes of the list's changes with counts fit to show."""
    if week.churn is None:
        return pd.DataFrame(columns=["movement", "cause", "people"])
    table = week.churn.causes
    return table.assign(people=control(table["people"].astype("float64")))


def shown_need(week: Week) -> pd.DataFrame:
    """Return need by deprivation fifth with counts fit to show; of few people no mean."""
    people = control(week.need["people"].astype("float64"))
    means = week.need[["need", "need_expected"]].where(people.notna()).round(3)
    return week.need.assign(people=people, **means)


def as_json(week: Week) -> dict[str, Any]:
    """Return everything the page shows."""
    codes = week.codes.assign(
        month=week.codes["month"].astype("str"), usual=week.codes["usual"].round().astype("float64")
    )
    return {
        "name": week.name,
        "as_of": str(week.as_of),
        "synthetic": week.synthetic,
        "model": week.model,
        "model_without": list(week.without),
        "headline": week.headline(),
        "findings": [asdict(finding) for finding in week.findings],
        "numbers": {name: round(value, 4) for name, value in numbers(week).items()},
        "feeds": _rows(shown_feeds(week)),
        "codes": _rows(codes),
        "leaks": _rows(shown_leaks(week)),
        "population": _rows(shown_population(week)),
        "features": _rows(week.features.round(4)),
        "scores": {since: _rows(table.round(4)) for since, table in week.scores.items()},
        "calibration": _rows(shown_calibration(week)),
        "need": _rows(shown_need(week)),
        "list": {"since": week.churn.since if week.churn else None, "causes": _rows(shown_causes(week))},
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.astype("object").where(table.notna(), None).to_dict("records")
