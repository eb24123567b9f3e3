"""A week's monitoring as JSON can hold it, and as numbers for the books: nothing of a person, no count that may not be shown."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from typing import Any

import pandas as pd

from fairness.disclosure import WAS_HIDDEN, control, control_parts, share_of, shown_before, written
from monitoring.ethnicity import shown_ethnicity
from monitoring.feeds import fit_feeds
from monitoring.findings import LEVELS
from monitoring.leaks import fit_leaks
from monitoring.population import fit_to_show
from monitoring.week import Week


def numbers(week: Week) -> dict[str, float]:
    """Return what stands for the week in the books; what is not known, or may not be shown, is left out."""
    told: dict[str, float] = {
        f"findings_{level.replace(' ', '_')}": float(sum(finding.level == level for finding in week.findings))
        for level in LEVELS
    }
    told |= {f"silent_share_{row.source}": row.share for row in shown_feeds(week).itertuples()}
    told |= {f"shifted_features_share_{row.source}": row.share for row in week.features.itertuples()}
    told |= {
        f"score_psi_since_{since.replace(' ', '_')}": float(table["psi"].iloc[0])
        for since, table in week.scores.items()
        if len(table)
    }
    told |= {
        "codes_changed": float(len(week.codes)),
        "codes_leaking": float(week.leaks["leaks"].sum()),
        "population_growth": float(shown_population(week).loc[week.composition.most_grown.name, "growth"]),
        "admissions_ratio": week.composition.rate,
    }
    for reading, rows in week.calibration.groupby("reading"):
        newest = rows.sort_values("week").iloc[-1]
        told |= {f"calibration_{reading.replace(' ', '_')}_{name}": float(newest[name]) for name in ("ratio", "slope")}
    if week.churn is not None:
        counts = _list_counts(week)
        told["list_replaced_share"] = share_of(counts["left"], counts["listed_then"]).iloc[0]
    # In MLflow a name is a path too: letters, digits, _ and - are safe wherever they stand.
    return {re.sub(r"[^A-Za-z0-9_-]", "_", name): float(value) for name, value in told.items() if math.isfinite(value)}


def _rows_before(week: Week, *path: str) -> list[dict[str, Any]]:
    """Return a table of the earlier week's record; empty where it had none."""
    found: Any = week.earlier
    for name in path:
        found = found.get(name, {})
    return found or []


def _fit(week: Week, path: list[str], table: pd.DataFrame, keys: list[str], names: list[str]) -> dict[str, pd.Series]:
    """Return columns of counts fit to show beside those that the week before showed; parts of no whole that is shown."""
    rows = _rows_before(week, *path)
    return {name: control(table[name].astype("float64"), shown_before(rows, table, keys, name)) for name in names}


def shown_feeds(week: Week) -> pd.DataFrame:
    """Return the feeds with counts fit to show, and shares from those."""
    table = week.feeds.assign(newest=week.feeds["newest"].astype("str"))
    return fit_feeds(table, week.earlier)


def shown_calibration(week: Week) -> pd.DataFrame:
    """Return the calibration of earlier weeks with counts fit to show."""
    table = week.calibration.assign(week=week.calibration["week"].astype("str"))
    counts = _fit(week, ["calibration"], table, ["week", "reading"], ["people", "observed", "expected"])
    return table.assign(**counts).round(3)


def shown_leaks(week: Week, most: int = 10) -> pd.DataFrame:
    """Return the codes whose share of people with the outcome has grown most, with counts fit to show."""
    table = week.leaks.sort_values(["beyond_chance", "code"], ascending=[False, True]).head(most)
    return fit_leaks(table, week.earlier).reset_index(drop=True)


def shown_population(week: Week) -> pd.DataFrame:
    """Return the groups' growth, as `fit_to_show` has it."""
    return fit_to_show(week.composition.cells, _rows_before(week, "population")).round(3)


def shown_causes(week: Week) -> pd.DataFrame:
    """Return the causes of the list's changes with counts fit to show; how many came, and left, is shown too."""
    if week.churn is None:
        return pd.DataFrame(columns=["movement", "cause", "people"])
    table = week.churn.causes
    then = shown_before(_rows_before(week, "list", "causes"), table, ["movement", "cause"], "people")
    return table.assign(people=control_parts(table["people"].astype("float64"), [table["movement"]], before=then))


def _list_counts(week: Week) -> pd.DataFrame:
    """Return how many entered, left, were listed then and are now, fit to show, in one row; `week` must have an earlier list."""
    assert week.churn is not None
    moved = {movement: week.churn.people(movement) for movement in ("entered", "left")}
    counts = pd.DataFrame([moved | {"listed_then": week.churn.listed_then, "listed_now": week.churn.listed_now}])
    then = pd.DataFrame([(week.earlier.get("list") or {}).get("shown", {})], columns=counts.columns)
    known = "list" in week.earlier and "shown" in week.earlier["list"]
    before = then.astype("float64").fillna(WAS_HIDDEN) if known else then.astype("float64")
    return counts.apply(lambda column: control(column.astype("float64"), before[column.name]))


def shown_list(week: Week) -> dict[str, str]:
    """Return how many entered, left, were listed then and are now, as they may be shown; nothing without an earlier list."""
    if week.churn is None:
        return {}
    return {str(name): written(count) for name, count in _list_counts(week).iloc[0].items()}


def shown_scores(week: Week) -> dict[str, pd.DataFrame]:
    """Return the shares of people by risk from counts fit to show, by what the risks are compared with."""
    told = {}
    for since, table in week.scores.items():
        rows = _rows_before(week, "scores", since)
        fit: dict[str, pd.Series] = {}
        # Of tenths with other limits nothing was shown before.
        keys = ["bin", "above", "up_to"]
        table = table.assign(above=table["above"].round(4), up_to=table["up_to"].round(4))
        for name in ("then", "now"):
            people = table[f"people_{name}"].astype("float64")
            parts = control_parts(people, before=shown_before(rows, table, keys, f"people_{name}"))
            fit |= {f"people_{name}": parts, name: share_of(parts, pd.Series(parts.sum(), index=parts.index))}
        told[since] = table.assign(**fit).round(4)
    return told


def shown_codes(week: Week) -> pd.DataFrame:
    """Return the codes that gave way with numbers of rows fit to show: there may be a row a person."""
    table = week.codes.assign(usual=week.codes["usual"].astype("float64").round())
    return table.assign(**_fit(week, ["codes"], table, ["code", "source", "place"], ["usual"]))


def shown_need(week: Week) -> pd.DataFrame:
    """Return need by deprivation fifth with counts fit to show; of few people no mean."""
    then = shown_before(_rows_before(week, "need"), week.need, ["imd_quintile"], "people")
    people = control_parts(week.need["people"].astype("float64"), before=then)
    means = week.need[["need", "need_expected"]].where(people.notna()).round(3)
    return week.need.assign(people=people, **means)


def as_json(week: Week) -> dict[str, Any]:
    """Return everything the page shows."""
    codes = shown_codes(week).assign(month=week.codes["month"].astype("str"))
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
        "scores": {since: _rows(table) for since, table in shown_scores(week).items()},
        "calibration": _rows(shown_calibration(week)),
        "need": _rows(shown_need(week)),
        "ethnicity": _rows(shown_ethnicity(week.ethnicity, week.earlier)),
        "list": {"since": week.churn.since if week.churn else None, "causes": _rows(shown_causes(week))}
        | shown_list(week)
        | ({"shown": _rows(_list_counts(week))[0]} if week.churn else {}),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.astype("object").where(table.notna(), None).to_dict("records")
