"""Prepare the demo's store: name, languages, no sign-up; run by Odoo's shell."""

import json
import os

env = globals()["env"]  # provided by Odoo's shell

NAME = "Payment Registry of Tavoria"
#: Those of the portal: its people read the store's page of review, too.
LANGUAGES = ("en_US", "fr_FR", "es_ES", "ar_001", "hi_IN", "tl_PH")
#: Translations of other addons are for staff, and many.
ADDONS = ("spar_fa_directory", "spar_mapper_connector", "spar_confirmation")


def run():
    """Set the name, let nobody sign up, and load the languages."""
    env.ref("base.main_company").name = NAME
    # Only staff log in at the store, whose accounts administrators make.
    env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2b")
    for code in LANGUAGES:
        env["res.lang"]._activate_lang(code)
    addons = env["ir.module.module"].search([("name", "in", ADDONS)])
    addons._update_translations(list(LANGUAGES))
    env.cr.commit()
    env.registry.signal_changes()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"languages": len(env["res.lang"]._get_active_by("code"))}, out)


run()
