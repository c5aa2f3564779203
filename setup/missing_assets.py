"""Exclude assets that Odoo's package left out from the bundles; run by Odoo's shell.

The manifests name these files, but the package does not contain them (Debian leaves out
a library of the video calls). Otherwise each bundle with one logs an error, and so does
every browser that loads it. The excluded files are written to the file named by
SPAR_ANSWER.
"""

import json
import os

from odoo.modules.module import Manifest

env = globals()["env"]  # provided by Odoo's shell

NAME = "Left out: missing in this Odoo"


def get_bundles():
    """Return the bundles that the manifests of installed addons name."""
    addons = env["ir.asset"]._get_installed_addons_list()
    return sorted(
        {name for each in addons for name in Manifest.for_addon(each)["assets"]}
    )


def is_attachment(path):
    """Return whether the asset is an attachment, such as a company's own style."""
    urls = [path, f"/{path}"]
    return bool(env["ir.attachment"].search_count([("url", "in", urls)], limit=1))


def find_missing():
    """Return the missing files as pairs of bundle and path."""
    found = {
        (inside, path)
        for bundle in get_bundles()
        for path, place, inside, _time in env["ir.asset"]._get_asset_paths(bundle, {})
        if place is None
    }
    return sorted(each for each in found if not is_attachment(each[1]))


def run():
    """Exclude what is missing now, and nothing else."""
    env["ir.asset"].search([("name", "=", NAME)]).unlink()
    missing = find_missing()
    values = {"name": NAME, "directive": "remove"}
    env["ir.asset"].create(
        [{**values, "bundle": bundle, "path": path} for bundle, path in missing]
    )
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"left_out": [path for _bundle, path in missing]}, out)


run()
