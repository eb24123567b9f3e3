"""The registered model, as MLflow loads it: features in, three scores out. Code, not a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

import models


class ScoringModel(PythonModel):
    """Risk, need and benefit of each row of a feature matrix that has `person_id`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the models whose files MLflow fetched."""
        self._models = models.load(Path(context.artifacts["models"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> Any:
        """Return the table `models.tables.SCORES`."""
        return models.score(self._models, model_input)


set_model(ScoringModel())
