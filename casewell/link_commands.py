"""`casewell link`: look at how records were linked, and put it right."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from casewell.options import DEMONSTRATION, SettingsFile, console
from casewell.settings import load

link_app = typer.Typer(no_args_is_help=True, help="Look at how records were linked to people, and put it right.")

Week = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="The linked week to look at (YYYY-MM-DD). Default: the newest."),
]


@link_app.command("review")
def review(
    settings: SettingsFile = DEMONSTRATION,
    as_of: Week = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write. Default: review/DATE.csv in the data folder.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Write at most this many pairs.")] = 200,
) -> None:
    """Write the uncertain pairs of records, side by side, for a person to decide.

    Each line says in words why the two may be one person. Fill in `decision` (same or different), `reason`,
    `decided_by` and `decided_on`, leave lines open that cannot be decided, and give the file to `casewell link decide`.
    The file holds names: it is readable by its owner only. docs/how-to/linking.md says more.
    """
    from flows.linking import write_review
    from flows.workspace import disk

    with disk():
        path, pairs = write_review(settings, as_of, out, most)
    if pairs:
        console.print(f"{pairs} pair(s) to decide in {escape(str(path))} (readable by you only)", soft_wrap=True)
    else:
        console.print("There is no uncertain pair that is not decided; no file written")


@link_app.command("decide")
def decide(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The filled-in file of `casewell link review`, or corrections by hand. Without one, the file that "
            "keeps decisions is made, empty, if it is not there.",
            show_default=False,
        ),
    ] = None,
    settings: SettingsFile = DEMONSTRATION,
) -> None:
    """Read decisions back: check the file, and add them to the file that `linkage.decisions` names.

    All or nothing: any wrong line is named and nothing is added. Giving a file twice adds nothing twice. The
    decisions count in every run for a day after the one they were made on.
    """
    from flows.linking import begin_decisions, take_decisions
    from flows.workspace import disk

    if file is None:
        with disk():
            kept, made = begin_decisions(load(settings), settings)
        console.print(f"{escape(str(kept))} {'is made' if made else 'was there before'}", soft_wrap=True)
        return
    with disk():
        kept, taken = take_decisions(load(settings), settings, file)
    console.print(
        f"{taken.same} pair(s) the same person, {taken.different} different, added to {escape(str(kept))}; "
        f"{taken.before} were there before, {taken.undecided} left undecided",
        soft_wrap=True,
    )
    if taken.newest is not None:
        console.print(
            f"A run uses what was decided before its day: all of these from {taken.newest + dt.timedelta(days=1)} on"
        )


@link_app.command("explain")
def explain(
    person_id: Annotated[
        int | None, typer.Argument(help="A person id, as the tables hold it.", show_default=False)
    ] = None,
    settings: SettingsFile = DEMONSTRATION,
    source: Annotated[
        str | None, typer.Option(help="With --record, instead of a person id: the source's name.")
    ] = None,
    record: Annotated[str | None, typer.Option(help="The record's own identifier within the source.")] = None,
    as_of: Week = None,
    show_names: Annotated[
        bool, typer.Option("--show-names", help="Also show what the records say: names, birth dates, addresses.")
    ] = False,
) -> None:
    """Say which source records make a person up, and why: each link's weights in words, and the person's history.

    Only on a machine that holds the pseudonym key, and every look is noted in a private file.
    Example: `casewell link explain --source housing --record U123`
    """
    from flows.explaining import explain_person
    from flows.workspace import disk

    if (person_id is None) == (source is None or record is None) or (source is None) != (record is None):
        raise typer.BadParameter("give either a person id, or --source and --record")
    with disk():
        explain_person(settings, as_of, person_id, source, record, show_names, console)


@link_app.command("changes")
def changes(
    settings: SettingsFile = DEMONSTRATION,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only those recorded for this day or later (YYYY-MM-DD).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the merges and splits of people from week to week, with their reasons; pseudonyms only."""
    from flows.explaining import print_changes
    from flows.workspace import disk

    with disk():
        print_changes(load(settings), since, as_json, console)


@link_app.command("prune")
def prune(
    before: Annotated[
        str, typer.Option(metavar="DATE", help="No week before this day will be made again (YYYY-MM-DD).")
    ],
    settings: SettingsFile = DEMONSTRATION,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it. Without this, only say what would go.")] = False,
) -> None:
    """Free the disk of what linkage remembers of long past weeks; nothing ever goes by itself.

    From the day given on, every week can still be made again as it was. Weeks before it no longer can, and are
    refused. Who was merged or split, and rotations of the key, stay on record.
    Example: `casewell link prune --before 2025-04-01`
    """
    from flows.linking import prune_register
    from flows.workspace import disk

    with disk():
        prune_register(load(settings), before, yes, console)
