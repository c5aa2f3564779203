"""Checks once for each statement: what was checked row by row goes.

The models' own ``init`` puts up the triggers that take its place, in the same
transaction; foreign keys of the store's tables are dropped there, too.
"""

_INDEXES = (
    "spar_event__happened_at_index",
    "spar_event_chain_uniq",
    "spar_mapping__identifier_id_index",
    "spar_mapping_fa_digest_a_index",
    "spar_mapping_fa_digest_b_index",
    "spar_notice__event_id_index",
)


def migrate(cr, version):
    cr.execute(
        """
        DROP TRIGGER IF EXISTS spar_mapping_guard ON spar_mapping;
        DROP TRIGGER IF EXISTS spar_mapping_guard_truncate ON spar_mapping;
        ALTER TABLE spar_mapping DROP CONSTRAINT IF EXISTS spar_mapping_last_event_fk;
        """
    )
    for index in _INDEXES:
        cr.execute(f"DROP INDEX IF EXISTS {index}")  # pylint: disable=sql-injection
