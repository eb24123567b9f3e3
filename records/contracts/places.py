"""What is known of practices and areas."""

from __future__ import annotations

import pandera.pandas as pa

from casewell.doors import door
from records.contracts.columns import number, text
from records.contracts.contract import Contract
from records.tables import TRAVEL

MINUTES = pa.Check.in_range(0, 1440)

PLACES: dict[str, Contract] = {
    "practices": Contract(
        door(
            "practices",
            "a GP practice and its primary care network",
            {
                "practice_code": text("ODS code"),
                "practice_name": text("Name"),
                "pcn_code": text("ODS code of the primary care network", nullable=True),
                "pcn_name": text("Name of the network", nullable=True),
            },
        ),
        key="practice_code",
        known="",
    ),
    "travel_times": Contract(
        door(
            "travel_times",
            "an area, and how far it is from there to services (a table of the site's own, taken to hold at all times)",
            {
                "lsoa": text("Lower layer super output area, 2021 (or 2011) code"),
                **{
                    name: number(f"Minutes to the nearest {place}, by the means of travel the site chose", MINUTES)
                    for name, place in zip(TRAVEL, ("general practice", "pharmacy", "hospital"), strict=True)
                },
            },
        ),
        key="lsoa",
        known="",
    ),
}
