"""Pictures of the sources: how old each is, where months are missing, and how much came each month.

They are drawn from counts of rows by place and month; those from 1 to 7 are not drawn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from records.quality.feeds import Freshness
from records.quality.findings import SMALLEST_SHOWN
from records.quality.profile import Profile

BLUE, GREY, DARK, PALE, RED = "#005eb8", "#768692", "#212b32", "#e8edee", "#d5281b"
FEWER_TO_MORE = LinearSegmentedColormap.from_list("fewer to more", ["#d5281b", "#f6f7f7", "#005eb8"])
MOST_PLACES = 60
MONTHS_SHOWN = 36


def freshness_chart(fresh: list[Freshness]) -> Figure:
    """Draw the age of each source's newest record, and what is expected of it."""
    known = [one for one in fresh if one.age_days is not None]
    figure = Figure(figsize=(9.4, 0.9 + 0.32 * len(known)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(known))
    axes.barh(
        places, [one.age_days or 0 for one in known], height=0.55, color=[RED if one.stale else BLUE for one in known]
    )
    for place, one in zip(places, known, strict=True):
        if one.expected_days is not None:
            axes.plot([one.expected_days] * 2, [place - 0.4, place + 0.4], color=DARK, linewidth=2.5)
        elif one.usual_days is not None:
            axes.plot([one.usual_days] * 2, [place - 0.4, place + 0.4], color=GREY, linewidth=1.5, linestyle=":")
    axes.plot([], [], color=DARK, linewidth=2.5, label="expected by the settings")
    axes.plot([], [], color=GREY, linewidth=1.5, linestyle=":", label="seldom older than this until now")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    axes.set_yticks(places, [one.source for one in known])
    axes.invert_yaxis()
    axes.set_xlabel("days from the newest record to the day of the check")
    return figure


def volume_chart(profiles: list[Profile]) -> Figure:
    """Draw the rows of each month for every source, by the month in which they happened."""
    columns = 3
    lines = -(-len(profiles) // columns)
    figure = Figure(figsize=(9.4, 0.4 + 1.5 * lines), layout="constrained")
    axes = np.atleast_1d(figure.subplots(lines, columns)).ravel()
    for axis, profile in zip(axes, profiles, strict=False):
        rows = profile.months.groupby("month")["rows"].sum()
        _line(axis, rows.where(rows >= SMALLEST_SHOWN), profile.about.title)
        axis.set_ylim(bottom=0)
    for axis in axes[len(profiles) :]:
        axis.set_visible(False)
    return figure


def coverage_chart(profile: Profile) -> Figure:
    """Draw each place's months against its own usual month: red where rows are missing, blue where there are more."""
    table = coverage(profile)
    figure = Figure(figsize=(9.4, 1.1 + 0.22 * len(table)), layout="constrained")
    axes = figure.subplots()
    logs = np.log2(table.where(table > 0, 1 / 8).clip(1 / 8, 8))
    image = axes.pcolormesh(
        np.ma.masked_invalid(logs.to_numpy()), cmap=FEWER_TO_MORE, vmin=-3, vmax=3, edgecolor="white", linewidth=0.3
    )
    axes.set_facecolor(PALE)
    axes.set_yticks(np.arange(len(table)) + 0.5, [str(place)[:12] for place in table.index], fontsize=8)
    shown = range(0, table.shape[1], 3)
    axes.set_xticks([place + 0.5 for place in shown], [f"{table.columns[place]:%b %Y}" for place in shown], fontsize=8)
    axes.invert_yaxis()
    bar = figure.colorbar(image, ax=axes, ticks=[-3, -1, 0, 1, 3], fraction=0.03, pad=0.01)
    bar.ax.set_yticklabels(["1/8 or none", "half", "usual", "double", "8 times"])
    return figure


def coverage(profile: Profile) -> pd.DataFrame:
    """Return rows over the place's usual month, a row for each place; the places that lost most come first.

    A count from 1 to 7, and a place whose usual month is so small, is missing.
    """
    counts = profile.months[profile.months["place"] != ""].pivot_table(
        index="place", columns="month", values="rows", aggfunc="sum", fill_value=0
    )
    counts = counts.iloc[:, -MONTHS_SHOWN:].astype(float)
    usual = counts.median(axis=1)
    counts, usual = counts[usual >= SMALLEST_SHOWN], usual[usual >= SMALLEST_SHOWN]
    shares = counts.mask((counts > 0) & (counts < SMALLEST_SHOWN)).div(usual, axis=0)
    return shares.loc[shares.fillna(0).clip(upper=1).sum(axis=1).sort_values(kind="stable").index].head(MOST_PLACES)


def missing_chart(profiles: list[Profile]) -> Figure:
    """Draw the share of each quarter's rows without a known ethnicity, and without an NHS number."""
    figure = Figure(figsize=(9.4, 2.9), layout="constrained")
    pairs = (
        ("no_ethnicity", "ethnic_category", "ethnicity not known"),
        ("no_number", "nhs_number", "without NHS number"),
    )
    for axis, (column, named, words) in zip(figure.subplots(1, 2), pairs, strict=True):
        for number, profile in enumerate(p for p in profiles if p.has(named)):
            sums = profile.months.set_index("month").resample("QS")[["rows", column]].sum()
            shares = (sums[column] / sums["rows"]).where(
                (sums["rows"] >= 50) & ((sums[column] == 0) | (sums[column] >= SMALLEST_SHOWN))
            )
            if shares.max() > 0:
                axis.plot(
                    shares.index,
                    shares,
                    label=profile.name,
                    color=LINES[number % len(LINES)],
                    linestyle=DASHES[number // len(LINES) % 2],
                )
        axis.set_title(words, loc="left", fontweight="bold", fontsize=10)
        _dates(axis)
        axis.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axis.set_ylim(bottom=0)
        if axis.lines:
            axis.legend(frameon=False, fontsize=8)
    return figure


LINES = ("#003087", "#ae2573", "#006747", "#0072ce", "#7c2855", "#768692")
DASHES = ("-", "--")


def _line(axis: Axes, values: pd.Series, title: str) -> None:
    axis.plot(values.index, values, color=BLUE, linewidth=1.3)
    axis.set_title(title, loc="left", fontweight="bold", fontsize=9)
    _dates(axis)


def _dates(axis: Axes) -> None:
    # With 3 at least there would be no choice for 24 to 36 months: half-years are too many ticks, years too few.
    locator = AutoDateLocator(minticks=2, maxticks=5)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", color=PALE)
