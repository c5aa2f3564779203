{
    "name": "OpenSPP Vocabulary (stub)",
    "summary": "A stub for tests",
    "version": "19.0.2.0.0",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["mail", "spp_security"],
    "data": [
        "security/ir.model.access.csv",
        "views/vocabulary_code_views.xml",
        "data/vocabularies.xml",
    ],
}
