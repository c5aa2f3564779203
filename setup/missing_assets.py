"""Run by Odoo's shell: files that this Odoo's manifests name, but its package left out
(Debian leaves out a library of the video calls), are not bundled.

Otherwise each bundle with one logs an error, and so does every browser that loads it.
Writes the files that are left out to the file named by SPAR_ANSWER.
"""

import json
import os

from odoo.modules.module import Manifest

env = globals()["env"]  # Odoo's shell gives it

NAME = "Left out: missing in this Odoo"


def get_bundles():
    """The bundles that the manifests of installed addons name."""
    addons = env["ir.asset"]._get_installed_addons_list()
    return sorted(
        {name for each in addons for name in Manifest.for_addon(each)["assets"]}
    )


def is_attachment(path):
    """Whether the database has what no file has, such as a company's own style."""
    urls = [path, f"/{path}"]
    return bool(env["ir.attachment"].search_count([("url", "in", urls)], limit=1))


def find_missing():
    """Each bundle with a file of its own that is nowhere."""
    found = {
        (inside, path)
        for bundle in get_bundles()
        for path, place, inside, _time in env["ir.asset"]._get_asset_paths(bundle, {})
        if place is None
    }
    return sorted(each for each in found if not is_attachment(each[1]))


def run():
    """Leave out what is missing now, and only that."""
    env["ir.asset"].search([("name", "=", NAME)]).unlink()
    missing = find_missing()
    told = {"name": NAME, "directive": "remove"}
    env["ir.asset"].create(
        [{**told, "bundle": bundle, "path": path} for bundle, path in missing]
    )
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"left_out": [path for _bundle, path in missing]}, out)


run()
