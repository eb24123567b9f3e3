"""What holds for everything a flow does: one run at a time, and a refusing disk is said plainly."""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow.exceptions import MlflowException
from prefect._internal.concurrency.threads import wait_for_global_loop_exit
from prefect.exceptions import TerminationSignal
from sqlalchemy.exc import SQLAlchemyError

from casewell.errors import OrchestrationError, StorageError
from casewell.settings import Settings
from flows.progress import say
from flows.workspace import STILL, disk

# Prefect may have events left to send.
SECONDS_TO_END = 10
# How SQLite, through MLflow, says that it cannot keep the books.
SIGNS = (
    "disk is full",
    "disk I/O error",
    "readonly database",
    "unable to open database file",
    "not a database",
    "image is malformed",
    "No space left",
)
# Prefect has no error of its own for a server that a busy machine did not start in time.
TOO_SLOW = "Timed out while attempting to connect to ephemeral Prefect API server"


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Work in the settings' folders.

    Raises
    ------
    StorageError
        The disk is full or may not be written, whichever library says so.
    OrchestrationError
        Prefect's server did not start in time.
    """
    with disk():
        try:
            with _alone(settings.data_dir):
                yield
        except TerminationSignal as end:
            # Prefect's own handling ends in a traceback, as if a request to end were a fault.
            sys.exit(128 + end.signal)
        except (MlflowException, SQLAlchemyError) as error:
            if not any(sign in str(error) for sign in SIGNS):
                raise
            raise StorageError(
                f"MLflow's store is damaged or cannot be written ({settings.mlruns_dir})", STILL
            ) from None
        except RuntimeError as error:
            if TOO_SLOW not in str(error):
                raise
            raise OrchestrationError(
                "its server did not answer in time",
                "Lists published before still stand. Run again when the machine is less busy, or give the server more"
                " seconds than 180: PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS=600 before the command.",
            ) from None


def end_background_work() -> None:
    """End Prefect's background thread, once nothing is left to run.

    Until it ends it keeps the last flow, with all that the flow's module names, DuckDB's types among it; DuckDB then
    complains at length as the process ends.
    """
    wait_for_global_loop_exit(SECONDS_TO_END)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other run works in the folder, and clear what killed runs left half made.

    The lock goes with its process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another run is working in {folder}: waiting for it to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for kind in ("linked", "features", "runs"):
            for half_made in (folder / kind).glob("*.partial"):
                shutil.rmtree(half_made)
        yield
