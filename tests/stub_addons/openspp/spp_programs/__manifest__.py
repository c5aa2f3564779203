{
    "name": "OpenSPP Programs (stub)",
    "summary": "A stub for tests",
    "version": "19.0.2.2.4",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spp_registry"],
    "data": [
        "security/groups.xml",
        "security/ir.model.access.csv",
        "views/cycle_view.xml",
    ],
}
