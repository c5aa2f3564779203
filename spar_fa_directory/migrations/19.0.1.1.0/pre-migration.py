"""Add examples to the shipped parts of addresses, whose data is not loaded again.

This runs before the addon is loaded, so that translations of the examples are loaded
with it.
"""

from odoo.tools.sql import SQL, column_exists

EXAMPLES = {
    "part_bank_account_number": "1234 5678 9012",
    "part_mobile_wallet_phone": "0917 123 4567",
    "part_email_wallet_email": "name@example.org",
    "part_voucher_number": "AB12 3456 7890",
}


def migrate(cr, version):
    if column_exists(cr, "spar_fa_type_part", "example"):
        return
    cr.execute("ALTER TABLE spar_fa_type_part ADD COLUMN example jsonb")
    for name, example in EXAMPLES.items():
        cr.execute(
            SQL(
                """UPDATE spar_fa_type_part SET example = jsonb_build_object(
                                 'en_US', %s::text)
                    WHERE id = (SELECT res_id FROM ir_model_data
                                 WHERE module = 'spar_fa_directory' AND name = %s)""",
                example,
                name,
            )
        )
