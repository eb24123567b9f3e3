"""What every test needs: an environment of its own, and one small rehearsed week made once a session."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

# Before anything imports Prefect, MLflow or matplotlib; the session's state stays out of the repository's own.
_state = tempfile.TemporaryDirectory(prefix="casewell-tests-")
os.environ["PREFECT_HOME"] = _state.name

from casewell.environment import prepare  # noqa: E402

prepare(Path(__file__).parents[1])

import pytest  # noqa: E402

import cohorts  # noqa: E402
import records  # noqa: E402
import records.linked  # noqa: E402
from tests import accounts  # noqa: E402
from tests.support import Rehearsal, run_week  # noqa: E402

# Before any test module imports them: what comes in goes out by one door, in every test.
records.build = records.linked.build = accounts.after_each_build(records.linked.build)
cohorts.ledger = accounts.after_each_ledger(cohorts.ledger)


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4,000 simulated people on a seed that nothing was tuned on; returns the folder of sources."""
    import simulator

    folder = tmp_path_factory.mktemp("population")
    simulator.simulate(4_000, 23, folder / "sources", folder / "truth")
    return folder / "sources"


@pytest.fixture(scope="session")
def rehearsal(population: Path) -> Rehearsal:
    """One whole week on the simulated population, run while the truth is nowhere that it could be found."""
    truth, hidden = population.parent / "truth", Path(tempfile.mkdtemp()) / "elsewhere"
    shutil.move(truth, hidden)
    try:
        return run_week(population.parent, population)
    finally:
        shutil.move(hidden, truth)
