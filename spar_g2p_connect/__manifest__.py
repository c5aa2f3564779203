# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR G2P Connect Server",
    "summary": "The G2P Connect REST API of the registry, for payers and partners",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_mapper"],
    "external_dependencies": {"python": ["pyjwt>=2.13"]},
    "data": [
        "security/spar_g2p_connect_groups.xml",
        "security/ir.model.access.csv",
        "data/res_users_data.xml",
        "data/ir_config_parameter_data.xml",
        "data/ir_cron_data.xml",
        "wizards/spar_participant_secret_views.xml",
        "views/spar_participant_views.xml",
        "views/spar_participant_message_views.xml",
        "views/spar_participant_usage_views.xml",
        "views/spar_message_views.xml",
        "views/spar_callback_views.xml",
        "views/spar_g2p_connect_menus.xml",
    ],
    "demo": ["demo/spar_participant_demo.xml"],
}
