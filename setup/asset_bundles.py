"""Run by Odoo's shell: makes the bundles that browsers ask for first, for tests.

Odoo makes a bundle when somebody asks for it: half a minute's work, in each database.
Writes the addresses of the bundles to the file named by SPAR_ANSWER.
"""

import json
import os

env = globals()["env"]  # Odoo's shell gives it

#: What the web client and the websocket ask for.
BACKEND_STYLES = ("web.assets_web", "web.assets_web_print")
BACKEND_SCRIPTS = ("web.assets_web", "bus.websocket_worker_assets")
#: What the pages of a website ask for.
FRONTEND_STYLES = ("web.assets_frontend",)
FRONTEND_SCRIPTS = ("web.assets_frontend_minimal", "web.assets_frontend_lazy")


def make(styles, scripts, **parameters):
    """Make bundles and keep them; their addresses."""
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
