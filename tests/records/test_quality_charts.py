"""Pictures of the sources have an axis of dates that can be read, however long they go back."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest
from matplotlib.figure import Figure

from records.quality.charts import _dates


@pytest.mark.parametrize("months", [1, 2, 12, 23, 24, 30, 35, 36, 48, 240])
def test_dates_find_their_marks_whatever_the_span(months):
    axis = Figure().subplots()
    days = pd.date_range("2023-10-01", periods=months, freq="MS")
    axis.plot(days, range(months))
    _dates(axis)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 0 < len(axis.xaxis.get_majorticklocs()) <= 7
