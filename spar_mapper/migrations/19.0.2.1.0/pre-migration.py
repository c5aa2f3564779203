"""The queue of what is checked at the end of a transaction has other columns.

It is empty between transactions; the models' ``init`` makes it anew.
"""


def migrate(cr, version):
    cr.execute("DROP TABLE IF EXISTS spar_store_tie")
