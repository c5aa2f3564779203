from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..exceptions import (
    OutgoingError,
    OutgoingRefused,
    RemoteAnswerInvalid,
    RemoteDirectoryError,
    RemoteRefused,
    SealBroken,
    TargetUnknown,
)
from ..lib import outgoing
from ..lib.directory_client import DirectoryClient

_PLACE = {"phase": "types", "cursor": "", "after": 0, "last": ""}


class SparDirectorySource(models.Model):
    """Another SPAR whose directory is fetched into this one."""

    _name = "spar.directory.source"
    _description = "Source of the Directory"
    _inherit = "spar.sealed.storage"
    _order = "name, id"
    _seal_purpose = "directory-source"
    # Sealed for its address: an address changed by SQL does not receive the secret.
    _seal_context_columns = ("uuid", "url", "client_id")

    name = fields.Char(required=True)
    url = fields.Char(
        "Address",
        required=True,
        help="Where its REST interface begins, for example "
        "https://spar.example.org/spar/v1.",
    )
    client_id = fields.Char("Client ID", required=True)
    client_secret = fields.Char(
        compute="_compute_client_secret",
        inverse="_inverse_client_secret",
        help="Kept sealed, and shown to nobody: write it anew to replace it.",
    )
    has_secret = fields.Boolean(compute="_compute_client_secret")
    uuid = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self._default_uuid(),
    )
    state = fields.Selection(
        [
            ("draft", "Not Fetched"),
            ("waiting", "Fetching"),
            ("stopped", "Stopped"),
            ("done", "Fetched"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
    )
    place = fields.Json(readonly=True, copy=False)
    problem = fields.Char(readonly=True, copy=False)
    user_id = fields.Many2one("res.users", "Fetched by", readonly=True, copy=False)
    fetched_at = fields.Datetime("Last Fetched", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    added = fields.Integer(readonly=True, copy=False)
    updated = fields.Integer(readonly=True, copy=False)
    same = fields.Integer("Unchanged", readonly=True, copy=False)
    kept = fields.Integer("Kept as Edited Here", readonly=True, copy=False)
    note_ids = fields.One2many("spar.directory.source.note", "source_id", readonly=True)
    gone_count = fields.Integer("Gone There", compute="_compute_gone_count")

    def _compute_gone_count(self):
        domain = Domain("source_id", "in", self.ids)
        domain &= Domain("gone_from_source", "=", True)
        counts = dict.fromkeys(self.ids, 0)
        for model in ("spar.fsp", "spar.fsp.branch"):
            groups = self.env[model]._read_group(domain, ["source_id"], ["__count"])
            for source, count in groups:
                counts[source.id] += count
        for source in self:
            source.gone_count = counts.get(source.id, 0)

    @api.model
    def _default_uuid(self) -> str:
        return str(uuid4())

    @api.constrains("url")
    def _check_url(self):
        for source in self:
            try:
                outgoing.check_url(source.url)
            except (OutgoingRefused, TargetUnknown) as error:
                raise ValidationError(source._get_problem_text(error)) from error

    def _compute_progress(self):
        for source in self:
            place = source.place or _PLACE
            done, total = source._count_providers(place["after"])
            share = done / total if place["phase"] == "branches" and total else 0
            source.progress = 100 if source.state == "done" else 5 + 95 * share
            if source.state == "draft":
                source.progress = 0

    def _count_providers(self, after: int) -> tuple[int, int]:
        providers = self.env["spar.fsp"].with_context(active_test=False)
        domain = [("source_id", "=", self.id)]
        total = providers.search_count(domain)
        return providers.search_count([*domain, ("id", "<=", after)]), total

    # === THE SECRET === #

    def _compute_client_secret(self):
        sealed_ids = self._get_sealed_ids()
        for source in self:
            source.client_secret = False
            source.has_secret = source._origin.id in sealed_ids

    def _inverse_client_secret(self):
        for source in self.filtered("client_secret"):
            source._write_sealed(source.client_secret)

    def write(self, vals):
        """Write; drop the secret if the address or client ID it belongs to changes."""
        changed = self.filtered(
            lambda source: any(
                source[name] != vals[name]
                for name in ("url", "client_id") & vals.keys()
            )
        )
        if changed:
            changed._check_idle()
            changed._write_sealed(None)
        return super().write(vals)

    def _open_client(self) -> DirectoryClient:
        """Return the client for the other side.

        :raises UserError: when there is no secret, or it does not open
        """
        self.ensure_one()
        try:
            secret = self._read_sealed()
        except SealBroken as error:
            raise UserError(
                self.env._("The client secret cannot be opened: enter it again.")
            ) from error
        if secret is None:
            raise UserError(self.env._("Enter the client secret first."))
        return DirectoryClient(self.url, self.client_id, secret)

    # === BUTTONS === #

    def action_fetch(self):
        """Fetch the directory in the background, or continue where it was stopped.

        :raises UserError: naming what is missing
        """
        for source in self:
            source._check_idle()
            source._open_client()
            goes_on = source.state in ("stopped", "failed") and source.place
            source.write({} if goes_on else source._prepare_start())
        self.write({"state": "waiting", "problem": False, "user_id": self.env.uid})
        self.env.ref("spar_mapper_connector.ir_cron_fetch_directory")._trigger()

    def action_stop(self):
        """Stop after the page that is being processed now; existing records stay."""
        self.filtered(lambda source: source.state == "waiting").state = "stopped"

    def _prepare_start(self) -> dict:
        self.note_ids.unlink()
        counts = dict.fromkeys(("added", "updated", "same", "kept"), 0)
        return {**counts, "place": dict(_PLACE)}

    def _check_idle(self):
        if any(source.state == "waiting" for source in self):
            raise UserError(
                self.env._("The directory is being fetched: stop it first.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_fetching(self):
        self._check_idle()

    # === PROBLEMS === #

    @api.model
    def _get_problem_text(self, error: OutgoingError | RemoteDirectoryError) -> str:
        """Return the problem and its remedy, in the user's language."""
        if isinstance(error, RemoteRefused):
            return self._get_refusal_text(error.status)
        if isinstance(error, RemoteAnswerInvalid):
            return self.env._(
                "The answer is none of a SPAR directory (%(member)s): check the "
                "address.",
                member=error.member,
            )
        texts = {
            "address_refused": self.env._(
                "Nothing may be sent to this address. It must begin with https:// and "
                "not lead into a private network, unless the server's settings allow "
                "it."
            ),
            "unknown_host": self.env._(
                "No host is known by this name: check the address."
            ),
            "too_slow": self.env._("The other side is too slow: try again later."),
            "answer_too_large": self.env._("The other side sends more than it may."),
        }
        unreachable = self.env._("The other side cannot be reached: try again later.")
        return texts.get(error.code, unreachable)

    @api.model
    def _get_refusal_text(self, status: int) -> str:
        if status in (400, 401, 403):
            return self.env._(
                "The other side does not accept client ID and secret: check them there."
            )
        if status == 404:
            return self.env._(
                "There is no directory at this address: it must end in /spar/v1."
            )
        return self.env._(
            "The other side answered with the error %(status)s: try again later.",
            status=status,
        )
