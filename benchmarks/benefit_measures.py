"""How good a stated benefit is, where the true one is known."""

from __future__ import annotations

import numpy as np

SHARES = (0.01, 0.02, 0.05, 0.10)
FRESH, FRESH_SEEDS = 50_000, 1_000_000


def captured(rule: np.ndarray, benefit: np.ndarray, share: float) -> float:
    """Return the true benefit of the top `share` by `rule` over that of the best possible choice."""
    places = round(share * len(rule))
    best = float(np.sort(benefit)[-places:].sum())
    return float(benefit[np.argsort(-rule, kind="stable")[:places]].sum()) / best if best > 0 else float("nan")


def measures(stated: np.ndarray, benefit: np.ndarray, cpu_seconds: float) -> dict[str, float]:
    """Return capture at each of `SHARES`, root mean squared error, slope of truth on what is stated, and cost."""
    spread = stated - stated.mean()
    slope = float(spread @ benefit / (spread @ spread)) if (spread**2).sum() > 0 else float("nan")
    told = {f"{share:.0%}": captured(stated, benefit, share) for share in SHARES}
    error = {"RMSE": float(np.sqrt(((stated - benefit) ** 2).mean())), "bias": float((stated - benefit).mean())}
    return told | error | {"slope": slope, "CPU s": cpu_seconds}
