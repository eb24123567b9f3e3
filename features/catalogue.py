"""Every feature there is. The themes declare them; models, reasons and documents follow.

Ethnicity is never a feature: it is kept for the audit. Age, sex and deprivation inform models and are never given as
reasons. To change the catalogue, change a theme; a new theme is named here.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.feature import Feature
from features.themes.community import community, housing, social_care
from features.themes.conditions import conditions
from features.themes.hospital import hospital
from features.themes.measurements import measurements
from features.themes.medicines import prescriptions
from features.themes.people import household, person, registration, travel
from features.themes.practice import general_practice
from features.themes.urgent import emergency_department, outpatients, urgent_care

CATALOGUE: tuple[Feature, ...] = (
    *hospital(),
    *emergency_department(),
    *urgent_care(),
    *outpatients(),
    *general_practice(),
    *measurements(),
    *prescriptions(),
    *community(),
    *social_care(),
    *housing(),
    *conditions(),
    *household(),
    *registration(),
    *person(),
    *travel(),
)


def model_columns(features: Sequence[Feature] = CATALOGUE) -> list[str]:
    """Names of the features that models use, in catalogue order; the others serve lists only."""
    return [feature.name for feature in features if feature.in_model]
