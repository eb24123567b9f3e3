"""Models on disk: LightGBM's own text and JSON, never pickle, so that loading runs no code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from casewell.errors import TrainingError
from casewell.settings import Benefit
from features.declaration import declarations
from models.benefit import EffectModel, Scale
from models.comparison import Estimate
from models.evidence import Check, Evidence
from models.train import Models
from models.trees import CalibratedTrees

_TREES = ("risk", "backtest", "propensity")


def save(models: Models, folder: Path) -> Path:
    """Write the models into a new folder, with a digest of every file in `digests.json`."""
    folder.mkdir(parents=True)
    used = sorted({name for tree in _TREES if (model := getattr(models, tree)) for name in model.features})
    description: dict[str, Any] = {
        "declarations": declarations(used),
        "evidence": models.evidence.as_dict(),
        "effect": None,
        "trees": {},
        "rules": models.rules.model_dump(),
    }
    for name in _TREES:
        model = getattr(models, name)
        if model is not None:
            model.booster.save_model(folder / f"{name}.txt")
            description["trees"][name] = {
                "intercept": model.intercept,
                "slope": model.slope,
                "bend": model.bend,
                "features": list(model.features),
            }
    if models.effect is not None:
        scale = models.effect.scale
        description["effect"] = {
            "features": list(scale.features),
            "centre": scale.centre.tolist(),
            "spread": scale.spread.tolist(),
            "coefficients": models.effect.coefficients.tolist(),
        }
    (folder / "models.json").write_text(json.dumps(description, indent=1, sort_keys=True))
    (folder / "digests.json").write_text(json.dumps(_digests(folder), indent=1, sort_keys=True))
    return folder


def load(folder: Path) -> Models:
    """Read models that `save` wrote.

    Raises
    ------
    TrainingError
        A file is missing or differs from the digest taken when it was written, or a feature no longer means what it
        meant to the model.
    """
    try:
        taken = json.loads((folder / "digests.json").read_text())
    except (OSError, ValueError):
        taken = None
    if not taken or taken != {name: digest for name, digest in _digests(folder).items() if name in taken}:
        raise TrainingError(
            f"the stored model in {folder} was changed or damaged since it was saved",
            "Train a new one: casewell train.",
        )
    description = json.loads((folder / "models.json").read_text())
    if "declarations" not in description:
        raise TrainingError(
            f"the stored model in {folder} was saved by an earlier version of Casewell, which did not keep what its "
            "features mean",
            "Train a new one: casewell train.",
        )
    _require_same_meaning(description["declarations"])

    def trees(name: str) -> CalibratedTrees:
        stored = description["trees"][name]
        booster = lightgbm.Booster(model_file=folder / f"{name}.txt")
        return CalibratedTrees(booster, stored["intercept"], stored["slope"], tuple(stored["features"]), stored["bend"])

    return Models(
        risk=trees("risk"),
        backtest=trees("backtest"),
        propensity=trees("propensity") if "propensity" in description["trees"] else None,
        effect=_effect(description["effect"]),
        evidence=_evidence(description["evidence"]),
        rules=Benefit(**description["rules"]),
    )


def _require_same_meaning(learned: dict[str, str]) -> None:
    today = declarations(list(learned))
    changed = sorted(name for name, digest in today.items() if digest != learned[name])
    if changed:
        raise TrainingError(
            f"{len(changed)} feature(s) of the model now count something else than when it learned, among them "
            f"{changed[0]!r}: the catalogue or the code lists have changed",
            "Train a new model: casewell train.",
        )


def _effect(stored: dict[str, Any] | None) -> EffectModel | None:
    if stored is None:
        return None
    scale = Scale(tuple(stored["features"]), np.array(stored["centre"]), np.array(stored["spread"]))
    return EffectModel(scale, np.array(stored["coefficients"]))


def _evidence(stored: dict[str, Any]) -> Evidence:
    def estimate(value: dict[str, float] | None) -> Estimate | None:
        return None if value is None else Estimate(**value)

    return Evidence(
        stored["grade"],
        tuple(Check(**item) for item in stored["checks"]),
        stored["treated"],
        estimate(stored["average_benefit"]),
        estimate(stored["advantage"]),
    )


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.iterdir() if path.name != "digests.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
