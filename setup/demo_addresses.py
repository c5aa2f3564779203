"""Run by Odoo's shell: the demo is at SPAR_DEMO_URL, its ID provider at
SPAR_DEMO_ISSUER, which answers."""

import os

env = globals()["env"]  # Odoo's shell gives it

env["spar.self.service.demo"]._set_addresses(
    os.environ["SPAR_DEMO_URL"], os.environ["SPAR_DEMO_ISSUER"]
)
env.cr.commit()
# What the server's processes remember is no longer so.
env.registry.signal_changes()
