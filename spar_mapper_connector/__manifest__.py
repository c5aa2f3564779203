# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Mapper Connector",
    "summary": "Contract of ID-to-account mappers; ID types; keyring",
    "version": "19.0.1.9.0",
    "development_status": "Beta",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_fa_directory"],
    "external_dependencies": {
        "python": ["cryptography", "joserfc>=1.7", "pyjwt>=2.13"]
    },
    "data": [
        "security/spar_mapper_connector_groups.xml",
        "security/ir.model.access.csv",
        "data/spar_id_type_data.xml",
        "data/ir_cron_data.xml",
        "views/page_templates.xml",
        "views/spar_id_type_views.xml",
        "views/spar_mapper_backend_views.xml",
        "views/spar_keyring_views.xml",
        "views/spar_signing_key_views.xml",
        "views/spar_setting_change_views.xml",
        "views/spar_settings_seal_views.xml",
        "views/res_users_views.xml",
        "views/spar_directory_source_views.xml",
        "views/spar_fsp_views.xml",
        "views/spar_mapper_connector_menus.xml",
        "data/spar_settings_seal_data.xml",
    ],
}
