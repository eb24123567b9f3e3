"""Read a settings file, and report every mistake in it at once."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import ValidationError

from casewell.errors import SettingsError
from casewell.settings.section import Section
from casewell.settings.whole import Settings


class _NoKeyTwice(yaml.SafeLoader):
    """YAML in which a key given twice is a mistake; otherwise the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node, whose own keys must differ; those merged by `<<` may be replaced."""
        lines: dict[str, list[int]] = {}
        for key, _ in node.value:
            lines.setdefault(str(key.value), []).append(key.start_mark.line + 1)
        twice = [
            f"key {key!r} is given twice, in lines {at[0]} and {at[1]}" for key, at in lines.items() if len(at) > 1
        ]
        if twice:
            raise SettingsError(twice, "Put what belongs together under one key.")
        return super().construct_mapping(node, deep)


Location = Annotated[tuple[Any, ...], "keys from the top of the file down"]


def load(path: Path) -> Settings:
    """Read a settings file.

    Raises
    ------
    SettingsError
        Not found, not YAML, or every broken rule at once, unknown keys with the nearest known one.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _NoKeyTwice)
    except FileNotFoundError:
        raise SettingsError(
            f"settings file {str(path)!r} does not exist", "Give another with --settings FILE."
        ) from None
    except OSError as error:
        raise SettingsError(f"settings file {str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(
            f"settings file {str(path)!r} is not UTF-8 text", "Compare it with config/demo.yaml."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise SettingsError(
            f"settings file {str(path)!r} is not YAML{where}", "Compare it with config/demo.yaml."
        ) from None
    if not isinstance(raw, dict):
        raise SettingsError(
            f"settings file {str(path)!r} must hold keys and values", "Compare it with config/demo.yaml."
        )
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(
            [_describe(item) for item in error.errors()], f"Mend {path}; docs/reference/settings.md lists every key."
        ) from None


def _describe(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(problem["loc"][-1]), _known_keys(problem["loc"][:-1]), 1, cutoff=0.5)
        return f"unknown key {where!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if problem["type"] == "model_type":
        return f"{where}: must hold keys and values; leave it out for its defaults"
    said = problem["msg"].removeprefix("Value error, ")
    # Of settings that do not go together no single key is the place.
    return f"{where}: {said}" if where else str(said)


def _known_keys(location: Location) -> list[str]:
    model: type[Section] = Settings
    for part in location:
        # A part that names no field is a key of a dictionary, such as a source's own name.
        field = model.model_fields.get(str(part))
        inside = _types_in(field.annotation) if field else []
        model = next((kind for kind in inside if isinstance(kind, type) and issubclass(kind, Section)), model)
    return list(model.model_fields)


def _types_in(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [annotation, *(deep for arg in inner for deep in _types_in(arg))]
