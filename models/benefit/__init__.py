"""Benefit: what case management would change for a person, and whether the evidence for it may be believed.

For any table of numbers there is `BenefitEstimator`; the weekly pipeline brings its own risk and propensity
(`models.benefit.fit`) and shares everything that comes after them.
"""

from models.benefit.estimator import BenefitEstimator

__all__ = ["BenefitEstimator"]
