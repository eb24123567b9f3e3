"""No lawful basis, no reading."""

from __future__ import annotations

import datetime as dt

from casewell.errors import LawfulBasisError
from casewell.settings import Settings


def check_lawful_basis(settings: Settings, today: dt.date) -> None:
    """Refuse every enabled source that may not be read for this purpose, all of them at once.

    Raises
    ------
    LawfulBasisError
        Before a row of any source is read.
    """
    problems = []
    for name, source in sorted(settings.sources.items()):
        if not source.enabled:
            continue
        basis = source.lawful_basis
        if basis is None:
            problems.append(f"source {name!r} states no lawful basis")
        elif settings.purpose not in basis.purposes:
            problems.append(f"source {name!r} may be read for {', '.join(basis.purposes)}, not for {settings.purpose}")
        elif basis.review_date < today:
            problems.append(f"source {name!r}: its lawful basis was due for review on {basis.review_date}")
    if problems:
        raise LawfulBasisError(
            problems,
            "Write down lawful_basis (reference, purposes, review_date) for the source once it is agreed, "
            "or switch it off with `enabled: false`.",
        )
