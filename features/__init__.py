"""What was known of each person by each index date.

One declaration a feature (`catalogue`), one walk through the events of each person (`kernel`), one call for
training and for scoring (`build`). `reference_engine` says in a page what each aggregation means.
"""

from features.build import build
from features.catalogue import CATALOGUE, model_columns
from features.code_groups import load_code_groups, map_codes
from features.feature import Feature

__all__ = [
    "CATALOGUE",
    "Feature",
    "build",
    "load_code_groups",
    "map_codes",
    "model_columns",
]
