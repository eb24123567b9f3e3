"""Draw the README's pictures from the newest published week of simulated people.

python docs/pictures.py
"""

from __future__ import annotations

import re
import sys
import textwrap
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from casewell.page import save_picture

HERE = Path(__file__).parent
COLUMNS = {
    "rank": "Rank",
    "name": "Name",
    "date_of_birth": "Born",
    "risk_band": "Chance",
    "need_band": "Illness",
    "why": "Why now",
}


def list_figure(rows: pd.DataFrame, team: str, as_of: str) -> Figure:
    """Draw the top of one team's list."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_title(
        f"SYNTHETIC. Case management list, team {team}, as of {as_of}", loc="left", fontweight="bold", fontsize=11
    )
    drawn = axes.table(
        rows[list(COLUMNS)].to_numpy().tolist(),
        colLabels=list(COLUMNS.values()),
        colWidths=[0.05, 0.15, 0.09, 0.12, 0.11, 0.48],
        cellLoc="left",
        loc="upper left",
    )
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(9)
    for (row, _), cell in drawn.get_celld().items():
        cell.set_height(0.055 if row == 0 else 0.155)
        cell.set_edgecolor("#d8dde0")
        cell.set_facecolor("#e8edee" if row == 0 else "white")
    return figure


def main() -> None:
    """Write `docs/pictures/list.svg` and `docs/pictures/fairness.svg`."""
    weeks = sorted(path for path in Path("data/cohorts").glob("*") if (path / "manifest.json").is_file())
    if not weeks:
        sys.exit("There is no published week under data/cohorts. Run `make run` first.")
    week = weeks[-1]
    source = sorted((week / "lists").glob("*.csv"))[0]
    rows = pd.read_csv(source, dtype=str, keep_default_na=False).head(6)
    if not (rows["synthetic"] == "SYNTHETIC").all():
        sys.exit("These are real people; no picture of them is drawn.")
    reasons = rows[["reason_1", "reason_2", "reason_3"]].apply(lambda row: "; ".join(filter(None, row)), axis=1)
    rows["why"] = reasons.map(lambda text: textwrap.fill(text, 62))
    pictures = HERE / "pictures"
    pictures.mkdir(exist_ok=True)
    save_picture(partial(list_figure, rows, source.stem, week.name), pictures / "list.svg")
    page = (week / "fairness.html").read_text(encoding="utf-8")
    chart = re.search(r"<svg .*?</svg>", page, flags=re.S)
    if chart is None:
        sys.exit(f"{week}/fairness.html holds no picture.")
    svg = chart[0].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="940" ', 1)
    (pictures / "fairness.svg").write_text(svg + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
