from odoo import api, models
from odoo.exceptions import UserError

from ..exceptions import RemoteAnswerInvalid
from ..lib.directory_client import read_items, read_text

_PART_KINDS = ("provider", "branch", "text")


class SparDirectorySource(models.Model):
    """Kinds of address and strategies, taken over where they mean the same here."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.source"

    def _take_fa_type(self, told: dict) -> None:
        """Take over an unknown kind of address, and new strategies.

        Both take effect once a second person approves them. A known kind with other
        parts, and a number whose strategy differs here, are left unchanged and noted:
        stored addresses depend on them.
        """
        code, parts = read_text(told, "code"), read_items(told, "parts")
        kinds = self.env["spar.fa.type"].with_context(active_test=False)
        known = kinds.search([("code", "=", code)])
        try:
            with self.env.cr.savepoint():
                fa_type = known or self._create_fa_type(told, parts)
        except UserError as error:
            self._note(code, str(error))
            return
        if self._get_shape(fa_type) != [self._read_shape(part) for part in parts]:
            self._note(code, self.env._("This kind of address has other parts here."))
            return
        for strategy in read_items(told, "strategies"):
            self._take_strategy(fa_type, strategy)

    @api.model
    def _get_shape(self, fa_type) -> list[tuple[str, str]]:
        return [(part.key, part.kind) for part in fa_type.part_ids]

    @api.model
    def _read_shape(self, part: dict) -> tuple[str, str]:
        return read_text(part, "key"), read_text(part, "kind")

    @api.model
    def _create_fa_type(self, told: dict, parts: list[dict]):
        kinds = self.env["spar.directory.loader.provider"]._get_kinds().values()
        provider_kind = read_text(told, "provider_kind")
        fa_type = self.env["spar.fa.type"].create(
            {
                "name": read_text(told, "name") or read_text(told, "code"),
                "code": read_text(told, "code"),
                "provider_kind": provider_kind if provider_kind in kinds else False,
                "part_ids": [
                    (0, 0, self._prepare_part(place, part))
                    for place, part in enumerate(parts)
                ],
            }
        )
        self.added += 1
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
                self.env._("The check %(code)s is not known here.", code=code)
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

    def _take_strategy(self, fa_type, told: dict) -> None:
        number, template = told.get("number"), read_text(told, "template")
        if type(number) is not int or not 0 < number < 2**31:
            raise RemoteAnswerInvalid("strategies")
        strategies = self.env["spar.fa.strategy"]
        known = strategies.search([("number", "=", number)])
        if known and (known.type_id, known.template) == (fa_type, template):
            return
        subject = f"{fa_type.code} {number}"
        if known:
            reason = self.env._("This number of a strategy writes another way here.")
            self._note(subject, reason)
            return
        values = {"number": number, "type_id": fa_type.id, "template": template}
        try:
            with self.env.cr.savepoint():
                strategies.create(
                    {**values, "name": read_text(told, "name") or template}
                )
                self.added += 1
        except UserError as error:
            self._note(subject, str(error))
