"""Pictures of how rules did."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from models.evaluation.pictures import BLUE, GREY, LOOKS


def gain_figure(curve: pd.DataFrame) -> Figure:
    """Draw what each rule gains against the share of people chosen (`Findings.curve`)."""
    figure = _curves(
        curve.assign(value=curve["value"] * 1000, low=curve["low"] * 1000, high=curve["high"] * 1000), "share"
    )
    axes = figure.axes[0]
    axes.set(xlabel="share of people chosen", ylabel="gain for every 1,000 people")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def cost_figure(curve: pd.DataFrame) -> Figure:
    """Draw what growing budgets gain, with all programmes and with each alone (`cost_curve`)."""
    renamed = curve.assign(**{name: curve[name] * 1000 for name in ("low", "high")}, value=curve["gain"] * 1000)
    figure = _curves(renamed, "budget")
    figure.axes[0].set(xlabel="budget, pounds for each person", ylabel="gain for every 1,000 people")
    return figure


def tenths_figure(tenths: pd.DataFrame) -> Figure:
    """Draw the benefit that was had against the one that was stated, by tenth (`Findings.tenths`)."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    ends = float(tenths["stated"].min()), float(tenths["stated"].max())
    axes.plot(ends, ends, color=GREY, linestyle="--", linewidth=1, label="what perfect calibration would be")
    spread = abs(tenths[["low", "high"]].to_numpy().T - tenths["value"].to_numpy())
    axes.errorbar(tenths["stated"], tenths["value"], yerr=spread, fmt="o", color=BLUE, elinewidth=1, label="tenths")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="stated benefit", ylabel="benefit had (95 % interval)")
    axes.legend(frameon=False)
    return figure


def _curves(curve: pd.DataFrame, across: str) -> Figure:
    figure = Figure(figsize=(7.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, (rule, rows) in enumerate(curve.groupby("rule", sort=False)):
        colour, marker = LOOKS[number % len(LOOKS)]
        axes.plot(rows[across], rows["value"], marker=marker, markersize=4, color=colour, label=str(rule))
        axes.fill_between(rows[across], rows["low"], rows["high"], color=colour, alpha=0.12, linewidth=0)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.legend(frameon=False, fontsize=8)
    return figure
