"""What several commands share: their options, and where they print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False)
DEMONSTRATION = Path("config/demo.yaml")
SettingsFile = Annotated[
    Path, typer.Option("--settings", help="The run's settings (YAML). config/omop.yaml reads OMOP CDM tables.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Use only what was known before this day (YYYY-MM-DD). Default: the end of the data.",
    ),
]
