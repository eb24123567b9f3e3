"""Pictures of how the models did."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from models.evaluation.against import ALL_MONTHS, MODEL
from models.evaluation.decision import EVERYBODY
from models.evaluation.evaluate import SHARES

BLUE, ORANGE, GREY, PALE = "#005eb8", "#c45500", "#425563", "#e8edee"
LOOKS = (
    (BLUE, "o"),
    (ORANGE, "^"),
    ("#006747", "s"),
    ("#7c2855", "D"),
    ("#768692", "v"),
    ("#003087", "X"),
    (GREY, "P"),
)


def calibration_figure(curve: pd.DataFrame, smooth: pd.DataFrame | None = None) -> Figure:
    """Draw observed against predicted outcomes by tenth of risk, and the flexible calibration curve with its interval.

    `curve` is `models.evaluation.evaluate.calibration_curve`, `smooth` that of `models.evaluation.assessment.Assessment`.
    """
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    limit = 1.05 * float(max(curve["predicted"].max(), curve["observed"].max()))
    if smooth is not None:
        limit = max(limit, 1.05 * float(smooth[["predicted", "observed"]].max().max()))
        axes.plot(smooth["predicted"], smooth["observed"], color=ORANGE, label="flexible curve, 95 % interval")
        axes.fill_between(smooth["predicted"], smooth["low"], smooth["high"], color=ORANGE, alpha=0.18, linewidth=0)
    axes.plot(
        [0, limit], [0, limit], color=GREY, linewidth=1, linestyle="--", label="what perfect calibration would be"
    )
    style = "o-" if smooth is None else "o"
    axes.plot(curve["predicted"], curve["observed"], style, color=BLUE, label="tenths of people, by risk")
    axes.set(xlabel="predicted risk", ylabel="share with the outcome", xlim=(0, limit), ylim=(0, limit))
    axes.legend(frameon=False)
    return figure


def against_figure(against: pd.DataFrame) -> Figure:
    """Draw the area under the ROC curve of each rule in each test month (`models.evaluation.against.compare`)."""
    figure = Figure(figsize=(7.4, 4.2), layout="constrained")
    axes = figure.subplots()
    table = against[(against["measure"] == "auroc") & (against["month"] != ALL_MONTHS)]
    rules = list(dict.fromkeys(table["rule"]))
    months = sorted(table["month"].unique())
    for number, rule in enumerate(rules):
        rows = table[table["rule"] == rule].set_index("month").loc[months]
        colour, marker = LOOKS[number % len(LOOKS)]
        x = np.arange(len(months)) + (number - (len(rules) - 1) / 2) * 0.07
        axes.errorbar(
            x,
            rows["value"],
            yerr=np.abs(rows[["low", "high"]].to_numpy().T - rows["value"].to_numpy()),
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=1.8 if rule == MODEL else 1.0,
            elinewidth=0.8,
            label=rule,
        )
    axes.set_xticks(range(len(months)), months)
    axes.set(xlabel="index date", ylabel="area under the ROC curve")
    axes.grid(axis="y", color=PALE)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def decision_figure(curve: pd.DataFrame, shown: tuple[str, ...]) -> Figure:
    """Draw the net benefit of acting by each of the `shown` rules (`models.evaluation.decision.decision_curve`)."""
    figure = Figure(figsize=(7.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, rule in enumerate(shown):
        rows = curve[curve["rule"] == rule]
        colour, _ = LOOKS[number % len(LOOKS)]
        axes.plot(rows["threshold"], rows["net_benefit"], color=colour, label=rule)
        axes.fill_between(rows["threshold"], rows["low"], rows["high"], color=colour, alpha=0.12, linewidth=0)
    everybody = curve[curve["rule"] == EVERYBODY]
    axes.plot(everybody["threshold"], everybody["net_benefit"], color=GREY, linestyle="--", label=EVERYBODY)
    axes.axhline(0, color="black", linewidth=0.8, label="act on nobody")
    top = float(curve["net_benefit"].max())
    axes.set(xlabel="risk from which one would act", ylabel="net benefit per person", ylim=(-0.15 * top, 1.1 * top))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(frameon=False, fontsize=8)
    return figure


def groups_figure(groups: pd.DataFrame, names: dict[str, str]) -> Figure:
    """Draw area under the ROC curve and observed over expected outcomes of each group (`Assessment.groups`).

    `names` gives the groupings to draw, in order, and their words.
    """
    table = groups[groups["grouping"].isin(list(names))]
    keys = [
        (grouping, group)
        for grouping in names
        for group in dict.fromkeys(table.loc[table["grouping"] == grouping, "group"])
    ]
    figure = Figure(figsize=(9.4, 1.0 + 0.27 * len(keys)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, measure, words in (
        (left, "auroc", "area under the ROC curve"),
        (right, "observed_over_expected", "observed ÷ predicted outcomes"),
    ):
        rows = table[table["measure"] == measure].set_index(["grouping", "group"]).loc[keys]
        _forest(axes, rows)
        axes.set_xlabel(words)
    right.axvline(1, color=GREY, linewidth=1)
    left.set_yticks(range(len(keys)), [f"{names[grouping]}: {group}" for grouping, group in keys], fontsize=8)
    left.set_ylim(len(keys) - 0.5, -0.5)
    return figure


def practices_figure(groups: pd.DataFrame) -> Figure:
    """Draw observed over expected outcomes of each practice with its interval, in order (`measure_by` of practices)."""
    rows = (
        groups[groups["measure"] == "observed_over_expected"].dropna(subset=["value"]).sort_values(["value", "group"])
    )
    figure = Figure(figsize=(9.4, 3.2), layout="constrained")
    axes = figure.subplots()
    x = np.arange(len(rows))
    axes.vlines(x, rows["low"], rows["high"], color=BLUE, linewidth=1)
    axes.plot(x, rows["value"], "o", color=BLUE, markersize=3.5)
    axes.axhline(1, color=GREY, linewidth=1)
    axes.set(xlabel="practices, in order", ylabel="observed ÷ predicted outcomes", xticks=[])
    return figure


def themes_figure(themes: pd.DataFrame) -> Figure:
    """Draw how much each theme moves the log odds (`models.evaluation.drivers.theme_drivers`)."""
    figure = Figure(figsize=(7.4, 0.8 + 0.3 * len(themes)), layout="constrained")
    axes = figure.subplots()
    axes.barh(themes["theme"], themes["effect"], color=BLUE)
    axes.invert_yaxis()
    axes.set_xlabel("mean absolute effect on the log odds of risk")
    return figure


def _forest(axes: Axes, rows: pd.DataFrame) -> None:
    for place, row in enumerate(rows.itertuples()):
        if np.isnan(row.value):
            axes.text(0.01, place, "too few to tell", transform=axes.get_yaxis_transform(), va="center", fontsize=7)
            continue
        axes.plot([row.low, row.high], [place, place], color=BLUE, linewidth=1.4)
        axes.plot([row.value], [place], "o", color=BLUE, markersize=4.5)
    axes.hlines(range(len(rows)), 0, 1, transform=axes.get_yaxis_transform(), color=PALE, zorder=0)


def benefit_figure(curve: pd.DataFrame) -> Figure:
    """Draw the average gain of those chosen against the share chosen, by rule (`models.evaluation.evaluate.benefit_curve`)."""
    looks = {"learned benefit": (BLUE, "o"), "assumed benefit": (GREY, "s"), "risk": (ORANGE, "^")}
    figure = Figure(figsize=(7.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for rule, (colour, marker) in looks.items():
        rows = curve[curve["rule"] == rule]
        axes.plot(rows["share"], rows["gain"], marker=marker, color=colour, label=f"chosen by {rule}")
        axes.fill_between(rows["share"], rows["low"], rows["high"], color=colour, alpha=0.12, linewidth=0)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="share of eligible people chosen", ylabel="average fall in risk among them")
    axes.set_xticks(SHARES, [f"{share:.0%}" for share in SHARES])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return figure
