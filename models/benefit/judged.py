"""People of the past to judge a benefit by, with what was foretold of each by models that did not see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.benefit.comparison import History


@dataclass(frozen=True)
class Judged:
    """Rows of the past, and by what each rule would have chosen among them; arrays and tables of one length.

    history : out-of-fold predictions of the outcome
    control : the same for an outcome that the programme should not change
    matrix : features, for balance
    orders : the score by which each rule would choose: "learned benefit" as it would be released, and
        those it must beat, "risk" and, where there is one, "assumed benefit"
    supported : boolean; people like the row's are in the evidence
    within : the list that each row would be on; places are shared out list by list
    """

    history: History
    control: History
    matrix: pd.DataFrame
    orders: Mapping[str, np.ndarray]
    supported: np.ndarray
    within: np.ndarray

    def where(self, rows: np.ndarray) -> Judged:
        """Return some of them (boolean)."""
        return Judged(
            self.history.where(rows),
            self.control.where(rows),
            self.matrix[rows],
            {rule: order[rows] for rule, order in self.orders.items()},
            self.supported[rows],
            self.within[rows],
        )
