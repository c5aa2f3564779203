"""Pure Python: no `odoo` import below this folder."""

from . import (
    bank_registry,
    csv_file,
    directory_page,
    directory_query,
    directory_rows,
    exceptions,
    fa_checks,
    fa_examination,
    fa_keys,
    fa_mask,
    fa_reader,
    fa_syntax,
    json_schema,
)
