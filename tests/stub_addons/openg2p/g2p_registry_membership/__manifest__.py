{
    "name": "G2P Registry: Membership (stub)",
    "summary": "A stub for tests",
    "version": "19.0.1.4.0",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["g2p_registry_group", "g2p_registry_individual"],
    "data": [
        "security/ir.model.access.csv",
        "security/registrant_rule.xml",
        "data/group_membership_kinds.xml",
    ],
}
