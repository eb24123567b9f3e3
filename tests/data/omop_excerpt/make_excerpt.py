"""Cut the excerpt of 150 people from a folder of GiBleed CSV files: python make_excerpt.py FOLDER.

Every other person had an inpatient visit, so that admissions are there to learn from. Headers are kept
letter for letter, odd as they are, and so are twenty observation periods of people who are not there.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from pathlib import Path

PEOPLE = 150
ORPHANS = 20
HERE = Path(__file__).parent


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    # Without a file name or time stamp the same rows give the same bytes.
    path.write_bytes(gzip.compress(text.getvalue().encode("utf-8"), mtime=0))


def person_column(header: list[str]) -> int | None:
    names = [name.lower() for name in header]
    return names.index("person_id") if "person_id" in names else None


def main(folder: Path) -> None:
    _, people = read(folder / "person.csv.gz")
    _, visits = read(folder / "visit_occurrence.csv.gz")
    everybody = sorted((row[0] for row in people), key=int)
    admitted = {row[1] for row in visits}
    half = PEOPLE // 2
    seen, unseen = ([p for p in everybody if (p in admitted) == side] for side in (True, False))
    chosen = {*seen[:: len(seen) // half][:half], *unseen[:: len(unseen) // half][: PEOPLE - half]}
    for path in sorted(folder.glob("*.csv.gz")):
        header, rows = read(path)
        column = person_column(header)
        if column is not None and path.name != "provider.csv.gz":
            kept = [row for row in rows if row[column] in chosen]
            if path.name == "observation_period.csv.gz":
                kept += [row for row in rows if row[column] not in set(everybody)][:ORPHANS]
            rows = kept
        write(HERE / path.name, header, rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
