{
    "name": "SPAR: the foreign mapper of the examples",
    "summary": "Shows how to connect a mapper with a protocol of its own",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "SPAR contributors",
    "license": "LGPL-3",
    "depends": ["spar_mapper_connector"],
}
