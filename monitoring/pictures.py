"""The pictures of `monitoring.html`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

BLUE, ORANGE, GREY, PALE = "#005eb8", "#c45500", "#425563", "#aeb7bd"


def shares_figure(table: pd.DataFrame, look: float, limit: float, label: str) -> Figure:
    """Draw a share a source as bars, with the two limits; `table` has `source` and `share`."""
    figure = Figure(figsize=(7.2, 0.9 + 0.32 * max(len(table), 1)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(table))[::-1]
    axes.barh(place, table["share"].fillna(0), color=[ORANGE if share > look else BLUE for share in table["share"]])
    axes.axvline(look, color=GREY, linewidth=1, linestyle=":", label="look at it")
    axes.axvline(limit, color=GREY, linewidth=1, linestyle="--", label="the limit")
    axes.set_yticks(place, table["source"])
    axes.set(xlabel=label, xlim=(0, max(1.05 * limit, 1.05 * float(table["share"].max() if len(table) else 0))))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(frameon=False, loc="lower right")
    return figure


def scores_figure(scores: dict[str, pd.DataFrame]) -> Figure:
    """Draw the shares of people in the tenths of earlier risks, then and now."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots(1, len(scores), squeeze=False)[0]
    for drawn, (since, table) in zip(axes, scores.items(), strict=True):
        drawn.bar(table["bin"] - 0.2, table["then"].fillna(0), 0.4, color=PALE, label="then")
        drawn.bar(table["bin"] + 0.2, table["now"].fillna(0), 0.4, color=BLUE, label="now")
        drawn.set(xlabel="stretch of risk, lowest first", title=f"since {since}")
        drawn.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        drawn.legend(frameon=False)
    return figure


def calibration_figure(table: pd.DataFrame) -> Figure:
    """Draw observed over expected of each earlier week, with its interval."""
    figure = Figure(figsize=(7.2, 0.9 + 0.36 * len(table)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(table))[::-1]
    axes.axvline(1, color=GREY, linewidth=1, linestyle="--")
    distances = np.vstack([table["ratio"] - table["low"], table["high"] - table["ratio"]])
    axes.errorbar(table["ratio"], place, xerr=distances, fmt="o", color=BLUE, capsize=3)
    axes.set_yticks(place, [f"{row.week}, {row.reading}" for row in table.itertuples()])
    axes.set(xlabel="outcomes observed over expected")
    return figure


def causes_figure(causes: pd.DataFrame) -> Figure:
    """Draw how many came and went by cause; `causes` has `movement`, `cause` and `people` as may be shown."""
    figure = Figure(figsize=(7.2, 0.9 + 0.32 * len(causes)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(causes))[::-1]
    colours = {"entered": BLUE, "left": ORANGE}
    axes.barh(place, causes["people"].fillna(0), color=[colours[movement] for movement in causes["movement"]])
    axes.set_yticks(place, [f"{row.movement}: {row.cause}" for row in causes.itertuples()])
    axes.set(xlabel="people")
    return figure
