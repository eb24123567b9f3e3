"""Pictures of the simulation report: one for each group of targets, published beside simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.simulation_targets import (
    AGE_BANDS,
    CAPTURE,
    DEVON,
    FIFTHS,
    MORTALITY_BY_AGE,
    SPARRA_BY_AGE,
    TARGETS,
    Target,
)

BLUE, GREY = "#005eb8", "#425563"
OPEN_END = 1.6  # where the band of a one-sided tolerance is cut off, times the published figure
AGE_COLOURS = dict(zip(AGE_BANDS, ("#330072", "#005eb8", "#007f3b", "#c45500", "#8a1538"), strict=True))
CHRONIC_AGES = ("5-14", "15-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+")
DEATH_AGES = (*(f"{low}-{low + 4}" for low in range(0, 90, 5)), "90+")


@dataclass(frozen=True)
class Results:
    """What each population gave, one mapping of names to numbers a seed."""

    seeds: Sequence[dict[str, float]]

    def each(self, name: str) -> np.ndarray:
        """Return a figure of every seed; NaN where it could not be measured."""
        return np.array([seed.get(name, np.nan) for seed in self.seeds])

    def mean(self, name: str) -> float:
        """Return the mean over the seeds; NaN when any lacks the figure."""
        return float(self.each(name).mean())

    def means(self, names: Sequence[str]) -> np.ndarray:
        """Return the means of several figures."""
        return np.array([self.mean(name) for name in names])

    def holds(self, target: Target) -> bool:
        """Whether the mean over the seeds is within the target's tolerance."""
        return target.holds(self.mean(target.name))


def named(group: str) -> list[Target]:
    """Targets of a group, in their order."""
    return [target for target in TARGETS if target.group == group]


def bars(axes: Axes, results: Results, targets: Sequence[Target]) -> None:
    """Draw shares as bars from top to bottom: published, and simulated with a dot for each seed."""
    rows = np.arange(len(targets))
    axes.barh(rows - 0.2, [100 * target.value for target in targets], 0.36, color="#aeb7bd", label="published")
    simulated = 100 * results.means([target.name for target in targets])
    axes.barh(rows + 0.2, np.nan_to_num(simulated), 0.36, color=BLUE, label="simulated")
    for row, target in zip(rows, targets, strict=True):
        values = 100 * results.each(target.name)
        axes.plot(values, np.full(len(values), row + 0.2), "o", color="#212b32", markersize=2.5)
    axes.set_yticks(rows, [target.label for target in targets])
    axes.invert_yaxis()
    axes.set_xlabel("per cent")
    axes.legend(frameon=False, loc="best")


def _figure(
    height: float = 4.2, columns: int = 1, width_ratios: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.4, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False, width_ratios=width_ratios)[0])


def _bars(group: str) -> Callable[[Results], Figure]:
    """Bars of a group's shares; ratios, and bounds of which no size is published, are left to its table."""

    def draw(results: Results) -> Figure:
        targets = [target for target in named(group) if target.unit == "share" and target.kind == "absolute"]
        figure, (axes,) = _figure(0.42 * len(targets) + 0.9)
        bars(axes, results, targets)
        return figure

    return draw


def relative(group: str) -> Callable[[Results], Figure]:
    """Simulated over published, with the tolerance as a grey band: for figures of different units."""

    def draw(results: Results) -> Figure:
        targets = named(group)
        figure, (axes,) = _figure(0.45 * len(targets) + 0.9)
        for row, target in enumerate(targets):
            low, high = (np.clip(limit / target.value, 0, OPEN_END) for limit in target.limits)
            axes.barh(row, high - low, 0.5, left=low, color="#d8dde0", label="tolerance" if row == 0 else None)
            values = results.each(target.name) / target.value
            axes.plot(values, np.full(len(values), row), "o", color=BLUE, label="each seed" if row == 0 else None)
        axes.axvline(1, color=GREY, linewidth=1, linestyle="--")
        axes.set_yticks(range(len(targets)), [target.label for target in targets])
        axes.invert_yaxis()
        axes.set_xlabel("simulated over published")
        axes.legend(frameon=False)
        return figure

    return draw


def _pair(
    axes: Axes, at: Sequence[float] | np.ndarray, published: Sequence[float], results: Results, names: Sequence[str]
) -> None:
    """Draw published points joined by a broken line, and the simulated mean with each seed's points."""
    axes.plot(at, published, "s--", color=GREY, label="published")
    axes.plot(at, results.means(names), "-", color=BLUE, label="simulated")
    for seed in range(len(results.seeds)):
        axes.plot(at, [results.each(name)[seed] for name in names], "o", color=BLUE, markersize=3)
    axes.legend(frameon=False)


def morbidity(results: Results) -> Figure:
    """Multimorbidity by age, and the other shares as bars."""
    figure, (left, right) = _figure(7.0, 2, width_ratios=[1, 1.1])
    at = np.arange(len(CHRONIC_AGES))
    left.plot(
        at, 100 * results.means([f"multimorbid_{age}" for age in CHRONIC_AGES]), "o-", color=BLUE, label="simulated"
    )
    stated = {target.name: target.value for target in named("morbidity")}
    known = [place for place, age in enumerate(CHRONIC_AGES) if f"multimorbid_{age}" in stated]
    left.plot(
        known,
        [100 * stated[f"multimorbid_{CHRONIC_AGES[place]}"] for place in known],
        "s",
        color=GREY,
        label="published",
    )
    left.set_xticks(at, CHRONIC_AGES, rotation=45)
    left.set(xlabel="age", ylabel="per cent with two conditions or more", ylim=(0, 100))
    left.legend(frameon=False)
    ages = {f"multimorbid_{age}" for age in CHRONIC_AGES}
    bars(
        right, results, [target for target in named("morbidity") if target.unit == "share" and target.name not in ages]
    )
    right.tick_params(axis="y", labelsize=7)
    return figure


def gradient(results: Results) -> Figure:
    """Emergency admissions by deprivation, one line an age band, on a logarithmic scale."""
    figure, (axes,) = _figure(5.6)
    at = np.arange(len(FIFTHS))
    for band in AGE_BANDS:
        colour = AGE_COLOURS[band]
        axes.plot(at, DEVON[band], "s--", color=colour, alpha=0.6, markersize=4)
        simulated = results.means([f"emergency_{band}_{fifth}" for fifth in FIFTHS])
        axes.plot(at, simulated, "o-", color=colour, label=f"aged {band}")
    axes.plot([], [], "s--", color=GREY, label="published")
    axes.plot([], [], "o-", color=GREY, label="simulated")
    axes.set_yscale("log")
    axes.set_yticks([30, 50, 100, 200, 300], ["30", "50", "100", "200", "300"])
    axes.minorticks_off()
    axes.set_xticks(at, ["least deprived", "2", "3", "4", "most deprived"])
    axes.set_ylabel("emergency admissions per 1,000 a year")
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside right upper")
    return figure


def risk(results: Results) -> Figure:
    """Admission or death within twelve months by age."""
    figure, (axes,) = _figure()
    at = np.arange(len(SPARRA_BY_AGE))
    _pair(axes, at, list(SPARRA_BY_AGE.values()), results, [f"event_{age}" for age in SPARRA_BY_AGE])
    axes.set_xticks(at, list(SPARRA_BY_AGE))
    axes.set(xlabel="age", ylabel="share admitted or dead within twelve months", ylim=(0, None))
    return figure


def capture(results: Results) -> Figure:
    """What the top of the list holds: share of events, and share with the event."""
    figure, panels = _figure(columns=2)
    words = {"sensitivity": "share of all events in it", "precision": "share of it with the event"}
    for place, (axes, (kind, label)) in enumerate(zip(panels, words.items(), strict=True)):
        _pair(
            axes,
            list(CAPTURE),
            [pair[place] for pair in CAPTURE.values()],
            results,
            [f"{kind}_top_{top}" for top in CAPTURE],
        )
        axes.set(xlabel="top per cent by risk", ylabel=label, ylim=(0, None))
        axes.set_xticks(list(CAPTURE))
    return figure


def departments(results: Results) -> Figure:
    """Attendances by tenth of deprivation, with the published average."""
    figure, (axes,) = _figure()
    tenths = np.arange(1, 11)
    axes.bar(tenths, results.means([f"ed_rate_decile_{tenth}" for tenth in tenths]), 0.7, color=BLUE, label="simulated")
    average = next(target.value for target in named("departments") if target.name == "ed_rate")
    axes.axhline(average, color=GREY, linestyle="--", label="published average")
    axes.set_xticks(tenths, ["1\nmost deprived", *(str(tenth) for tenth in range(2, 10)), "10\nleast deprived"])
    axes.set_ylabel("attendances per 1,000 a year")
    axes.legend(frameon=False)
    return figure


def mortality(results: Results) -> Figure:
    """Deaths by age on a logarithmic scale."""
    figure, (axes,) = _figure(4.8)
    at = np.arange(len(DEATH_AGES))
    simulated = results.means([f"mortality_{age}" for age in DEATH_AGES])
    axes.plot(at, np.where(simulated > 0, simulated, np.nan), "o-", color=BLUE, label="simulated")
    places = [DEATH_AGES.index(age) for age in MORTALITY_BY_AGE]
    axes.plot(places, list(MORTALITY_BY_AGE.values()), "s", color=GREY, label="published")
    axes.set_yscale("log")
    axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    axes.minorticks_off()
    axes.set_xticks(at, DEATH_AGES, rotation=60)
    axes.set(xlabel="age", ylabel="deaths per 1,000 a year")
    axes.legend(frameon=False)
    return figure


PICTURES: dict[str, Callable[[Results], Figure]] = {
    "structure": _bars("structure"),
    "morbidity": morbidity,
    "admissions": relative("admissions"),
    "gradient": gradient,
    "repeats": _bars("repeats"),
    "risk": risk,
    "capture": capture,
    "departments": departments,
    "mortality": mortality,
    "frailty": _bars("frailty"),
    "recording": _bars("recording"),
    "diagnosis": _bars("diagnosis"),
    "programme": relative("programme"),
}
