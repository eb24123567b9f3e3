"""What each extract must look like: declared once, checked at reading, printed as documentation.

The declarations are Pandera schemas. `records/typed_rows.py` and `records/rules.py` turn their columns, types,
nullability and allowed values into one DuckDB query, so that no row has to leave DuckDB
to be checked.
"""

from records.contracts.columns import ETHNIC_CATEGORIES
from records.contracts.contract import Contract, dtype_of
from records.contracts.councils import COUNCILS
from records.contracts.hospitals import ADMISSION_METHODS, HOSPITALS
from records.contracts.near_home import NEAR_HOME
from records.contracts.places import PLACES
from records.contracts.programmes import PROGRAMMES
from records.contracts.registered import REGISTERED

CONTRACTS: dict[str, Contract] = REGISTERED | NEAR_HOME | HOSPITALS | COUNCILS | PROGRAMMES | PLACES

__all__ = ["ADMISSION_METHODS", "CONTRACTS", "ETHNIC_CATEGORIES", "Contract", "dtype_of"]
