"""The columns that several contracts share, and how one is declared."""

from __future__ import annotations

import pandera.pandas as pa

ETHNIC_CATEGORIES = (*"ABCDEFGHJKLMNPRST", "Z", "99")
SEXES = ("0", "1", "2", "9")


def text(meaning: str, *allowed: str, nullable: bool = False, required: bool = True) -> pa.Column:
    """Return a column of text; of the `allowed` values only, where some are given; `meaning` is printed in the reference."""
    checks = [pa.Check.isin(list(allowed))] if allowed else []
    return pa.Column("str", checks, description=meaning, nullable=nullable, required=required)


def whole_number(meaning: str) -> pa.Column:
    """Return an optional column of whole numbers; `meaning` is printed in the reference."""
    return pa.Column("int64", description=meaning, nullable=True, required=False)


def day(meaning: str, nullable: bool = False, required: bool = True) -> pa.Column:
    """Return a column of dates; `meaning` is printed in the reference."""
    return pa.Column("datetime64[us]", description=meaning, nullable=nullable, required=required)


def number(meaning: str, *checks: pa.Check, required: bool = False) -> pa.Column:
    """Return a column of numbers; `meaning` is printed in the reference."""
    return pa.Column("float64", list(checks), description=meaning, nullable=True, required=required)


RECORD = {"record_id": text("The record's own identifier, unique within the source")}
NUMBER = {"nhs_number": text("NHS number, ten digits; spaces and hyphens are ignored", nullable=True)}
RECEIVED = {"received_date": day("Day the care system received the record; known from then on", required=False)}
NAMES = {
    "given_name": text("Given name", nullable=True),
    "family_name": text("Family name", nullable=True),
}
BIRTH = {"date_of_birth": day("Date of birth", nullable=True)}
SEX = {"sex": text("1 male, 2 female, 9 indeterminate, 0 not known", *SEXES, nullable=True)}
ETHNICITY = {
    "ethnic_category": text(
        "NHS 16+1 category; Z not stated, 99 not known", *ETHNIC_CATEGORIES, nullable=True, required=False
    )
}
POSTCODE = {"postcode": text("Postcode of residence at the time", nullable=True)}
ADDRESS = {"address_line": text("First line of the address", nullable=True, required=False)}
PROPERTY = {
    "uprn": text(
        "Unique property reference number of the address; tells households apart better than its spelling",
        nullable=True,
        required=False,
    )
}
