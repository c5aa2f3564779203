"""Let a household share the phone of a mobile wallet, as in new databases.

The data of shipped kinds is not loaded again. An operator's own kinds ask for a reason
as before.
"""

from odoo.tools.sql import column_exists


def migrate(cr, version):
    if column_exists(cr, "spar_fa_type", "people_per_address"):
        return
    cr.execute("ALTER TABLE spar_fa_type ADD COLUMN people_per_address int4")
    cr.execute(
        """UPDATE spar_fa_type t SET people_per_address = CASE WHEN EXISTS (
                  SELECT FROM ir_model_data d
                   WHERE d.module = 'spar_fa_directory' AND d.res_id = t.id
                     AND d.model = 'spar.fa.type' AND d.name = 'type_mobile_wallet')
                  THEN 4 ELSE 1 END"""
    )
