"""Who got the places, against who needed them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_negative_rate, selection_rate

from fairness import intervals
from fairness.levels import Levels
from fairness.rows import rows


def in_high_need(need: pd.Series, need_share: float) -> pd.Series:
    """Mark the top `need_share` of people by need.

    People tied with the last of them count too, but nobody with the lowest need of all: where
    need tells nobody apart, nobody is in high need.
    """
    if need.empty:
        return need.astype(bool)
    return (need >= need.quantile(1 - need_share, interpolation="higher")) & (need > need.min())


def cells_of(people: pd.DataFrame, grouping: str) -> pd.DataFrame:
    """Collapse people to counts: group, listed, high_need, people (the count)."""
    return people.groupby([grouping, "listed", "high_need"], sort=True).size().rename("people").reset_index()


def place_rows(people: pd.DataFrame, grouping: str, levels: Levels, draws: int, seed: list[int]) -> pd.DataFrame:
    """Measure, for each group, its share of people, places and need, and how many in need were missed.

    `people` has one row per eligible person: the grouping's label, `listed`, `high_need`.
    Returns the rows of `fairness.audit.Audit.measures` without verdicts.
    """
    cells = cells_of(people, grouping)
    counts = _counts(cells, grouping)
    rates = _rates(cells, grouping)
    n, listed, need = counts["people"], counts["listed"], counts["high_need"]
    missed = counts["need_only"]
    measured = [
        rows("share_of_people", n / n.sum(), n, n, n.sum()),
        rows("share_of_places", listed / (listed.sum() or np.nan), n, listed, listed.sum()),
        rows("share_of_need", need / (need.sum() or np.nan), n, need, need.sum()),
        _share_ratio(counts, levels, draws, seed),
        rows("selection_rate", rates["selection_rate"], n, listed, n, _proportion(listed, n, levels.plain)),
        rows(
            "false_negative_rate",
            rates["false_negative_rate"].where(need > 0),
            n,
            missed,
            need,
            _proportion(missed, need, levels.plain),
        ),
    ]
    return pd.concat(measured).reset_index()


def share_ratio_rows(people: pd.DataFrame, grouping: str, levels: Levels, draws: int, seed: list[int]) -> pd.DataFrame:
    """Measure, for each group, its share of places over its share of need alone; as `place_rows`."""
    return _share_ratio(_counts(cells_of(people, grouping), grouping), levels, draws, seed).reset_index()


def _counts(cells: pd.DataFrame, grouping: str) -> pd.DataFrame:
    kinds = pd.DataFrame(
        {
            "group": cells[grouping],
            "people": cells["people"],
            "listed": cells["people"] * cells["listed"],
            "high_need": cells["people"] * cells["high_need"],
            "both": cells["people"] * (cells["listed"] & cells["high_need"]),
        }
    )
    counts = kinds.groupby("group", sort=True).sum()
    return counts.assign(
        listed_only=counts["listed"] - counts["both"], need_only=counts["high_need"] - counts["both"]
    ).astype("float64")


def _rates(cells: pd.DataFrame, grouping: str) -> pd.DataFrame:
    # Counts with weights give what rows would, hundreds of times faster.
    weight = {"sample_weight": cells["people"].to_numpy()}
    metrics = {"selection_rate": selection_rate, "false_negative_rate": false_negative_rate}
    frame = MetricFrame(
        metrics=metrics,
        y_true=cells["high_need"].astype(int),
        y_pred=cells["listed"].astype(int),
        sensitive_features=cells[grouping],
        sample_params=dict.fromkeys(metrics, weight),
    )
    return frame.by_group


def _share_ratio(counts: pd.DataFrame, levels: Levels, draws: int, seed: list[int]) -> pd.DataFrame:
    n, listed, need = counts["people"], counts["listed"], counts["high_need"]
    # Where nobody or everybody has a place, nothing was chosen and nothing can be said of the choice.
    chosen = 0 < listed.sum() < n.sum() and need.sum() > 0
    value = ((listed / listed.sum()) / (need / need.sum())).where(need > 0) if chosen else n * np.nan
    rng = np.random.default_rng(seed)
    cells = counts[["both", "listed_only", "need_only"]].to_numpy()
    quantiles = [(1 - levels.plain) / 2, (1 + levels.plain) / 2, (1 - levels.wide) / 2, (1 + levels.wide) / 2]
    number = intervals.draws_needed(draws, levels.wide)
    limits = np.array(
        [
            np.quantile(intervals.share_ratio_draws(group, cells.sum(axis=0), number, rng), quantiles)
            if known
            else np.full(4, np.nan)
            for group, known in zip(cells, value.notna(), strict=True)
        ]
    )
    return rows("share_ratio", value, n, listed, need, (limits[:, 0], limits[:, 1]), (limits[:, 2], limits[:, 3]))


def _proportion(part: pd.Series, whole: pd.Series, level: float) -> intervals.Limits:
    return intervals.proportion(part.to_numpy(), whole.to_numpy(), level)
