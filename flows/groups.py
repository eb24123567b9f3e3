"""Which group each tested person belonged to, for figures by group."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import fairness
from casewell import doors
from models.evaluation.assessment import PRACTICE
from records.tables import NOT_RECORDED, PEOPLE

GROUPINGS = ("imd_quintile", "ethnic_group", "sex", "age_band")


def groups_of(linked: Path, test: pd.DataFrame) -> dict[str, pd.Series]:
    """Return, for each grouping of people and for practices, a label for each row of the tested people.

    Groups are those of the first test date. A person whom the linked data no longer hold is `not recorded`.
    """
    people = doors.read(linked / "people.parquet", PEOPLE)
    table = fairness.group_table(people, test["index_date"].min()).set_index("person_id")
    table = table.assign(**{PRACTICE: people.set_index("person_id")["practice_code"].replace("", NOT_RECORDED)})
    labels = table.reindex(test["person_id"])[[*GROUPINGS, PRACTICE]].fillna(NOT_RECORDED)
    return {name: labels[name].set_axis(test.index) for name in labels}
