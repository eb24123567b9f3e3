"""Sensitive attributes: whom a model with them, and one without, would find, by group.

Which of them the models use is a setting with an owner; ethnic group is never among them (docs/decisions/0007): it is
given here to a model that is compared and thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from casewell.settings import Kind, Settings
from models.attributes import ATTRIBUTES, features_of
from models.backtest import fit_backtest, is_tested, known_before_test
from models.evaluation.by_group import draw_figures, measure_by, quantiles
from models.evaluation.cells import count
from models.index_dates import Split
from models.risk.calibration import log_odds
from models.risk.flexible import knots_of

COMPARED = ("auroc", "observed_over_expected", "sensitivity_at_capacity")
ETHNIC_GROUP = "ethnic group"


def compare_attributes(
    rows: pd.DataFrame,
    split: Split,
    test: pd.DataFrame,
    used: Sequence[str],
    ethnic_group: pd.Series,
    groups: Mapping[str, pd.Series],
    share: float,
    settings: Settings,
    kind: Kind,
    draws: int = 200,
) -> pd.DataFrame:
    """Fit the back-test again without each attribute that it uses, and with each that it does not, and compare by group.

    Parameters
    ----------
    rows : features joined to `models.tables.OUTCOMES`
    test : the back-test's `models.tables.TEST_PREDICTIONS`, the rows of `models.train.tested`
    used : the back-test's features
    ethnic_group : a label for each of `rows`
    groups : grouping: a label for each row of `test`
    share : places as a share of people
    kind : what the back-test was learned by, and the others are

    Returns
    -------
    DataFrame
        `other` ("without deprivation", ...), `grouping`, `group`, `people`, `outcomes`, `measure` (of `COMPARED`), `value` of the
        model that is used, `other_value`, and `gain`, `low`, `high`: the first less the second, in the same draws of people.
        Missing where a group is too small to tell.
    """
    ours = {name: _figures(test, label, share, settings.seed, draws) for name, label in groups.items()}
    tables = []
    early = known_before_test(rows, split)
    for other, matrix in _others(rows, used, ethnic_group):
        model = fit_backtest(rows, early, matrix[early], settings, kind)
        risk = model.predict(matrix[is_tested(rows, split)])
        for name, label in groups.items():
            theirs = _figures(test.assign(risk=risk), label, share, settings.seed, draws)
            tables.append(_table(*ours[name], *theirs).assign(other=other, grouping=name))
    named = ["other", "grouping", "group", "people", "outcomes", "measure"]
    return pd.concat(tables, ignore_index=True)[[*named, "value", "other_value", "gain", "low", "high"]]


def _others(rows: pd.DataFrame, used: Sequence[str], ethnic_group: pd.Series) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give, one after the other, each other choice of attributes and the features of a model by it."""
    for attribute in ATTRIBUTES:
        stated = [name for name in features_of(attribute) if name in rows]
        if set(stated) & set(used):
            yield f"without {attribute}", rows[[name for name in used if name not in stated]]
        else:
            yield f"with {attribute}", rows[[*used, *stated]]
    codes = pd.get_dummies(ethnic_group, prefix=ETHNIC_GROUP, dtype="float32").set_axis(rows.index)
    yield f"with {ETHNIC_GROUP}", pd.concat([rows[list(used)], codes], axis=1)


def _figures(
    test: pd.DataFrame, label: pd.Series, share: float, seed: int, draws: int
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return figures of merit by group, and those of every draw of people (draws x groups)."""
    stratum, names = pd.factorize(label.to_numpy(), sort=True)
    risk, outcome, person = (test[name].to_numpy() for name in ("risk", "outcome", "person_id"))
    counted = count(risk, outcome, person, stratum, len(names), draws, seed)
    found = measure_by(test, label, share, seed, draws=0)
    return found[found["measure"].isin(COMPARED)], draw_figures(counted, share, knots_of(log_odds(risk)))


def _table(
    value: pd.DataFrame, drawn: dict[str, np.ndarray], other: pd.DataFrame, other_drawn: dict[str, np.ndarray]
) -> pd.DataFrame:
    both = value.merge(
        other[["group", "measure", "value"]].rename(columns={"value": "other_value"}), on=["group", "measure"]
    )
    limits = {name: quantiles(drawn[name][1:] - other_drawn[name][1:]) for name in COMPARED}
    place = {name: number for number, name in enumerate(sorted(set(both["group"])))}
    low, high = np.array([limits[row.measure][:, place[row.group]] for row in both.itertuples()]).T
    both = both.assign(gain=both["value"] - both["other_value"], low=low, high=high)
    # A figure of one model beside none of the other would tell nothing.
    both.loc[both["gain"].isna(), ["value", "other_value", "low", "high"]] = np.nan
    return both
