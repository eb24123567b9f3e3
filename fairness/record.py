"""The audit as `fairness.json`: for machines, under the same disclosure control as the page."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from fairness.audit import Audit
from fairness.change import change_rows
from fairness.controlled import (
    DECIMALS,
    controlled_bands,
    controlled_differences,
    controlled_feeds,
    controlled_funnel,
    controlled_labels,
    controlled_lost,
    controlled_measures,
    controlled_pooled,
    controlled_programmes,
    controlled_remedies,
    controlled_totals,
)
from fairness.gate import RULE, Verdict


def to_json(audit: Audit, verdict: Verdict) -> dict[str, Any]:
    """Return the audit and the verdict as plain values in a fixed order.

    Counts from 1 to 7, and figures that rest on them, are null with `hidden` true; totals are text.
    """
    return {
        "verdict": verdict.verdict,
        "released": verdict.released,
        "reasons": list(verdict.reasons),
        "findings": list(verdict.findings),
        "override": verdict.override.model_dump(mode="json") if verdict.override else None,
        "override_lapsed": verdict.about_lapsed(),
        "rule": RULE,
        "since": {
            "as_of": audit.earlier.get("as_of"),
            "verdict": audit.earlier.get("verdict"),
            "groups": _records(change_rows(audit)),
        },
        "limits": audit.settings.model_dump(mode="json", exclude={"override"}),
        "comparisons": audit.totals["comparisons"],
        "totals": controlled_totals(audit),
        "lost_before_any_model": {
            "groups": _records(controlled_lost(audit)),
            "differences": _records(controlled_differences(audit)),
        },
        "along_deprivation": _records(audit.gradients.round(DECIMALS)),
        "places_by_programme": _records(controlled_programmes(audit)),
        "what_would_help": _records(controlled_remedies(audit)),
        "other_labels": _records(controlled_labels(audit)),
        "small_cells": _records(controlled_pooled(audit)),
        "ethnicity_goes_with_nothing": audit.ethnicity_unrelated,
        "unknown_ethnicity_each_in_turn": _records(audit.unknown),
        "funnel": _records(controlled_funnel(audit)),
        "stopped_feeds": _records(controlled_feeds(audit)),
        "measures": _records(controlled_measures(audit)),
        "need_by_band": _records(controlled_bands(audit)),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    # pandas' own writer turns missing numbers into null and numpy's types into plain ones.
    return json.loads(table.to_json(orient="records", double_precision=6))
