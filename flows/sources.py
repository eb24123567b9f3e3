"""Check every source, print what was found, and write it as JSON and a page."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from casewell.errors import AsOfError
from casewell.settings import Settings
from records.quality import Report, check_sources, page
from records.quality.findings import INFORM, LOOK, STOP

COLOURS = {STOP: "bold red", LOOK: "yellow", INFORM: "dim"}


def check(settings: Settings, as_of: str | None, out: Path | None, console: Console) -> Report:
    """Check the sources, print the findings, and write them into `out` (by default `quality` in the data folder).

    Raises
    ------
    AsOfError
        Not a date.
    """
    try:
        day = None if as_of is None else dt.date.fromisoformat(as_of)
    except ValueError:
        raise AsOfError("--as-of is not a date", "Write it as YYYY-MM-DD.") from None
    report = check_sources(settings, day)
    told, written = page.write(report, out or settings.data_dir / "quality")
    print_report(report, console)
    console.print(f"Files: [bold]{escape(str(written))}[/bold] and {escape(str(told))}", soft_wrap=True)
    return report


def print_report(report: Report, console: Console) -> None:
    """Print the findings, the gravest first, and the verdict."""
    stamp = "  [black on yellow] SYNTHETIC [/]" if report.synthetic else ""
    console.print(f"\n[bold]Sources, as of {report.as_of}[/bold]{stamp}")
    for severity, colour in COLOURS.items():
        rows = report.findings[report.findings["severity"] == severity]
        if rows.empty:
            continue
        console.print(f"\n[{colour}]{page.HEADINGS[severity]}[/] ({len(rows)})")
        for row in rows.itertuples():
            source = f"{escape(str(row.source))}, " if row.source else ""
            console.print(f"  - [bold]{source}{row.check}[/bold]: {escape(str(row.sentence))}", soft_wrap=True)
            if severity != INFORM:
                console.print(f"    {escape(str(row.advice))}", style="dim", soft_wrap=True)
    console.print(f"\n[bold]{escape(page.verdict(report))}[/bold]", soft_wrap=True)
