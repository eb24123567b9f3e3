from cohorts.allocation import allocate
from cohorts.assembly import assemble
from cohorts.formats import write_lists
from cohorts.ledger import counts, ledger, write_counts
from cohorts.policy import refuse_outdated
from cohorts.price import price
from cohorts.price_page import to_json as price_json
from cohorts.price_page import write_price_page
from cohorts.publish import clear_leftovers, publish, stage
from cohorts.reasons import reasons
from cohorts.routing import route
from cohorts.tables import ALLOCATION, COHORT, DOORS, LEDGER, ROUTES, UNMET
from cohorts.team_lists import Heading
from cohorts.unmet import unmet_need

__all__ = [
    "ALLOCATION",
    "COHORT",
    "DOORS",
    "LEDGER",
    "ROUTES",
    "UNMET",
    "Heading",
    "allocate",
    "assemble",
    "clear_leftovers",
    "counts",
    "ledger",
    "price",
    "price_json",
    "publish",
    "reasons",
    "refuse_outdated",
    "route",
    "stage",
    "unmet_need",
    "write_counts",
    "write_lists",
    "write_price_page",
]
