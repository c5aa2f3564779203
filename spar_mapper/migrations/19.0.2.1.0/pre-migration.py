"""Drop the queue of checks at the end of a transaction: its columns have changed.

It is empty between transactions; the models' ``init`` recreates it.
"""


def migrate(cr, version):
    cr.execute("DROP TABLE IF EXISTS spar_store_tie")
