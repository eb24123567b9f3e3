"""What tests of the whole way through share."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]
SMALLER = {"trees": 60, "index_dates": 20, "minimum_events": 20}
BESIDE = {"beside": ["bed_days"]}


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """A simulated population, its truth, and the settings of a run on it."""

    folder: Path
    settings: Path
    manifest: dict[str, Any]

    @property
    def published(self) -> Path:
        return self.folder / "data" / "cohorts" / self.manifest["as_of"]

    @property
    def truth(self) -> Path:
        return self.folder / "truth"


def demonstration_settings(folder: Path, sources: Path, **changes: Any) -> Path:
    """Write the demonstration's settings for sources and results elsewhere."""
    told = yaml.safe_load((REPOSITORY / "config" / "demo.yaml").read_text())
    for source in told["sources"].values():
        source["path"] = str(sources / Path(source["path"]).name)
    here = {"data_dir": str(folder / "data"), "mlruns_dir": str(folder / "mlruns")}
    told |= here | {"training": SMALLER, "outcome": BESIDE} | changes
    path = folder / "settings.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(told))
    return path


def run_week(folder: Path, sources: Path, **changes: Any) -> Rehearsal:
    """Run the weekly flow, training included, on sources already made."""
    from casewell.settings import load
    from flows.dates import date_within_the_data
    from flows.weekly import weekly_flow

    path = demonstration_settings(folder, sources, **changes)
    as_of: dt.date = date_within_the_data(load(path), None)
    return Rehearsal(folder, path, weekly_flow(str(path), str(as_of)))


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
