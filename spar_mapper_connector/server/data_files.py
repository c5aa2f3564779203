"""A guard on data files: those that somebody uploads are not loaded, nor demo data.

A data file calls any method of any model as superuser (``<function>``). Those of addons
are code on the server; Odoo also takes uploaded ones (``base_import_module``). Demo
data has accounts with every role, without a password: whoever sets passwords would be
all of them. Odoo also loads it with an upgrade, by a click or by a command, if its
table of addons says so: ours needs a word of the operator besides.
"""

import functools
import logging
import os

from odoo.exceptions import UserError
from odoo.modules import loading
from odoo.tools import config, convert

from ..expressions import is_on_command_line
from ..loaded_files import is_ours

_logger = logging.getLogger(__name__)
#: Permits what is only allowed in demos and tests.
_DEMO = "SPAR_DEMO"


def guard_data_files() -> None:
    """Have Odoo refuse data files that do not come with an addon on the server."""
    for name in ("convert_xml_import", "convert_csv_import", "convert_sql_import"):
        setattr(convert, name, _guard(getattr(convert, name)))
    loading.load_demo = _guard_demo(loading.load_demo)


def _guard(load):
    @functools.wraps(load)
    def guarded(env, *args, **kwargs):
        # Where the uploaded files of this transaction have been unpacked.
        uploaded = env.transaction._Transaction__file_open_tmp_paths
        if uploaded and not is_on_command_line():
            raise UserError(
                env._(
                    "Uploaded modules are not loaded in a database with SPAR because "
                    "they can do anything. Install the addon on the server."
                )
            )
        return load(env, *args, **kwargs)

    return guarded


def _is_wanted() -> bool:
    """Return whether the operator asked for demo data, on this command line."""
    return bool(config["with_demo"] or os.environ.get(_DEMO))


def _guard_demo(load):
    @functools.wraps(load)
    def guarded(env, package, *args, **kwargs):
        if not is_on_command_line():
            _logger.info("no demo data of %s: only a command loads it", package.name)
            return False
        if is_ours(package.name) and not _is_wanted():
            _logger.info("no demo data of %s: use --with-demo", package.name)
            return False
        return load(env, package, *args, **kwargs)

    return guarded
