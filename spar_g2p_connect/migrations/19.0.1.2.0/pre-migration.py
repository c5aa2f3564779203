"""The store's IDs became bigint: so does the list of those that an item waits for."""


def migrate(cr, version):
    cr.execute(
        """SELECT udt_name FROM information_schema.columns
            WHERE table_schema = current_schema AND table_name = 'spar_message'
              AND column_name = 'waiting_ids'"""
    )
    if cr.fetchall() == [("_int4",)]:
        # The model's init recreates the index for the new type.
        cr.execute(
            """DROP INDEX IF EXISTS spar_message_waiting_ids_index;
               ALTER TABLE spar_message ALTER COLUMN waiting_ids TYPE bigint[]"""
        )
