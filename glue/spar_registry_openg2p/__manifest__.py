# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Registry: OpenG2P",
    "summary": "IDs, households and phones of OpenG2P's registry",
    "version": "19.0.1.0.0",
    "development_status": "Alpha",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": [
        "spar_registry",
        "spar_registry_source",
        "g2p_registry_individual",
        "g2p_registry_group",
        "g2p_registry_membership",
    ],
    "data": [
        "security/res_groups.xml",
        "data/res_partner_data.xml",
        "views/g2p_id_type_views.xml",
        "views/res_partner_views.xml",
    ],
    "auto_install": ["spar_registry", "g2p_registry_membership"],
}
