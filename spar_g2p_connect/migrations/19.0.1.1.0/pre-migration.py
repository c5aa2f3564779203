"""Participants that called before this version are authenticated and limited as before.

This covers signatures, limits per minute and checks of messages. Each column is handled
on its own: where it already exists, its value was chosen by an administrator, or set
when the participant was created. A draft has never called: it gets the values of new
participants, and is approved as a whole.
"""

from odoo.tools.sql import SQL, column_exists

STRICT = "g2p-connect-1.0-strict"  # other profiles' checks are unchanged

#: Column -> its type, its value for a draft, and for a participant that has called.
COLUMNS = {
    "proof": (
        "varchar",
        "token_and_signature",
        SQL("CASE WHEN demo_only THEN 'token' ELSE 'token_as_before' END"),
    ),
    "calls_per_minute": ("int4", 600, 0),
    "items_per_minute": ("int4", 6000, 0),
    **{
        name: ("varchar", None, SQL("CASE WHEN profile = %s THEN %s END", STRICT, said))
        for name, said in (
            ("rule_max_age_seconds", "0"),
            ("rule_max_ahead_seconds", "0"),
            ("rule_checks_parties", "off"),
            ("rule_checks_addresses", "off"),
            ("rule_message_ids_are_unique", "off"),
        )
    },
}


def migrate(cr, version):
    for name, (kind, of_draft, of_caller) in COLUMNS.items():
        if not column_exists(cr, "spar_participant", name):
            add_column(cr, SQL.identifier(name), SQL(kind), of_draft, of_caller)


def add_column(cr, name, kind, of_draft, of_caller):
    """Add a column, and set its value for each existing participant."""
    cr.execute(SQL("ALTER TABLE spar_participant ADD COLUMN %s %s", name, kind))
    cr.execute(
        SQL(
            "UPDATE spar_participant SET %s = CASE WHEN state = 'draft' THEN %s"
            " ELSE %s END",
            name,
            of_draft,
            of_caller,
        )
    )
