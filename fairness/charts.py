"""Pictures of the audit: five charts, drawn from figures already under disclosure control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from casewell.page import save_picture
from fairness.audit import Audit
from fairness.controlled import controlled_bands, controlled_lost, controlled_measures
from fairness.groups import GROUPING_NAMES
from fairness.levels import CANNOT_TELL, FAIL, PASS, limits_of
from fairness.lost import LOSS_WORDS, has_group
from fairness.rows import RECORDED
from fairness.same_score import BANDS
from fairness.sentences import SHOWN

BLUE, GREY, DARK, PALE = "#005eb8", "#768692", "#212b32", "#e8edee"
VERDICT_LOOK = {PASS: ("#007f3b", "o"), CANNOT_TELL: ("#425563", "D"), FAIL: ("#d5281b", "s")}

LINES = ("#003087", "#0072ce", "#006747", "#7c2855", "#ae2573", "#768692")
MARKERS = ("o", "s", "^", "D", "v", "X")
Places = dict[tuple[str, str], float]


def chart(audit: Audit, name: str, path: Path, title: str) -> Path:
    """Write one of `CHARTS` as a PNG or SVG, by the path's suffix; equal audits give equal bytes.

    The picture travels without its page, so `title` must say SYNTHETIC where the figures are.
    """

    def titled() -> Figure:
        figure = CHARTS[name](audit)
        figure.suptitle(title, fontweight="bold", parse_math=False)
        return figure

    return save_picture(titled, path)


def _places_chart(audit: Audit) -> Figure:
    table = _shown(audit)
    figure, (shares, ratios), places = _rows_figure(table, (1, 1.15))
    _gaps(shares, table, places)
    _dots(shares, table, "share_of_need", places, "o", "white", "share of high need")
    _dots(shares, table, "share_of_places", places, "D", BLUE, "share of places")
    shares.set_xlim(left=0)
    shares.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    shares.set_xlabel("share of all")
    shares.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, handletextpad=0.2)
    _forest(ratios, table, "share_ratio", places, audit)
    low = limits_of(audit.settings)["share_ratio"][0]
    ratios.set_xlabel(f"share of places ÷ share of high need (shaded: {low:.2f} or more)")
    return figure


def _calibration_chart(audit: Audit) -> Figure:
    table = _shown(audit)
    figure, (axes,), places = _rows_figure(table, (1,))
    _forest(axes, table, "calibration_ratio", places, audit)
    low, high = limits_of(audit.settings)["calibration_ratio"]
    axes.set_xlabel(f"observed ÷ predicted outcomes (shaded: {low:.2f} to {high:.2f})")
    return figure


def _recording_chart(audit: Audit) -> Figure:
    table = _shown(audit)
    table = table[table["measure"] == RECORDED]
    figure, (axes,), places = _rows_figure(table, (1,))
    _forest(axes, table, RECORDED, places, audit)
    low = limits_of(audit.settings)[RECORDED][0]
    axes.set_xlabel(f"on record before a hospital found it ÷ expected (shaded: {low:.2f} or more)")
    return figure


def _lost_chart(audit: Audit) -> Figure:
    """Draw the groups that are known; the others are mostly records that found nobody, by definition."""
    table = controlled_lost(audit)
    table = table[has_group(table)].rename(columns={"share": "value"})
    figure, (axes,), places = _rows_figure(table, (1,))
    for _, row in table[(table["measure"] == "no_person_found") & table["low"].notna()].iterrows():
        y = places[row["grouping"], row["group"]]
        axes.plot([row["low"], row["high"]], [y, y], color=BLUE, linewidth=1.6, zorder=2)
    looks = {"no_person_found": ("D", BLUE), "opted_out": ("o", "white"), "quarantined": ("s", GREY)}
    for measure, (marker, fill) in looks.items():
        _dots(axes, table, measure, places, marker, fill, LOSS_WORDS[measure])
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share of the group's people (a mark is missing where its count is hidden)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, handletextpad=0.2)
    return figure


def _need_chart(audit: Audit) -> Figure:
    table = controlled_bands(audit)
    table = table[table["what"] == "illness"]
    figure = Figure(figsize=(9.4, 4.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, grouping in zip(axes, ("imd_quintile", "ethnic_group"), strict=True):
        rows = table[table["grouping"] == grouping]
        groups = list(dict.fromkeys(rows["group"]))
        for number, group in enumerate(groups):
            _need_line(axis, rows[rows["group"] == group], group, number, len(groups))
        axis.set_title(GROUPING_NAMES[grouping], loc="left", fontweight="bold", fontsize=10)
        axis.set_xticks(range(len(BANDS)), BANDS[::-1])
        axis.tick_params(axis="x", labelsize=8)
        axis.set_xlabel("people in order of predicted risk")
        axis.grid(axis="y", color=PALE)
        axis.vlines(np.arange(len(BANDS) - 1) + 0.5, 0, 1, transform=axis.get_xaxis_transform(), color=PALE)
        if groups:
            axis.legend(frameon=False, fontsize=8, loc="upper left")
    axes[0].set_ylabel("mean need score, with interval")
    axes[0].set_ylim(bottom=0)
    return figure


def _need_line(axis: Axes, rows: pd.DataFrame, group: str, number: int, groups: int) -> None:
    rows = rows.set_index("band").reindex(BANDS[::-1])
    x = np.arange(len(BANDS)) + (number - (groups - 1) / 2) * 0.11
    bars = np.vstack([rows["value"] - rows["low"], rows["high"] - rows["value"]])
    axis.errorbar(
        x,
        rows["value"],
        yerr=bars,
        color=LINES[number % len(LINES)],
        marker=MARKERS[number % len(MARKERS)],
        markersize=4.5,
        linestyle="none",
        elinewidth=0.8,
        label=group,
    )


def _shown(audit: Audit) -> pd.DataFrame:
    table = controlled_measures(audit)
    return table[table["grouping"].isin(SHOWN)]


def _rows_figure(table: pd.DataFrame, widths: tuple[float, ...]) -> tuple[Figure, list[Axes], Places]:
    """Lay out one row per group under a heading per grouping, and return where each row stands."""
    places: Places = {}
    headings: dict[str, float] = {}
    down = 0.0
    for grouping in [name for name in SHOWN if name in set(table["grouping"])]:
        headings[grouping] = down
        for group in dict.fromkeys(table.loc[table["grouping"] == grouping, "group"]):
            down += 1
            places[grouping, group] = down
        down += 1.5
    figure = Figure(figsize=(9.4, 1.1 + 0.25 * down), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(1, len(widths), sharey=True, width_ratios=widths)))
    axes[0].set_yticks(
        [*headings.values(), *places.values()],
        [*(GROUPING_NAMES[name] for name in headings), *(group for _, group in places)],
    )
    for label in axes[0].get_yticklabels()[: len(headings)]:
        label.set_fontweight("bold")
    axes[0].set_ylim(down - 0.6, -0.8)
    for axis in axes:
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        axis.hlines(list(places.values()), 0, 1, transform=axis.get_yaxis_transform(), color=PALE, zorder=0)
    return figure, axes, places


def _dots(axes: Axes, table: pd.DataFrame, measure: str, places: Places, marker: str, fill: str, label: str) -> None:
    rows = table[(table["measure"] == measure) & table["value"].notna()]
    y = [places[key] for key in zip(rows["grouping"], rows["group"], strict=True)]
    axes.scatter(rows["value"], y, marker=marker, s=28, facecolor=fill, edgecolor=BLUE, label=label, zorder=3)


def _gaps(axes: Axes, table: pd.DataFrame, places: Places) -> None:
    shares = table.pivot(index=["grouping", "group"], columns="measure", values="value")
    shares = shares.reindex(columns=["share_of_need", "share_of_places"]).dropna()
    y = [places[key] for key in zip(*(shares.index.get_level_values(level) for level in (0, 1)), strict=True)]
    axes.hlines(y, shares["share_of_need"], shares["share_of_places"], color=BLUE, linewidth=1.6, zorder=2)


def _forest(axes: Axes, table: pd.DataFrame, measure: str, places: Places, audit: Audit) -> None:
    """Draw values and intervals on a log scale, the acceptable range shaded, verdict by colour and shape."""
    low, high = limits_of(audit.settings)[measure]
    left, right = (0.2, 4.0) if measure == "share_ratio" else (0.5, 2.0)
    axes.set_xscale("log", base=2)
    axes.set_xlim(left, right)
    ticks = [0.2, 0.5, 1, 2, 4] if measure == "share_ratio" else [0.5, 0.8, 1, 1.25, 2]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.axvspan(low, min(high, right), color="#e6f0fa", zorder=-1)
    axes.axvline(1, color=GREY, linewidth=1)
    for row in table[table["measure"] == measure].to_dict("records"):
        _interval(axes, row, places[row["grouping"], row["group"]], left, right)
    for verdict, (colour, marker) in VERDICT_LOOK.items():
        axes.plot([], [], color=colour, marker=marker, linewidth=1.6, label=verdict)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _interval(axes: Axes, row: dict[Any, Any], y: float, left: float, right: float) -> None:
    if pd.isna(row["value"]) or pd.isna(row["low"]):
        axes.text(left * 1.03, y, "too few to show" if row["hidden"] else "cannot tell", va="center", fontsize=8)
        return
    colour, marker = VERDICT_LOOK[row["verdict"]]
    # A clipped interval still reaches the edge; its value is in the table.
    axes.plot([max(row["low"], left), min(row["high"], right)], [y, y], color=colour, linewidth=1.6)
    axes.plot([min(max(row["value"], left), right)], [y], color=colour, marker=marker, markersize=5.5, clip_on=False)


CHARTS: dict[str, Callable[[Audit], Figure]] = {
    "places": _places_chart,
    "need": _need_chart,
    "lost": _lost_chart,
    "calibration": _calibration_chart,
    "recording": _recording_chart,
}
