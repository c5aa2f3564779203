# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Registry",
    "summary": "People, programmes and their financial addresses",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["contacts", "spar_mapper_connector"],
    "data": [
        "security/spar_registry_groups.xml",
        "security/ir.model.access.csv",
        "security/spar_registry_rules.xml",
        "data/ir_cron_data.xml",
        "views/spar_person_identity_views.xml",
        "views/spar_payment_account_views.xml",
        "views/spar_programme_views.xml",
        "views/spar_consent_views.xml",
        "views/spar_outbox_entry_views.xml",
        "views/spar_wizard_views.xml",
        "views/res_partner_views.xml",
        "views/spar_registry_menus.xml",
    ],
    "assets": {"web.assets_backend": ["spar_registry/static/src/**/*"]},
}
