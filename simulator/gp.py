"""General practice: contacts, diagnoses, prescriptions, tests, vaccinations, screening and notes of circumstance."""

from __future__ import annotations

from simulator.extract import Extract, World, scatter
from simulator.gp_book import Book
from simulator.gp_contacts import CONSULTATION, administration, diagnoses, measurements, notes, symptoms
from simulator.gp_medicines import acute_prescriptions, other_prescriptions, prescriptions
from simulator.gp_sending import as_received
from simulator.places import Places
from simulator.prevention import screening, vaccinations


def gp_events(world: World, places: Places) -> Extract:
    """Everything the practices wrote; conditions found before the history carry their old date."""
    random, book = world.streams("gp"), Book()
    here = world.here & world.people.registered[:, None]
    contact, month, date = scatter(random, world.lives.contacts * here)
    book.write(contact, date, CONSULTATION)
    diagnoses(random, book, world, here)
    prescriptions(random, book, world, here)
    other_prescriptions(random, book, world, here)
    acute_prescriptions(random, book, contact, date)
    measurements(random, book, world, contact, month, date)
    notes(random, book, world, contact, month, date)
    symptoms(random, book, world, contact, date)
    administration(random, book, world, contact, month, date)
    vaccinations(random, book, world, here)
    screening(random, book, world, here)
    return as_received(random, book, world, places)
