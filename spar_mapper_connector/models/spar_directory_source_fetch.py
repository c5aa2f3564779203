import logging

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

from ..exceptions import OutgoingError, RemoteDirectoryError
from ..lib.directory_client import DirectoryClient, RemotePage, read_text
from ..lib.directory_merge import merge

_logger = logging.getLogger(__name__)
_CLOSING = ("closed_on", "close_reason")
_PROVIDER = ("code", "name", "kind", "country", "bic", *_CLOSING)
_BRANCH = ("code", "name", "city", *_CLOSING)
_COUNTS = ("added", "updated", "same", "kept")


class SparDirectorySource(models.Model):
    """The fetching in the background: one page in each transaction."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.source"

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
                self._take_step(client)
                if not cron._commit_progress(1, remaining=1):
                    return False
                self.env.invalidate_all()
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            self.write({"state": "failed", "problem": self._tell_failure(error)})
        return bool(cron._commit_progress(0))

    def _tell_failure(self, error: Exception) -> str:
        if isinstance(error, OutgoingError | RemoteDirectoryError):
            return self._get_problem_text(error)
        if isinstance(error, UserError):
            return str(error)
        _logger.error("Directory source %s: %s", self.id, type(error).__name__)
        return self.env._(
            "Fetching stopped at an unexpected error. What was taken over stays; fetch "
            "again to go on."
        )

    def _take_step(self, client: DirectoryClient) -> None:
        """Process one page, with the rights of the user who pressed the button."""
        me = self.with_user(self.user_id or self.env.user)
        me = me.with_context(lang=None, active_test=False)
        with self.env.cr.savepoint():
            getattr(me, f"_take_{self.place['phase']}")(client)

    def _take_types(self, client: DirectoryClient) -> None:
        for fa_type in client.get_fa_types():
            self._take_fa_type(fa_type)
        self.place = {**self.place, "phase": "providers"}

    def _take_providers(self, client: DirectoryClient) -> None:
        page = client.get_providers(self.place["cursor"])
        self._take_provider_page(page)
        self._note_gone_of_page("spar.fsp", page, Domain.TRUE)
        phase = "providers" if page.cursor else "branches"
        place = {**self.place, "phase": phase, "cursor": page.cursor}
        self.place = place | {"last": _get_last_code(page) if page.cursor else ""}

    def _take_branches(self, client: DirectoryClient) -> None:
        """Process the next page of the current provider, or of the one after it."""
        place = self.place
        provider = self._get_next_provider(place["after"])
        if not provider:
            self._take_successors()
            self.write({"state": "done", "fetched_at": fields.Datetime.now()})
            return
        code = provider.source_values["code"]
        page = client.get_branches(code, place["cursor"])
        self._take_branch_page(provider, page)
        domain = Domain("provider_id", "=", provider.id)
        self._note_gone_of_page("spar.fsp.branch", page, domain)
        after = place["after"] if page.cursor else provider.id
        place = {**place, "after": after, "cursor": page.cursor}
        self.place = place | {"last": _get_last_code(page) if page.cursor else ""}

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

    def _take_provider_page(self, page: RemotePage) -> None:
        loader = self.env["spar.directory.loader.provider"]
        countries, kinds = loader._get_countries(), loader._get_kinds()
        told = {}
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
            told[values["code"].upper(),] = values, more
        self._take_over(loader, told)

    def _take_branch_page(self, provider, page: RemotePage) -> None:
        loader = self.env["spar.directory.loader.branch"]
        columns = [c for c in loader._get_columns() if c.name != "provider"]
        told = {}
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
            told[provider.id, values["code"].upper()] = values, more
        self._take_over(loader, told)

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

    def _take_over(self, loader, told: dict[tuple, tuple[dict, dict]]) -> None:
        """Create new records, update those fetched earlier, leave others unchanged."""
        target = self.env[loader._target]
        target.flush_model()
        existing = loader._search_existing(list(told))
        counts = dict.fromkeys(_COUNTS, 0)
        new = []
        for key, (values, more) in told.items():
            source_values = {**values, **more}
            if not (found := existing.get(key)):
                source = {"source_id": self.id, "source_values": source_values}
                new.append({**values, **source})
                continue
            record = target.browse(found.record_id)
            counts[self._update_record(record, values, source_values)] += 1
        added = target.create(new)
        for record in added if self.fetched_at else ():
            self._note_again("new", record, self.env._("It is new there."))
        counts["added"] = len(added)
        self.write({name: self[name] + count for name, count in counts.items()})

    def _update_record(self, record, values: dict, source_values: dict) -> str:
        """Update a record with changes of the other side; return the outcome."""
        if record.source_id != self:
            self._note(
                record.display_name,
                self.env._("This code was entered here, or came from elsewhere."),
            )
            return "kept"
        told = {name: values[name] for name in values if name != "code"}
        # Records fetched before closings existed have none.
        before = dict.fromkeys(_CLOSING, False) | (record.source_values or {})
        merged = merge(told, before, self._get_current(record, told))
        if merged.values:
            record.write(merged.values)
        if source_values != record.source_values:
            record.source_values = source_values
        if merged.values:
            self._note_again("changed", record, self.env._("It has changed there."))
        if merged.is_edited:
            return "kept"
        return "updated" if merged.values else "same"

    @api.model
    def _get_current(self, record, told: dict) -> dict:
        fields_ = record._fields
        return {
            name: fields_[name].convert_to_write(record[name], record) for name in told
        } | {"closed_on": fields.Date.to_string(record.closed_on)}

    # === MISSING RECORDS === #

    def _note_gone_of_page(self, model: str, page: RemotePage, domain: Domain) -> None:
        """Note records fetched earlier that are missing between the ends of two pages.

        Pages are sorted by code: a record between the last code of the previous page
        and the last one of this page that is not in this page no longer exists there.
        """
        records = self.env[model].search(
            domain & Domain("source_id", "=", self.id) & self._get_stretch(model, page)
        )
        told = {fold_code(read_text(item, "code")) for item in page.items}
        gone = records.filtered(lambda record: fold_code(record.code) not in told)
        for record in gone.filtered(lambda each: not each.gone_from_source):
            uses = record._get_uses_text()
            reason = self.env._(
                "It is there no more; it stays here. %(uses)s", uses=uses
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

    def _take_successors(self) -> None:
        """Take over the successors, once everything has been fetched."""
        domain = [("source_id", "=", self.id), ("closed_on", "!=", False)]
        providers = self.env["spar.fsp"].search(domain)
        for provider in providers:
            code = (provider.source_values or {}).get("successor")
            if code:
                self._take_successor(provider, self._search_provider(code))
        for branch in self.env["spar.fsp.branch"].search(domain):
            values = branch.source_values or {}
            if code := values.get("successor"):
                provider = self._search_provider(values.get("successor_provider") or "")
                found = provider.branch_ids.filtered(
                    lambda b, code=code: fold_code(b.code) == fold_code(code)
                )
                self._take_successor(branch, found)

    @api.model
    def _search_provider(self, code: str):
        place = AddressPlace("code", fold_code(code), "")
        found = self.env["spar.fsp"]._search_places({place}).get(place, NO_HOLDER)
        return self.env["spar.fsp"].browse(found.provider_id)

    def _take_successor(self, record, successor) -> None:
        """Write the successor, unless users here have recorded one."""
        if record.successor_id:
            return
        loader_text = self.env._("What took over there cannot take over here.")
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
        self.env["spar.directory.source.note"].create(
            {
                "source_id": self.id,
                "kind": kind,
                "subject": subject[:100] or "?",
                "reason": reason,
            }
        )


def _get_last_code(page: RemotePage) -> str:
    return read_text(page.items[-1], "code") if page.items else ""
