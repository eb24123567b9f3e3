"""The short coloured summary at the end of a command."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

BESIDE_SHOWN = {"auroc": "area under the ROC curve", "rank_correlation": "rank correlation"}
MOST_FINDINGS = 4
COLOURS = {"pass": "green", "cannot tell": "yellow", "fail": "red"}


def print_week(manifest: dict[str, Any], console: Console) -> None:
    """Print how many people came, where each went, the lists, the verdict, the evidence and the files."""
    stamp = "  [black on yellow] SYNTHETIC [/]" if manifest["synthetic"] else ""
    console.print(f"\n[bold]Casewell, as of {manifest['as_of']}[/bold]{stamp}")
    console.print(
        f"{manifest['people']:,} people came in, {manifest['registered']:,} of them in the demographics (the others are "
        "known only to other services, or could not be linked). Each left by one door:",
        soft_wrap=True,
    )
    doors = Table("door", "people")
    doors.columns[1].justify = "right"
    for door, people in manifest["doors"].items():
        doors.add_row(door, f"{people:,}")
    console.print(doors)
    if manifest["published_to"]:
        _print_teams(Path(manifest["published_to"]), console)
    console.print(f"Changes: {' '.join(manifest['turnover']['says'])}", soft_wrap=True)
    verdict = manifest["fairness"]["verdict"]
    released = "released" if manifest["fairness"]["released"] else "[bold]withheld[/bold]"
    console.print(f"Fairness: [{COLOURS[verdict]}]{verdict}[/] ({released})")
    for reason in manifest["fairness"]["reasons"][:4]:
        console.print(f"  - {escape(reason)}", soft_wrap=True)
    if len(manifest["fairness"]["reasons"]) > 4:
        console.print(f"  - and {len(manifest['fairness']['reasons']) - 4} more in fairness.html")
    if manifest["fairness"]["override"]:
        override = manifest["fairness"]["override"]
        said = f"  Released by {override['owner']} until {override['review_date']}: {override['reason']}"
        console.print(escape(said), soft_wrap=True)
    grade = manifest["evidence"]["grade"]
    console.print(
        f"Evidence of benefit: [{'yellow' if grade == 'assumed' else 'green'}]{grade}[/]. {escape(manifest['evidence']['sentence'])}",
        soft_wrap=True,
    )
    _print_programmes(manifest.get("programmes", {}), console)
    console.print(f"Features: {escape(manifest['features']['verdict'])}", soft_wrap=True)
    _print_monitoring(manifest, console)
    if manifest["stamps"]:
        console.print(f"[yellow]Look at the sources: {escape(manifest['stamps'])}.[/yellow]", soft_wrap=True)
    if manifest["missing"]:
        console.print(f"Missing in the data: {', '.join(manifest['missing'])}", soft_wrap=True)
    console.print(f"Files: [bold]{manifest['published_to'] or 'no lists were published'}[/bold]")


def _print_programmes(programmes: dict[str, Any], console: Console) -> None:
    for told in programmes.values():
        colour = "yellow" if told["grade"] == "assumed" else "green"
        console.print(f"Other programme: [{colour}]{told['grade']}[/]. {escape(told['sentence'])}", soft_wrap=True)


def _print_monitoring(manifest: dict[str, Any], console: Console) -> None:
    found = manifest["monitoring"]
    console.print(f"Monitoring: {escape(found['headline'])} ({manifest['folder']}/monitoring.html)", soft_wrap=True)
    if found["model_without"]:
        console.print(f"[yellow]Scored by the model without: {escape(', '.join(found['model_without']))}[/]")
    for finding in found["findings"][:MOST_FINDINGS]:
        console.print(f"  - {escape(finding['check'])}: {escape(finding['sentence'])}", soft_wrap=True)


def _print_teams(folder: Path, console: Console) -> None:
    cohort = pd.read_parquet(folder / "cohort.parquet", columns=["team_code", "status"])
    sizes = Counter(zip(cohort["team_code"], cohort["status"], strict=True))
    teams = Table("team", "listed", "reserve")
    for team in sorted(set(cohort["team_code"])):
        teams.add_row(team, str(sizes[team, "listed"]), str(sizes[team, "reserve"]))
    console.print(teams)


def print_training(result: dict[str, Any], console: Console) -> None:
    """Print the measures in the test months, the decision and the evidence."""
    table = Table("measure", "value", "95 % interval", title="In months the model had not seen", title_justify="left")
    for row in result["measures"]:
        table.add_row(row["measure"].replace("_", " "), f"{row['value']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}")
    console.print(table)
    console.print(f"Model {result['version']}: {result['reason']}", soft_wrap=True)
    console.print(result["simpler"], soft_wrap=True)
    for row in result["beside"]:
        if row["measure"] in BESIDE_SHOWN:
            console.print(
                f"Beside it, {row['outcome']}: {BESIDE_SHOWN[row['measure']]} {row['value']:.3f}", soft_wrap=True
            )
    console.print(f"Evidence of benefit: {result['evidence']}", soft_wrap=True)
    _print_programmes(result["programmes"], console)
    if "page" in result:
        console.print(f"Page: [bold]{result['page']}[/bold]")
