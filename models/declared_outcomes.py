"""The outcomes that can be predicted: what each is, where its label comes from, and what a death does to it.

A death competes with every other outcome: whoever dies can no longer be admitted, fill a bed or
be at home. Everybody's whole horizon is known (who moves away is left out), so no estimate has to bridge
a gap: a chance is that of the event happening before any death (the cumulative incidence of Aalen and Johansen
1978, which without censoring is a plain share), and a death without it counts as no event.
"""

from __future__ import annotations

from dataclasses import dataclass

from casewell.settings import OUTCOME_WORDS, OutcomeName


@dataclass(frozen=True)
class DeclaredOutcome:
    """One outcome.

    Attributes
    ----------
    name : as in the settings
    label : SQL over the columns that `models.outcomes` prepares; of an event the day on which it first happened (missing
        without one), of days their number
    counts_days : a number of days rather than something that happens or not
    death : what a death within the horizon does to it
    """

    name: OutcomeName
    label: str
    counts_days: bool
    death: str

    @property
    def words(self) -> str:
        """Return what it is, for people."""
        return OUTCOME_WORDS[self.name]

    @property
    def from_most(self) -> bool:
        """Say whether most people have every day of the horizon, so that the days that are lacking are what is learned."""
        return self.name == "days_at_home"

    @property
    def predicted(self) -> str:
        """Return the column of the scores that holds its prediction."""
        return f"predicted_{self.name}"

    @property
    def column(self) -> str:
        """Return the column of `models.tables.OUTCOMES` that says what happened: boolean, or days."""
        return "died" if self.name == "death" else self.name


_NO_EVENT = "a death without the admission counts as no admission"

DECLARED: dict[OutcomeName, DeclaredOutcome] = {
    declared.name: declared
    for declared in (
        DeclaredOutcome(
            "admission_or_death",
            "least(first_admitted, death)",
            False,
            "a death is the outcome, whether or not an admission came first",
        ),
        DeclaredOutcome("admission", "first_admitted", False, _NO_EVENT),
        DeclaredOutcome("acs_admission", "first_sensitive", False, _NO_EVENT),
        DeclaredOutcome("death", "death", False, "a death is the outcome"),
        DeclaredOutcome("bed_days", "bed_days", True, "days end with a death: somebody who dies early has few"),
        DeclaredOutcome("days_at_home", "days_at_home", True, "days after a death are not days at home"),
    )
}
