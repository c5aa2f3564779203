import logging
from collections.abc import Iterable
from uuid import uuid4

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.directory_rows import Row, check_row
from odoo.addons.spar_fa_directory.lib.fa_reader import (
    NO_HOLDER,
    AddressPlace,
    fold_code,
)

from ...exceptions import (
    OutgoingError,
    OutgoingRefused,
    RemoteAnswerInvalid,
    RemoteDirectoryError,
    RemoteRefused,
    SealBroken,
    TargetUnknown,
)
from ...lib import outgoing
from ...lib.directory_client import (
    DirectoryClient,
    RemotePage,
    read_items,
    read_text,
)
from ...lib.directory_merge import merge

_logger = logging.getLogger(__name__)

_CLOSING = ("closed_on", "close_reason")
_PROVIDER = ("code", "name", "kind", "country", "bic", *_CLOSING)
_BRANCH = ("code", "name", "city", *_CLOSING)
_PART_KINDS = ("provider", "branch", "text")
_COUNTS = ("added", "updated", "same", "kept")
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
        "URL",
        required=True,
        help="The base URL of its API, for example https://spar.example.org/spar/v1.",
    )
    client_id = fields.Char("Client ID", required=True)
    client_secret = fields.Char(
        string="Client secret",
        compute="_compute_client_secret",
        inverse="_inverse_client_secret",
        help="Stored sealed and never shown. Enter a new one to replace it.",
    )
    has_secret = fields.Boolean(string="Has a secret", compute="_compute_client_secret")
    uuid = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self._default_uuid(),
    )
    state = fields.Selection(
        [
            ("draft", "Not fetched"),
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
    fetched_at = fields.Datetime("Last fetched", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    added = fields.Integer(readonly=True, copy=False)
    updated = fields.Integer(readonly=True, copy=False)
    same = fields.Integer("Unchanged", readonly=True, copy=False)
    kept = fields.Integer("Kept, edited here", readonly=True, copy=False)
    note_ids = fields.One2many("spar.directory.source.note", "source_id", readonly=True)
    gone_count = fields.Integer("Removed there", compute="_compute_gone_count")

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
            source._record({} if goes_on else source._prepare_start())
        self._record({"state": "waiting", "problem": False, "user_id": self.env.uid})
        self.env.ref("spar_mapper_connector.ir_cron_fetch_directory")._trigger()

    def action_stop(self):
        """Stop after the page that is being processed now; existing records stay."""
        waiting = self.filtered(lambda source: source.state == "waiting")
        waiting._record({"state": "stopped"})

    def _record(self, values: dict) -> None:
        """Write what only the methods of this model may set."""
        self._as_code().write(values)

    def _prepare_start(self) -> dict:
        self.note_ids.unlink()
        counts = dict.fromkeys(("added", "updated", "same", "kept"), 0)
        return {**counts, "place": dict(_PLACE)}

    def _check_idle(self):
        if any(source.state == "waiting" for source in self):
            raise UserError(
                self.env._("The directory is being fetched. Stop that first.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_fetching(self):
        self._check_idle()

    # === FETCHING, IN THE BACKGROUND: ONE PAGE IN EACH TRANSACTION === #

    @api.model
    def _cron_fetch(self) -> None:
        """Fetch from the waiting sources, one by one, while there is time."""
        while source := self.search([("state", "=", "waiting")], order="id", limit=1):
            if not source._fetch_while_wanted():
                return

    def _fetch_while_wanted(self) -> bool:
        """Fetch to the end or until a user stops it; return False when time is up."""
        cron = self.env["ir.cron"]
        try:
            client = self._open_client()
            while self.state == "waiting":
                self._fetch_step(client)
                if not cron._commit_progress(1, remaining=1):
                    return False
                self.env.invalidate_all()
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            self._record({"state": "failed", "problem": self._describe_failure(error)})
        return bool(cron._commit_progress(0))

    def _describe_failure(self, error: Exception) -> str:
        if isinstance(error, OutgoingError | RemoteDirectoryError):
            return self._get_problem_text(error)
        if isinstance(error, UserError):
            return str(error)
        _logger.error("Directory source %s: %s", self.id, type(error).__name__)
        return self.env._(
            "Fetching stopped after an unexpected error. Imported records are kept: "
            "fetch again to continue."
        )

    def _fetch_step(self, client: DirectoryClient) -> None:
        """Process one page, with the rights of the user who pressed the button."""
        me = self.with_user(self._get_fetching_user())
        me = me.with_context(lang=None, active_test=False)
        steps = {
            "types": me._import_types,
            "providers": me._import_providers,
            "branches": me._import_branches,
        }
        with self.env.cr.savepoint():
            steps[self.place["phase"]](client)

    def _get_fetching_user(self):
        """Return who started the fetching, in whose name records are written.

        It is the superuser only for a source that the superuser entered. Raises
        UserError if the record names a user who cannot have started it.
        """
        user = self.user_id or self.env.user
        if user._is_superuser() and self.create_uid != user:
            raise UserError(
                self.env._(
                    "Fetching stopped: it is not clear who started it. Fetch again."
                )
            )
        return user

    def _import_types(self, client: DirectoryClient) -> None:
        for fa_type in client.get_fa_types():
            self._import_fa_type(fa_type)
        self._record({"place": {**self.place, "phase": "providers"}})

    def _import_providers(self, client: DirectoryClient) -> None:
        page = client.get_providers(self.place["cursor"])
        self._import_provider_page(page)
        self._note_gone_of_page("spar.fsp", page, Domain.TRUE)
        phase = "providers" if page.cursor else "branches"
        place = {**self.place, "phase": phase, "cursor": page.cursor}
        self._record_place(place, page)

    def _import_branches(self, client: DirectoryClient) -> None:
        """Process the next page of the current provider, or of the one after it."""
        place = self.place
        provider = self._get_next_provider(place["after"])
        if not provider:
            self._import_successors()
            self._record({"state": "done", "fetched_at": fields.Datetime.now()})
            return
        code = provider.source_values["code"]
        page = client.get_branches(code, place["cursor"])
        self._import_branch_page(provider, page)
        domain = Domain("provider_id", "=", provider.id)
        self._note_gone_of_page("spar.fsp.branch", page, domain)
        after = place["after"] if page.cursor else provider.id
        place = {**place, "after": after, "cursor": page.cursor}
        self._record_place(place, page)

    def _record_place(self, place: dict, page: RemotePage) -> None:
        """Record where fetching continues after a page."""
        last = _get_last_code(page) if page.cursor else ""
        self._record({"place": place | {"last": last}})

    def _get_next_provider(self, after: int):
        """Return the first provider after ``after`` with branches on the other side."""
        domain = [
            ("source_id", "=", self.id),
            ("gone_from_source", "=", False),
            ("id", ">", after),
        ]
        for provider in self.env["spar.fsp"].search(domain, order="id"):
            if provider.source_values.get("branches"):
                return provider
        return self.env["spar.fsp"]

    # === PAGES === #

    def _import_provider_page(self, page: RemotePage) -> None:
        loader = self.env["spar.directory.loader.provider"]
        countries, kinds = loader._get_countries(), loader._get_kinds()
        rows = {}
        for row, item in self._read_rows(page, _PROVIDER):
            problems = check_row(row, loader._get_columns())
            values, more = (
                ({}, []) if problems else loader._prepare_row(row, countries, kinds)
            )
            if problems or more:
                self._note_problems(row, loader, [*problems, *more])
            # A country that is unknown here prevents no payments.
            harmless = {"country", "closed_on"}
            if problems or {problem.column for problem in more} - harmless:
                continue
            values = {"country_id": False, "bic": False, "kind": "other"} | {
                name: value for name, value in values.items() if value
            }
            values["active"] = item.get("archived") is not True
            values |= self._write_closing(values)
            more = {
                "branches": bool(item.get("branches")),
                "successor": read_text(item, "successor"),
            }
            rows[values["code"].upper(),] = values, more
        self._import_rows(loader, rows)

    def _import_branch_page(self, provider, page: RemotePage) -> None:
        loader = self.env["spar.directory.loader.branch"]
        columns = [c for c in loader._get_columns() if c.name != "provider"]
        rows = {}
        for row, item in self._read_rows(page, _BRANCH):
            if problems := check_row(row, tuple(columns)):
                self._note_problems(row, loader, problems)
                continue
            values = {
                "code": row.values["code"],
                "name": row.values["name"],
                "city": row.values["city"] or False,
                "provider_id": provider.id,
                "active": item.get("archived") is not True,
            }
            problems = []
            values |= self._write_closing(loader._read_closing(row, problems))
            if problems:
                self._note_problems(row, loader, problems)
            successor = read_text(item, "successor")
            more = {
                "successor": successor,
                "successor_provider": read_text(item, "successor_provider"),
            }
            rows[provider.id, values["code"].upper()] = values, more
        self._import_rows(loader, rows)

    @api.model
    def _write_closing(self, values: dict) -> dict:
        """Return the reported closing as it is stored and compared."""
        return {
            "closed_on": fields.Date.to_string(values.get("closed_on")),
            "close_reason": values.get("close_reason") or False,
        }

    @api.model
    def _read_rows(self, page: RemotePage, members: tuple[str, ...]):
        for number, item in enumerate(page.items):
            yield Row(number, {name: read_text(item, name) for name in members}), item

    def _import_rows(self, loader, rows: dict[tuple, tuple[dict, dict]]) -> None:
        """Create new records, update those fetched earlier, leave others unchanged."""
        target = self.env[loader._target]
        target.flush_model()
        existing = loader._search_existing(list(rows))
        counts = dict.fromkeys(_COUNTS, 0)
        new = []
        for key, (values, more) in rows.items():
            source_values = {**values, **more}
            if not (found := existing.get(key)):
                source = {"source_id": self.id, "source_values": source_values}
                new.append({**values, **source})
                continue
            record = target.browse(found.record_id)
            counts[self._update_record(record, values, source_values)] += 1
        added = target.browse(target._as_code().create(new).ids)
        for record in added if self.fetched_at else ():
            self._note_again("new", record, self.env._("New in the other directory."))
        counts["added"] = len(added)
        self._record({name: self[name] + count for name, count in counts.items()})

    def _update_record(self, record, values: dict, source_values: dict) -> str:
        """Update a record with changes of the other side; return the outcome."""
        if record.source_id != self:
            self._note(
                record.display_name,
                self.env._("This code was entered here or came from another source."),
            )
            return "kept"
        remote = {name: values[name] for name in values if name != "code"}
        # Records fetched before closings existed have none.
        before = dict.fromkeys(_CLOSING, False) | (record.source_values or {})
        merged = merge(remote, before, self._get_current(record, remote))
        if merged.values:
            record.write(merged.values)
        if source_values != record.source_values:
            record._as_code().source_values = source_values
        if merged.values:
            self._note_again(
                "changed", record, self.env._("Changed in the other directory.")
            )
        if merged.is_edited:
            return "kept"
        return "updated" if merged.values else "same"

    @api.model
    def _get_current(self, record, names: Iterable[str]) -> dict:
        fields_ = record._fields
        return {
            name: fields_[name].convert_to_write(record[name], record) for name in names
        } | {"closed_on": fields.Date.to_string(record.closed_on)}

    # === KINDS OF ADDRESS === #

    def _import_fa_type(self, remote: dict) -> None:
        """Take over an unknown kind of address, and new strategies.

        Both take effect once a second person approves them. An existing kind with other
        parts, and a number whose strategy differs here, are left unchanged and noted:
        stored addresses depend on them.
        """
        code, parts = read_text(remote, "code"), read_items(remote, "parts")
        kinds = self.env["spar.fa.type"].with_context(active_test=False)
        existing = kinds.search([("code", "=", code)])
        try:
            with self.env.cr.savepoint():
                fa_type = existing or self._create_fa_type(remote, parts)
        except UserError as error:
            self._note(code, str(error))
            return
        if self._get_shape(fa_type) != [self._read_shape(part) for part in parts]:
            self._note(
                code, self.env._("This kind of address has different parts here.")
            )
            return
        for strategy in read_items(remote, "strategies"):
            self._import_strategy(fa_type, strategy)

    @api.model
    def _get_shape(self, fa_type) -> list[tuple[str, str]]:
        return [(part.key, part.kind) for part in fa_type.part_ids]

    @api.model
    def _read_shape(self, part: dict) -> tuple[str, str]:
        return read_text(part, "key"), read_text(part, "kind")

    @api.model
    def _create_fa_type(self, remote: dict, parts: list[dict]):
        kinds = self.env["spar.directory.loader.provider"]._get_kinds().values()
        provider_kind = read_text(remote, "provider_kind")
        fa_type = self.env["spar.fa.type"].create(
            {
                "name": read_text(remote, "name") or read_text(remote, "code"),
                "code": read_text(remote, "code"),
                "provider_kind": provider_kind if provider_kind in kinds else False,
                "part_ids": [
                    (0, 0, self._prepare_part(place, part))
                    for place, part in enumerate(parts)
                ],
            }
        )
        self._record({"added": self.added + 1})
        return fa_type

    @api.model
    def _prepare_part(self, place: int, part: dict) -> dict:
        """Return the values of a part; raises RemoteAnswerInvalid, UserError."""
        kind, check = read_text(part, "kind"), part.get("check") or {}
        if kind not in _PART_KINDS or not isinstance(check, dict):
            raise RemoteAnswerInvalid("parts")
        code = read_text(check, "code")
        if code and code not in self.env["spar.fa.type"]._get_check_labels():
            raise UserError(
                self.env._("The check %(code)s does not exist here.", code=code)
            )
        return {
            "sequence": 10 * place,
            "key": read_text(part, "key"),
            "kind": kind,
            "label": read_text(part, "label") or read_text(part, "key"),
            "help": read_text(part, "help"),
            "check_code": code or False,
            "check_parameter": read_text(check, "parameter") or False,
            "gaps_do_not_count": part.get("gaps_do_not_count") is True,
            "is_account_number": part.get("is_account_number") is True,
        }

    def _import_strategy(self, fa_type, remote: dict) -> None:
        number, template = remote.get("number"), read_text(remote, "template")
        if type(number) is not int or not 0 < number < 2**31:
            raise RemoteAnswerInvalid("strategies")
        strategies = self.env["spar.fa.strategy"]
        existing = strategies.search([("number", "=", number)])
        if existing and (existing.type_id, existing.template) == (fa_type, template):
            return
        subject = f"{fa_type.code} {number}"
        if existing:
            reason = self.env._("The strategy with this number is different here.")
            self._note(subject, reason)
            return
        values = {"number": number, "type_id": fa_type.id, "template": template}
        try:
            with self.env.cr.savepoint():
                strategies.create(
                    {**values, "name": read_text(remote, "name") or template}
                )
                self._record({"added": self.added + 1})
        except UserError as error:
            self._note(subject, str(error))

    # === MISSING RECORDS === #

    def _note_gone_of_page(self, model: str, page: RemotePage, domain: Domain) -> None:
        """Note records fetched earlier that are missing between the ends of two pages.

        Pages are sorted by code: a record between the last code of the previous page
        and the last one of this page that is not in this page no longer exists there.
        """
        records = self.env[model].search(
            domain & Domain("source_id", "=", self.id) & self._get_stretch(model, page)
        )
        codes = {fold_code(read_text(item, "code")) for item in page.items}
        gone = records.filtered(lambda record: fold_code(record.code) not in codes)
        for record in gone.filtered(lambda each: not each.gone_from_source):
            uses = record._get_uses_text()
            reason = self.env._(
                "Removed from the other directory, kept here. %(uses)s", uses=uses
            )
            self._note_again("gone", record, reason.strip())
        records._set_gone(gone, records - gone)

    def _get_stretch(self, model: str, page: RemotePage) -> Domain:
        """Return records with codes between the previous page and this one's end."""
        last = fold_code(_get_last_code(page)) if page.cursor else None
        query = SQL(
            """(SELECT id FROM %(table)s
                 WHERE source_id = %(source_id)s
                   AND upper(code COLLATE "C") > %(start)s
                   AND (%(end)s IS NULL OR upper(code COLLATE "C") <= %(end)s))""",
            table=SQL.identifier(self.env[model]._table),
            source_id=self.id,
            start=fold_code(self.place.get("last") or ""),
            end=last,
        )
        return Domain("id", "in", query)

    # === SUCCESSORS === #

    def _import_successors(self) -> None:
        """Take over the successors, once everything has been fetched."""
        domain = [("source_id", "=", self.id), ("closed_on", "!=", False)]
        providers = self.env["spar.fsp"].search(domain)
        for provider in providers:
            code = (provider.source_values or {}).get("successor")
            if code:
                self._import_successor(provider, self._search_provider(code))
        for branch in self.env["spar.fsp.branch"].search(domain):
            values = branch.source_values or {}
            if code := values.get("successor"):
                provider = self._search_provider(values.get("successor_provider") or "")
                found = provider.branch_ids.filtered(
                    lambda b, code=code: fold_code(b.code) == fold_code(code)
                )
                self._import_successor(branch, found)

    @api.model
    def _search_provider(self, code: str):
        place = AddressPlace("code", fold_code(code), "")
        found = self.env["spar.fsp"]._search_places({place}).get(place, NO_HOLDER)
        return self.env["spar.fsp"].browse(found.provider_id)

    def _import_successor(self, record, successor) -> None:
        """Write the successor, unless users here have recorded one."""
        if record.successor_id:
            return
        loader_text = self.env._("Its successor there cannot be its successor here.")
        if not successor:
            self._note(record.display_name, loader_text)
            return
        try:
            with self.env.cr.savepoint():
                record.successor_id = successor
        except ValidationError:
            self._note(record.display_name, loader_text)

    # === NOTES === #

    def _note_problems(self, row: Row, loader, problems: list) -> None:
        texts = [loader._get_problem_text(problem) for problem in problems]
        subject = row.values["code"] or row.values["name"]
        self._note(subject, " ".join(dict.fromkeys(texts)))

    def _note_again(self, kind: str, record, reason: str) -> None:
        """Note a change since the directory was previously fetched."""
        if self.fetched_at:
            self._note(record.display_name, reason, kind)

    def _note(self, subject: str, reason: str, kind: str = "refused") -> None:
        self.env["spar.directory.source.note"]._as_code().create(
            {
                "source_id": self.id,
                "kind": kind,
                "subject": subject[:100] or "?",
                "reason": reason,
            }
        )

    # === PROBLEMS === #

    @api.model
    def _get_problem_text(self, error: OutgoingError | RemoteDirectoryError) -> str:
        """Return the problem and its remedy, in the user's language."""
        if isinstance(error, RemoteRefused):
            return self._get_refusal_text(error.status)
        if isinstance(error, RemoteAnswerInvalid):
            return self.env._(
                "The response is not that of a SPAR directory (%(member)s): check the "
                "URL.",
                member=error.member,
            )
        texts = {
            "address_refused": self.env._(
                "Requests to this URL are not allowed. It must begin with https:// "
                "and must not lead into a private network, unless the server's "
                "configuration allows it."
            ),
            "unknown_host": self.env._("The host name was not found: check the URL."),
            "too_slow": self.env._("The other server is too slow: try again later."),
            "answer_too_large": self.env._(
                "The response of the other server is too large."
            ),
        }
        unreachable = self.env._("The other server cannot be reached: try again later.")
        return texts.get(error.code, unreachable)

    @api.model
    def _get_refusal_text(self, status: int) -> str:
        if status in (400, 401, 403):
            return self.env._(
                "The other server does not accept the client ID and secret: check "
                "them there."
            )
        if status == 404:
            return self.env._(
                "There is no directory at this URL: it must end in /spar/v1."
            )
        return self.env._(
            "The other server responded with the error %(status)s: try again later.",
            status=status,
        )


def _get_last_code(page: RemotePage) -> str:
    return read_text(page.items[-1], "code") if page.items else ""
