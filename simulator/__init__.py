"""A population to rehearse on: sources as the services would send them, and the truth kept apart."""

from simulator.scenarios import WORDS as SCENARIOS
from simulator.simulation import simulate
from simulator.truth import outcomes

__all__ = ["SCENARIOS", "outcomes", "simulate"]
