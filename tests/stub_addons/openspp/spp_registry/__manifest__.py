{
    "name": "OpenSPP Registry (stub)",
    "summary": "A stub for tests",
    "version": "19.0.2.2.2",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["contacts", "mail", "spp_vocabulary"],
    "data": [
        "security/groups.xml",
        "security/ir.model.access.csv",
        "security/rules.xml",
        "views/individual_views.xml",
    ],
}
