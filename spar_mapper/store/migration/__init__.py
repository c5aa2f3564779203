"""The migration of a legacy store to the current one, in pieces, beside the old tables.
"""
