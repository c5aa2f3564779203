# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Staff Login",
    "summary": "How staff log in: second factor, sessions that end, their own host",
    "version": "19.0.1.3.0",
    "development_status": "Beta",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": [
        "auth_passkey",
        "auth_signup",
        "auth_timeout",
        "auth_totp",
        "auth_totp_mail",
        "base_setup",
        "http_routing",
        "spar_mapper_connector",
    ],
    "data": [
        "security/ir.model.access.csv",
        "security/spar_staff_login_rules.xml",
        "data/ir_config_parameter_data.xml",
        "data/ir_cron_data.xml",
        "data/res_groups_data.xml",
        "wizards/spar_setup_check_views.xml",
        "views/auth_totp_templates.xml",
        "views/res_config_settings_views.xml",
        "views/spar_first_steps_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "spar_staff_login/static/src/fresh_data/*",
            "spar_staff_login/static/src/lock/*",
        ]
    },
}
