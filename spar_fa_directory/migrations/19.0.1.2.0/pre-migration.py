"""Set the switches of the shipped parts that define which values count as equal.

Their data is not loaded again. A part whose check has been changed since keeps it, and
its gaps count as before. The store itself converts the addresses that it keeps to the
new form.
"""

from odoo.tools.sql import SQL, column_exists

ACCOUNT, PHONE, VOUCHER = (
    "part_bank_account_number",
    "part_mobile_wallet_phone",
    "part_voucher_number",
)
#: For each part, the check that it was shipped with and its new parameter.
PARAMETERS = {
    ACCOUNT: ("regex", "[0-9A-Za-z](?:[ /-]?[0-9A-Za-z]){3,33}", "[0-9A-Z]{4,34}"),
    PHONE: ("phone", "", "mobile"),
    VOUCHER: ("regex", "[0-9A-Za-z](?:[ -]?[0-9A-Za-z]){3,39}", "[0-9A-Z]{4,40}"),
}

NO_CONDITION = SQL()


def migrate(cr, version):
    if column_exists(cr, "spar_fa_type_part", "gaps_do_not_count"):
        return
    cr.execute(
        """ALTER TABLE spar_fa_type_part
             ADD COLUMN gaps_do_not_count boolean,
             ADD COLUMN is_account_number boolean"""
    )
    for name, (check, old, new) in PARAMETERS.items():
        _update_part(
            cr,
            name,
            SQL(
                "check_parameter = %s, gaps_do_not_count = (check_code = 'regex')", new
            ),
            SQL(
                "AND check_code = %s AND coalesce(check_parameter, '') = %s", check, old
            ),
        )
    _update_part(cr, ACCOUNT, SQL("is_account_number = true"))
    cr.execute(
        """UPDATE spar_fsp SET bic = upper(regexp_replace(bic, '[[:space:]]', '', 'g'))
            WHERE bic <> upper(regexp_replace(bic, '[[:space:]]', '', 'g'))"""
    )


def _update_part(cr, name, values, condition=NO_CONDITION):
    """Write values to a shipped part that fulfils a condition."""
    cr.execute(
        SQL(
            """UPDATE spar_fa_type_part SET %s
                WHERE id = (SELECT res_id FROM ir_model_data
                             WHERE module = 'spar_fa_directory' AND name = %s) %s""",
            values,
            name,
            condition,
        )
    )
