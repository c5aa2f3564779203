import contextlib

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..lib import fa_reader, fa_syntax
from ..lib.exceptions import MissingPart
from ..lib.fa_examination import KnownKind, KnownPart, Problem, examine
from ..lib.fa_reader import NOBODY, Address, Found, KnownStrategy, Reading


class SparFaStrategy(models.Model):
    """Addresses, read and written in batches by the strategies that there are."""

    _inherit = "spar.fa.strategy"

    @api.model
    def _read_addresses(self, texts: list[str]) -> list[Address]:
        """Take addresses apart: in the same order, each read by the strategy it fits.

        Archived strategies, providers and branches count too: stored addresses name
        them. Needs no rights; one statement, one more where addresses name BICs, one
        more when the strategies are not cached.

        :return: an `Address` for each; nothing but its text where no strategy fits
        """
        chosen, found = self._choose_readings(texts)
        return [
            fa_reader.to_address(text, reading, found)
            for text, reading in zip(texts, chosen, strict=True)
        ]

    @api.model
    def _examine_addresses(
        self, texts: list[str]
    ) -> list[tuple[Address, Problem | None]]:
        """Read addresses and hold them against the directory, in the same order.

        In order is an address whose provider and branch are known, not archived and of
        the right kind, and whose texts pass their checks. Needs no rights; costs what
        `_read_addresses` does, a few statements more where the kinds are not cached.

        :return: each with the first reason why it cannot be used, or None
        """
        chosen, found = self._choose_readings(texts)
        kinds = self._get_known_kinds()
        return [
            (
                fa_reader.to_address(text, reading, found),
                examine(reading, found.get(reading and reading.place, NOBODY), kinds),
            )
            for text, reading in zip(texts, chosen, strict=True)
        ]

    @api.model
    def _mask_addresses(self, texts: list[str]) -> list[str]:
        """The masked forms of addresses, in the same order.

        The kind, and provider and branch where they are such, stay readable; an
        address that no strategy fits is masked whole. Needs no rights.
        """
        chosen, found = self._choose_readings(texts)
        return [
            fa_reader.mask_reading(text, reading, found)
            for text, reading in zip(texts, chosen, strict=True)
        ]

    @api.model
    def _choose_readings(self, texts: list[str]) -> tuple[list[Reading | None], Found]:
        """How each text is understood, and what the directory knows of the places."""
        by_scheme = self._get_known_strategies()
        readings = [fa_reader.read_text(by_scheme, text) for text in texts]
        places = {
            reading.place
            for alternatives in readings
            for reading in alternatives
            if reading.place.provider
        }
        found = self.env["spar.fsp"]._search_places(places)
        return [fa_reader.choose_reading(r, found) for r in readings], found

    @api.model
    def _write_addresses(
        self, addresses: list[Address], number: int
    ) -> list[str | None]:
        """Write addresses in the strategy `number`, in the same order.

        Names and BICs that it wants come from the directory. Needs no rights.

        :return: None for an address of another kind, or without what the strategy wants
        :raises UserError: when there is no such strategy
        """
        strategy_sudo = self._get_by_number(number)
        syntax = fa_syntax.compile_strategy(strategy_sudo.template)
        known_parts = strategy_sudo._get_directory_parts(addresses)
        texts = []
        for address, known in zip(addresses, known_parts, strict=True):
            text = None
            if address.type_id == strategy_sudo.type_id.id:
                with contextlib.suppress(MissingPart):
                    text = fa_syntax.build(syntax, known | address.parts)
            texts.append(text)
        return texts

    @api.model
    def _get_by_number(self, number: int):
        """The strategy, archived or not, readable without rights.

        :raises UserError: when there is none
        """
        strategy_sudo = self.sudo().with_context(active_test=False)
        strategy_sudo = strategy_sudo.search([("number", "=", number)])
        if not strategy_sudo:
            raise UserError(
                self.env._("There is no strategy number %(number)s.", number=number)
            )
        return strategy_sudo

    def _get_directory_parts(self, addresses: list[Address]) -> list[dict[str, str]]:
        """For each address the parts of this strategy that the directory knows."""
        # Names go out in one language, whoever asks.
        env = self.with_context(lang=None).env
        providers = {a.provider_id for a in addresses if a.provider_id}
        branches = {a.branch_id for a in addresses if a.branch_id}
        by_id = {
            "provider": {r.id: r for r in env["spar.fsp"].browse(providers)},
            "branch": {r.id: r for r in env["spar.fsp.branch"].browse(branches)},
        }
        keys = self._get_directory_keys()
        return [
            {
                key: record[name]
                for key, (kind, name) in keys.items()
                if (record := by_id[kind].get(getattr(address, f"{kind}_id")))
                and record[name]
            }
            for address in addresses
        ]

    @api.model
    def _get_known_kinds(self) -> dict[int, KnownKind]:
        """All kinds of address by id; plain values."""
        versions = self.env["spar.row.versions"]
        names = ("spar.fa.type", "spar.fa.type.part")
        return versions._reuse(self, "_build_known_kinds", *names)

    @api.model
    def _build_known_kinds(self) -> dict[int, KnownKind]:
        types_sudo = self.env["spar.fa.type"].sudo().with_context(active_test=False)
        return {
            fa_type.id: KnownKind(
                fa_type.provider_kind or "",
                tuple(
                    KnownPart(
                        part.key,
                        part.kind,
                        part.check_code or "",
                        part.check_parameter or "",
                    )
                    for part in fa_type.part_ids
                ),
            )
            for fa_type in types_sudo.search([])
        }

    @api.model
    def _get_known_strategies(self) -> dict[str, tuple[KnownStrategy, ...]]:
        """All strategies by scheme: defaults first, archived last; plain values."""
        versions = self.env["spar.row.versions"]
        names = ("spar.fa.strategy", "spar.fa.type", "spar.fa.type.part")
        return versions._reuse(self, "_build_known_strategies", *names)

    @api.model
    def _build_known_strategies(self) -> dict[str, tuple[KnownStrategy, ...]]:
        for model in ("spar.fa.strategy", "spar.fa.type", "spar.fa.type.part"):
            self.env[model].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT strategy.number, type.id, type.code, strategy.template,
                       max(part.key) FILTER (WHERE part.kind = 'provider'),
                       max(part.key) FILTER (WHERE part.kind = 'branch')
                  FROM spar_fa_strategy AS strategy
                  JOIN spar_fa_type AS type ON type.id = strategy.type_id
             LEFT JOIN spar_fa_type_part AS part ON part.type_id = type.id
              GROUP BY strategy.id, type.id
              ORDER BY strategy.active IS NOT TRUE, strategy.is_default IS NOT TRUE,
                       strategy.number
                """
            )
        )
        return fa_reader.group_by_scheme(fa_reader.know_strategy(*row) for row in rows)
