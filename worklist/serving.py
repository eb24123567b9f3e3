"""Starting the pages, on this machine only, and giving outcomes back without them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from casewell.errors import SettingsError, SourceError
from casewell.settings import Settings
from worklist.site import open_site

if TYPE_CHECKING:
    from worklist.reading_back import Taken

# There is no log-in, so no other machine may reach the pages.
ADDRESS = "127.0.0.1"


def make_server(settings: Settings, port: int) -> ThreadedWSGIServer:
    """Return a server bound to this machine's own address; port 0 lets the system choose one.

    Raises
    ------
    SettingsError
        The port is taken or may not be used.
    """
    open_site(settings)
    os.umask(0o077)
    try:
        server = ThreadedWSGIServer((ADDRESS, port), WSGIRequestHandler, ipv6=False)
    except OSError as error:
        raise SettingsError(
            f"port {port} cannot be used: {os.strerror(error.errno or 0)}", "Give another with --port."
        ) from None
    server.set_app(get_wsgi_application())
    return server


def serve(settings: Settings, port: int, say: Callable[[str], None]) -> None:
    """Serve the pages until stopped (Ctrl-C)."""
    with make_server(settings, port) as server:
        say(f"Worklist: http://{ADDRESS}:{server.server_port}/   (no log-in; this machine only; Ctrl-C stops it)")
        server.serve_forever()


def export(settings: Settings) -> tuple[Path, int, int]:
    """Write `programme.csv` and `work.parquet` anew; return the path of the first, its rows, and the rows left out for want of an NHS number."""
    folder = open_site(settings)
    from worklist.giving_back import give_back

    return folder / "programme.csv", *give_back(folder)


def take_back(settings: Settings, files: list[Path]) -> Taken:
    """Record the outcomes in files that teams gave back; see `reading_back.take_back`."""
    folder = open_site(settings)
    from worklist.plain import PlainMessageError
    from worklist.reading_back import take_back as take

    try:
        return take(files, settings.data_dir.resolve(), folder)
    except PlainMessageError as error:
        raise SourceError(str(error)) from None
