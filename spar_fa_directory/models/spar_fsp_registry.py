from dataclasses import dataclass, field

from odoo import api, fields, models

from ..lib import bank_registry
from ..lib.bank_registry import HEAD_OFFICE, KnownBank, get_whole_bic
from ..lib.fa_reader import Place, fold_code


@dataclass
class BankLoad:
    """The result of loading a country's banks: providers, and pairs (name, reason).

    ``gone`` are those that the registry no longer has, with what identifies them;
    ``keys`` are the codes that it has.
    """

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


class SparFsp(models.Model):
    """Providers from the public registry of banks (schwifty's)."""

    _inherit = "spar.fsp"  # pylint: disable=consider-merging-classes-inherited

    registry_key = fields.Char(
        readonly=True,
        copy=False,
        help="The bank's code in the public registry that it was loaded from.",
    )
    # As last loaded: any difference from it is an edit by staff.
    registry_values = fields.Json(readonly=True, copy=False)

    _registry_key_uniq = models.UniqueIndex(
        "(registry_key) WHERE registry_key IS NOT NULL",
        "Another provider was loaded from the same bank of the registry.",
    )

    @api.model
    def _load_banks(self, country: str) -> BankLoad:
        """Load the banks of a country from the registry; repeating it changes nothing.

        What staff have edited stays, archived banks stay archived, and a bank that
        staff entered themselves (same code or BIC) is left alone.

        :param country: ISO 3166 code
        :return: what was done, for each bank by name
        """
        banks, left_out = bank_registry.get_banks(country)
        load = BankLoad(
            refused=[(b.name, self._get_left_out_text(b)) for b in left_out]
        )
        load.keys = {bank.code for bank in banks}
        country_record = self.env["res.country"].search([("code", "=", country)])
        providers = self.with_context(active_test=False, lang=None)
        loaded = providers.search([("registry_key", "in", [b.code for b in banks])])
        by_key = loaded.grouped("registry_key")
        new = [bank for bank in banks if bank.code not in by_key]
        for bank in banks:
            if bank.code in by_key:
                by_key[bank.code]._update_from_registry(bank, load)
        providers._add_banks(new, country_record, load)
        providers._note_gone_banks(country_record, loaded, load)
        return load

    @api.model
    def _note_gone_banks(self, country, still_there, load: BankLoad) -> None:
        """List the banks that came from the registry, but are no longer in it."""
        domain = [("registry_key", "!=", False), ("country_id", "=", country.id)]
        known = self.with_context(active_test=True).search(domain)
        gone = known.filtered(lambda bank: bank.registry_key not in load.keys)
        self._set_gone(gone, still_there)
        load.gone += [(bank.name, bank._get_uses_text()) for bank in gone]

    @api.model
    def _get_left_out_text(self, entry: bank_registry.LeftOut) -> str:
        return {
            "duplicate": self.env._(
                "Another entry with the same bank code was loaded."
            ),
            "nameless": self.env._("The registry has no name or no code for it."),
        }[entry.reason]

    def _update_from_registry(self, bank: KnownBank, load: BankLoad) -> None:
        """Apply the registry's changes, except to values that staff have changed."""
        listed = {"name": bank.name, "bic": bank.bic or False}
        before = self.registry_values or {}
        current = {name: self[name] for name in listed}
        changed = {n for n in listed if listed[n] != before.get(n, False)}
        edited = {n for n in listed if current[n] != before.get(n, False)}
        if values := {
            n: listed[n] for n in changed - edited if listed[n] != current[n]
        }:
            self.write(values)
        if changed:
            self.registry_values = listed
        if edited:
            load.kept.append((self.name, self.env._("Edited by staff.")))
        else:
            (load.updated if values else load.same).append(self.name)

    @api.model
    def _add_banks(self, banks: list[KnownBank], country, load: BankLoad) -> None:
        entered = self._search_entered(banks, country)
        odoo_banks = self._search_odoo_banks([bank.bic for bank in banks])
        new = []
        for bank in banks:
            if provider := entered.get(bank.code) or entered.get(bank.bic or None):
                load.kept.append((bank.name, self._get_entered_text(provider)))
            else:
                bank_id = odoo_banks.get(get_whole_bic(bank.bic))
                new.append(self._prepare_bank(bank, country, bank_id))
        load.added += self.create(new).mapped("name")

    @api.model
    def _search_entered(self, banks: list[KnownBank], country) -> dict:
        """Return providers that staff entered, by the code or BIC of such a bank."""
        places = {Place("code", fold_code(bank.code), "") for bank in banks}
        by_place = self._search_places(places)
        by_code = {
            bank.code: self.browse(found.provider_id)
            for bank in banks
            if (found := by_place.get(Place("code", fold_code(bank.code), "")))
        }
        whole = {get_whole_bic(bank.bic): bank.bic for bank in banks if bank.bic}
        written = set(whole) | {bic.removesuffix(HEAD_OFFICE) for bic in whole}
        providers = self.search(
            [
                ("registry_key", "=", False),
                ("country_id", "=", country.id),
                ("bic", "in", sorted(written)),
            ]
        )
        return {whole[get_whole_bic(p.bic)]: p for p in providers} | by_code

    @api.model
    def _get_entered_text(self, provider) -> str:
        return self.env._(
            "Staff entered this bank as %(provider)s.", provider=provider.display_name
        )

    @api.model
    def _prepare_bank(self, bank: KnownBank, country, bank_id: int | None) -> dict:
        values = {"name": bank.name, "bic": bank.bic or False}
        return {
            **values,
            "code": bank.code,
            "kind": "bank",
            "country_id": country.id,
            "bank_id": bank_id,
            "registry_key": bank.code,
            "registry_values": values,
        }
