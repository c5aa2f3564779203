"""The migration of a legacy store, in pieces, beside the old tables."""
