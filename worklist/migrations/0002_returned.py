"""What comes back from a workbook besides: until when somebody declined, and what the team wrote."""

from django.db import migrations, models

DECLINED = ("outcome", "declined")
EVENTS = ("UPDATE", "DELETE")


def only_ever_added_to(event: str) -> str:
    """Return the SQL of a trigger that stops an event; to add a rule SQLite writes the table anew, without triggers."""
    return (
        f"CREATE TRIGGER IF NOT EXISTS outcomes_are_kept_{event.lower()} BEFORE {event} ON worklist_outcome "
        "BEGIN SELECT RAISE(ABORT, 'outcomes are only ever added to'); END"
    )


class Migration(migrations.Migration):
    """Four columns and a rule."""

    dependencies = (("worklist", "0001_initial"),)

    operations = (
        *[migrations.RunSQL(f"DROP TRIGGER outcomes_are_kept_{event.lower()}", only_ever_added_to(event)) for event in EVENTS],
        migrations.AddField("outcome", "offer_again", models.DateField(null=True)),
        migrations.AddField("outcome", "owner", models.CharField(blank=True, default="", max_length=500)),
        migrations.AddField("outcome", "progress", models.CharField(blank=True, default="", max_length=30)),
        migrations.AddField("outcome", "note", models.CharField(blank=True, default="", max_length=500)),
        migrations.AddConstraint(
            "outcome",
            models.CheckConstraint(
                condition=models.Q(DECLINED) | models.Q(("offer_again__isnull", True)),
                name="offer_again_goes_with_declined",
            ),
        ),
        *[migrations.RunSQL(only_ever_added_to(event), f"DROP TRIGGER outcomes_are_kept_{event.lower()}") for event in EVENTS],
    )  # fmt: skip
