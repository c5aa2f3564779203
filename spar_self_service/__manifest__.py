# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Self-Service",
    "summary": "The beneficiary's own pages: log in, choose where the money goes",
    "version": "19.0.1.1.0",
    "development_status": "Beta",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["website", "portal", "auth_oauth", "spar_mapper_connector"],
    "external_dependencies": {"python": ["cryptography", "pyjwt>=2.13", "requests"]},
    "data": [
        "security/auth_oauth_provider_rules.xml",
        "security/ir.model.access.csv",
        "data/ir_cron_data.xml",
        "views/page_templates.xml",
        "views/address_templates.xml",
        "views/draft_templates.xml",
        "views/auth_oauth_provider_views.xml",
        "views/login_templates.xml",
        "views/spar_self_service_menus.xml",
        "data/spar_settings_seal_data.xml",
    ],
    "demo": ["demo/website_demo.xml"],
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
