{
    "name": "G2P Registry: Individual (stub)",
    "summary": "A stub for tests",
    "version": "19.0.1.4.0",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["g2p_registry_base"],
    "data": ["views/individuals_view.xml"],
}
