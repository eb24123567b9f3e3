"""The weekly schedule, served by Prefect."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL, temporary_settings

from casewell.errors import AsOfError, SettingsError
from casewell.settings import load
from flows.dates import end_of_fresh_data
from flows.progress import say
from flows.weekly import weekly_flow

LOCAL_SERVER = "http://127.0.0.1:4200/api"


def serve(settings_file: Path) -> None:
    """Serve the weekly flow at the settings' cron and time zone until stopped.

    A schedule needs a Prefect server: the one PREFECT_API_URL names, the one `make ui` opened,
    or one started here for as long as the schedule runs.
    """
    settings = load(settings_file)
    schedule = settings.schedule
    try:
        when = Cron(schedule.cron, timezone=schedule.time_zone)
    except ValueError as error:
        raise SettingsError(
            f"schedule.cron: {error}",
            "Five fields: minute, hour, day of month, month, day of week; 0 5 * * 1 is Monday at five.",
        ) from None
    try:
        end_of_fresh_data(settings)
    except AsOfError as stale:
        say(f"As the data stand, a scheduled run would refuse: {stale}")
    url = os.environ.get("PREFECT_API_URL", LOCAL_SERVER)
    own = None if _answers(url) else _start(url)
    say(
        f"Serving the weekly run ({schedule.cron}, {schedule.time_zone}); Ctrl-C stops it. Runs show at {url.removesuffix('/api')}"
    )
    try:
        with temporary_settings({PREFECT_API_URL: url}):
            weekly_flow.serve(
                name="weekly",
                schedule=when,
                parameters={"settings_file": str(settings_file.resolve())},
                print_starting_message=False,
            )
    finally:
        if own is not None:
            own.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=3):
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


def _start(url: str) -> subprocess.Popen[bytes]:
    if url != LOCAL_SERVER:
        raise SettingsError(f"no Prefect server answers at {url}", "Start it, or unset PREFECT_API_URL.")
    say("Starting a Prefect server for the schedule")
    server = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", "4200"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(120):
        if _answers(url):
            return server
        time.sleep(1)
    server.terminate()
    raise SettingsError("the Prefect server did not start within two minutes", "Try `make ui` and read what it says.")
