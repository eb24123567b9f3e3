"""Models on disk: LightGBM's own text and JSON, never pickle, so that loading runs no code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from casewell.errors import TrainingError
from casewell.settings import Benefit, OutcomeName
from features.declaration import declarations
from models.benefit.comparison import Estimate
from models.benefit.effect import Effect, Reading
from models.benefit.evidence import Check, Evidence
from models.benefit.model import EffectModel
from models.benefit.nuisances import Scale
from models.benefit.reach import Reach
from models.beside import Beside, Predictor
from models.declared_outcomes import DECLARED
from models.other_programmes.learn import LearnedProgramme
from models.risk.calibration import CalibratedRisk
from models.risk.days import CalibratedDays
from models.risk.group_calibration import Mended
from models.risk.kinds import LEARNED
from models.risk.trees import Trees
from models.train import Models

_RISKS = ("risk", "backtest", "propensity", "offered")
# An empty list of places would come back as numbers that cannot be places.
_SCALE = {
    "used": "int64",
    "skewed": "bool",
    "centre": "float64",
    "spread": "float64",
    "gappy": "int64",
    "missing": "float64",
}


def save(models: Models, folder: Path) -> Path:
    """Write the models into a new folder, with a digest of every file in `digests.json`."""
    folder.mkdir(parents=True)
    beside = {
        f"{use}_{name}": getattr(one, use) for name, one in models.beside.items() for use in ("model", "backtest")
    }
    risks = {name: model for name in _RISKS if (model := getattr(models, name)) is not None}
    others = models.programmes.items()
    risks |= {_propensity(code): one.propensity for code, one in others if one.propensity is not None}
    used = sorted({name for model in [*risks.values(), *beside.values()] for name in model.features})
    description: dict[str, Any] = {
        "declarations": declarations(used),
        "evidence": models.evidence.as_dict(),
        "effect": None,
        "risks": {name: _told(model) for name, model in risks.items()},
        "beside": {name: _told(model) for name, model in beside.items()},
        "rules": models.rules.model_dump(),
        "chosen_because": models.chosen_because,
    }
    for name, model in (risks | beside).items():
        model.learned.write(folder / name)
    if models.effect is not None:
        description["effect"] = _effect_told(models.effect)
    if models.programmes:
        description["programmes"] = {
            code: {"evidence": one.evidence.as_dict(), "effect": one.effect and _effect_told(one.effect)}
            for code, one in others
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
    if "risks" not in description or (description["effect"] and "readings" not in description["effect"]):
        raise TrainingError(
            f"the stored model in {folder} was saved by an earlier version of Casewell, which did not keep what it "
            "was learned by, or how sure each benefit is",
            "Train a new one: casewell train.",
        )
    _require_same_meaning(description["declarations"])

    risks = {
        name: CalibratedRisk(LEARNED[told["kind"]].read(folder / name), **_asked(told))
        for name, told in description["risks"].items()
    }
    return Models(
        risk=risks["risk"],
        backtest=risks["backtest"],
        propensity=risks.get("propensity"),
        effect=_effect(description["effect"]),
        evidence=_evidence(description["evidence"]),
        rules=Benefit(**description["rules"]),
        beside=_beside(description["beside"], folder),
        offered=risks.get("offered"),
        chosen_because=description["chosen_because"],
        programmes={
            code: LearnedProgramme(_evidence(one["evidence"]), risks.get(_propensity(code)), _effect(one["effect"]))
            for code, one in description.get("programmes", {}).items()
        },
    )


def _propensity(code: str) -> str:
    """Return the name under which another programme's propensity is stored."""
    return f"propensity_{code}"


def _beside(stored: dict[str, Any], folder: Path) -> dict[OutcomeName, Beside]:
    def predictor(name: OutcomeName, use: str) -> Predictor:
        told, stem = stored[f"{use}_{name}"], folder / f"{use}_{name}"
        if DECLARED[name].counts_days:
            return CalibratedDays(Trees.read(stem), **_asked(told))
        return CalibratedRisk(LEARNED[told["kind"]].read(stem), **_asked(told))

    return {
        name: Beside(predictor(name, "model"), predictor(name, "backtest"))
        for name in DECLARED
        if f"model_{name}" in stored
    }


def _told(model: Predictor) -> dict[str, Any]:
    """Return what is stored beside what was learned: its kind, and how it is calibrated."""
    told = {name: value for name, value in vars(model).items() if name not in {"learned", "mended"}}
    mended = {"mended": [asdict(group) for group in model.mended]} if isinstance(model, CalibratedRisk) else {}
    return {"kind": model.learned.kind} | told | mended


def _asked(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was stored beside what was learned, as the model's class takes it."""
    taken = {name: value for name, value in told.items() if name != "kind"} | {"features": tuple(told["features"])}
    return taken | ({"mended": tuple(Mended(**group) for group in told["mended"])} if "mended" in told else {})


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
        "features": list(effect.features),
        "scale": {name: values.tolist() for name, values in vars(effect.scale).items()},
        "correction": effect.correction.tolist(),
        "readings": [
            {"name": one.name, "coefficients": one.coefficients.tolist(), "bias": one.bias.tolist(), "weight": weight}
            for one, weight in zip(effect.effect.readings, effect.effect.weights.tolist(), strict=True)
        ],
        "reach": {"inverse": effect.reach.inverse.tolist(), "furthest": effect.reach.furthest},
    }


def _effect(stored: dict[str, Any] | None) -> EffectModel | None:
    if stored is None:
        return None
    readings = tuple(
        Reading(one["name"], np.array(one["coefficients"]), np.array(one["bias"])) for one in stored["readings"]
    )
    return EffectModel(
        tuple(stored["features"]),
        Scale(**{name: np.array(values, dtype=_SCALE[name]) for name, values in stored["scale"].items()}),
        np.array(stored["correction"]),
        Effect(readings, np.array([one["weight"] for one in stored["readings"]])),
        Reach(np.array(stored["reach"]["inverse"]), stored["reach"]["furthest"]),
    )


def _evidence(stored: dict[str, Any]) -> Evidence:
    def estimate(value: dict[str, float] | None) -> Estimate | None:
        return None if value is None else Estimate(**value)

    told = {name: estimate(stored[name]) for name in ("average_benefit", "advantage")}
    return Evidence(**stored | told | {"checks": tuple(Check(**item) for item in stored["checks"])})


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "digests.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
