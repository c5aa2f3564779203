{
    "name": "OpenG2P Programs (stub)",
    "summary": "A stub for tests",
    "version": "19.0.0.0.0",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["g2p_registry_membership"],
    "data": [
        "security/program_security.xml",
        "security/ir.model.access.csv",
        "views/cycle_view.xml",
    ],
}
