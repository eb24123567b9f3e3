"""Pictures of a profile: what moved most, what is missing by source and group, and how the most moved are spread."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from features.drift import LARGE, LOOK, NONE, SHIFTED, SOME
from features.profile import Profile
from features.profile_record import most_moved

BLUE, GREY, DARK, PALE, RED, AMBER = "#005eb8", "#768692", "#212b32", "#e8edee", "#d5281b", "#ffb81c"
LOOKS = {LARGE: (RED, "shifted"), SOME: (AMBER, "deserves a look"), NONE: (GREY, "as in training, or by chance")}
MOST_BARS, MOST_SPREAD, ACROSS = 25, 9, 3


def drift_chart(profile: Profile) -> Figure:
    """Rank the features by how far they have moved."""
    table = most_moved(profile, MOST_BARS)[::-1]
    figure = Figure(figsize=(9.4, 1.3 + 0.24 * len(table)), layout="constrained")
    axes = figure.subplots()
    for verdict, (colour, words) in LOOKS.items():
        chosen = (table["shift"] == verdict).to_numpy()
        axes.barh(np.flatnonzero(chosen), table.loc[chosen, "psi"], color=colour, label=words)
    axes.set_yticks(range(len(table)), table["feature"])
    axes.tick_params(axis="y", length=0, labelsize=8)
    for limit in (LOOK, SHIFTED):
        axes.axvline(limit, color=DARK, linewidth=0.8, linestyle="--")
    axes.set_xlim(0, max(0.3, float(table["psi"].max()) * 1.05))
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlabel(f"population stability index since training (dashed: {LOOK} and {SHIFTED})")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    return figure


def by_source(profile: Profile) -> pd.DataFrame:
    """Return for each source the mean share missing (of features that anybody lacks) and zero, now and in training."""
    table = profile.features
    lacking = table[(table["missing"] > 0) | (table["training_missing"] > 0)]
    missing = lacking.groupby("source")[["missing", "training_missing"]].mean()
    zero = table.groupby("source")[["zero", "training_zero"]].mean()
    counts = table.groupby("source").agg(
        features=("feature", "size"),
        shifted=("shift", lambda shift: (shift == LARGE).sum()),
        look=("shift", lambda shift: (shift == SOME).sum()),
    )
    return counts.join(missing).join(zero).sort_index()


def sources_chart(profile: Profile) -> Figure:
    """Draw each source's mean share of missing values and of zeros, beside those of training."""
    table = by_source(profile)[::-1]
    figure = Figure(figsize=(9.4, 1.2 + 0.34 * len(table)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(table))
    for axis, kind, words in zip(axes, ("missing", "zero"), ("without a value", "that are 0"), strict=True):
        axis.barh(places, table[kind].fillna(0), color=BLUE, height=0.55, label="now")
        axis.scatter(
            table[f"training_{kind}"],
            places,
            marker="D",
            s=28,
            facecolor="white",
            edgecolor=DARK,
            label="in training",
            zorder=3,
        )
        axis.set_xlim(0, 1)
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_xlabel(f"mean share of rows {words}")
        axis.grid(axis="x", color=PALE)
        axis.set_axisbelow(True)
        axis.tick_params(axis="y", length=0)
    axes[0].set_yticks(places, table.index)
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False)
    return figure


def spread_chart(profile: Profile) -> Figure:
    """Draw how the most moved features are spread over their bins, now and in training."""
    names = most_moved(profile, MOST_SPREAD)["feature"].tolist()
    down = -(-len(names) // ACROSS)
    figure = Figure(figsize=(9.4, 2.6 * down), layout="constrained")
    axes = np.atleast_1d(figure.subplots(down, ACROSS, squeeze=False)).ravel()
    for axis, name in zip(axes, names, strict=False):
        bins = profile.bins[profile.bins["feature"] == name]
        places = np.arange(len(bins))
        axis.bar(places - 0.2, bins["share"], width=0.4, color=GREY, label="in training")
        axis.bar(places + 0.2, bins["now"], width=0.4, color=BLUE, label="now")
        axis.set_xticks(places, bin_words(bins), rotation=55, ha="right", rotation_mode="anchor", fontsize=7)
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.tick_params(axis="y", labelsize=7)
        axis.set_title(name, loc="left", fontsize=7.5)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    axes[0].legend(frameon=False, fontsize=7)
    return figure


def bin_words(bins: pd.DataFrame) -> list[str]:
    """Say each bin of a feature in a few characters: missing, up to a value, between two, or above one."""
    words = []
    for row in bins.itertuples():
        if row.bin == 0:
            words.append("missing")
        elif pd.isna(row.above) and pd.isna(row.up_to):
            words.append("any value")
        elif pd.isna(row.above):
            words.append(f"to {_short(row.up_to)}")
        elif pd.isna(row.up_to):
            words.append(f"over {_short(row.above)}")
        else:
            words.append(f"{_short(row.above)} to {_short(row.up_to)}")
    return words


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def groups_chart(shares: pd.DataFrame) -> Figure:
    """Draw the share missing by source (rows) and group (columns); hidden shares stay blank."""
    figure = Figure(figsize=(9.4, 1.7 + 0.32 * len(shares)), layout="constrained")
    axes = figure.subplots()
    # Drawn, not rasterised, so that the picture stays sharp and equal shares give equal bytes.
    cells = np.ma.masked_invalid(shares.to_numpy(dtype=float))
    axes.pcolormesh(cells, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    for down, across in np.ndindex(*shares.shape):
        value = shares.iat[down, across]
        text = "*" if pd.isna(value) else f"{value:.0%}"
        axes.text(
            across + 0.5,
            down + 0.5,
            text,
            ha="center",
            va="center",
            fontsize=8,
            color="white" if value > 0.55 else DARK,
        )
    axes.set_xticks(np.arange(shares.shape[1]) + 0.5, shares.columns, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(shares)) + 0.5, shares.index)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    return figure
