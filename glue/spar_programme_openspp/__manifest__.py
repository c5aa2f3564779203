# Copyright 2026 SPAR contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "SPAR Programmes: OpenSPP",
    "summary": "Payments of OpenSPP's programmes to financial addresses",
    "version": "19.0.1.0.0",
    "development_status": "Alpha",
    "category": "Accounting/Payment",
    "website": "https://github.com/spar/spar-odoo",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_registry_openspp", "spp_programs"],
    "data": [
        "security/ir.model.access.csv",
        "security/res_groups.xml",
        "views/spar_openspp_payment_manager_views.xml",
        "views/spp_cycle_views.xml",
        "views/spar_programme_openspp_menus.xml",
    ],
    "auto_install": True,
}
