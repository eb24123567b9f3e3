"""The process environment that Prefect, MLflow, OpenMP and matplotlib read when they are imported."""

from __future__ import annotations

import os
from pathlib import Path


def prepare(home: Path) -> None:
    """Set what is not already set: no telemetry, Prefect's state under `home`, quiet logs."""
    defaults = {
        "PREFECT_HOME": str(home.resolve() / ".prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        # Users see Casewell's own progress and messages; a bug still shows Python's traceback.
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "OMP_WAIT_POLICY": "PASSIVE",
        "MPLBACKEND": "Agg",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
