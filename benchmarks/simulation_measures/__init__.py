"""What a simulated population gives: every figure of `benchmarks.simulation_targets`, from the written tables.

    python -m benchmarks.simulation_measures SOURCES TRUTH

The true person of each row comes from the truth's identities, so that linkage has no part in these figures.
Only people registered at some time are counted; all rates are over the time that they lived here.
"""

from benchmarks.simulation_measures.measuring import measure
from benchmarks.simulation_measures.population import CUT_OFF, Measured

__all__ = ["CUT_OFF", "Measured", "measure"]
