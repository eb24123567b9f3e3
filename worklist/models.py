"""What coordinators recorded: only ever added to, the newest of a row counts."""

from __future__ import annotations

from typing import Any

from django.db import models

from casewell.settings import CASE_MANAGEMENT
from cohorts.team_lists import OUTCOMES

AGREED = OUTCOMES[0]
DECLINED = OUTCOMES[1]


class Outcome(models.Model):
    """What became of one person on one team's list.

    A week can be published again with other people at the same rank, so a row is known by its
    reference and its person; where no NHS number is recorded, by the very list it stood on. `returned_file` names the
    copy of the file that it came back in; it is empty for what was recorded on the pages. Each record says all that the
    team then said of the row; `outcome` is empty as long as nothing has come of the offer.
    """

    reference = models.CharField(max_length=200, db_index=True)
    week = models.DateField(db_index=True)
    team_code = models.CharField(max_length=100)
    programme = models.CharField(max_length=100, default=CASE_MANAGEMENT)
    nhs_number = models.CharField(max_length=20, blank=True, db_index=True)
    source_record = models.CharField(max_length=200, blank=True, default="")
    list_version = models.CharField(max_length=64)
    outcome = models.CharField(max_length=30, blank=True, default="", choices=[(text, text) for text in OUTCOMES])
    start_date = models.DateField(null=True)
    offer_again = models.DateField(null=True)
    owner = models.CharField(max_length=500, blank=True, default="")
    progress = models.CharField(max_length=30, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    returned_file = models.CharField(max_length=16, blank=True, default="")
    recorded_at = models.DateTimeField(auto_now_add=True)
    synthetic = models.BooleanField()

    class Meta:
        """A start date goes with an agreement, a day to offer again with a no, and neither with anything else."""

        constraints = (
            models.CheckConstraint(condition=models.Q(outcome__in=("", *OUTCOMES)), name="outcome_is_known"),
            models.CheckConstraint(
                condition=models.Q(("outcome", AGREED), ("start_date__isnull", False))
                | models.Q(~models.Q(outcome=AGREED), start_date__isnull=True),
                name="start_date_goes_with_agreed",
            ),
            models.CheckConstraint(
                condition=models.Q(("outcome", DECLINED)) | models.Q(("offer_again__isnull", True)),
                name="offer_again_goes_with_declined",
            ),
        )

    def __str__(self) -> str:
        """Name the record without saying whose it is."""
        return f"outcome {self.pk}"

    @property
    def about(self) -> tuple[str, str]:
        """The row and the person that the outcome is about."""
        return about(self.reference, self.nhs_number, self.list_version)

    @property
    def other_programme(self) -> str:
        """The programme whose place was offered, in words as on the next list; empty where it was case management's."""
        return "" if self.programme == CASE_MANAGEMENT else self.programme.replace("_", " ")

    def same_as(self, outcome: str, start_date: Any, offer_again: Any) -> bool:
        """Whether this already says so."""
        return (self.outcome, self.start_date, self.offer_again) == (outcome, start_date, offer_again)


def about(reference: str, nhs_number: str, list_version: str) -> tuple[str, str]:
    """Return the key of a row and its person."""
    return reference, nhs_number or list_version
