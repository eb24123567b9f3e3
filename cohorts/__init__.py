from cohorts.allocation import allocate
from cohorts.answers import ON_IT, standing_answers
from cohorts.assembly import assemble
from cohorts.changes import Earlier, personal_changes, turnover
from cohorts.circumstances import circumstances
from cohorts.fhir_files import write_bundles
from cohorts.first_steps import first_steps
from cohorts.formats import write_lists
from cohorts.known_teams import refuse_unknown_teams
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
from cohorts.release import tell_release
from cohorts.routing import route
from cohorts.several import OtherProgrammes, as_offered, nobody_closed
from cohorts.tables import ALLOCATION, COHORT, DOORS, LEDGER, ROUTES, TURNOVER, UNMET
from cohorts.team_lists import Heading, caveats
from cohorts.turnover_counts import turnover_counts
from cohorts.unmet import unmet_need

__all__ = [
    "ALLOCATION",
    "COHORT",
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
    "caveats",
    "circumstances",
    "clear_leftovers",
    "counts",
    "first_steps",
    "ledger",
    "listed_with",
    "lots",
    "nobody_closed",
    "personal_changes",
    "price",
    "price_json",
    "publish",
    "refuse_outdated",
    "refuse_outdated_margins",
    "refuse_unknown_teams",
    "resting_now",
    "route",
    "side_by_side",
    "stage",
    "standing_answers",
    "strongest",
    "tell_release",
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
