# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Registry: Sources",
    "summary": "What the addons for other registries share",
    "version": "19.0.1.0.0",
    "development_status": "Alpha",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_registry"],
    "data": [
        "security/spar_registry_source_groups.xml",
        "security/ir.model.access.csv",
        "security/spar_registry_source_rules.xml",
        "data/ir_cron_data.xml",
        "views/spar_held_payment_views.xml",
        "views/spar_payment_dispatch_views.xml",
        "views/spar_source_index_views.xml",
    ],
}
