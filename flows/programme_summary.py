"""What `casewell evaluate programme` and `casewell plan evaluation` print."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.programme.pictures import measure_words
from models.programme.power import Design, Plan


def print_programme(told: dict[str, Any], console: Console) -> None:
    """Print the account: what changed, what a naive account would have claimed, money, checks, and where the page is.

    Of lots alone, where the records refuse a comparison.
    """
    if "refused" in told:
        console.print(escape(told["lots"]), soft_wrap=True)
        console.print(f"[yellow]Nothing else can be said about what {escape(told['title'])} did:[/yellow]")
        for reason in told["refused"]:
            console.print(f"  - {escape(reason)}", soft_wrap=True)
        console.print(f"Page: [bold]{told['page']}[/bold]")
        return
    table = Table("for each starter", "months", "expected without", "seen", "difference (95 % interval)")
    for row in told["effects"].itertuples():
        table.add_row(
            measure_words(row.measure, told["outcome"]),
            str(row.months),
            *(
                ["too few to tell"] * 3
                if pd.isna(row.difference)
                else [
                    f"{row.without:.3f}",
                    f"{row.with_programme:.3f}",
                    f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})",
                ]
            ),
        )
    console.print(table)
    for sentence in (told["headline"], told["naive"], told["money"]):
        console.print(escape(sentence), soft_wrap=True)
    if told["believed"]:
        console.print("[green]Every check of the comparison passed.[/green]")
    else:
        console.print(
            f"[red]The comparison failed a check, so what {escape(told['title'])} did cannot be stated:[/red]"
        )
        for seen in told["failed"]:
            console.print(f"  - {escape(seen)}", soft_wrap=True)
    console.print(f"Page: [bold]{told['page']}[/bold]")


def print_plan(
    design: Design, effect: float, needed: Plan, wait_days: int, table: pd.DataFrame, console: Console
) -> None:
    """Print what it takes to tell the effect, and what else could be told by when."""
    words = "fall" if effect > 0 else "rise"
    console.print(
        f"Each week {design.drawn} of {sum(design.places)} places are drawn by lot among {design.entered} people at the margin, "
        f"each with a chance of {design.chance:.2f}. {design.risk:.1%} of them would have the outcome without case "
        f"management, and {design.uptake:.0%} of those offered a place start.",
        soft_wrap=True,
    )
    console.print(
        f"To tell a {words} of {abs(effect):.3f} for somebody who takes the place, with {design.power:.0%} power at the "
        f"{design.level:.0%} level, it takes [bold]{needed.people:,} different people in the lot, {needed.places:,} places "
        f"and at least {needed.weeks:,} weeks[/bold] (more, as far as the same people are at the margin week after week); the "
        f"answer is known {wait_days} days after the last draw.",
        soft_wrap=True,
    )
    shown = Table("weeks of drawing", "people in the lot", "smallest fall that can be told")
    for row in table.itertuples():
        shown.add_row(str(row.weeks), f"{row.people:,}", "none" if pd.isna(row.told) else f"{row.told:.3f}")
    console.print(shown)
