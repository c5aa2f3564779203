# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Mapper",
    "summary": "The store: ID to financial address, sealed; history nobody rewrites",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_mapper_connector"],
    "data": [
        "security/ir.model.access.csv",
        "security/spar_mapper_rules.xml",
        "data/spar_change_rule_data.xml",
        "data/spar_mapper_backend_data.xml",
        "data/ir_cron_data.xml",
        "wizards/spar_mapping_wizard_views.xml",
        "wizards/spar_reveal_wizard_views.xml",
        "views/spar_mapping_views.xml",
        "views/spar_event_views.xml",
        "views/spar_change_views.xml",
        "views/spar_change_rule_views.xml",
        "views/spar_notice_views.xml",
        "views/spar_alarm_views.xml",
        "views/spar_mapper_menus.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
        "demo/spar_mapper_demo.xml",
    ],
    "uninstall_hook": "uninstall_hook",
}
