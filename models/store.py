"""Models on disk: LightGBM's own text and JSON, never pickle, so that loading runs no code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from casewell.errors import TrainingError
from casewell.settings import Benefit, OutcomeName
from features.declaration import declarations
from models.benefit import EffectModel, Scale
from models.beside import Beside, Predictor
from models.comparison import Estimate
from models.days import CalibratedDays
from models.declared_outcomes import DECLARED
from models.evidence import Check, Evidence
from models.group_calibration import Mended
from models.reach import Reach
from models.train import Models
from models.trees import CalibratedTrees

_TREES = ("risk", "backtest", "propensity")


def save(models: Models, folder: Path) -> Path:
    """Write the models into a new folder, with a digest of every file in `digests.json`."""
    folder.mkdir(parents=True)
    beside = {
        f"{use}_{name}": getattr(one, use) for name, one in models.beside.items() for use in ("model", "backtest")
    }
    kept = [model for tree in _TREES if (model := getattr(models, tree))] + list(beside.values())
    used = sorted({name for model in kept for name in model.features})
    description: dict[str, Any] = {
        "declarations": declarations(used),
        "evidence": models.evidence.as_dict(),
        "effect": None,
        "trees": {},
        "beside": {},
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
                "mended": [asdict(group) for group in model.mended],
            }
    for name, model in beside.items():
        model.booster.save_model(folder / f"{name}.txt")
        told = asdict(replace(model, booster=None))
        description["beside"][name] = {key: value for key, value in told.items() if key != "booster"}
    if models.effect is not None:
        description["effect"] = _effect_told(models.effect)
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
    if "declarations" not in description or (description["effect"] and "reach" not in description["effect"]):
        raise TrainingError(
            f"the stored model in {folder} was saved by an earlier version of Casewell, which did not keep what its "
            "features mean, or whom its evidence resembles",
            "Train a new one: casewell train.",
        )
    _require_same_meaning(description["declarations"])

    def trees(name: str) -> CalibratedTrees:
        stored = description["trees"][name]
        booster = lightgbm.Booster(model_file=folder / f"{name}.txt")
        return CalibratedTrees(booster, **_told(stored))

    return Models(
        risk=trees("risk"),
        backtest=trees("backtest"),
        propensity=trees("propensity") if "propensity" in description["trees"] else None,
        effect=_effect(description["effect"]),
        evidence=_evidence(description["evidence"]),
        rules=Benefit(**description["rules"]),
        beside=_beside(description.get("beside", {}), folder),
    )


def _beside(stored: dict[str, Any], folder: Path) -> dict[OutcomeName, Beside]:
    def predictor(name: OutcomeName, use: str) -> Predictor:
        booster = lightgbm.Booster(model_file=folder / f"{use}_{name}.txt")
        kind = CalibratedDays if DECLARED[name].counts_days else CalibratedTrees
        return kind(booster, **_told(stored[f"{use}_{name}"]))

    return {
        name: Beside(predictor(name, "model"), predictor(name, "backtest"))
        for name in DECLARED
        if f"model_{name}" in stored
    }


def _told(stored: dict[str, Any]) -> dict[str, Any]:
    """Return what was stored beside the trees of a model, as its class takes it."""
    told = stored | {"features": tuple(stored["features"])}
    return told | ({"mended": tuple(Mended(**group) for group in stored["mended"])} if "mended" in stored else {})


def _require_same_meaning(learned: dict[str, str]) -> None:
    today = declarations(list(learned))
    changed = sorted(name for name, digest in today.items() if digest != learned[name])
    if changed:
        raise TrainingError(
            f"{len(changed)} feature(s) of the model now count something else than when it learned, among them "
            f"{changed[0]!r}: the catalogue or the code lists have changed",
            "Train a new model: casewell train.",
        )


def _effect_told(effect: EffectModel) -> dict[str, Any]:
    return {
        "features": list(effect.scale.features),
        "centre": effect.scale.centre.tolist(),
        "spread": effect.scale.spread.tolist(),
        "coefficients": effect.coefficients.tolist(),
        "reach": {"inverse": effect.reach.inverse.tolist(), "furthest": effect.reach.furthest},
    }


def _effect(stored: dict[str, Any] | None) -> EffectModel | None:
    if stored is None:
        return None
    scale = Scale(tuple(stored["features"]), np.array(stored["centre"]), np.array(stored["spread"]))
    reach = Reach(np.array(stored["reach"]["inverse"]), stored["reach"]["furthest"])
    return EffectModel(scale, np.array(stored["coefficients"]), reach)


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
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "digests.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
