"""Print what a simulated population gives, beside its targets."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import simulation_measures
from benchmarks.simulation_targets import TARGETS


def main() -> None:
    """Print every measured figure beside its target, as a plain table."""
    arguments = argparse.ArgumentParser(
        description=simulation_measures.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("sources", type=Path)
    arguments.add_argument("truth", type=Path)
    chosen = arguments.parse_args()
    measured = simulation_measures.measure(chosen.sources, chosen.truth)
    print(f"{'name':42}{'measured':>10}{'target':>10}  {'tolerance':16}ok")
    for target in TARGETS:
        value = measured.pop(target.name, float("nan"))
        tolerance = f"{target.kind} {target.tolerance:g}"
        print(
            f"{target.name:42}{value:10.4g}{target.value:10.4g}  {tolerance:16}{'ok' if target.holds(value) else 'NO'}"
        )
    for name, value in measured.items():
        print(f"{name:42}{value:10.4g}{'':10}  no target")


if __name__ == "__main__":
    main()
