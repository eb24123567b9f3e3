"""Index dates, eligibility, outcomes; risk, need and benefit; calibration and evaluation."""

from models.backtest import baselines_on_test, fit_backtest, known_before_test, predict_test, tested
from models.beside import measure_beside, numbers_beside
from models.evaluation.assessment import Assessment, assess, numbers
from models.evaluation.attributes import compare_attributes
from models.evaluation.evaluate import calibration_curve, evaluate
from models.evaluation.page import write_page
from models.index_dates import Split, drawn, require_outcomes, split
from models.need import completeness, expected_need, second_looks
from models.other_programmes.learn import LearnedProgramme, Past
from models.other_programmes.rules import refuse_programmes
from models.other_programmes.score import score_programmes
from models.outcomes import labels, outcomes
from models.population import population, still_eligible
from models.promotion import RULE, Promotion, decide
from models.risk.baselines import Baselines
from models.score import contributions, require_features, score
from models.store import load, save
from models.train import Models, Trained, harms, train

__all__ = [
    "RULE",
    "Assessment",
    "Baselines",
    "LearnedProgramme",
    "Models",
    "Past",
    "Promotion",
    "Split",
    "Trained",
    "assess",
    "baselines_on_test",
    "calibration_curve",
    "compare_attributes",
    "completeness",
    "contributions",
    "decide",
    "drawn",
    "evaluate",
    "expected_need",
    "fit_backtest",
    "harms",
    "known_before_test",
    "labels",
    "load",
    "measure_beside",
    "numbers",
    "numbers_beside",
    "outcomes",
    "population",
    "predict_test",
    "refuse_programmes",
    "require_features",
    "require_outcomes",
    "save",
    "score",
    "score_programmes",
    "second_looks",
    "split",
    "still_eligible",
    "tested",
    "train",
    "write_page",
]
