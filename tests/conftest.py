"""What every test needs: an environment of its own, and one small rehearsed week made once a session."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports Prefect, MLflow or matplotlib; the session's state stays out of the repository's own.
os.environ["PREFECT_HOME"] = os.environ.get("PYTEST_PREFECT_HOME", f"/tmp/casewell-tests-{os.getpid()}/.prefect")

from casewell.environment import prepare

prepare(Path(__file__).parents[1])
