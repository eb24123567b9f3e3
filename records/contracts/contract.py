"""What a contract is."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandera.pandas as pa

from records.reading import SQL_TYPES


@dataclass(frozen=True)
class Contract:
    """One kind of extract.

    Attributes
    ----------
    schema
        Its columns, their meaning and allowed values.
    key
        The column that names a row.
    happened
        The day the row is about; `known` falls back on it, plus the source's lag, where no receipt is recorded.
    known
        The day the care system received the row; a row not known before `as_of` is not used.
    version
        The day on which a row was received as it is. Of rows with one key, and of several such days, the newest one
        that the care system knew holds. Empty where a key names one row for good.
    order
        Pairs of date columns: the first may not be later than the second.
    """

    schema: pa.DataFrameSchema
    key: str = "record_id"
    happened: str = ""
    known: str = "received_date"
    version: str = ""
    order: tuple[tuple[str, str], ...] = field(default=())

    @property
    def numbered(self) -> bool:
        """Whether rows may carry an NHS number."""
        return "nhs_number" in self.schema.columns

    @property
    def demographic(self) -> bool:
        """Whether rows say enough about a person to be linked without a number."""
        return "date_of_birth" in self.schema.columns

    @property
    def personal(self) -> bool:
        """Whether rows are about people at all."""
        return self.numbered or self.demographic


def dtype_of(declared: pa.Column) -> str:
    """Return the declared type by its plain name; Pandera spells text and time in more than one way."""
    dtype = str(declared.dtype)
    return next((name for name in SQL_TYPES if dtype.startswith(name[:3])), dtype)
