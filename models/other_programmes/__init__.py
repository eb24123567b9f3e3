"""Programmes beside case management (`programmes` in the settings): who they are for, what they change, and how that is known."""
