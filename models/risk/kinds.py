"""Every kind of learned model by its name, as a stored model declares it."""

from __future__ import annotations

from casewell.settings import Kind
from models.risk.learned import Learned
from models.risk.linear import Linear
from models.risk.trees import Trees

LEARNED: dict[Kind, type[Learned]] = {"trees": Trees, "linear": Linear}
# What each is called on every page.
NAMES: dict[Kind, str] = {"trees": "gradient-boosted trees", "linear": "logistic regression"}
