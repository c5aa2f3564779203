from dataclasses import replace

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.id_rules import Identifier
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier

from ..exceptions import ContestedId
from ..lib import seals
from ..lib.id_reading import FormState
from ..store.changing import Asked
from ..store.contesting import Judge
from ..store.showing import show_ids
from .spar_form_run import FORMS


class SparMapperLocal(models.AbstractModel):
    """IDs that are stored in a form of before, and those that would coincide."""

    _inherit = "spar.mapper.local"

    # === READING IDS === #

    @api.model
    def _prefer_stored(
        self, texts: list[str | None], found: list, state: FormState
    ) -> list:
        """The same as ``found``, but for IDs that are stored as exactly this spelling
        gives them in a form of before: it reaches them until they have the form of now.

        What is contested is reached in no other way.
        """
        keyring = self.env["spar.keyring"]._open()
        older = [
            []
            if text is None or isinstance(text, StoredIdentifier)
            # What is the same in both forms is found by that of now.
            else self._read_older(state, text, None if state.contested else newest)
            for text, newest in zip(texts, found, strict=True)
        ]
        canonicals = {one.canonical for each in older for _number, one in each}
        identifiers = self.env["spar.subject.id"]
        stored = identifiers._find_forms(keyring, list(canonicals))
        contested = self._find_contested(keyring, found) if state.contested else set()
        chosen = [
            newest
            if isinstance(text, StoredIdentifier)
            else _choose(newest, readings, stored, contested)
            for text, newest, readings in zip(texts, found, older, strict=True)
        ]
        return self._find_foreseen(keyring, chosen) if state.foreseen else chosen

    @api.model
    def _find_foreseen(self, keyring, found: list) -> list:
        """The same as ``found``, but for IDs that a row is to become that is not
        rewritten yet: it is that row's, however it is spelt now."""
        digest = keyring.digester(seals.ID)
        asked = {
            digest(one.canonical): one
            for one in found
            if isinstance(one, Identifier) and not one.is_stored
        }
        runs_sudo = self.env["spar.form.run"].sudo()
        rows = runs_sudo._find_foreseen(keyring, list(asked)) if asked else {}
        shown = self._show_ids(FORMS, list(rows.values())) if rows else {}
        stored = {
            asked[each]: replace(asked[each], canonical=shown[row_id], is_stored=True)
            for each, row_id in rows.items()
            if row_id in shown
        }
        return [
            stored.get(one, one) if isinstance(one, Identifier) else one
            for one in found
        ]

    @api.model
    def _read_older(
        self, state: FormState, text: str, newest
    ) -> list[tuple[int, Identifier]]:
        """What ``text`` is in each older form that takes it, if not ``newest``."""
        readings = []
        for number, form in state.older:
            try:
                identifier = form.identify(text)
            except InvalidIdentifier:
                continue
            if identifier != newest:
                readings.append((number, identifier))
        return readings

    @api.model
    def _find_contested(self, keyring, found: list) -> set[str]:
        """Which of the IDs ``found`` are those of several people."""
        digest = keyring.digester(seals.ID)
        asked = {
            digest(one.canonical): one.canonical
            for one in found
            if isinstance(one, Identifier)
        }
        if not asked:
            return set()
        contested = self.env["spar.form.case"]._find_contested(list(asked))
        return {asked[each] for each in contested}

    # === READING ADDRESSES === #

    @api.model
    def _read_stored(self, texts: list[str]) -> list[Asked]:
        """What the directory makes of stored addresses, in the same order; one that is
        not in order stays as it is written."""
        strategies = self.env["spar.fa.strategy"]
        read = strategies._canonicalise_addresses(texts)
        written = strategies._write_canonical(read, texts)
        return [
            Asked(
                form.to_address(text if form.problem else in_one_form),
                form,
                form.problem,
            )
            for text, form, in_one_form in zip(texts, read, written, strict=True)
        ]

    # === CASES === #

    @api.model
    def _decide_case(self, call: CallContext, case) -> None:
        """Do what two people have decided of IDs that coincide; see ``Judge``."""
        work = self._begin_work(call)
        run = self.env["spar.form.run"].sudo()._build_current()
        decisions = {line._get_identifier().id: line.decision for line in case.line_ids}
        judge = Judge(work, run)
        decide = judge.decide if case.kind == "ids" else judge.decide_account
        try:
            decide(decisions)
        finally:
            self._finish_work(work)

    @api.model
    def _show_ids(self, call: CallContext, row_ids: list[int]) -> dict[int, str]:
        """The spelling of IDs, in clear; see ``_show_heads``."""
        work = self._begin_work(call, for_write=False)
        shown = show_ids(work, row_ids)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return shown


def _choose(newest, readings: list, stored: dict[str, int], contested: set[str]):
    """What a text is: an ID that is stored in the form by which it was read so, else
    what it is now. Where that is contested, the spelling of a row, and no other."""
    for number, identifier in readings:
        if stored.get(identifier.canonical) == number:
            return replace(identifier, is_stored=True)
    if not isinstance(newest, Identifier) or newest.canonical not in contested:
        return newest
    # As the oldest form has it: to the letter.
    for _number, identifier in readings[-1:]:
        if identifier.canonical in stored:
            return replace(identifier, is_stored=True)
    return ContestedId()
