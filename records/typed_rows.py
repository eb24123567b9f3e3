"""The rows of a file in the names and types of its contract, each with what of it could not be read."""

from __future__ import annotations

from casewell.settings import CASE_MANAGEMENT
from records.contracts import dtype_of
from records.extracts import Extract
from records.reading import KINDS, SQL_TYPES, accepts, is_wrong_type, literal, text_of, typed


def typed_rows(extract: Extract) -> str:
    """Return the query of the file's rows in the contract's names and types.

    Also `wrong_type` (the first column whose text does not convert), `as_read` (the text) and `written` (the NHS number).
    """
    contract = extract.contract
    values, faults, read = [], [], []
    for name, declared in contract.schema.columns.items():
        dtype = dtype_of(declared)
        if name not in extract.columns or not accepts(dtype, extract.columns[name][1]):
            values.append(f"{_when_absent(extract, name, dtype)} AS {name}")
            continue
        original, sql_type = extract.columns[name]
        values.append(f"{typed(original, sql_type, dtype)} AS {name}")
        condition = is_wrong_type(original, sql_type, dtype)
        if condition:
            faults.append(f"WHEN {condition} THEN {literal(f'column {name} is not {KINDS[dtype]}')}")
            read.append(f"CASE WHEN {condition} THEN {literal(f'{name}=')} || {text_of(original, sql_type)} END")
    as_read = f"nullif(concat_ws('; ', {', '.join(read)}), '')" if read else "NULL::VARCHAR"
    fault = f"CASE {' '.join(faults)} END" if faults else "NULL::VARCHAR"
    written = "nhs_number" if contract.numbered else "NULL::VARCHAR"
    replaced = f"REPLACE ({_FILLED[extract.table]})" if extract.table in _FILLED else ""
    rows = f"SELECT {', '.join(values)}, {fault} AS wrong_type, {as_read} AS as_read FROM {extract.file.relation}"
    if extract.file.broken:
        rows += f" UNION ALL BY NAME SELECT why AS wrong_type, text AS as_read FROM {extract.file.broken}"
        if contract.numbered:
            written = f"CASE WHEN wrong_type IS NULL OR nhs_number IS NOT NULL THEN nhs_number ELSE {_number_in_line(extract)} END"
    return f"SELECT * {replaced}, {written} AS written FROM ({rows})"


_FILLED = {
    # Only the first episode of a spell need carry the admission's notice.
    "hospital_spells": "coalesce(admission_received_date, received_date) AS admission_received_date",
    "programme": f"coalesce(nullif(programme, ''), {literal(CASE_MANAGEMENT)}) AS programme",
}
"""What stands for an empty value, where another column or the contract says so."""


def _number_in_line(extract: Extract) -> str:
    """Return the number in a line that could not be split: only to see that an opt-out holds for it, or is one."""
    found = (
        "nullif(regexp_extract(regexp_replace(as_read, '[ -]', '', 'g'), '(?:^|[^0-9])([0-9]{10})(?:[^0-9]|$)', 1), '')"
    )
    if extract.table == "opt_outs":
        return found
    return f"CASE WHEN {found} IN (SELECT digits FROM opted_out_numbers) THEN {found} END"


def _when_absent(extract: Extract, name: str, dtype: str) -> str:
    """Without a column of receipt a record is known the stated lag after it happened."""
    happened = {
        "received_date": "discharge_date" if extract.table == "hospital_spells" else extract.contract.happened,
        "admission_received_date": "admission_date",
        "death_received_date": "date_of_death",
        "registration_end_received_date": "registration_end_date",
        "end_received_date": "end_date",
    }.get(name)
    if happened is None or happened not in extract.columns:
        return f"NULL::{SQL_TYPES[dtype]}"
    original, sql_type = extract.columns[happened]
    return f"CAST({typed(original, sql_type, dtype)} + INTERVAL {extract.source.known_lag_days} DAY AS DATE)"
