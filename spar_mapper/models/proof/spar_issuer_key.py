import logging

import psycopg2.errors
from psycopg2 import DataError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.lib.jose.exceptions import KeySetUnavailable
from odoo.addons.spar_mapper_connector.lib.jose.keys import PublicKey

from ...lib import integrity
from ...store.archiving import COLUMNS, check_archive, note_keys

_logger = logging.getLogger(__name__)


class SparIssuerKey(models.Model):
    """The archive of the keys with which issuers sign; kept for ever.

    An owner's proof is verified with the key that its issuer had at that time, long
    after the issuer stopped publishing it. The rows are a chain under the audit key,
    and checkpoints name its end.
    """

    _name = "spar.issuer.key"
    _description = "Key of an issuer"
    _inherit = ["spar.store.table"]
    _order = "seq desc"
    _rec_name = "kid"
    _log_access = False
    _refuses_delete = "the keys of issuers are kept"

    seq = fields.Integer(string="No.", required=True, readonly=True, aggregator=None)
    issuer = fields.Char(required=True, readonly=True)
    kid = fields.Char(string="Key ID", required=True, readonly=True)
    thumbprint = fields.Char(required=True, readonly=True)
    algorithms = fields.Char(required=True, readonly=True)
    jwk = fields.Text(string="JWK", required=True, readonly=True)
    certificates = fields.Text(
        string="Certificate chain",
        readonly=True,
        help="The certificates that the issuer published with the key (x5c).",
    )
    first_seen = fields.Datetime(string="First seen", required=True, readonly=True)
    last_seen = fields.Datetime(string="Last seen", required=True, readonly=True)
    previous = fields.Char(readonly=True)
    mac = fields.Char(string="MAC", required=True, readonly=True)

    _seq_uniq = models.UniqueIndex(
        "(seq)", "Each position in the archive can have only one key."
    )
    _issuer_index = models.Index("(issuer, kid)")

    def init(self):
        result = super().init()
        for statement in (
            *integrity.build_append_only(self._table, ("id", *COLUMNS)),
            *integrity.build_seen_guard(self._table),
        ):
            self.env.cr.execute(statement)
        return result

    @api.model
    def _note_keys(self, issuer: str, keys: tuple[PublicKey, ...]) -> None:
        """Note that ``issuer`` uses ``keys`` now.

        Raises ConcurrencyError if another transaction extended the archive meanwhile.
        """
        keyring = self.env["spar.keyring"]._open(for_write=True)
        now = self.env["spar.mapper.local"]._get_now()
        try:
            note_keys(self.env.cr, keyring, issuer, keys, now)
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("keys are being archived") from error
        self.invalidate_model()

    @api.model
    def _cron_see_keys(self) -> None:
        """Archive the keys that every issuer of the store publishes."""
        issuers_sudo = self.env["spar.proof.issuer"].sudo().search(Domain.TRUE)
        good_sudo = issuers_sudo._filter_true()
        cron = self.env["ir.cron"]
        for left, issuer_sudo in zip(
            reversed(range(len(good_sudo))), good_sudo, strict=True
        ):
            try:
                keys = issuer_sudo._fetch_keys()
            except KeySetUnavailable:
                keys = ()
            self._try_to_note(issuer_sudo.issuer, keys)
            if not cron._commit_progress(1, remaining=left):
                return

    @api.model
    def _try_to_note(self, issuer: str, keys) -> None:
        """Archive an issuer's keys; what cannot be stored keeps no other's away."""
        try:
            with self.env.cr.savepoint():
                self._note_keys(issuer, keys)
        except (DataError, UnicodeError) as error:
            # The keys are not logged: their issuer chose what is in them.
            _logger.error("keys of an issuer cannot be kept: %s", type(error).__name__)

    @api.model
    def _get_mark(self) -> tuple[int, str]:
        """Return number and MAC of the newest key; (0, "") for an empty archive."""
        self.env.cr.execute(
            "SELECT seq, mac FROM spar_issuer_key ORDER BY seq DESC LIMIT 1"
        )
        return self.env.cr.fetchone() or (0, "")

    @api.model
    def _has_mark(self, mark: tuple[int, str]) -> bool:
        """Return whether the key that ``mark`` names is in the archive."""
        self.env.cr.execute(
            "SELECT count(*) FROM spar_issuer_key WHERE seq = %s AND mac = %s", mark
        )
        return bool(self.env.cr.fetchone()[0])

    @api.model
    def _check(self) -> list[tuple[str, int, str]]:
        """Return what is wrong with the archive."""
        return check_archive(self.env.cr, self.env["spar.keyring"]._open())
