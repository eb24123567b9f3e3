"""What the gate said and who released the lists in spite of it, on every page and file of a week that does not say so itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from casewell.page import with_section
from cohorts.storage import disk


def tell_release(paths: Iterable[Path], lines: Sequence[str], told: dict[str, Any]) -> None:
    """Write the release into files of a week: above a page's sections, under `fairness` in JSON, into Parquet's metadata.

    Parameters
    ----------
    paths
        Files ending in `.html` (made by `casewell.page.document`), `.json` (an object) or `.parquet`.
    lines
        What a page says, a paragraph each; escaped here.
    told
        What a program reads: `verdict`, `released`, and `override` (`owner`, `reason`, `review_date`) or None. In Parquet it is the
        schema's metadata `fairness`, as JSON; the table itself, its columns and rows, stay as they are.

    Raises
    ------
    StorageError
        The disk refuses.
    """
    for path in paths:
        with disk(f"{str(path)!r} could not be written"):
            _HOW[path.suffix](path, lines, told)


def _page(path: Path, lines: Sequence[str], told: dict[str, Any]) -> None:
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    page = with_section(path.read_text(encoding="utf-8"), f"<section><h2>This week's lists</h2>{said}</section>")
    path.write_text(page, encoding="utf-8", newline="\n")


def _json(path: Path, lines: Sequence[str], told: dict[str, Any]) -> None:
    content = json.loads(path.read_text(encoding="utf-8")) | {"fairness": told}
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def _table(path: Path, lines: Sequence[str], told: dict[str, Any]) -> None:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
    table = parquet.read_table(path).replace_schema_metadata({"fairness": text})
    parquet.write_table(table.combine_chunks(), path, compression="zstd")


_HOW = {".html": _page, ".json": _json, ".parquet": _table}
