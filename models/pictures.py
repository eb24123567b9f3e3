"""Pictures of how the models did."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from models.evaluation import SHARES

BLUE, ORANGE, GREY = "#005eb8", "#c45500", "#425563"


def calibration_figure(curve: pd.DataFrame) -> Figure:
    """Draw observed against predicted outcomes by tenth of risk (`models.evaluation.calibration_curve`)."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    limit = 1.05 * float(max(curve["predicted"].max(), curve["observed"].max()))
    axes.plot(
        [0, limit], [0, limit], color=GREY, linewidth=1, linestyle="--", label="what perfect calibration would be"
    )
    axes.plot(curve["predicted"], curve["observed"], "o-", color=BLUE, label="tenths of people, by risk")
    axes.set(xlabel="predicted risk", ylabel="share with the outcome")
    axes.legend(frameon=False)
    return figure


def benefit_figure(curve: pd.DataFrame) -> Figure:
    """Draw the average gain of those chosen against the share chosen, by rule (`models.evaluation.benefit_curve`)."""
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
