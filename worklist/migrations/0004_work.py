"""An owner, progress or note may come before any outcome; and people without a number are found again by their record."""

from django.db import migrations, models

OUTCOMES = ("", "agreed", "declined", "not reached", "not suitable", "already supported")
EVENTS = ("UPDATE", "DELETE")


def only_ever_added_to(event: str) -> str:
    """Return the SQL of a trigger that stops an event; to change a rule SQLite writes the table anew, without triggers."""
    return (
        f"CREATE TRIGGER IF NOT EXISTS outcomes_are_kept_{event.lower()} BEFORE {event} ON worklist_outcome "
        "BEGIN SELECT RAISE(ABORT, 'outcomes are only ever added to'); END"
    )


class Migration(migrations.Migration):
    """One column, and a rule that lets an outcome be empty."""

    dependencies = (("worklist", "0003_returned_file"),)

    operations = (
        *[migrations.RunSQL(f"DROP TRIGGER outcomes_are_kept_{event.lower()}", only_ever_added_to(event)) for event in EVENTS],
        migrations.AddField("outcome", "source_record", models.CharField(blank=True, default="", max_length=200)),
        migrations.AlterField(
            "outcome",
            "outcome",
            models.CharField(blank=True, choices=[(text, text) for text in OUTCOMES[1:]], default="", max_length=30),
        ),
        migrations.RemoveConstraint("outcome", "outcome_is_known"),
        migrations.AddConstraint(
            "outcome", models.CheckConstraint(condition=models.Q(("outcome__in", OUTCOMES)), name="outcome_is_known")
        ),
        *[migrations.RunSQL(only_ever_added_to(event), f"DROP TRIGGER outcomes_are_kept_{event.lower()}") for event in EVENTS],
    )  # fmt: skip
