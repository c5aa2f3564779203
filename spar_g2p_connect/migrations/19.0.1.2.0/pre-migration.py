"""Ids of the store are wide: so is the list of those that an item waits for."""


def migrate(cr, version):
    cr.execute(
        """SELECT udt_name FROM information_schema.columns
            WHERE table_schema = current_schema AND table_name = 'spar_message'
              AND column_name = 'waiting_ids'"""
    )
    if cr.fetchall() == [("_int4",)]:
        # The model's init makes the index again, for the type of now.
        cr.execute(
            """DROP INDEX IF EXISTS spar_message_waiting_ids_index;
               ALTER TABLE spar_message ALTER COLUMN waiting_ids TYPE bigint[]"""
        )
