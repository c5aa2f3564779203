# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Registry: OpenSPP",
    "summary": "IDs, households and phones of OpenSPP's registry",
    "version": "19.0.1.0.0",
    "development_status": "Alpha",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_registry", "spar_registry_source", "spp_registry"],
    "data": [
        "security/res_groups.xml",
        "data/res_partner_data.xml",
        "views/spp_vocabulary_code_views.xml",
        "views/res_partner_views.xml",
    ],
    "auto_install": ["spar_registry", "spp_registry"],
}
