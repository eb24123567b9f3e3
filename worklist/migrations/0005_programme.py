"""Which programme the offer was of; until there were several, case management."""

from django.db import migrations, models

EVENTS = ("UPDATE", "DELETE")


def only_ever_added_to(event: str) -> str:
    """Return the SQL of a trigger that stops an event; SQLite may write the table anew, without triggers."""
    return (
        f"CREATE TRIGGER IF NOT EXISTS outcomes_are_kept_{event.lower()} BEFORE {event} ON worklist_outcome "
        "BEGIN SELECT RAISE(ABORT, 'outcomes are only ever added to'); END"
    )


class Migration(migrations.Migration):
    """One column."""

    dependencies = (("worklist", "0004_work"),)

    operations = (
        *[migrations.RunSQL(f"DROP TRIGGER outcomes_are_kept_{event.lower()}", only_ever_added_to(event)) for event in EVENTS],
        migrations.AddField("outcome", "programme", models.CharField(default="case_management", max_length=100)),
        *[migrations.RunSQL(only_ever_added_to(event), f"DROP TRIGGER outcomes_are_kept_{event.lower()}") for event in EVENTS],
    )  # fmt: skip
