from cohorts.allocation import allocate
from cohorts.assembly import assemble
from cohorts.formats import write_lists
from cohorts.ledger import counts, ledger, write_counts
from cohorts.publish import clear_leftovers, publish, stage
from cohorts.reasons import reasons
from cohorts.routing import route
from cohorts.tables import ALLOCATION, COHORT, DOORS, LEDGER, ROUTES
from cohorts.team_lists import Heading

__all__ = [
    "ALLOCATION",
    "COHORT",
    "DOORS",
    "LEDGER",
    "ROUTES",
    "Heading",
    "allocate",
    "assemble",
    "clear_leftovers",
    "counts",
    "ledger",
    "publish",
    "reasons",
    "route",
    "stage",
    "write_counts",
    "write_lists",
]
