from odoo import fields, models


class SparKeyringKey(models.Model):
    """A key of this database: its id and check value, never its material."""

    _name = "spar.keyring.key"
    _description = "Key of the keyring"
    _rec_name = "key_id"
    _order = "id"
    _log_access = False

    key_id = fields.Char(string="Key ID", required=True, readonly=True)
    kind = fields.Char(required=True, readonly=True)
    check_value = fields.Char(string="Check value", required=True, readonly=True)
    state = fields.Selection(
        [("active", "In use"), ("retiring", "Being replaced"), ("retired", "Retired")],
        required=True,
        readonly=True,
    )
    since = fields.Datetime(required=True, readonly=True)

    _key_id_uniq = models.UniqueIndex("(key_id)", "This key already exists.")


class SparKeyringPhase(models.Model):
    """The one row that assigns the keys their current roles.

    Every transaction that seals or indexes shares a lock; a change of keys takes it
    exclusively (see ``spar.keyring._lock_phase``). So when a change has committed, no
    transaction still writes with the previous keys. The index key has two columns, so
    that it can be replaced while the system runs: write a; write both, fill b; read b;
    drop a.
    """

    _name = "spar.keyring.phase"
    _description = "Keys in use"
    _inherit = ["spar.cached.records"]
    _log_access = False

    generation = fields.Char(required=True, readonly=True)
    seal_key = fields.Char(string="Seal key", required=True, readonly=True)
    index_key_a = fields.Char(string="Index key A", readonly=True)
    index_key_b = fields.Char(string="Index key B", readonly=True)
    read_column = fields.Selection(
        [("a", "Column a"), ("b", "Column b")],
        string="Read column",
        required=True,
        readonly=True,
    )
    audit_key = fields.Char(string="Audit key", required=True, readonly=True)
    token_key = fields.Char(string="Token key", required=True, readonly=True)

    _single_row = models.UniqueIndex("((true))", "There can be only one row.")
