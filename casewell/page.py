"""The look of every page that Casewell writes: one HTML file, no script, no network, pictures inline.

Colours keep the contrast that WCAG 2.2 AA asks for; every picture has a title, a description
and, by the rule of the house, a plain sentence and a table beside it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

PICTURE_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "casewell",
    # Always bundled, so the layout is the same on every machine; the page asks for Arial in its place.
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": "#212b32",
    "axes.labelcolor": "#212b32",
    "axes.edgecolor": "#768692",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": "#212b32",
    "ytick.color": "#212b32",
}
STYLE = """
body{margin:0;background:#f0f4f5;color:#212b32;font:17px/1.5 Arial,sans-serif}
header{background:#005eb8;color:#fff;padding:20px 0}
header p,h1{margin:0}h1{font-size:30px}
.wide{max-width:1000px;margin:0 auto;padding:0 20px}
.synthetic{background:#ffeb3b;color:#212b32;font-weight:bold;padding:10px 0;border-bottom:4px solid #212b32}
section{background:#fff;border:1px solid #d8dde0;margin:24px 0;padding:20px 24px}
h2{font-size:23px;margin:0 0 8px}h3{font-size:18px}
.verdict{border-left:12px solid #425563}.verdict h2{font-size:27px}
.pass{border-left-color:#007f3b}.pass h2{color:#00662f}.fail{border-left-color:#d5281b}.fail h2{color:#b4160a}
.verdict li{margin:4px 0}.release{font-weight:bold}
.says{font-size:19px;max-width:46em}
.facts{display:flex;flex-wrap:wrap;gap:8px 36px;margin:0;padding:0;list-style:none}.facts b{display:block;font-size:24px}
svg{width:100%;height:auto;display:block;margin:12px 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;margin:12px 0}
caption{text-align:left;font-weight:bold;padding:6px 0}
th,td{text-align:right;padding:5px 8px;border-bottom:1px solid #d8dde0;vertical-align:top}
th:first-child{text-align:left}thead th{border-bottom:2px solid #425563}
summary{cursor:pointer;color:#005eb8;font-weight:bold;padding:6px 0}
:focus{outline:3px solid #ffeb3b;outline-offset:2px;box-shadow:0 0 0 3px #212b32}
@media print{body{background:#fff}section{border:0;break-inside:avoid}}
"""
_MAIN = '<main class="wide">'


def document(title: str, subtitle: str, as_of: dt.date, synthetic: bool, sections: Sequence[str]) -> str:
    """Return a whole page. `title` and `subtitle` are escaped here; `sections` must be already."""
    banner = (
        '<div class="synthetic" role="note"><div class="wide">SYNTHETIC: no real person is behind these figures</div></div>'
        if synthetic
        else ""
    )
    day = f"{as_of.day} {as_of:%B %Y}"
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}, {day}</title>'
            f'<style>{STYLE}</style></head><body>{banner}<header><div class="wide"><h1>{escape(title)}</h1>'
            f"<p>{escape(subtitle)}</p></div></header>{_MAIN}",
            *sections,
            "</main></body></html>\n",
        ]
    )


def with_section(page: str, section: str) -> str:
    """Return a page of `document` with one more section above the others; `section` must be escaped already."""
    return page.replace(_MAIN, f"{_MAIN}\n{section}", 1)


def html_table(caption: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column heads its rows; every text is escaped here."""
    columns = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    lines = "".join(
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(text)}</td>" for text in rest) + "</tr>"
        for first, *rest in body
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def inline_svg(draw: Callable[[], Figure], name: str, title: str, description: str) -> str:
    """Return a figure as an SVG element, its ids prefixed with `name`, without any outside address."""
    buffer = StringIO()
    with matplotlib.rc_context(PICTURE_STYLE):
        draw().savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.S)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    body = svg[svg.index(">") + 1 :].replace("xlink:href", "href")
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    body = body.replace("'DejaVu Sans'", "Arial, sans-serif")
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-description" viewBox="0 0 {width} {height}">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-description">{escape(description)}</desc>{body.strip()}'
    )


def save_picture(draw: Callable[[], Figure], path: Path) -> Path:
    """Write a figure as SVG or PNG, by the path's suffix; equal figures give equal bytes."""
    metadata: dict[str, Any] = {"Software": None} if path.suffix == ".png" else {"Date": None, "Creator": None}
    with matplotlib.rc_context(PICTURE_STYLE):
        draw().savefig(path, dpi=160, metadata=metadata, facecolor="white")
    return path
