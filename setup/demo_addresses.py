"""Record the URLs of the demo and of its ID provider; run by Odoo's shell.

The demo is at SPAR_DEMO_URL, its ID provider at SPAR_DEMO_ISSUER, which must respond.
"""

import os

env = globals()["env"]  # provided by Odoo's shell

url, issuer = os.environ["SPAR_DEMO_URL"], os.environ["SPAR_DEMO_ISSUER"]
if "spar.self.service.demo" in env:
    env["spar.self.service.demo"]._set_addresses(url, issuer)
else:
    env["ir.config_parameter"].set_param("web.base.url", url)
    env["ir.config_parameter"].set_param("web.base.url.freeze", "True")
if "spar.confirmation.demo" in env:
    env["spar.confirmation.demo"]._set_addresses(issuer)
env.cr.commit()
# The caches of the server's processes are out of date.
env.registry.signal_changes()
