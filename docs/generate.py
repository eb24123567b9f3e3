"""Write the pages of docs/reference that come from the code, or check that they are up to date.

python docs/generate.py           writes them
python docs/generate.py --check   fails where one differs from the code
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pandera.pandas as pa
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import cohorts.tables
import features.documentation
import features.tables
import models.tables
import records.contracts
import records.tables
from casewell.__main__ import app
from casewell.settings import Section, Settings

REFERENCE = Path(__file__).parent / "reference"
GENERATED = "<!-- Written by docs/generate.py from the code. Change the code, then run `make docs`. -->\n"


def settings_page() -> str:
    """List every setting with its type, default and meaning."""
    intro = "# Settings\n\nOne YAML file a run, `--settings FILE`. An unknown key is refused; every mistake is reported at once.\n"
    return intro + "".join(_section(path, model) for path, model in _sections("", Settings))


def _sections(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    told: set[type[BaseModel]] = set()
    for name, field in model.model_fields.items():
        inner = _section_in(field.annotation)
        if inner is not None and inner not in told:
            told.add(inner)
            key = f"{name}.NAME" if get_origin(field.annotation) is dict else name
            yield from _sections(f"{path}.{key}".lstrip("."), inner)


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)


def _section(path: str, model: type[BaseModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section) and not field.is_required():
            continue
        default = "required" if field.default is PydanticUndefined else f"`{_plain(field.default)}`"
        rows.append((f"`{name}`", f"`{_type(field.annotation)}`", default, field.description or "See below."))
    return f"\n## {f'`{path}`' if path else 'At the top'}\n\n{model.__doc__}\n\n{table(('key', 'type', 'default', 'meaning'), rows)}"


def _plain(value: Any) -> str:
    return str(value) if value is not None else "none"


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        return _type(get_args(annotation)[0])
    if get_origin(annotation) in (types.UnionType, Union):
        return " or ".join("none" if part is type(None) else _type(part) for part in get_args(annotation))
    if get_args(annotation):
        inside = ", ".join(
            part
            if isinstance(part, str)
            else str(part)
            if not isinstance(part, type) and not get_args(part)
            else _type(part)
            for part in get_args(annotation)
            if part is not Ellipsis
        )
        outside = getattr(get_origin(annotation), "__name__", str(get_origin(annotation)))
        return f"one of {inside}" if outside == "Literal" else f"{outside} of {inside}"
    return getattr(annotation, "__name__", str(annotation))


def tables_page() -> str:
    """List the tables at the doors, column by column."""
    intro = "# The tables at the doors\n\nEach room reads and writes these tables; the same declarations are checked at run time.\n"
    parts = [intro]
    for room, module in (
        ("records", records.tables),
        ("features", features.tables),
        ("models", models.tables),
        ("cohorts", cohorts.tables),
    ):
        schemas = [item for item in vars(module).values() if isinstance(item, pa.DataFrameSchema)]
        own = [schema for schema in schemas if schema.name not in {s.name for s in _seen}]
        _seen.extend(own)
        parts += [f"\n## Out of `{room}/`\n", *(_schema(schema) for schema in own)]
    return "".join(parts)


_seen: list[pa.DataFrameSchema] = []


def _schema(schema: pa.DataFrameSchema) -> str:
    rows = [
        (f"`{name}`", _plain_type(column), "may be missing" if column.nullable else "", column.description or "")
        for name, column in schema.columns.items()
    ]
    shown = rows if len(rows) <= 40 else [*rows[:6], ("...", "", "", f"and {len(rows) - 6} more, see features.md")]
    return f"\n### `{schema.name}`\n\nOne row is {schema.description}.\n\n{table(('column', 'type', '', 'meaning'), shown)}"


def sources_page() -> str:
    """List the contracts of the sources."""
    parts = [
        "# The contracts of the sources\n\nWhat each extract must look like. A file's own names can be mapped in the settings "
        "(`sources.NAME.columns`); dates written as text are ISO, or as `date_format` declares. How each kind of source is read: [reading.md](../how-to/reading.md). OMOP CDM tables follow their own standard.\n\n"
        "A folder with a file named `SYNTHETIC` holds simulated people, and everything made from it says so. Copy the "
        "file along with the tables.\n"
    ]
    for name, contract in records.contracts.CONTRACTS.items():
        rows = [
            (f"`{column}`", _plain_type(declared), "may be missing" if declared.nullable else "", _allowed(declared))
            for column, declared in contract.schema.columns.items()
        ]
        parts.append(
            f"\n## `{name}`\n\nOne row is {contract.schema.description}.\n\n{table(('column', 'type', '', 'meaning'), rows)}"
        )
    return "".join(parts)


def _plain_type(declared: pa.Column) -> str:
    kind = str(declared.dtype)
    words = {
        "string": "text",
        "str": "text",
        "datetime": "date",
        "int": "whole number",
        "Int": "whole number",
        "float": "number",
        "bool": "yes or no",
    }
    return next(word for start, word in words.items() if kind.startswith(start))


def _allowed(declared: pa.Column) -> str:
    values = [
        ", ".join(map(str, check.statistics["allowed_values"]))
        for check in declared.checks
        if "allowed_values" in (check.statistics or {})
    ]
    return (declared.description or "") + (f" ({'; '.join(values)})" if values else "")


def commands_page() -> str:
    """Print the help of every command."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="casewell")
    parts = [f"# Commands\n\n{_exit_codes()}\n"]
    for name, sub in _commands(command):
        help_text = (sub.help or "").strip()
        rows = []
        for parameter in sub.get_params(typer.Context(sub, info_name=name, parent=context)):
            default = parameter.default if not callable(parameter.default) else None
            rows.append(
                (f"`{parameter.opts[0]}`", "" if default in (None, False) else f"`{default}`", parameter.help or "")
            )
        parts.append(f"\n## `casewell {name}`\n\n{help_text}\n\n{table(('option', 'default', 'meaning'), rows)}")
    return "".join(parts)


def _commands(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield f"{above}{name}", command
            yield from _commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def _exit_codes() -> str:
    return next(part for part in str(app.info.help).split("\n\n") if part.startswith("**Exit codes**")).strip()


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in lines
    )


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "tables.md": tables_page,
    "sources.md": sources_page,
    "features.md": features.documentation.markdown,
    "commands.md": commands_page,
}


def main() -> None:
    """Write or check every page."""
    stale = []
    for name, page in PAGES.items():
        text, path = GENERATED + page(), REFERENCE / name
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        sys.exit(f"docs/reference is behind the code: {', '.join(stale)}. Run `make docs`.")


if __name__ == "__main__":
    main()
