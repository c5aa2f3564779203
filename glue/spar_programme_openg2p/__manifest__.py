# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Programmes: OpenG2P",
    "summary": "Payments of OpenG2P's programmes to financial addresses",
    "version": "19.0.1.0.0",
    "development_status": "Alpha",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_registry_openg2p", "g2p_programs"],
    "data": [
        "security/ir.model.access.csv",
        "security/res_groups.xml",
        "views/spar_openg2p_payment_manager_views.xml",
        "views/g2p_cycle_views.xml",
        "views/spar_programme_openg2p_menus.xml",
    ],
    "auto_install": True,
}
