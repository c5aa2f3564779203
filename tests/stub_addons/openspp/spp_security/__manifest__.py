{
    "name": "OpenSPP Security (stub)",
    "summary": "A stub for tests",
    "version": "19.0.2.0.0",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["base"],
    "data": ["security/groups.xml"],
}
