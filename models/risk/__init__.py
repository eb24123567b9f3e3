"""Risk: what will happen to a person if nothing changes. Learners, calibration, and the rules that a model must beat."""

from models.risk.estimator import fit_days, fit_risk, person_folds

__all__ = ["fit_days", "fit_risk", "person_folds"]
