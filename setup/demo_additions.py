"""Add what is new in the demo to an upgraded demo's database; run by Odoo's shell.

Odoo has added the new records of the demo data, but has not called any of its
functions. They are called here; each has no effect if its work is already done. A
function that fails leaves nothing behind, and the others still run.
"""

import json
import logging
import os

from lxml import etree

from odoo.modules import get_manifest
from odoo.tools import file_open
from odoo.tools.convert import xml_import

env = globals()["env"]  # provided by Odoo's shell

_logger = logging.getLogger("spar.demo")


def get_files():
    """Return the demo data of our addons, as ``(addon, path)``."""
    modules = env["ir.module.module"].search(
        [
            ("name", "=like", "spar\\_%"),
            ("state", "=", "installed"),
            ("demo", "=", True),
        ],
        order="name",
    )
    for name in modules.mapped("name"):
        for path in get_manifest(name)["demo"]:
            yield name, path


def call_functions(addon, path):
    """Call the functions of one file of demo data."""
    with file_open(f"{addon}/{path}", "rb") as file:
        root = etree.parse(file).getroot()
    importer = xml_import(env(su=True), addon, {}, "init", True, f"{addon}/{path}")
    for node in root.iter("function"):
        importer._tag_function(node)


def run():
    """Add what is new; record the files that could not be added."""
    failed = []
    for addon, path in get_files():
        try:
            with env.cr.savepoint():
                call_functions(addon, path)
                env.flush_all()
        except Exception:
            _logger.exception("%s/%s cannot be added to this demo", addon, path)
            env.invalidate_all()
            failed.append(f"{addon}/{path}")
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"failed": failed}, out)


run()
