"""Run by Odoo's shell in a demo's database that was upgraded: what is new in the demo.

Odoo has added the records of demo data that are new, but has called none of its
functions: they are called here, and each does nothing where its work was done. One that
fails leaves nothing behind; the others go on.
"""

import json
import logging
import os

from lxml import etree

from odoo.modules import get_manifest
from odoo.tools import file_open
from odoo.tools.convert import xml_import

env = globals()["env"]  # Odoo's shell gives it

_logger = logging.getLogger("spar.demo")


def get_files():
    """``(addon, path)`` of the demo data of our addons."""
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
    """Add what is new; write which files could not be added."""
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
