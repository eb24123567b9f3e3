"""Files that a GP system takes in to open the records of the people listed: one practice a file.

EMIS and SystmOne take a plain CSV: NHS number of ten digits as text, date of birth second (day/month/year), no header,
the patients of one practice only. Nothing else about the people goes in.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cohorts.fhir_checks import is_nhs_number
from cohorts.formats import write_private
from cohorts.safe_text import file_stems
from cohorts.storage import disk
from cohorts.tables import LISTED


def write_practice_files(
    cohort: pd.DataFrame, contacts: pd.DataFrame, folder: Path, synthetic: bool
) -> tuple[int, int]:
    """Write a file for each practice that has somebody listed.

    Returns
    -------
    tuple of int
        People written, and people listed who are left out because no NHS number, date of birth or practice is recorded.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    listed = cohort.loc[cohort["status"] == LISTED, ["person_id", "team_code", "rank"]]
    table = listed.merge(contacts, on="person_id", how="left", validate="one_to_one")
    table = table.assign(number=table["nhs_number"].fillna(""), practice=table["practice_code"].fillna(""))
    usable = (
        table["number"].map(is_nhs_number).astype("bool") & table["date_of_birth"].notna() & (table["practice"] != "")
    )
    known = table[usable].sort_values(["practice", "team_code", "rank"])
    stems = file_stems(known["practice"])
    lines = '"' + known["number"] + '","' + known["date_of_birth"].dt.strftime("%d/%m/%Y") + '"\r\n'
    with disk(f"the practices' files could not be written to {str(folder)!r}"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for practice, text in lines.groupby(known["practice"]).agg("".join).items():
            # No header may stand in the file, so its name must say that nobody in it exists.
            stem = f"SYNTHETIC-{stems[str(practice)]}" if synthetic else stems[str(practice)]
            write_private(folder / f"{stem}.csv", text.encode("ascii"))
    return int(usable.sum()), int((~usable).sum())
