"""A guard on data files: those that somebody uploads are not loaded.

A data file calls any method of any model as superuser (``<function>``). Those of addons
are code on the server; Odoo also takes uploaded ones (``base_import_module``).
"""

import functools

from odoo.exceptions import UserError
from odoo.tools import convert

from ..expressions import is_on_command_line


def guard_data_files() -> None:
    """Have Odoo refuse data files that do not come with an addon on the server."""
    for name in ("convert_xml_import", "convert_csv_import", "convert_sql_import"):
        setattr(convert, name, _guard(getattr(convert, name)))


def _guard(load):
    @functools.wraps(load)
    def guarded(env, *args, **kwargs):
        # Where the uploaded files of this transaction have been unpacked.
        uploaded = env.transaction._Transaction__file_open_tmp_paths
        if uploaded and not is_on_command_line():
            raise UserError(
                env._(
                    "Uploaded modules are not loaded in a database with SPAR: they can "
                    "do anything. Put the addon on the server."
                )
            )
        return load(env, *args, **kwargs)

    return guarded
