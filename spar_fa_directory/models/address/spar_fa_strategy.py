import contextlib
import re
from itertools import zip_longest

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...lib import fa_form, fa_reader, fa_syntax
from ...lib.address_rules import Kinds
from ...lib.exceptions import InvalidStrategyTemplate, MissingPart
from ...lib.fa_examination import KnownKind, Problem, examine
from ...lib.fa_form import CanonicalAddress
from ...lib.fa_reader import NO_HOLDER, Address, AddressReading, Found, KnownStrategy

# The fields that give a stored address its meaning.
FIXED = {"number", "type_id", "template"}
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# The numbers below are for the strategies that come with SPAR.
FIRST_OWN_NUMBER = 101


class SparFaStrategy(models.Model):
    """A format for addresses of a kind: append-only, as mappings name its number."""

    _name = "spar.fa.strategy"
    _description = "Strategy of Financial Addresses"
    _inherit = ["spar.cached.records"]
    _order = "number"

    number = fields.Integer(
        required=True,
        copy=False,
        aggregator=None,
        default=lambda self: self._default_number(),
    )
    name = fields.Char(required=True, translate=True)
    type_id = fields.Many2one(
        "spar.fa.type",
        string="Kind of address",
        required=True,
        index=True,
        ondelete="restrict",
    )
    template = fields.Char(
        required=True,
        help="For example account:{account_number}@{bank_code}: the kind and a colon, "
        "then each part in braces, with a punctuation mark between them.",
    )
    is_default = fields.Boolean(
        string="Default",
        copy=False,
        help="New addresses of this kind are written with this strategy.",
    )
    active = fields.Boolean(default=True)
    is_approved = fields.Boolean(
        string="In use",
        default=True,
        readonly=True,
        copy=False,
        help="Addresses are written and read with it.",
    )

    _number_uniq = models.Constraint(
        "UNIQUE (number)", "Another strategy has this number."
    )
    _number_positive = models.Constraint(
        "CHECK (number > 0)", "The number of a strategy is 1 or more."
    )
    _default_active = models.Constraint(
        "CHECK (active OR NOT is_default)",
        "The default strategy cannot be archived: make another one the default.",
    )
    _default_uniq = models.UniqueIndex(
        "(type_id) WHERE is_default", "Another strategy is the default of this kind."
    )

    @api.model
    def _default_number(self):
        last = self.with_context(active_test=False).search(
            [], order="number desc", limit=1
        )
        return max(last.number + 1, FIRST_OWN_NUMBER)

    @api.constrains("template", "type_id")
    def _check_template(self):
        for strategy in self:
            try:
                syntax = fa_syntax.compile_strategy(strategy.template)
            except InvalidStrategyTemplate as error:
                raise ValidationError(strategy._get_error_text(error)) from error
            strategy._check_template_keys(set(syntax.keys))
            strategy._check_template_literals(set(syntax.keys))

    def _check_template_literals(self, keys: set[str]) -> None:
        """Check that the text between the parts cannot be taken for a value."""
        pieces = PLACEHOLDER.split(self.template)
        touching = [before[-1:] for before in pieces[:-1]]
        touching += [after[:1] for after in pieces[1:]]
        if any(map(str.isdigit, "".join(pieces))) or any(map(str.isalnum, touching)):
            raise ValidationError(
                self.env._(
                    "The text between the parts can contain names and punctuation "
                    "marks, but no digits, and no letter next to a brace: they would "
                    "be read as part of a value."
                )
            )
        providers = [
            key
            for key, (kind, _name) in self._get_directory_keys().items()
            if kind == "provider"
        ]
        if providers and not keys & set(providers):
            raise ValidationError(
                self.env._(
                    "The template does not contain the provider, {%(key)s}.",
                    key=providers[0],
                )
            )

    def _check_template_keys(self, keys: set[str]) -> None:
        """Check that the template names parts of the kind, and all of its texts."""
        parts = self.type_id.part_ids
        known = set(parts.mapped("key")) | self._get_directory_keys().keys()
        if unknown := sorted(keys - known):
            raise ValidationError(
                self.env._(
                    "%(type)s has no part %(keys)s.",
                    type=self.type_id.name,
                    keys=", ".join(unknown),
                )
            )
        needed = {part.key for part in parts if part.kind == "text"}
        if missing := sorted(needed - keys):
            raise ValidationError(
                self.env._(
                    "The template does not contain %(keys)s: an address could not be "
                    "read back from it.",
                    keys=", ".join(missing),
                )
            )

    def _get_directory_keys(self) -> dict[str, tuple[str, str]]:
        """Return the keys whose values are known to the directory.

        A provider part ``bank_code`` lets templates also use ``bank_name`` and
        ``bank_bic``, a branch part ``branch_code`` also ``branch_name``.

        :return: {key: (kind of part, field)}
        """
        fields_by_kind = {"provider": ("name", "bic"), "branch": ("name",), "text": ()}
        keys = {}
        for part in self.type_id.part_ids:
            if part.kind != "text":
                keys[part.key] = (part.kind, "code")
            for name in fields_by_kind[part.kind]:
                keys[fa_reader.derive_key(part.key, name)] = (part.kind, name)
        return keys

    @api.model
    def _get_error_text(self, error: InvalidStrategyTemplate) -> str:
        text = {
            "placeholder": self.env._(
                "Write each part as {key}: lower-case letters, digits and _ in braces."
            ),
            "ascii": self.env._("Only ASCII characters can stand between the parts."),
            "scheme": self.env._(
                "Begin with the kind of address and a colon, as in account:"
            ),
            "duplicate": self.env._("A part occurs twice."),
            "stars": self.env._("Only one part can be marked with an asterisk."),
            "delimiter": self.env._(
                "A punctuation mark that occurs only once is needed between %(before)s "
                "and %(after)s."
            ),
        }[error.code]
        return text % error.values

    def write(self, vals):
        for strategy in self:
            current = {
                "number": strategy.number,
                "type_id": strategy.type_id.id,
                "template": strategy.template,
            }
            if any(current[name] != vals[name] for name in FIXED & vals.keys()):
                self._raise_append_only()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_uninstall(self):
        self._raise_append_only()

    def _raise_append_only(self):
        raise UserError(
            self.env._(
                "Stored addresses refer to their strategy, so a strategy cannot be "
                "changed or deleted: add a new one."
            )
        )

    def action_set_default(self):
        """Write new addresses of the kind in this strategy from now on."""
        self.ensure_one()
        self.search(
            [("type_id", "=", self.type_id.id), ("is_default", "=", True)]
        ).is_default = False
        self.flush_model(["is_default"])
        self.is_default = True

    # === ADDRESSES === #

    @api.model
    def _read_addresses(self, texts: list[str]) -> list[Address]:
        """Parse addresses, in the same order, each by the strategy that it fits.

        Archived strategies, providers and branches count too, because stored addresses
        name them. It requires no access rights and takes one statement, one more if
        addresses name BICs, and one more if the strategies are not cached.

        :return: an ``Address`` for each; nothing but its text if no strategy fits
        """
        chosen, found = self._choose_readings(texts)
        return [
            fa_reader.to_address(text, reading, found)
            for text, reading in zip(texts, chosen, strict=True)
        ]

    @api.model
    def _canonicalise_addresses(
        self, texts: list[str], kinds: Kinds | None = None
    ) -> list[CanonicalAddress]:
        """Bring addresses into their canonical form, in the same order.

        Two texts are the same address if the keys of their forms are equal. Each has a
        form, whatever is wrong with it, which ``problem`` states. It requires no access
        rights and costs the same as ``_read_addresses``, plus a few statements if the
        kinds are not cached.

        :param kinds: by the previous rules; those of the current rules unless given
        """
        chosen, found = self._choose_readings(texts)
        kinds = self._get_known_kinds() if kinds is None else kinds
        return [
            fa_form.canonicalise(
                reading,
                found.get(reading.place, NO_HOLDER),
                kinds[reading.known.type_id],
            )
            if reading and reading.known.type_id in kinds
            else fa_form.keep_text(text)
            for text, reading in zip(texts, chosen, strict=True)
        ]

    @api.model
    def _is_same_address(self, one: str, other: str) -> bool:
        """Return whether two texts are one address, however each is written."""
        first, second = self._canonicalise_addresses([one, other])
        return first.key == second.key

    @api.model
    def _examine_addresses(
        self, texts: list[str]
    ) -> list[tuple[Address, Problem | None]]:
        """Read addresses and check them against the directory, in the same order.

        An address is valid if its provider and branch are known, not archived and of
        the right kind, and its texts pass their checks. It requires no access rights
        and costs the same as ``_read_addresses``, plus a few statements if the kinds
        are not cached.

        :return: each as it is written, with why it cannot be used, or None
        """
        chosen, found = self._choose_readings(texts)
        kinds = self._get_known_kinds()
        return [
            (
                fa_reader.to_address(text, reading, found),
                examine(
                    reading, found.get(reading and reading.place, NO_HOLDER), kinds
                ),
            )
            for text, reading in zip(texts, chosen, strict=True)
        ]

    @api.model
    def _get_problem_values(
        self, address: Address, problem: Problem
    ) -> dict[str, str] | None:
        """Return a message's values for a problem: the part, the successor, or None.

        Only names of the directory, never a value that was entered.
        """
        if problem.part:
            return {"part": problem.part, "check": problem.check}
        record_sudo = {
            "provider_replaced": self.env["spar.fsp"]
            .sudo()
            .browse(address.provider_id),
            "branch_replaced": self.env["spar.fsp.branch"]
            .sudo()
            .browse(address.branch_id),
        }.get(problem.code)
        if not record_sudo:
            return None
        return {"successor": record_sudo._get_last_successor().display_name}

    @api.model
    def _write_canonical(
        self, formed: list[CanonicalAddress], texts: list[str], number: int = 0
    ) -> list[str]:
        """Write addresses that are in their canonical form, in the same order.

        :param texts: as they were sent: returned where no strategy reads one
        :param number: of the strategy; 0 to write each in the one that read it, as is
            done for an address that the strategy cannot write
        """
        as_read = list(map(fa_form.write_as_read, formed))
        left = [place for place, text in enumerate(as_read) if text is None]
        by_directory = self._write_as_read(
            [formed[place].to_address(texts[place]) for place in left]
        )
        for place, text in zip(left, by_directory, strict=True):
            as_read[place] = text
        written = []
        if number:
            pairs = zip(formed, texts, strict=True)
            addresses = [form.to_address(text) for form, text in pairs]
            written = self._write_addresses(addresses, number)
        return [
            requested or own or text
            for requested, own, text in zip_longest(written, as_read, texts)
        ]

    @api.model
    def _write_as_read(self, addresses: list[Address]) -> list[str | None]:
        """Write addresses, each in the strategy that read it; None without one."""
        by_number: dict[int, list[int]] = {}
        for place, address in enumerate(addresses):
            if address.strategy_number:
                by_number.setdefault(address.strategy_number, []).append(place)
        written: list[str | None] = [None] * len(addresses)
        for number, places in by_number.items():
            texts = self._write_addresses([addresses[p] for p in places], number)
            for place, text in zip(places, texts, strict=True):
                written[place] = text
        return written

    @api.model
    def _mask_addresses(self, texts: list[str]) -> list[str]:
        """Return the masked forms of addresses, in the same order.

        The kind, and genuine providers and branches, stay readable; an address that no
        strategy fits is masked completely. It requires no access rights.
        """
        chosen, found = self._choose_readings(texts)
        return [
            fa_reader.mask_reading(text, reading, found)
            for text, reading in zip(texts, chosen, strict=True)
        ]

    @api.model
    def _get_hidden_values(self, text: str) -> list[str]:
        """Return the values of an address that its masked form hides, in clear."""
        (reading,), found = self._choose_readings([text])
        return fa_reader.get_hidden_values(text, reading, found)

    @api.model
    def _choose_readings(
        self, texts: list[str]
    ) -> tuple[list[AddressReading | None], Found]:
        """Return the reading of each text, and the directory's data on the places."""
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
        """Write addresses in the strategy ``number``, in the same order.

        Names and BICs that it uses come from the directory. It requires no access
        rights.

        :return: None for an address of another kind, or one that lacks what the
            strategy needs
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
        """Return the strategy, archived or not, readable without access rights.

        :raises UserError: when there is none
        """
        strategy_sudo = self.sudo().with_context(active_test=False)
        strategy_sudo = strategy_sudo.search(
            [("number", "=", number), ("is_approved", "!=", False)]
        )
        if not strategy_sudo:
            raise UserError(
                self.env._("There is no strategy number %(number)s.", number=number)
            )
        return strategy_sudo

    def _get_directory_parts(self, addresses: list[Address]) -> list[dict[str, str]]:
        """Return for each address the parts of this strategy known to the directory."""
        # Names are sent in one language, whichever user is asking.
        env = self.with_context(lang=None).env
        providers = {a.provider_id for a in addresses if a.provider_id}
        branches = {a.branch_id for a in addresses if a.branch_id}
        by_id = {
            "provider": {r.id: r for r in env["spar.fsp"].browse(providers)},
            "branch": {r.id: r for r in env["spar.fsp.branch"].browse(branches)},
        }
        keys = self._get_directory_keys()
        branch_keys = [key for key, (kind, _name) in keys.items() if kind == "branch"]
        part = self.type_id.part_ids.filtered(lambda part: part.kind == "branch")
        return [
            # A branch that is stated to be none has no name either.
            dict.fromkeys(branch_keys if _is_unnamed(address, part.key) else (), "")
            | {
                key: record[name]
                for key, (kind, name) in keys.items()
                if (record := by_id[kind].get(getattr(address, f"{kind}_id")))
                and record[name]
            }
            for address in addresses
        ]

    @api.model
    def _get_known_kinds(self) -> dict[int, KnownKind]:
        """Return all kinds of address by ID, as plain values."""
        versions = self.env["spar.row.versions"]
        names = ("spar.fa.type", "spar.fa.type.part")
        return versions._reuse(self, "_build_known_kinds", *names)

    @api.model
    def _build_known_kinds(self) -> dict[int, KnownKind]:
        types_sudo = self.env["spar.fa.type"].sudo().with_context(active_test=False)
        return {
            fa_type.id: KnownKind(
                fa_type.provider_kind or "",
                tuple(part._get_known() for part in fa_type.part_ids),
                fa_type.code,
            )
            for fa_type in types_sudo.search([])
        }

    @api.model
    def _get_known_strategies(self) -> dict[str, tuple[KnownStrategy, ...]]:
        """Return all strategies by scheme, defaults first, archived ones last.

        The values are plain, so that they can be cached.
        """
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
                 WHERE strategy.is_approved IS NOT FALSE
              GROUP BY strategy.id, type.id
              ORDER BY strategy.active IS NOT TRUE, strategy.is_default IS NOT TRUE,
                       strategy.number
                """
            )
        )
        kinds = self._get_known_kinds()
        gaps = {type_id: kind.list_gaps() for type_id, kind in kinds.items()}
        return fa_reader.group_by_scheme(
            fa_reader.build_known_strategy(*row, gaps=gaps[row[1]]) for row in rows
        )


def _is_unnamed(address: Address, key: str | bool) -> bool:
    """Return whether the address states that it has no branch."""
    return bool(key) and (address.parts or {}).get(key) == ""
