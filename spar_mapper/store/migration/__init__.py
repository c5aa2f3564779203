"""From the store of before to the one of now, beside the old tables, in pieces."""
