from cohorts.allocation import allocate
from cohorts.assembly import assemble
from cohorts.changes import ON_IT, Earlier, personal_changes, turnover
from cohorts.circumstances import circumstances
from cohorts.fhir_files import write_bundles
from cohorts.first_steps import first_steps
from cohorts.formats import write_lists
from cohorts.last_places import listed_with
from cohorts.ledger import counts, ledger, write_counts
from cohorts.margin import lots, refuse_outdated_margins, resting_now
from cohorts.policy import refuse_outdated
from cohorts.practice_files import write_practice_files
from cohorts.price import price
from cohorts.price_page import to_json as price_json
from cohorts.price_page import write_price_page
from cohorts.publish import clear_leftovers, publish, stage
from cohorts.reason_days import with_days
from cohorts.reasons import side_by_side, strongest
from cohorts.routing import DECLINED, declined_until, route
from cohorts.several import OtherProgrammes, as_offered
from cohorts.tables import ALLOCATION, COHORT, DOORS, LEDGER, ROUTES, TURNOVER, UNMET
from cohorts.team_lists import Heading
from cohorts.turnover_counts import turnover_counts
from cohorts.unmet import unmet_need

__all__ = [
    "ALLOCATION",
    "COHORT",
    "DECLINED",
    "DOORS",
    "LEDGER",
    "ON_IT",
    "ROUTES",
    "TURNOVER",
    "UNMET",
    "Earlier",
    "Heading",
    "OtherProgrammes",
    "allocate",
    "as_offered",
    "assemble",
    "circumstances",
    "clear_leftovers",
    "counts",
    "declined_until",
    "first_steps",
    "ledger",
    "listed_with",
    "lots",
    "personal_changes",
    "price",
    "price_json",
    "publish",
    "refuse_outdated",
    "refuse_outdated_margins",
    "resting_now",
    "route",
    "side_by_side",
    "stage",
    "strongest",
    "turnover",
    "turnover_counts",
    "unmet_need",
    "with_days",
    "write_bundles",
    "write_counts",
    "write_lists",
    "write_practice_files",
    "write_price_page",
]
