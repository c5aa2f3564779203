"""Build the asset bundles that browsers request first; run by Odoo's shell, for tests.

Odoo builds a bundle when it is first requested, which takes half a minute in each
database. This script writes the URLs of the bundles to the file named by SPAR_ANSWER.
"""

import json
import os

env = globals()["env"]  # provided by Odoo's shell

#: The bundles that the web client and the websocket request.
BACKEND_STYLES = ("web.assets_web", "web.assets_web_print")
BACKEND_SCRIPTS = ("web.assets_web", "bus.websocket_worker_assets")
#: The bundles that the pages of a website request.
FRONTEND_STYLES = ("web.assets_frontend",)
FRONTEND_SCRIPTS = ("web.assets_frontend_minimal", "web.assets_frontend_lazy")


def make(styles, scripts, **parameters):
    """Build and store bundles; return their URLs."""
    views = env["ir.qweb"]
    made = []
    for name in styles:
        bundle = views._get_asset_bundle(name, js=False, assets_params=parameters)
        made.append(bundle.css())
    for name in scripts:
        bundle = views._get_asset_bundle(name, css=False, assets_params=parameters)
        made.append(bundle.js())
    return [attachment.url for attachment in made]


website = env["website"].search([], limit=1)
links = make(BACKEND_STYLES, BACKEND_SCRIPTS)
links += make(FRONTEND_STYLES, FRONTEND_SCRIPTS, website_id=website.id)
env.cr.commit()
with open(os.environ["SPAR_ANSWER"], "w") as file:
    json.dump({"links": links}, file)
