{
    "name": "G2P Registry: Base (stub)",
    "summary": "A stub for tests",
    "version": "19.0.1.4.0",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["contacts", "mail"],
    "data": [
        "security/g2p_security.xml",
        "security/ir.model.access.csv",
        "views/id_types_view.xml",
        "views/main_view.xml",
    ],
}
