# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Confirmation",
    "summary": "The store's own page on which people review and confirm a change",
    "version": "19.0.1.2.0",
    "development_status": "Beta",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_mapper"],
    "data": [
        "security/ir.model.access.csv",
        "data/ir_cron_data.xml",
        "views/confirmation_templates.xml",
        "views/spar_confirmation_client_views.xml",
        "views/spar_confirmation_portal_views.xml",
        "views/spar_confirmation_menus.xml",
        "data/spar_settings_seal_data.xml",
    ],
}
