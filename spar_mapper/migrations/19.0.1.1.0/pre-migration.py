"""Check references once per statement, and drop the row-by-row checks.

The models' own ``init`` creates the triggers that replace them, in the same
transaction; it also drops the foreign keys of the store's tables.
"""

_INDEXES = (
    "spar_event__happened_at_index",
    "spar_event_chain_uniq",
    "spar_mapping__identifier_id_index",
    "spar_mapping_fa_digest_a_index",
    "spar_mapping_fa_digest_b_index",
    "spar_notice__event_id_index",
    "spar_subject_id_digest_a_uniq",
    "spar_subject_id_digest_b_uniq",
)


def _refuse_switched_off(cr):
    """Stop if an ID was switched off: no code of the registry has ever done that."""
    cr.execute("SELECT id FROM spar_subject_id WHERE NOT active ORDER BY id LIMIT 20")
    rows = [str(row_id) for (row_id,) in cr.fetchall()]
    if rows:
        raise ValueError(
            f"spar_subject_id, rows {', '.join(rows)}: switched off past the registry. "
            "Look into it and set each right before the upgrade: as it was, or away."
        )


def migrate(cr, version):
    _refuse_switched_off(cr)
    cr.execute(
        """
        DROP TRIGGER IF EXISTS spar_mapping_guard ON spar_mapping;
        DROP TRIGGER IF EXISTS spar_mapping_guard_truncate ON spar_mapping;
        ALTER TABLE spar_mapping DROP CONSTRAINT IF EXISTS spar_mapping_last_event_fk;
        """
    )
    for index in _INDEXES:
        cr.execute(f"DROP INDEX IF EXISTS {index}")  # pylint: disable=sql-injection
