"""Pure Python: no `odoo` import below this folder."""

from . import (
    directory_query,
    exceptions,
    fa_checks,
    fa_examination,
    fa_mask,
    fa_reader,
    fa_syntax,
)
