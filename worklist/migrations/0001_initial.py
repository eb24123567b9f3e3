"""The store of outcomes; the database itself refuses to change or delete one."""

from django.db import migrations, models

OUTCOMES = ("agreed", "declined", "not reached", "not suitable", "already supported")
AGREED = ("outcome", "agreed")


def only_ever_added_to(event: str) -> str:
    """Return the SQL of a trigger that stops an event."""
    return (
        f"CREATE TRIGGER outcomes_are_kept_{event.lower()} BEFORE {event} ON worklist_outcome "
        "BEGIN SELECT RAISE(ABORT, 'outcomes are only ever added to'); END"
    )


class Migration(migrations.Migration):
    """The table, its rules and its triggers."""

    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="Outcome",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(db_index=True, max_length=200)),
                ("week", models.DateField(db_index=True)),
                ("team_code", models.CharField(max_length=100)),
                ("nhs_number", models.CharField(blank=True, db_index=True, max_length=20)),
                ("list_version", models.CharField(max_length=64)),
                ("outcome", models.CharField(choices=[(text, text) for text in OUTCOMES], max_length=30)),
                ("start_date", models.DateField(null=True)),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                ("synthetic", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", OUTCOMES)),
                        name="outcome_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(AGREED, ("start_date__isnull", False))
                        | models.Q(models.Q(AGREED, _negated=True), ("start_date__isnull", True)),
                        name="start_date_goes_with_agreed",
                    ),
                ],
            },
        ),
        migrations.RunSQL(only_ever_added_to("UPDATE"), "DROP TRIGGER outcomes_are_kept_update"),
        migrations.RunSQL(only_ever_added_to("DELETE"), "DROP TRIGGER outcomes_are_kept_delete"),
    )
