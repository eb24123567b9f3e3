"""Index dates, eligibility, outcomes; risk, need and benefit; calibration and evaluation."""

from models.evaluation import calibration_curve, evaluate
from models.index_dates import Split, split
from models.outcomes import outcomes
from models.page import write_page
from models.population import population
from models.promotion import RULE, decide
from models.score import contributions, require_features, score
from models.store import load, save
from models.train import Models, Trained, predict_test, train

__all__ = [
    "RULE",
    "Models",
    "Split",
    "Trained",
    "calibration_curve",
    "contributions",
    "decide",
    "evaluate",
    "load",
    "outcomes",
    "population",
    "predict_test",
    "require_features",
    "save",
    "score",
    "split",
    "train",
    "write_page",
]
