"""An English integrated care system with known truth, to rehearse on."""

from simulator.simulation import simulate

__all__ = ["simulate"]
